//! Forms that were refused because their sender had to log in or confirm the password: kept for the
//! session that follows, so that the form is shown again with what was typed.
//!
//! Only a log-in or a confirmation keeps a form, and each of them is limited.

use chrono::Duration;
use serde_json::{Map, Value};

use crate::db::{Tx, now, sql};
use crate::error::{Error, Result};
use crate::models::base::site::Site;

/// How long a form is kept.
fn lifetime() -> Duration {
    Duration::hours(1)
}

/// Where its fields are sealed: another session cannot open them.
fn place(sid: &str) -> String {
    format!("kept-form/{sid}")
}

/// Keeps the fields of the form at `path` for a session, in place of any other form. A form has at
/// most the size that the site accepts.
pub async fn keep(site: &Site, sid: &str, path: &str, fields: &Map<String, Value>) -> Result<()> {
    let text = serde_json::to_vec(fields)
        .map_err(|e| Error::Internal(format!("a form cannot be kept: {e}")))?;
    sql("INSERT INTO kept_forms (session_id, path, fields, expires_at) VALUES ($1, $2, $3, $4) \
         ON CONFLICT (session_id) DO UPDATE SET path = excluded.path, \
         fields = excluded.fields, expires_at = excluded.expires_at")
    .bind(sid)
    .bind(path)
    .bind(site.keys.seal(&place(sid), &text)?)
    .bind(now() + lifetime())
    .execute(site.db.writer())
    .await?;
    Ok(())
}

/// The fields of the form at `path`, if it is the one that was kept for this session.
pub async fn find(site: &Site, sid: &str, path: &str) -> Result<Option<Map<String, Value>>> {
    let sealed: Option<String> = sql("SELECT fields FROM kept_forms \
         WHERE session_id = $1 AND path = $2 AND expires_at > $3")
    .bind(sid)
    .bind(path)
    .bind(now())
    .optional_scalar(&site.db)
    .await?;
    let text = sealed.and_then(|sealed| site.keys.open(&place(sid), &sealed));
    Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
}

/// Deletes what has expired; returns how many.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    sql("DELETE FROM kept_forms WHERE expires_at <= $1").bind(now()).execute(tx).await
}

//! Seals of the audit log: each replaces the events up to one of them, and is signed.

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::db::{Conn, Tx, now, sql};
use crate::error::{AuditFault, Error, Result};
use crate::models::base::keys::Keys;
use crate::models::base::random;

const PURPOSE: &str = "audit-seal";

/// All events up to `event_id` were verified and then deleted.
#[derive(Debug, Clone, FromRow)]
pub struct Seal {
    pub event_id: i64,
    /// The hash of that event, from which the chain continues.
    pub hash: String,
    pub sealed_at: DateTime<Utc>,
    key_id: String,
    signature: String,
}

impl Seal {
    /// SHA-256 over the digest of the previous seal and every column but the signature. A signature
    /// of it therefore vouches for all earlier seals, even if their keys are gone.
    fn digest_after(&self, previous: &str) -> String {
        let text = serde_json::json!([
            previous,
            self.event_id,
            self.hash,
            self.sealed_at.timestamp_micros(),
            self.key_id,
        ]);
        random::sha256(text.to_string())
    }
}

/// All seals, oldest first.
pub async fn all<'c>(conn: impl Into<Conn<'c>>) -> Result<Vec<Seal>> {
    sql("SELECT event_id, hash, sealed_at, key_id, signature FROM audit_seals ORDER BY event_id")
        .all(conn)
        .await
}

/// The last sealed event; 0 when there is none.
pub async fn last_id<'c>(conn: impl Into<Conn<'c>>) -> Result<i64> {
    sql("SELECT coalesce(max(event_id), 0) FROM audit_seals").scalar(conn).await
}

/// Verifies the signatures of all seals, oldest first, whose keys are known.
///
/// # Errors
/// `AuditBroken`: a wrong signature, or a newest one that cannot be checked.
pub fn check(keys: &Keys, seals: &[Seal]) -> Result<()> {
    let mut digest = String::new();
    for (i, seal) in seals.iter().enumerate() {
        digest = seal.digest_after(&digest);
        let is_newest = i + 1 == seals.len();
        match keys.verify(PURPOSE, &digest, &seal.key_id, &seal.signature) {
            Some(true) => {}
            Some(false) => return Err(Error::AuditBroken(AuditFault::Seal(seal.event_id))),
            None if is_newest => {
                let (id, key) = (seal.event_id, seal.key_id.clone());
                return Err(Error::AuditBroken(AuditFault::UnknownKey { id, key }));
            }
            None => {}
        }
    }
    Ok(())
}

/// Adds a seal that ends with this event, behind the existing ones.
pub async fn create(
    tx: &mut Tx,
    keys: &Keys,
    existing: &[Seal],
    event_id: i64,
    hash: String,
) -> Result<()> {
    let previous = existing.iter().fold(String::new(), |digest, seal| seal.digest_after(&digest));
    let key_id = keys.newest_id().to_owned();
    let mut seal = Seal { event_id, hash, sealed_at: now(), key_id, signature: String::new() };
    seal.signature = keys.derive(PURPOSE, &seal.digest_after(&previous));
    sql("INSERT INTO audit_seals (event_id, hash, sealed_at, key_id, signature) \
         VALUES ($1, $2, $3, $4, $5)")
    .bind(seal.event_id)
    .bind(seal.hash)
    .bind(seal.sealed_at)
    .bind(seal.key_id)
    .bind(seal.signature)
    .execute(tx)
    .await?;
    Ok(())
}

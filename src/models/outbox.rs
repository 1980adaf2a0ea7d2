//! Mails to be sent: put down with what causes them, sent later, tried again until they are gone.

use chrono::Duration;
use sqlx::FromRow;

use crate::db::{Conn, Db, now, sql};
use crate::error::{Error, Result};
use crate::models::link::{self, Purpose};
use crate::models::throttle;
use crate::models::user;

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Confirm this address; or, when it has an account already, be told so.
    Verify,
    /// Set a new password; nothing when the address has no account.
    Reset,
    /// Somebody asks for another address.
    EmailChange,
    /// The account has another address now.
    EmailChanged,
    PasswordChanged,
    TwoFactorOn,
    TwoFactorOff,
}

impl Kind {
    const ALL: [Kind; 7] = [
        Kind::Verify,
        Kind::Reset,
        Kind::EmailChange,
        Kind::EmailChanged,
        Kind::PasswordChanged,
        Kind::TwoFactorOn,
        Kind::TwoFactorOff,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Verify => "verify",
            Kind::Reset => "reset",
            Kind::EmailChange => "email-change",
            Kind::EmailChanged => "email-changed",
            Kind::PasswordChanged => "password-changed",
            Kind::TwoFactorOn => "two-factor-on",
            Kind::TwoFactorOff => "two-factor-off",
        }
    }
}

/// Puts a mail down. `detail` is what else its text needs.
pub async fn put<'c>(
    conn: impl Into<Conn<'c>>,
    kind: Kind,
    recipient: &str,
    user_id: Option<i64>,
    detail: &str,
) -> Result<()> {
    let at = now();
    sql("INSERT INTO outbox (kind, recipient, user_id, detail, created_at, next_attempt_at) \
         VALUES ($1, $2, $3, $4, $5, $5)")
    .bind(kind.as_str())
    .bind(recipient)
    .bind(user_id)
    .bind(detail)
    .bind(at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Puts a mail with a link down, unless its address has had enough of them: nobody's post box is
/// filled from here. Tells whether it was.
pub async fn put_link(db: &Db, kind: Kind, recipient: &str, user_id: Option<i64>) -> Result<bool> {
    let key = format!("{}:{}", kind.as_str(), user::key(recipient));
    match throttle::take_quietly(db, &throttle::MAILS, &key).await {
        Ok(()) => put(db.writer(), kind, recipient, user_id, "").await.map(|()| true),
        Err(Error::TooMany { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}

/// A mail that is to be sent now.
#[derive(Debug, FromRow)]
pub struct Item {
    pub id: i64,
    pub kind: String,
    pub recipient: String,
    user_id: Option<i64>,
    detail: String,
    pub attempts: i64,
}

/// After so many tries, over about two days, a mail is given up.
const TRIES: i64 = 50;

/// Takes the next mail that is due. Until its next try is due, no other instance takes it; one that
/// dies meanwhile loses nothing.
pub async fn claim(db: &Db) -> Result<Option<Item>> {
    let at = now();
    // Looked for where reading costs little: nearly always there is nothing.
    let due: Option<(i64, i64)> = sql("SELECT id, attempts FROM outbox \
         WHERE next_attempt_at <= $1 ORDER BY next_attempt_at, id LIMIT 1")
    .bind(at)
    .optional(db)
    .await?;
    let Some((id, attempts)) = due else { return Ok(None) };
    sql("UPDATE outbox SET attempts = attempts + 1, next_attempt_at = $1 \
         WHERE id = $2 AND attempts = $3 AND next_attempt_at <= $4 \
         RETURNING id, kind, recipient, user_id, detail, attempts")
    .bind(at + back_off(attempts + 1))
    .bind(id)
    .bind(attempts)
    .bind(at)
    .optional(db.writer())
    .await
}

/// One minute, then twice as long each time, at most an hour.
fn back_off(attempt: i64) -> Duration {
    Duration::minutes(1 << (attempt - 1).clamp(0, 6)).min(Duration::hours(1))
}

/// Forgets a mail that was sent.
pub async fn done(db: &Db, id: i64) -> Result<()> {
    sql("DELETE FROM outbox WHERE id = $1").bind(id).execute(db.writer()).await?;
    Ok(())
}

/// Leaves a mail for its next try, or gives it up; tells whether it stays.
pub async fn failed(db: &Db, item: &Item) -> Result<bool> {
    if item.attempts < TRIES {
        return Ok(true);
    }
    done(db, item.id).await?;
    Ok(false)
}

/// How many mails wait.
pub async fn waiting(db: &Db) -> Result<i64> {
    let (count,) = sql("SELECT count(*) FROM outbox").one(db).await?;
    Ok(count)
}

/// What a mail's text is made of.
#[derive(Debug, serde::Serialize)]
pub struct Letter {
    /// Names the templates.
    #[serde(skip)]
    pub template: &'static str,
    #[serde(skip)]
    pub recipient: String,
    pub username: String,
    /// The path of the link with its secret, if there is one.
    pub path: Option<String>,
    pub detail: String,
}

#[derive(FromRow)]
struct Addressee {
    id: i64,
    username: String,
    email: Option<String>,
    pending_email: Option<String>,
    verified: i64,
}

const ADDRESSEE: &str = "SELECT id, username, email, pending_email, \
    CAST(CASE WHEN email_verified_at IS NULL THEN 0 ELSE 1 END AS BIGINT) AS verified FROM users";

/// Makes the letter; `None` when there is nothing (any more) to be said. Only here is it looked up
/// who has an address, so that asking takes the same time for every address.
pub async fn letter(db: &Db, item: &Item) -> Result<Option<Letter>> {
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.as_str() == item.kind) else {
        return Ok(None);
    };
    let owner: Option<Addressee> = sql(ADDRESSEE)
        .push_bind(" WHERE disabled_at IS NULL AND email_key = ", user::key(&item.recipient))
        .optional(db)
        .await?;
    let about: Option<Addressee> = match item.user_id {
        Some(id) => sql(ADDRESSEE).push_bind(" WHERE id = ", id).optional(db).await?,
        None => None,
    };
    let recipient = item.recipient.as_str();
    let letter = |template, username: String, path| {
        let (recipient, detail) = (recipient.to_owned(), item.detail.clone());
        Some(Letter { template, recipient, username, path, detail })
    };
    // The owner of an address is written to as it was confirmed, not as somebody else spelt it:
    // what is alike in our eyes may be another box.
    let to_owner = |template, owner: Addressee, path| {
        let recipient = owner.email.unwrap_or_default();
        Some(Letter { template, recipient, username: owner.username, path, detail: String::new() })
    };
    Ok(match (kind, owner, about) {
        (Kind::Reset, Some(owner), _) => {
            let email = owner.email.as_deref().unwrap_or_default();
            let token = link::make(db, owner.id, Purpose::Reset, email).await?;
            let path = format!("/password-reset/new?token={token}");
            to_owner("reset", owner, Some(path))
        }
        (Kind::Verify, Some(owner), Some(about)) if owner.id != about.id => {
            to_owner("taken", owner, Some("/password-reset".to_owned()))
        }
        (Kind::Verify, _, Some(about)) if wants(&about, recipient) => {
            let token = link::make(db, about.id, Purpose::Verify, recipient).await?;
            let path = format!("/verify-email?token={token}");
            letter("verify", about.username, Some(path))
        }
        (Kind::Reset | Kind::Verify, ..) => None,
        (kind, _, Some(about)) => letter(kind.as_str(), about.username, None),
        (_, _, None) => None,
    })
}

/// Whether the person still waits for this address to be confirmed.
fn wants(about: &Addressee, recipient: &str) -> bool {
    about.pending_email.as_deref() == Some(recipient)
        || (about.email.as_deref() == Some(recipient) && about.verified == 0)
}

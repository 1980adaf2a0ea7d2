//! Authorization codes (RFC 6749 §4.1): a person's consent, which an application exchanges once for
//! tokens, with the verifier of its challenge (RFC 7636).

use aws_lc_rs::digest;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use chrono::{DateTime, Duration, Utc};
use sqlx::FromRow;

use crate::db::{Tx, now, sql};
use crate::error::{Credentials, Error, Result};
use crate::models::accounts::access_token::Audience;
use crate::models::accounts::application::OAuthClient;
use crate::models::accounts::identity::Identity;
use crate::models::accounts::refresh_token::{self, Grant};
use crate::models::accounts::scope::Scopes;
use crate::models::accounts::session::{self, NewSession};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Actor;
use crate::models::base::caller::Caller;
use crate::models::base::random;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;
use crate::models::users::user::{self, User};

/// Identifies authorization codes.
const PREFIX: &str = "pac_";

/// How long a code works.
fn lifetime() -> Duration {
    Duration::seconds(60)
}

/// What a person permits.
pub struct Consent<'c> {
    pub client: &'c OAuthClient,
    pub redirect_uri: &'c str,
    pub challenge: &'c str,
    pub scopes: &'c Scopes,
}

/// Records a consent; returns the code for the application.
///
/// # Errors
/// `TooManyRequests`.
pub async fn create(site: &Site, actor: &Actor, consent: &Consent<'_>) -> Result<String> {
    let budgets = actor.budgets(site.limits.authorizations, site.limits.authorizations_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let code = random::token(PREFIX)?;
    let mut tx = site.db.begin().await?;
    user::lock(&mut tx, actor.user.id).await?;
    rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
    let password_hash: String = sql("SELECT password_hash FROM users WHERE id = $1")
        .bind(actor.user.id)
        .scalar(&mut tx)
        .await?;
    sql("INSERT INTO authorization_codes (hash, application_id, user_id, stamp, redirect_uri, \
         challenge, scopes, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)")
    .bind(random::sha256(&code))
    .bind(consent.client.id)
    .bind(actor.user.id)
    .bind(random::sha256(password_hash))
    .bind(consent.redirect_uri)
    .bind(consent.challenge)
    .bind(consent.scopes.to_string())
    .bind(now() + lifetime())
    .execute(&mut tx)
    .await?;
    AuditEvent::own(EventKind::APPLICATION_AUTHORIZED, &actor.user)
        .detail(format!("number {}: {}", consent.client.id, consent.scopes))
        .write(&mut tx, &actor.caller)
        .await?;
    tx.commit().await?;
    Ok(code)
}

/// What an application sends for tokens.
pub struct CodeExchange<'e> {
    pub code: &'e str,
    pub redirect_uri: &'e str,
    pub verifier: &'e str,
}

#[derive(FromRow)]
struct CodeRow {
    application_id: i64,
    stamp: String,
    redirect_uri: String,
    challenge: String,
    #[sqlx(try_from = "String")]
    scopes: Scopes,
    expires_at: DateTime<Utc>,
    session_id: Option<String>,
    password_hash: String,
    #[sqlx(flatten)]
    user: User,
}

impl CodeRow {
    /// Whether the code still works, and everything that was sent with it is right.
    fn permits(&self, sent: &CodeExchange<'_>) -> bool {
        self.expires_at > now()
            && self.redirect_uri == sent.redirect_uri
            && self.challenge == challenge(sent.verifier)
            // A password change in the meantime ends the code.
            && self.stamp == random::sha256(&self.password_hash)
    }
}

/// The challenge of a verifier (RFC 7636 §4.2, S256).
fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

const INVALID: Error = Error::InvalidCredentials(Credentials::AuthorizationCode);

/// Exchanges a code for a session. Sent again, it ends that session: somebody has a copy (RFC 6749
/// §4.1.2).
///
/// # Errors
/// `InvalidCredentials`; `TooManyRequests`.
pub async fn exchange(
    site: &Site,
    caller: &Caller,
    client: &OAuthClient,
    sent: &CodeExchange<'_>,
) -> Result<Grant> {
    let hash = random::sha256(sent.code);
    let row: Option<CodeRow> =
        sql("SELECT c.application_id, c.stamp, c.redirect_uri, c.challenge, c.scopes, \
             c.expires_at, c.session_id, u.id, u.username, u.role, u.password_hash \
             FROM authorization_codes c JOIN users u ON u.id = c.user_id \
             WHERE c.hash = $1 AND u.disabled_at IS NULL")
        .bind(hash.as_str())
        .optional(&site.db)
        .await?;
    let Some(row) = row.filter(|row| row.application_id == client.id) else {
        let network = Budget::new(site.limits.refresh_address, &caller.network());
        rate_limit::acquire(&site.db, caller, &network).await?;
        return Err(INVALID);
    };
    if row.session_id.is_some() {
        return end_session(site, caller, &hash, &row.user).await;
    }
    if !row.permits(sent) {
        return Err(INVALID);
    }
    let (user, password_hash) = (row.user.clone(), row.password_hash);
    let identity = Identity { user, password_hash };
    let mut tx = session::begin(site, caller, &identity).await?;
    user::lock(&mut tx, row.user.id).await?;
    if !lock(&mut tx, client).await? {
        return Err(INVALID);
    }
    let new_session = NewSession {
        scopes: Some(&row.scopes),
        application: Some(client.id),
        ..NewSession::own(Audience::Api)
    };
    let grant = refresh_token::open_in(&mut tx, caller, &identity, new_session).await?;
    let used = sql("UPDATE authorization_codes SET session_id = $1 \
         WHERE hash = $2 AND session_id IS NULL")
    .bind(grant.sid.as_str())
    .bind(hash.as_str())
    .execute(&mut tx)
    .await?;
    if used == 0 {
        // Somebody has just used it, or it was revoked.
        drop(tx);
        return end_session(site, caller, &hash, &row.user).await;
    }
    tx.commit().await?;
    Ok(grant)
}

/// Locks the application, so that nobody deletes it or disables its owner meanwhile; returns whether
/// it still exists and the owner is enabled.
async fn lock(tx: &mut Tx, client: &OAuthClient) -> Result<bool> {
    sql("UPDATE applications SET name = name WHERE id = $1")
        .bind(client.id)
        .execute(&mut *tx)
        .await?;
    // A statement of its own, which sees what was committed before the lock.
    let owner: Option<i64> =
        sql("SELECT u.id FROM applications a JOIN users u ON u.id = a.user_id \
         WHERE a.id = $1 AND u.disabled_at IS NULL")
        .bind(client.id)
        .optional_scalar(tx)
        .await?;
    Ok(owner.is_some())
}

async fn end_session(site: &Site, caller: &Caller, hash: &str, user: &User) -> Result<Grant> {
    let mut tx = site.db.begin().await?;
    user::lock(&mut tx, user.id).await?;
    let ended = sql("DELETE FROM sessions WHERE id = \
         (SELECT session_id FROM authorization_codes WHERE hash = $1)")
    .bind(hash)
    .execute(&mut tx)
    .await?;
    if ended > 0 {
        AuditEvent::new(EventKind::TOKEN_REPLAYED)
            .about(user.id, &user.username)
            .detail("a used authorization code was sent again; its session was ended")
            .write(&mut tx, caller)
            .await?;
    }
    tx.commit().await?;
    Err(INVALID)
}

/// Deletes expired codes that were not used; returns how many. Used ones go with their sessions.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    sql("DELETE FROM authorization_codes WHERE expires_at <= $1 AND session_id IS NULL")
        .bind(now())
        .execute(tx)
        .await
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    #[test]
    fn a_challenge_is_the_hash_of_its_verifier() {
        assert_eq!(
            challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
        );
    }
}

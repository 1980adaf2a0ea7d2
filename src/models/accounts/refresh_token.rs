//! Refresh tokens: opaque, single-use, stored as SHA-256. All tokens that descend from one log-in
//! are a family, which is its session (RFC 9700 §4.14.2).

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use chrono::{DateTime, Duration, Utc};
use sqlx::FromRow;

use crate::db::{Db, Tx, now, shared_now, sql};
use crate::error::{Credentials, Error, Result};
use crate::models::accounts::identity::Identity;
use crate::models::accounts::scope::Scopes;
use crate::models::accounts::session::{self, NewSession};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::caller::Caller;
use crate::models::base::keys::Keys;
use crate::models::base::random;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;
use crate::models::users::user::User;
use crate::validation::Rule;

/// Identifies refresh tokens.
pub const PREFIX: &str = "prt_";

/// How long a used token returns the same successor again, so that a client stays logged in when a
/// response was lost or when it sent two requests at once. The period is not extended.
fn grace() -> Duration {
    Duration::seconds(10)
}

/// At most this many tokens of a session are stored, however fast a client exchanges them.
const MAX_STORED: i64 = 100;

/// A token that was sent: 128 bits that it shares with its family, and 128 bits of its own.
struct Sent<'t> {
    token: &'t str,
    bytes: [u8; 32],
}

impl Sent<'_> {
    /// `None` when it cannot be one of our tokens.
    fn parse(token: &str) -> Option<Sent<'_>> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(token.strip_prefix(PREFIX)?).ok()?;
        Some(Sent { token, bytes: bytes.try_into().ok()? })
    }

    fn hash(&self) -> String {
        random::sha256(self.token)
    }

    fn family(&self) -> String {
        random::sha256(random::hex(&self.bytes[..16]))
    }

    /// The next token of the family; only this site can compute it.
    fn successor(&self, keys: &Keys) -> Result<String> {
        let derived = BASE64_URL_SAFE_NO_PAD
            .decode(keys.derive("refresh", self.token))
            .map_err(|e| Error::Internal(e.to_string()))?;
        let next = [&self.bytes[..16], &derived[..16]].concat();
        Ok(format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(next)))
    }

    /// The session of the token, or of its family if the token itself is too old to be stored.
    async fn session(&self, db: &Db) -> Result<Option<String>> {
        sql("SELECT session_id FROM refresh_tokens WHERE hash = $1 OR family = $2 LIMIT 1")
            .bind(self.hash())
            .bind(self.family())
            .optional_scalar(db)
            .await
    }
}

/// What an API client gets: the session, and the token that extends it.
pub struct Grant {
    pub user: User,
    pub sid: String,
    /// What the session is restricted to.
    pub scopes: Option<Scopes>,
    pub refresh_token: String,
}

/// What an exchange asks for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Renewal<'r> {
    /// The application that sends the token, if it is known to be one.
    pub application: Option<i64>,
    /// Scopes for the next access token; `None` for all those of the session.
    pub scopes: Option<&'r Scopes>,
}

const INVALID: Error = Error::InvalidCredentials(Credentials::RefreshToken);

/// Opens a session for an API client, with the first token of its family.
pub async fn open(
    site: &Site,
    caller: &Caller,
    identity: &Identity,
    new_session: NewSession<'_>,
) -> Result<Grant> {
    let mut tx = session::begin(site, caller, identity).await?;
    let grant = open_in(&mut tx, caller, identity, new_session).await?;
    tx.commit().await?;
    Ok(grant)
}

/// `open`, inside a transaction.
pub async fn open_in(
    tx: &mut Tx,
    caller: &Caller,
    identity: &Identity,
    new_session: NewSession<'_>,
) -> Result<Grant> {
    let sid = session::insert(tx, caller, identity, new_session).await?;
    let refresh_token = random::token(PREFIX)?;
    let at = shared_now(&mut *tx).await?;
    insert(tx, &sid, &refresh_token, None, at).await?;
    Ok(Grant {
        user: identity.user.clone(),
        sid,
        scopes: new_session.scopes.cloned(),
        refresh_token,
    })
}

/// A token that is exchanged: its hash and its generation.
struct Parent<'p> {
    hash: &'p str,
    generation: i64,
}

async fn insert(
    tx: &mut Tx,
    sid: &str,
    token: &str,
    parent: Option<&Parent<'_>>,
    at: DateTime<Utc>,
) -> Result<()> {
    let sent = Sent::parse(token).ok_or(INVALID)?;
    sql("INSERT INTO refresh_tokens \
         (hash, parent_hash, family, generation, session_id, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6)")
    .bind(sent.hash())
    .bind(parent.map(|parent| parent.hash.to_owned()))
    .bind(sent.family())
    .bind(parent.map_or(0, |parent| parent.generation + 1))
    .bind(sid)
    .bind(at)
    .execute(tx)
    .await?;
    Ok(())
}

/// What is known of a token that was sent, and of the one that replaced it.
#[derive(FromRow)]
struct TokenRow {
    generation: i64,
    next_hash: Option<String>,
    next_created_at: Option<DateTime<Utc>>,
    next_is_used: bool,
}

/// Exchanges a token for the next one of its family, which is derived from the token and our key.
///
/// Within the grace period, the token returns the same successor again while that is unused: its
/// answer may have been lost. Once the successor was used, it had arrived; the token is refused, but
/// the family lives, since the request may be the last of several that the client sent at once.
/// After the grace period, reuse means that the token was copied: the family is revoked.
///
/// # Errors
/// `InvalidCredentials`, also when the token belongs to another application; `Invalid`, about
/// `scope`, when the session has fewer scopes; `TooManyRequests`.
pub async fn rotate(
    site: &Site,
    caller: &Caller,
    token: &str,
    renewal: Renewal<'_>,
) -> Result<Grant> {
    let sent = Sent::parse(token);
    let (sid, budgets) = limit(site, caller, sent.as_ref()).await?;
    let sent = sent.ok_or(INVALID)?;
    let mut tx = site.db.begin().await?;
    let Owner { user, scopes, application_id } =
        lock(&mut tx, caller, &sid).await?.ok_or(INVALID)?;
    if application_id != renewal.application {
        return Err(INVALID);
    }
    let scopes = scopes.map(Scopes::from);
    let granted = scopes.clone().unwrap_or_else(|| Scopes::all_of(&user));
    if renewal.scopes.is_some_and(|asked| !granted.include(asked)) {
        return Err(Error::invalid("scope", Rule::OutOfRange));
    }
    rate_limit::charge_all(&mut tx, caller, &budgets).await?;
    // By the clock that all instances share; read after the lock, which may have taken a while.
    let at = shared_now(&mut tx).await?;
    let hash = sent.hash();
    let row: Option<TokenRow> =
        sql("SELECT t.generation, n.hash AS next_hash, n.created_at AS next_created_at, \
             EXISTS (SELECT 1 FROM refresh_tokens u WHERE u.parent_hash = n.hash) AS next_is_used \
             FROM refresh_tokens t LEFT JOIN refresh_tokens n ON n.parent_hash = t.hash \
             WHERE t.hash = $1")
        .bind(hash.as_str())
        .optional(&mut tx)
        .await?;
    let refresh_token = sent.successor(&site.keys)?;
    match row {
        Some(TokenRow { generation, next_hash: None, .. }) => {
            let parent = Parent { hash: &hash, generation };
            insert(&mut tx, &sid, &refresh_token, Some(&parent), at).await?;
            prune(&mut tx, &sid, generation + 1, at).await?;
        }
        Some(TokenRow {
            next_hash: Some(next),
            next_created_at: Some(used_at),
            next_is_used,
            ..
        }) if used_at >= at - grace() => {
            // Another hash means that the signing key changed: only the first caller has it.
            if next_is_used || next != random::sha256(&refresh_token) {
                return Err(INVALID);
            }
        }
        // Used long ago, or so long ago that only its family is known.
        _ => return end_family(tx, caller, &sid, &user).await,
    }
    tx.commit().await?;
    Ok(Grant { user, sid, scopes, refresh_token })
}

/// The session of a token, and what an exchange counts for. Unknown tokens are found by reading, and
/// counted for the network: on SQLite, anybody could otherwise keep the one connection that writes
/// busy.
///
/// # Errors
/// `InvalidCredentials` when the token is unknown; `TooManyRequests`.
async fn limit(
    site: &Site,
    caller: &Caller,
    sent: Option<&Sent<'_>>,
) -> Result<(String, [Budget; 2])> {
    let db = &site.db;
    let sid = match sent {
        Some(sent) => sent.session(db).await?,
        None => None,
    };
    let owner: Option<i64> = match &sid {
        Some(sid) => {
            let owner = sql("SELECT user_id FROM sessions WHERE id = $1").bind(sid.as_str());
            owner.optional_scalar(db).await?
        }
        None => None,
    };
    let (Some(sid), Some(owner)) = (sid, owner) else {
        let network = Budget::new(site.limits.refresh_address, &caller.network());
        rate_limit::acquire(db, caller, &network).await?;
        return Err(INVALID);
    };
    let (own, network) = (site.limits.refreshes, site.limits.refreshes_address);
    let budgets = Budget::of_user(owner, caller, own, network);
    rate_limit::check_all(db, caller, &budgets).await?;
    Ok((sid, budgets))
}

/// Locks an active session, as the first thing: everything that ends one locks it before its
/// tokens. Records the use.
async fn lock(tx: &mut Tx, caller: &Caller, sid: &str) -> Result<Option<Owner>> {
    let at = now();
    let used = sql("UPDATE sessions SET address = $1, last_used_at = $2 \
         WHERE id = $3 AND expires_at > $2 AND last_used_at > $4")
    .bind(caller.address())
    .bind(at)
    .bind(sid)
    .bind(at - session::idle_limit())
    .execute(&mut *tx)
    .await?;
    if used == 0 { Ok(None) } else { owner(tx, sid).await }
}

/// Deletes the tokens that only a thief or a confused client could still send: those that were
/// exchanged before the grace period. Their family is enough to recognise them.
async fn prune(tx: &mut Tx, sid: &str, generation: i64, at: DateTime<Utc>) -> Result<()> {
    sql("DELETE FROM refresh_tokens WHERE session_id = $1 AND family IS NOT NULL \
         AND (generation <= $2 OR generation < (SELECT coalesce(max(generation), 0) \
         FROM refresh_tokens WHERE session_id = $1 AND created_at < $3))")
    .bind(sid)
    .bind(generation - MAX_STORED)
    .bind(at - grace())
    .execute(tx)
    .await?;
    Ok(())
}

async fn end_family(mut tx: Tx, caller: &Caller, sid: &str, user: &User) -> Result<Grant> {
    sql("DELETE FROM sessions WHERE id = $1").bind(sid).execute(&mut tx).await?;
    AuditEvent::new(EventKind::TOKEN_REPLAYED)
        .about(user.id, &user.username)
        .detail("a used refresh token was sent again; its session was ended")
        .write(&mut tx, caller)
        .await?;
    tx.commit().await?;
    Err(INVALID)
}

/// Whose session it is, and what it is restricted to.
#[derive(FromRow)]
struct Owner {
    #[sqlx(flatten)]
    user: User,
    scopes: Option<String>,
    application_id: Option<i64>,
}

async fn owner(tx: &mut Tx, sid: &str) -> Result<Option<Owner>> {
    sql("SELECT u.id, u.username, u.role, s.scopes, s.application_id FROM sessions s \
         JOIN users u ON u.id = s.user_id WHERE s.id = $1 AND u.disabled_at IS NULL")
    .bind(sid)
    .optional(tx)
    .await
}

/// Revokes the family of a token (RFC 7009 §2.1), used or not. An unknown token counts as revoked.
/// `application` is the one that asks, if it is known.
///
/// # Errors
/// `InvalidCredentials` when the token belongs to another application.
pub async fn revoke(
    site: &Site,
    caller: &Caller,
    token: &str,
    application: Option<i64>,
) -> Result<()> {
    let Some(sent) = Sent::parse(token) else { return Ok(()) };
    let Some(sid) = sent.session(&site.db).await? else { return Ok(()) };
    let mut tx = site.db.begin().await?;
    let Some(owner) = owner(&mut tx, &sid).await? else { return Ok(()) };
    if application.is_some() && application != owner.application_id {
        return Err(INVALID);
    }
    let user = owner.user;
    // Of parallel revocations, one ends the session and records it.
    if sql("DELETE FROM sessions WHERE id = $1").bind(sid).execute(&mut tx).await? > 0 {
        AuditEvent::own(EventKind::SESSION_ENDED, &user)
            .detail("revoked")
            .write(&mut tx, caller)
            .await?;
    }
    tx.commit().await
}

//! Idempotency keys: a request that a client repeats is carried out once
//! (draft-ietf-httpapi-idempotency-key-header). All instances share them.
//!
//! A request claims its key for a minute. Every transaction that it commits also marks the key, and
//! is rolled back when somebody else has taken the key over: what was changed and the mark are one
//! commit, so that a retry never does it again, even if the process dies at any moment. The answer
//! is stored afterwards; when it got lost, a retry is told so.

use chrono::{DateTime, Duration, Utc};
use sqlx::FromRow;

use crate::db::{Conn, Tx, set_fence, shared_now, sql};
use crate::error::Result;
use crate::models::base::caller::Caller;
use crate::models::base::keys::Keys;
use crate::models::base::random;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;

/// The largest answer that is kept, in bytes.
pub const MAX_ANSWER: usize = 512 * 1024;

/// How long a request may run before another one may take its key over: longer than any time limit
/// of the database.
fn lease() -> Duration {
    Duration::seconds(60)
}

/// How long answers are kept.
fn retention() -> Duration {
    Duration::hours(24)
}

/// A request with a key.
pub struct KeyedRequest<'a> {
    /// Who asks, if anybody is logged in. The keys of others are those of their network.
    pub user_id: Option<i64>,
    pub caller: &'a Caller,
    pub key: &'a str,
    /// All that makes it the same request: method, path, media type and body.
    pub content: &'a [u8],
}

/// What to do with a request.
pub enum Begun {
    /// Carry it out, and then keep or release the key.
    Claimed(Claim),
    /// The same was answered with this.
    Answered(Vec<u8>),
    /// The same is being carried out, for so many seconds at most.
    Running(i64),
    /// The key belongs to another request.
    Reused,
    /// The same was carried out, but its answer got lost.
    Lost,
}

/// A key that belongs to this request alone.
pub struct Claim {
    id: i64,
    secret: String,
}

#[derive(FromRow)]
struct KeyRow {
    request: String,
    leased_until: DateTime<Utc>,
    expires_at: DateTime<Utc>,
    has_written: bool,
    answer: Option<String>,
}

impl KeyedRequest<'_> {
    /// The key in its owner's name. With it, the answer is sealed; it is stored nowhere.
    fn secret(&self) -> String {
        match self.user_id {
            Some(id) => format!("user {id}\n{}", self.key),
            None => format!("network {}\n{}", self.caller.network(), self.key),
        }
    }

    fn budgets(&self, site: &Site) -> Vec<Budget> {
        let network = site.limits.idempotency_keys_address;
        match self.user_id {
            Some(id) => {
                Budget::of_user(id, self.caller, site.limits.idempotency_keys, network).to_vec()
            }
            None => vec![Budget::new(network, &self.caller.network())],
        }
    }

    /// What `fingerprint` signs. Bodies contain passwords, so that a plain hash could be guessed.
    fn signed(&self) -> String {
        format!("{}\n{}", self.secret(), random::sha256(self.content))
    }
}

const PURPOSE: &str = "idempotency";

fn fingerprint(keys: &Keys, text: &str) -> String {
    format!("{}.{}", keys.newest_id(), keys.derive(PURPOSE, text))
}

/// Whether it is the fingerprint of this text; `None` when its key no longer exists.
fn is_same(keys: &Keys, text: &str, fingerprint: &str) -> Option<bool> {
    let (id, code) = fingerprint.split_once('.')?;
    keys.verify(PURPOSE, text, id, code)
}

/// Claims the key of a request, or finds what became of the first one. From then on, the
/// transactions of this task mark the key, see `db::fenced`.
///
/// # Errors
/// `TooManyRequests` when somebody uses too many keys.
pub async fn begin(site: &Site, request: &KeyedRequest<'_>) -> Result<Begun> {
    let secret = request.secret();
    let digest = random::sha256(&secret);
    // Another request may claim, release or lose the key between the two steps.
    for _ in 0..3 {
        if let Some(known) = find(site, &digest, &secret, &request.signed()).await? {
            return Ok(known);
        }
        if let Some(id) = claim(site, request, &digest).await? {
            set_fence(MARK, id);
            return Ok(Begun::Claimed(Claim { id, secret }));
        }
    }
    Ok(Begun::Running(1))
}

/// What became of the key; `None` when it is free. Only reads: replays cost the writer nothing.
async fn find(site: &Site, digest: &str, secret: &str, signed: &str) -> Result<Option<Begun>> {
    let row: Option<KeyRow> = sql("SELECT request, leased_until, expires_at, has_written, answer \
         FROM idempotency_keys WHERE digest = $1")
    .bind(digest)
    .optional(&site.db)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let at = shared_now(&site.db).await?;
    if row.expires_at <= at {
        return Ok(None);
    }
    if is_same(&site.keys, signed, &row.request) == Some(false) {
        return Ok(Some(Begun::Reused));
    }
    if let Some(sealed) = row.answer {
        let answer = site.keys.open_with(secret, digest, &sealed);
        return Ok(Some(answer.map_or(Begun::Lost, Begun::Answered)));
    }
    let left = (row.leased_until - at).num_seconds();
    Ok(match (row.leased_until > at, row.has_written) {
        (true, _) => Some(Begun::Running(left)),
        (false, true) => Some(Begun::Lost),
        (false, false) => None,
    })
}

/// Claims a key that is free; `None` when another request was faster.
async fn claim(site: &Site, request: &KeyedRequest<'_>, digest: &str) -> Result<Option<i64>> {
    let budgets = request.budgets(site);
    rate_limit::check_all(&site.db, request.caller, &budgets).await?;
    let mut tx = site.db.begin().await?;
    let at = shared_now(&mut tx).await?;
    sql("DELETE FROM idempotency_keys WHERE digest = $1 AND (expires_at <= $2 \
         OR (answer IS NULL AND NOT has_written AND leased_until <= $2))")
    .bind(digest)
    .bind(at)
    .execute(&mut tx)
    .await?;
    let id: Option<i64> = sql("INSERT INTO idempotency_keys \
         (digest, user_id, request, leased_until, expires_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (digest) DO NOTHING RETURNING id")
    .bind(digest)
    .bind(request.user_id)
    .bind(fingerprint(&site.keys, &request.signed()))
    .bind(at + lease())
    .bind(at + retention())
    .optional_scalar(&mut tx)
    .await?;
    if id.is_some() {
        rate_limit::charge_all(&mut tx, request.caller, &budgets).await?;
        tx.commit().await?;
    }
    Ok(id)
}

/// What every transaction of the request does; affects no row when the key was taken over.
const MARK: &str = "UPDATE idempotency_keys SET has_written = TRUE WHERE id = $1";

/// Keeps the answer for retries.
pub async fn keep(site: &Site, claim: &Claim, answer: &[u8]) -> Result<()> {
    let sealed = site.keys.seal_with(&claim.secret, &random::sha256(&claim.secret), answer)?;
    sql("UPDATE idempotency_keys SET answer = $1 WHERE id = $2")
        .bind(sealed)
        .bind(claim.id)
        .execute(site.db.writer())
        .await?;
    Ok(())
}

/// The request was refused: the same key can be used again.
pub async fn release(site: &Site, claim: &Claim) -> Result<()> {
    sql("DELETE FROM idempotency_keys WHERE id = $1")
        .bind(claim.id)
        .execute(site.db.writer())
        .await?;
    Ok(())
}

/// The request failed, or its answer cannot be kept: the same key can be used again, unless
/// something was changed.
pub async fn abandon(site: &Site, claim: &Claim) -> Result<()> {
    let mut tx = site.db.begin().await?;
    sql("DELETE FROM idempotency_keys WHERE id = $1 AND NOT has_written")
        .bind(claim.id)
        .execute(&mut tx)
        .await?;
    let at = shared_now(&mut tx).await?;
    sql("UPDATE idempotency_keys SET leased_until = $1 WHERE id = $2")
        .bind(at)
        .bind(claim.id)
        .execute(&mut tx)
        .await?;
    tx.commit().await
}

/// How many keys are stored; for tests.
pub async fn count<'c>(conn: impl Into<Conn<'c>>) -> Result<i64> {
    sql("SELECT count(*) FROM idempotency_keys").scalar(conn).await
}

/// Deletes keys that have expired; returns how many.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    let at = shared_now(&mut *tx).await?;
    sql("DELETE FROM idempotency_keys WHERE expires_at <= $1").bind(at).execute(tx).await
}

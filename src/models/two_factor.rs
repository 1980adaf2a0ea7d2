//! Two factors: codes of an authenticator (TOTP, RFC 6238), and recovery codes for when it is lost.

use chrono::{DateTime, Utc};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use totp_rs::{Builder, Totp};

use crate::db::{Db, Tx, now, sql};
use crate::error::{Error, Result};
use crate::models::account;
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::outbox;
use crate::models::recovery;
use crate::models::secret;
use crate::models::throttle;
use crate::models::token::Keys;
use crate::models::user::{self, User};

/// Bytes of an authenticator's secret (RFC 4226 §4 recommends 160 bits).
const SECRET: usize = 20;

/// How many recovery codes there are.
const CODES: usize = 10;

/// A code, typed in.
#[derive(Debug, Default, Deserialize, Serialize, utoipa::ToSchema)]
pub struct Code {
    /// Six digits of the authenticator, or a recovery code.
    #[serde(skip_serializing_if = "account::always")]
    #[schema(example = "123456", required = true)]
    pub code: Option<String>,
}

/// Whether logging in needs a code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Standing {
    pub enabled: bool,
    pub enabled_at: Option<DateTime<Utc>>,
    /// How many recovery codes are left.
    pub recovery_codes: i64,
}

/// What an authenticator needs to know: shown while it is being set up.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Setup {
    /// The secret in base32, for typing.
    #[schema(example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    pub secret: String,
    #[schema(example = "otpauth://totp/Postly:ann?secret=…&issuer=Postly")]
    pub uri: String,
    /// The URI as a QR code: an SVG picture.
    pub qr: String,
}

/// New recovery codes: the only time that they are to be seen.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct RecoveryCodes {
    #[schema(example = json!(["k3v9-x2mq-7hpd-w4tz"]))]
    pub recovery_codes: Vec<String>,
}

#[derive(FromRow)]
struct Row {
    secret: String,
    confirmed_at: Option<DateTime<Utc>>,
}

/// The person's standing.
pub async fn standing(db: &Db, me: &User) -> Result<Standing> {
    let row: Option<Row> = sql(ROW).bind(me.id).optional(db).await?;
    let (recovery_codes,): (i64,) =
        sql("SELECT count(*) FROM recovery_codes WHERE user_id = $1").bind(me.id).one(db).await?;
    let enabled_at = row.and_then(|row| row.confirmed_at);
    Ok(Standing { enabled: enabled_at.is_some(), enabled_at, recovery_codes })
}

const ROW: &str = "SELECT secret, confirmed_at FROM two_factors WHERE user_id = $1";

/// Whether this person's log-in needs a code.
pub async fn is_on(db: &Db, user_id: i64) -> Result<bool> {
    let row: Option<Row> = sql(ROW).bind(user_id).optional(db.writer()).await?;
    Ok(row.is_some_and(|row| row.confirmed_at.is_some()))
}

/// Makes a new secret, to be confirmed by a code of it.
///
/// # Errors
/// `Conflict` when two factors are on already.
pub async fn begin(db: &Db, keys: &Keys, me: &User) -> Result<Setup> {
    let raw = secret::random::<SECRET>()?;
    let sealed = keys.seal(&place(me.id), &raw)?;
    let begun = sql("INSERT INTO two_factors (user_id, secret) VALUES ($1, $2) \
         ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, last_step = 0 \
         WHERE two_factors.confirmed_at IS NULL")
    .bind(me.id)
    .bind(sealed)
    .execute(db.writer())
    .await?;
    if begun == 0 {
        return Err(Error::conflict("", "Two-factor log-in is on already."));
    }
    setup(me, raw.to_vec())
}

/// The setup that was begun, for showing its form again.
///
/// # Errors
/// `NotFound` when none was, or it is finished.
pub async fn begun(db: &Db, keys: &Keys, me: &User) -> Result<Setup> {
    let row: Row = sql(ROW).bind(me.id).one(db.writer()).await?;
    let raw = keys.open(&place(me.id), &row.secret).filter(|_| row.confirmed_at.is_none());
    setup(me, raw.ok_or(Error::NotFound)?)
}

fn setup(me: &User, raw: Vec<u8>) -> Result<Setup> {
    let totp = totp(raw, &me.username)?;
    let broken = |e: &dyn std::fmt::Display| Error::Internal(format!("totp: {e}"));
    let uri = totp.to_url().map_err(|e| broken(&e))?;
    let picture = QrCode::new(&uri).map_err(|e| broken(&e))?;
    let picture = picture.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    // Without the XML declaration, so that it can stand in a page.
    let qr = picture.split_once("?>").map_or(picture.as_str(), |(_, svg)| svg).to_owned();
    Ok(Setup { secret: totp.secret().to_base32(), uri, qr })
}

fn totp(raw: Vec<u8>, username: &str) -> Result<Totp> {
    // What authenticators agree on: SHA-1, six digits, 30 seconds, one step of tolerance.
    Builder::new()
        .with_secret(raw)
        .with_account_name(username)
        .with_issuer(Some("Postly"))
        .build()
        .map_err(|e| Error::Internal(format!("totp: {e}")))
}

/// What a sealed secret belongs to: it opens nowhere else.
fn place(user_id: i64) -> String {
    format!("two-factor/{user_id}")
}

/// What a wrong code is told.
pub const WRONG: &str = "This code is wrong, or was used already.";

/// Turns two factors on, with a code of the new authenticator; gives the recovery codes.
///
/// # Errors
/// `Invalid` when the code is wrong; `NotFound` when no setup was begun; `TooMany`.
pub async fn enable(
    db: &Db,
    keys: &Keys,
    caller: &Caller,
    me: &User,
    code: &Code,
) -> Result<RecoveryCodes> {
    begun(db, keys, me).await?;
    prove(db, keys, caller, me, code).await?;
    let mut tx = db.begin().await?;
    let enabled =
        sql("UPDATE two_factors SET confirmed_at = $1 WHERE user_id = $2 AND confirmed_at IS NULL")
            .bind(now())
            .bind(me.id)
            .execute(&mut tx)
            .await?;
    if enabled == 0 {
        return Err(Error::conflict("", "Two-factor log-in is on already."));
    }
    let codes = make_codes(&mut tx, me.id).await?;
    recovery::notify(&mut tx, me.id, outbox::Kind::TwoFactorOn).await?;
    Entry::own(Kind::TwoFactorOn, me).write(&mut tx, caller).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Turns two factors off: with a code, since whoever has only the password must not.
///
/// # Errors
/// `Invalid` when the code is wrong; `NotFound` when they are off; `TooMany`.
pub async fn disable(db: &Db, keys: &Keys, caller: &Caller, me: &User, code: &Code) -> Result<()> {
    confirm(db, keys, caller, me, code).await?;
    let mut tx = db.begin().await?;
    delete(&mut tx, me.id).await?;
    recovery::notify(&mut tx, me.id, outbox::Kind::TwoFactorOff).await?;
    Entry::own(Kind::TwoFactorOff, me).write(&mut tx, caller).await?;
    tx.commit().await
}

/// Turns two factors off for whoever lost everything, from the command line.
///
/// # Errors
/// `NotFound`.
pub async fn operator_reset(db: &Db, username: &str) -> Result<()> {
    let profile = user::profile(db, username).await?;
    let mut tx = db.begin().await?;
    delete(&mut tx, profile.id).await?;
    recovery::notify(&mut tx, profile.id, outbox::Kind::TwoFactorOff).await?;
    Entry::new(Kind::TwoFactorOff)
        .about(profile.id, &profile.username)
        .write(&mut tx, &Caller::operator())
        .await?;
    tx.commit().await
}

/// Makes new recovery codes; the old ones are worthless.
///
/// # Errors
/// As `disable`.
pub async fn renew_codes(
    db: &Db,
    keys: &Keys,
    caller: &Caller,
    me: &User,
    code: &Code,
) -> Result<RecoveryCodes> {
    confirm(db, keys, caller, me, code).await?;
    let mut tx = db.begin().await?;
    let codes = make_codes(&mut tx, me.id).await?;
    Entry::own(Kind::RecoveryCodesMade, me).write(&mut tx, caller).await?;
    tx.commit().await?;
    Ok(codes)
}

async fn confirm(db: &Db, keys: &Keys, caller: &Caller, me: &User, code: &Code) -> Result<()> {
    if !is_on(db, me.id).await? {
        return Err(Error::NotFound);
    }
    prove(db, keys, caller, me, code).await
}

/// Takes a code of somebody who is logged in.
async fn prove(db: &Db, keys: &Keys, caller: &Caller, me: &User, code: &Code) -> Result<()> {
    if check(db, keys, caller, me, code.code.as_deref()).await? {
        return Ok(());
    }
    Entry::own(Kind::ProofFailed, me).detail("code").note(db, caller).await?;
    Err(Error::invalid("code", WRONG))
}

async fn delete(tx: &mut Tx, user_id: i64) -> Result<()> {
    for statement in [
        "DELETE FROM two_factors WHERE user_id = $1",
        "DELETE FROM recovery_codes WHERE user_id = $1",
        "DELETE FROM login_challenges WHERE user_id = $1",
    ] {
        sql(statement).bind(user_id).execute(&mut *tx).await?;
    }
    Ok(())
}

async fn make_codes(tx: &mut Tx, user_id: i64) -> Result<RecoveryCodes> {
    // Locks the authenticator's row: of two who make codes at once, the later one's are good.
    sql("UPDATE two_factors SET last_step = last_step WHERE user_id = $1")
        .bind(user_id)
        .execute(&mut *tx)
        .await?;
    sql("DELETE FROM recovery_codes WHERE user_id = $1").bind(user_id).execute(&mut *tx).await?;
    let mut recovery_codes = Vec::new();
    for _ in 0..CODES {
        let code = recovery_code()?;
        sql("INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)")
            .bind(user_id)
            .bind(secret::hashed(&plain(&code)))
            .execute(&mut *tx)
            .await?;
        recovery_codes.push(code);
    }
    Ok(RecoveryCodes { recovery_codes })
}

/// Sixteen letters and digits that are not mistaken for each other, in groups of four: 80 bits.
fn recovery_code() -> Result<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567890";
    let letters = secret::random::<16>()?;
    let letters: Vec<char> =
        letters.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    Ok(letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-"))
}

/// A code as it is compared: without blanks and hyphens, in small letters.
fn plain(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_lowercase()
}

/// Whether this is a code of the person's, which is thereby used up. A try counts like a log-in's.
///
/// # Errors
/// `TooMany`.
pub async fn check(
    db: &Db,
    keys: &Keys,
    caller: &Caller,
    user: &User,
    code: Option<&str>,
) -> Result<bool> {
    let code = plain(code.unwrap_or_default());
    let key = user.id.to_string();
    let taken = throttle::take(db, caller, &throttle::CODE, &key).await;
    if let Err(Error::TooMany { first: true, .. }) = taken {
        Entry::own(Kind::LoginThrottled, user).detail("code").note(db, caller).await?;
    }
    taken?;
    let right = if code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit()) {
        use_code(db, keys, user, &code).await?
    } else {
        use_recovery_code(db, caller, user, &code).await?
    };
    if right {
        throttle::give_back(db.writer(), caller, &throttle::CODE, &key).await?;
    }
    Ok(right)
}

async fn use_code(db: &Db, keys: &Keys, user: &User, code: &str) -> Result<bool> {
    let row: Option<Row> = sql(ROW).bind(user.id).optional(db.writer()).await?;
    let Some(row) = row else { return Ok(false) };
    let Some(raw) = keys.open(&place(user.id), &row.secret) else {
        tracing::warn!(user = user.id, "an authenticator was sealed with a key that is gone");
        return Ok(false);
    };
    let Some(step) = totp(raw.clone(), &user.username)?.check_current(code) else {
        return Ok(false);
    };
    // One statement decides, so that of two who come with one code only one gets in. The secret is
    // sealed anew, with the newest key.
    let step = i64::try_from(step).map_err(|e| Error::Internal(e.to_string()))?;
    let taken = sql("UPDATE two_factors SET last_step = $1, secret = $2 \
         WHERE user_id = $3 AND last_step < $1")
    .bind(step)
    .bind(keys.seal(&place(user.id), &raw)?)
    .bind(user.id)
    .execute(db.writer())
    .await?;
    Ok(taken > 0)
}

async fn use_recovery_code(db: &Db, caller: &Caller, user: &User, code: &str) -> Result<bool> {
    let mut tx = db.begin().await?;
    let used = sql("DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2")
        .bind(user.id)
        .bind(secret::hashed(code))
        .execute(&mut tx)
        .await?;
    if used > 0 {
        Entry::own(Kind::RecoveryCodeUsed, user).write(&mut tx, caller).await?;
    }
    tx.commit().await?;
    Ok(used > 0)
}

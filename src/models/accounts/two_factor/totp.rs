//! Two-factor log-in with an authenticator (TOTP, RFC 6238): setting it up and turning it off.

use chrono::{DateTime, Utc};
use qrcode::QrCode;
use qrcode::render::svg;
use serde::Serialize;

use crate::db::{Db, Tx, now, sql};
use crate::error::{Conflict, Error, Result};
use crate::models::accounts::two_factor::authenticator::{generator, place, row};
use crate::models::accounts::two_factor::code::{self, TwoFactorCode};
use crate::models::accounts::two_factor::is_required;
use crate::models::accounts::two_factor::recovery_codes::{self, NewRecoveryCodes};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::random;
use crate::models::base::site::Site;
use crate::models::mail::outbox::{self, MailKind};
use crate::models::users::user::{self, User};

/// Bytes of an authenticator's secret (RFC 4226 §4 recommends 160 bits).
const SECRET_LENGTH: usize = 20;

/// Whether logging in needs a code.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TwoFactorStatus {
    /// Whether logging in requires a code.
    pub enabled: bool,
    /// Since when; null while it is off.
    pub enabled_at: Option<DateTime<Utc>>,
    /// Whether the site requires it of this user.
    pub required: bool,
    /// How many recovery codes are left.
    pub recovery_codes: i64,
}

/// What an authenticator needs; shown during setup.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct TwoFactorSetup {
    /// The secret in base32, for manual entry.
    #[schema(example = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP")]
    pub secret: String,
    /// For authenticators that open links.
    #[schema(example = "otpauth://totp/Postly:ann?secret=…&issuer=Postly")]
    pub uri: String,
    /// The URI as a QR code, in SVG.
    #[schema(example = "<svg xmlns=\"http://www.w3.org/2000/svg\">…</svg>")]
    pub qr: String,
}

/// The user's own status.
pub async fn status(site: &Site, user: &User) -> Result<TwoFactorStatus> {
    let row = row(&site.db, user.id).await?;
    let recovery_codes = recovery_codes::count(&site.db, user).await?;
    let enabled_at = row.and_then(|row| row.confirmed_at);
    let required = is_required(site, user);
    Ok(TwoFactorStatus { enabled: enabled_at.is_some(), enabled_at, required, recovery_codes })
}

/// Whether this user's log-in needs a code.
pub async fn is_on(db: &Db, user_id: i64) -> Result<bool> {
    Ok(row(db, user_id).await?.is_some_and(|row| row.confirmed_at.is_some()))
}

/// Creates a new secret, to be confirmed with a code.
///
/// # Errors
/// `Conflict` when two-factor log-in is already on.
pub async fn begin(site: &Site, actor: &Actor) -> Result<TwoFactorSetup> {
    let me = &actor.user;
    let raw = random::bytes::<SECRET_LENGTH>()?;
    let sealed = site.keys.seal(&place(me.id), &raw)?;
    let begun = sql("INSERT INTO two_factors (user_id, secret) VALUES ($1, $2) \
         ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret, last_step = 0 \
         WHERE two_factors.confirmed_at IS NULL")
    .bind(me.id)
    .bind(sealed)
    .execute(site.db.writer())
    .await?;
    if begun == 0 {
        return Err(Error::Conflict(Conflict::TwoFactorOn));
    }
    setup(site, me, raw.to_vec())
}

/// The setup in progress, for showing its form again.
///
/// # Errors
/// `NotFound` when there is none, or it is finished.
pub async fn begun(site: &Site, user: &User) -> Result<TwoFactorSetup> {
    let row = row(&site.db, user.id).await?.filter(|row| row.confirmed_at.is_none());
    let row = row.ok_or(Error::NotFound)?;
    setup(site, user, site.keys.open(&place(user.id), &row.secret).ok_or(Error::NotFound)?)
}

fn setup(site: &Site, user: &User, raw: Vec<u8>) -> Result<TwoFactorSetup> {
    let totp = generator(raw, &user.username, &site.settings.current().site_name)?;
    let failed = |e: &dyn std::fmt::Display| Error::Internal(format!("totp: {e}"));
    let uri = totp.to_url().map_err(|e| failed(&e))?;
    let picture = QrCode::new(&uri).map_err(|e| failed(&e))?;
    let picture = picture.render::<svg::Color<'_>>().min_dimensions(240, 240).build();
    // Without the XML declaration, so that it can be embedded in a page.
    let qr = picture.split_once("?>").map_or(picture.as_str(), |(_, svg)| svg).to_owned();
    Ok(TwoFactorSetup { secret: totp.secret().to_base32(), uri, qr })
}

/// Turns two-factor log-in on, with a code from the new authenticator; returns the recovery codes.
///
/// # Errors
/// `Invalid` when the code is wrong; `NotFound` when there is no setup in progress; `Conflict` when
/// a concurrent request has completed it; `TooManyRequests`.
pub async fn enable(site: &Site, actor: &Actor, input: &TwoFactorCode) -> Result<NewRecoveryCodes> {
    let me = &actor.user;
    begun(site, me).await?;
    code::require_code(site, actor, input).await?;
    let mut tx = site.db.begin().await?;
    user::lock(&mut tx, me.id).await?;
    let enabled =
        sql("UPDATE two_factors SET confirmed_at = $1 WHERE user_id = $2 AND confirmed_at IS NULL")
            .bind(now())
            .bind(me.id)
            .execute(&mut tx)
            .await?;
    if enabled == 0 {
        return Err(Error::Conflict(Conflict::TwoFactorOn));
    }
    let codes = replace_codes(&mut tx, me).await?;
    outbox::notify(&mut tx, me.id, MailKind::TwoFactorOn).await?;
    AuditEvent::own(EventKind::TWO_FACTOR_ON, me).write(&mut tx, &actor.caller).await?;
    tx.commit().await?;
    Ok(codes)
}

/// Turns two-factor log-in off. This requires a code: the password alone must not be enough.
///
/// # Errors
/// `Invalid` when the code is wrong; `NotFound` when it is off; `TooManyRequests`.
pub async fn disable(site: &Site, actor: &Actor, input: &TwoFactorCode) -> Result<()> {
    let me = &actor.user;
    require_on(site, actor, input).await?;
    let mut tx = site.db.begin().await?;
    user::lock(&mut tx, me.id).await?;
    delete(&mut tx, me.id).await?;
    outbox::notify(&mut tx, me.id, MailKind::TwoFactorOff).await?;
    AuditEvent::own(EventKind::TWO_FACTOR_OFF, me).write(&mut tx, &actor.caller).await?;
    tx.commit().await
}

/// Turns two-factor log-in off for a user who lost the authenticator and the recovery codes.
///
/// # Errors
/// `NotFound`.
pub async fn reset(site: &Site, admin: &Admin, username: &str) -> Result<()> {
    let person = user::by_username(&site.db, username).await?;
    let mut tx = site.db.begin().await?;
    user::lock(&mut tx, person.id).await?;
    delete(&mut tx, person.id).await?;
    outbox::notify(&mut tx, person.id, MailKind::TwoFactorOff).await?;
    AuditEvent::new(EventKind::TWO_FACTOR_OFF)
        .by(admin.user())
        .about(person.id, &person.username)
        .write(&mut tx, admin.caller())
        .await?;
    tx.commit().await
}

/// Creates new recovery codes; the old ones become invalid.
///
/// # Errors
/// As `disable`.
pub async fn renew_codes(
    site: &Site,
    actor: &Actor,
    input: &TwoFactorCode,
) -> Result<NewRecoveryCodes> {
    require_on(site, actor, input).await?;
    let mut tx = site.db.begin().await?;
    let codes = replace_codes(&mut tx, &actor.user).await?;
    let event = AuditEvent::own(EventKind::RECOVERY_CODES_CREATED, &actor.user);
    event.write(&mut tx, &actor.caller).await?;
    tx.commit().await?;
    Ok(codes)
}

async fn require_on(site: &Site, actor: &Actor, input: &TwoFactorCode) -> Result<()> {
    match is_on(&site.db, actor.user.id).await? {
        true => code::require_code(site, actor, input).await,
        false => Err(Error::NotFound),
    }
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

async fn replace_codes(tx: &mut Tx, user: &User) -> Result<NewRecoveryCodes> {
    // Of two concurrent requests, the codes of the later one are valid.
    user::lock(tx, user.id).await?;
    recovery_codes::replace(tx, user).await
}

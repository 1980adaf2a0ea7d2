//! The logo of the site: a small image, kept in the database so that all instances have it.

use imagesize::ImageType;
use sqlx::FromRow;

use super::settings;
use crate::db::{Db, sql};
use crate::error::{Error, Result};
use crate::models::audit::AuditEvent;
use crate::models::base::actor::Admin;
use crate::models::base::random;
use crate::models::base::rate_limit;
use crate::models::base::site::Site;
use crate::validation::{FieldError, Rule};

/// The largest file, in bytes.
pub const MAX_SIZE: usize = 256 * 1024;

/// The largest width and height, in pixels.
const MAX_SIDE: usize = 2_000;

/// The logo, as it is shown.
#[derive(FromRow)]
pub struct Logo {
    pub media_type: String,
    /// 16 hexadecimal digits, which depend on the content.
    pub fingerprint: String,
    pub content: Vec<u8>,
}

/// The logo.
///
/// # Errors
/// `NotFound` when there is none.
pub async fn show(db: &Db) -> Result<Logo> {
    sql("SELECT media_type, fingerprint, content FROM logo").one(db).await
}

/// Replaces the logo by a PNG, JPEG or WebP image. Its content decides what it is, not its name or
/// what the sender calls it. SVG is refused: it can contain scripts.
///
/// # Errors
/// `Invalid`, about `file`; `TooManyRequests`.
pub async fn replace(site: &Site, admin: &Admin, content: &[u8]) -> Result<()> {
    let media_type = parse(content)?;
    let fingerprint = random::sha256(content)[..16].to_owned();
    write(site, admin, &fingerprint, Some((media_type, content))).await
}

/// Removes the logo; removing none changes nothing.
///
/// # Errors
/// `TooManyRequests`.
pub async fn remove(site: &Site, admin: &Admin) -> Result<()> {
    write(site, admin, "", None).await
}

async fn write(
    site: &Site,
    admin: &Admin,
    fingerprint: &str,
    image: Option<(&'static str, &[u8])>,
) -> Result<()> {
    let budget = settings::budget(site, admin);
    if let Some(budget) = &budget {
        rate_limit::check(&site.db, admin.caller(), budget).await?;
    }
    let mut tx = site.db.begin().await?;
    // Locks the row: changes come one after the other.
    sql("UPDATE settings_version SET number = number + 1").execute(&mut tx).await?;
    let before: Option<String> =
        sql("SELECT fingerprint FROM logo").optional_scalar(&mut tx).await?;
    if before.unwrap_or_default() == fingerprint {
        return Ok(());
    }
    sql("DELETE FROM logo").execute(&mut tx).await?;
    if let Some((media_type, content)) = image {
        sql("INSERT INTO logo (one, media_type, fingerprint, content) VALUES (1, $1, $2, $3)")
            .bind(media_type)
            .bind(fingerprint)
            .bind(content.to_vec())
            .execute(&mut tx)
            .await?;
    }
    settings::store(&mut tx, &[("logo", fingerprint.to_owned())]).await?;
    if let Some(budget) = &budget {
        rate_limit::charge(&mut tx, admin.caller(), budget).await?;
    }
    AuditEvent::new(settings::CHANGED)
        .by(admin.user())
        .detail("logo")
        .write(&mut tx, admin.caller())
        .await?;
    tx.commit().await?;
    site.settings.refresh(&site.db).await
}

/// The media type of an image.
fn parse(content: &[u8]) -> Result<&'static str> {
    if content.is_empty() {
        return Err(Error::invalid("file", Rule::Required));
    }
    if content.len() > MAX_SIZE {
        let error = FieldError::new("file", Rule::TooLong).with("max", MAX_SIZE);
        return Err(error.with("actual", content.len()).into());
    }
    let malformed = || Error::invalid("file", Rule::Malformed);
    let media_type = match imagesize::image_type(content).map_err(|_| malformed())? {
        ImageType::Png => "image/png",
        ImageType::Jpeg => "image/jpeg",
        ImageType::Webp => "image/webp",
        _ => return Err(malformed()),
    };
    let size = imagesize::blob_size(content).map_err(|_| malformed())?;
    if !(1..=MAX_SIDE).contains(&size.width) || !(1..=MAX_SIDE).contains(&size.height) {
        let error = FieldError::new("file", Rule::OutOfRange).with("min", 1usize);
        return Err(error.with("max", MAX_SIDE).into());
    }
    Ok(media_type)
}

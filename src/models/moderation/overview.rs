//! What a site still needs: facts that the program checks itself.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::sql;
use crate::error::{Error, Result};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::site::Site;
use crate::models::mail::email_link;
use crate::models::mail::outbox::{self, MailKind};
use crate::validation::Rule;

const TEST_MAIL: EventKind = EventKind("mail.tested");

/// The state of a site, as far as its database tells.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SiteState {
    /// Admins who can log in.
    pub admins: i64,
    /// Admins who can log in without a second factor.
    pub admins_without_second_factor: i64,
    /// Whether there are rules.
    pub has_rules: bool,
    /// Whether anything was ever published.
    pub has_posts: bool,
    /// Whether a mail server is configured.
    pub sends_mail: bool,
    /// Whether the last e-mail was accepted by the mail server; null if none was sent recently.
    pub last_mail_accepted: Option<bool>,
    /// The answer of the mail server to the last e-mail, if it was refused or has to be sent again.
    pub last_mail_error: Option<String>,
    /// When `postly backup` last made a copy; null if never, or on PostgreSQL.
    pub last_backup_at: Option<DateTime<Utc>>,
    /// Whether `postly backup` makes the backups of this site: on SQLite.
    pub has_own_backup: bool,
}

#[derive(FromRow)]
struct FinishedMail {
    failed: bool,
    last_error: Option<String>,
}

/// The state of the site.
pub async fn state(site: &Site) -> Result<SiteState> {
    let (admins, admins_without_second_factor): (i64, i64) = sql("SELECT count(*), \
         count(*) - count(t.user_id) FROM users u \
         LEFT JOIN two_factors t ON t.user_id = u.id AND t.confirmed_at IS NOT NULL \
         WHERE u.role = 'admin' AND u.disabled_at IS NULL")
    .one(&site.db)
    .await?;
    let post: Option<i64> = sql("SELECT id FROM posts WHERE published_at IS NOT NULL LIMIT 1")
        .optional_scalar(&site.db)
        .await?;
    // Those that have to be sent again are due last.
    let waiting: Option<String> = sql("SELECT last_error FROM (SELECT kind, last_error FROM jobs \
         WHERE finished_at IS NULL ORDER BY run_at DESC, id DESC LIMIT 100) AS latest \
         WHERE kind = $1 AND last_error IS NOT NULL LIMIT 1")
    .bind(outbox::JOB)
    .optional_scalar(&site.db)
    .await?;
    let finished: Option<FinishedMail> = sql("SELECT failed, last_error FROM (\
         SELECT kind, failed, last_error FROM jobs \
         WHERE finished_at IS NOT NULL ORDER BY finished_at DESC LIMIT 100) AS latest \
         WHERE kind = $1 LIMIT 1")
    .bind(outbox::JOB)
    .optional(&site.db)
    .await?;
    let (last_mail_accepted, last_mail_error) = match (waiting, finished) {
        (Some(error), _) => (Some(false), Some(error)),
        (None, Some(mail)) => (Some(!mail.failed), mail.last_error.filter(|_| mail.failed)),
        (None, None) => (None, None),
    };
    let backup = site.db.last_backup();
    Ok(SiteState {
        admins,
        admins_without_second_factor,
        has_rules: site.settings.documents().iter().any(|name| name == "rules"),
        has_posts: post.is_some(),
        sends_mail: site.rules.sends_mail,
        last_mail_accepted,
        last_mail_error,
        has_own_backup: backup.is_some(),
        last_backup_at: backup.flatten(),
    })
}

/// Sends an e-mail to the admin who asks for it, to see whether the mail server takes it.
///
/// # Errors
/// `Invalid`, about `email`, when the admin has no address; `TooManyRequests`.
pub async fn send_test_mail(site: &Site, _: &Admin, actor: &Actor) -> Result<()> {
    let me = &actor.user;
    let address: Option<String> = sql("SELECT coalesce(email, pending_email) FROM users \
         WHERE id = $1 AND coalesce(email, pending_email) IS NOT NULL")
    .bind(me.id)
    .optional_scalar(&site.db)
    .await?;
    let address = address.ok_or_else(|| Error::invalid("email", Rule::Required))?;
    email_link::limit(site, &actor.caller).await?;
    let mut tx = site.db.begin().await?;
    outbox::enqueue(&mut tx, MailKind::Test, &address, Some(me.id), "").await?;
    AuditEvent::own(TEST_MAIL, me).write(&mut tx, &actor.caller).await?;
    tx.commit().await
}

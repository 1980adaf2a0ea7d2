//! Outgoing e-mails: queued in the transaction that causes them, composed when they are sent.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use strum::{EnumIter, EnumString, IntoStaticStr};

use crate::db::{Tx, now, sql};
use crate::error::{Error, Result};
use crate::models::base::job::{self, ClaimedJob};
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::rate_policy::RateLimits;
use crate::models::base::site::Site;
use crate::models::mail::address;
use crate::models::mail::email_link::{self, Purpose};
use crate::models::users::user;

/// The kind of job that sends an e-mail.
pub const JOB: &str = "mail";

/// What an e-mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum MailKind {
    /// Confirm this address; or a notice that it already has an account.
    Verify,
    /// Set a new password; not sent when the address has no account.
    Reset,
    /// A change to another address was requested.
    EmailChange,
    /// The address of the account was changed.
    EmailChanged,
    PasswordChanged,
    TwoFactorOn,
    TwoFactorOff,
    /// Somebody who knows the password entered a wrong code.
    WrongCode,
    /// So many wrong codes that no further one is accepted.
    CodesLocked,
    /// An admin wants to see whether mail arrives.
    Test,
}

/// A queued e-mail: its recipient and kind, but not its text. Links are created when the e-mail is
/// composed, so that no secret waits in the database.
#[derive(Debug, Serialize, Deserialize)]
pub struct QueuedEmail {
    kind: String,
    recipient: String,
    user_id: Option<i64>,
    detail: String,
}

impl QueuedEmail {
    pub fn kind(&self) -> &str {
        &self.kind
    }
}

/// Queues an e-mail. `detail` is additional data for its text.
pub async fn enqueue(
    tx: &mut Tx,
    kind: MailKind,
    recipient: &str,
    user_id: Option<i64>,
    detail: &str,
) -> Result<()> {
    let kind: &str = kind.into();
    let queued = QueuedEmail {
        kind: kind.to_owned(),
        recipient: recipient.to_owned(),
        user_id,
        detail: detail.to_owned(),
    };
    job::enqueue(tx, JOB, Some(&address::domain(recipient)), &queued).await
}

/// Queues an e-mail with a link, unless the address has reached its hourly limit (against mail
/// bombing). Returns whether it was queued.
pub async fn enqueue_link(
    tx: &mut Tx,
    limits: &RateLimits,
    kind: MailKind,
    recipient: &str,
    user_id: Option<i64>,
) -> Result<bool> {
    let key = format!("{}:{}", <&str>::from(kind), address::canonical(recipient));
    let is_left = rate_limit::take(&mut *tx, &Budget::new(limits.mails, &key)).await?;
    if is_left {
        enqueue(tx, kind, recipient, user_id, "").await?;
    }
    Ok(is_left)
}

/// Queues an e-mail to the owner of an account, if it has an address.
pub async fn notify(tx: &mut Tx, user_id: i64, kind: MailKind) -> Result<()> {
    let address: Option<Option<String>> = sql("SELECT email FROM users WHERE id = $1")
        .bind(user_id)
        .optional_scalar(&mut *tx)
        .await?;
    match address.flatten() {
        Some(address) => enqueue(tx, kind, &address, Some(user_id), "").await,
        None => Ok(()),
    }
}

/// An e-mail, ready to be rendered.
#[derive(Debug, Serialize)]
pub struct Email {
    /// The folder of the templates.
    #[serde(skip)]
    pub template: &'static str,
    #[serde(skip)]
    pub recipient: String,
    pub username: String,
    /// The name of the site.
    pub site_name: String,
    /// The path of the link with its secret, if there is one.
    pub path: Option<String>,
    pub detail: String,
    /// Who is told if it cannot be delivered.
    #[serde(skip)]
    pub addressee: Addressee,
}

/// The account that caused an e-mail, and the recipient as this account knows it.
#[derive(Debug, Clone)]
pub struct Addressee {
    pub user_id: i64,
    pub address: String,
}

#[derive(FromRow)]
struct Recipient {
    id: i64,
    username: String,
    email: Option<String>,
    pending_email: Option<String>,
    verified: bool,
}

const RECIPIENT: &str = "SELECT id, username, email, pending_email, \
    email_verified_at IS NOT NULL AS verified FROM users";

/// Composes a queued e-mail; `None` when it is no longer needed. Whether an address has an account
/// is looked up only here, so that requests take the same time for every address. Each attempt of a
/// job composes the same link.
pub async fn compose(site: &Site, job: &ClaimedJob, queued: &QueuedEmail) -> Result<Option<Email>> {
    let db = &site.db;
    // Another version of Postly may know this kind: the job is retried.
    let kind: MailKind = queued
        .kind
        .parse()
        .map_err(|_| Error::Internal(format!("an unknown kind of e-mail: {:?}", queued.kind)))?;
    // An older account may still have a key with a domain in Unicode, and then takes precedence.
    let older_key = user::canonical(&queued.recipient);
    let owner: Option<Recipient> = sql(RECIPIENT)
        .push_bind(" WHERE disabled_at IS NULL AND (email_key = ", older_key.clone())
        .push_bind(" OR email_key = ", address::canonical(&queued.recipient))
        .push_bind(") ORDER BY CASE WHEN email_key = ", older_key)
        .push(" THEN 0 ELSE 1 END LIMIT 1")
        .optional(db)
        .await?;
    let about: Option<Recipient> = match queued.user_id {
        Some(id) => sql(RECIPIENT).push_bind(" WHERE id = ", id).optional(db).await?,
        None => None,
    };
    let recipient = queued.recipient.as_str();
    let site_name = site.settings.current().site_name.clone();
    let addressee = |user_id| Addressee { user_id, address: recipient.to_owned() };
    let to_recipient = |template, about: Recipient, path| {
        let (recipient, detail) = (recipient.to_owned(), queued.detail.clone());
        let (addressee, site_name) = (addressee(about.id), site_name.clone());
        let username = about.username;
        Some(Email { template, recipient, username, site_name, path, detail, addressee })
    };
    // E-mails to the owner of an address use the spelling that was confirmed, not the one that was
    // entered: two spellings that we compare as equal may be different mailboxes.
    let to_owner = |template, owner: Recipient, path, addressee| {
        let recipient = owner.email.unwrap_or_default();
        let (username, site_name, detail) = (owner.username, site_name.clone(), String::new());
        Some(Email { template, recipient, username, site_name, path, detail, addressee })
    };
    Ok(match (kind, owner, about) {
        (MailKind::Reset, Some(owner), _) => {
            let email = owner.email.clone().unwrap_or_default();
            let token = email_link::create(site, job, owner.id, Purpose::Reset, &email).await?;
            let addressee = Addressee { user_id: owner.id, address: email };
            token.and_then(|token| {
                let path = format!("/password-reset/new?token={token}");
                to_owner("reset", owner, Some(path), addressee)
            })
        }
        (MailKind::Verify, Some(owner), Some(about)) if owner.id != about.id => {
            // Whoever entered the address is told the same as about an address without an account.
            to_owner("taken", owner, Some("/password-reset".to_owned()), addressee(about.id))
        }
        (MailKind::Verify, _, Some(about)) if awaits_confirmation(&about, recipient) => {
            let token = email_link::create(site, job, about.id, Purpose::Verify, recipient).await?;
            token.and_then(|token| {
                to_recipient("verify", about, Some(format!("/verify-email?token={token}")))
            })
        }
        (MailKind::Reset | MailKind::Verify, ..) => None,
        (kind, _, Some(about)) => to_recipient(kind.into(), about, None),
        (_, _, None) => None,
    })
}

/// The mail server has accepted the e-mail: a note about an earlier one to the address is removed.
pub async fn accepted(site: &Site, to: &Addressee) -> Result<()> {
    sql(
        "UPDATE users SET mail_failed_to = NULL, mail_failed_reason = NULL, mail_failed_at = NULL \
         WHERE id = $1 AND mail_failed_to = $2",
    )
    .bind(to.user_id)
    .bind(to.address.as_str())
    .execute(site.db.writer())
    .await?;
    Ok(())
}

/// The e-mail cannot be delivered: the page of the account says so, unless the address is no longer
/// its own. `reason` contains no address.
pub async fn refused(site: &Site, to: &Addressee, reason: &str) -> Result<()> {
    sql("UPDATE users SET mail_failed_to = $1, mail_failed_reason = $2, mail_failed_at = $3 \
         WHERE id = $4 AND (email = $1 OR pending_email = $1)")
    .bind(to.address.as_str())
    .bind(reason)
    .bind(now())
    .bind(to.user_id)
    .execute(site.db.writer())
    .await?;
    Ok(())
}

/// Whether this address of the user is still unconfirmed.
fn awaits_confirmation(person: &Recipient, address: &str) -> bool {
    person.pending_email.as_deref() == Some(address)
        || (person.email.as_deref() == Some(address) && !person.verified)
}

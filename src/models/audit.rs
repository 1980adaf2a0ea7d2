//! The audit log of account events: writing and reading it. It is append-only; `chain` detects
//! changes, and `retention` deletes what is old.

pub mod chain;
mod fault;
pub mod retention;
mod seal;
mod search;

use chrono::{DateTime, Duration, Utc};
use serde::Serialize;
use sqlx::FromRow;

use self::chain::{EventRow, PersonDetails};
pub use self::search::AuditFilter;
use self::search::Criteria;
use crate::db::{Db, Statement, Tx, now, sql};
use crate::error::Result;
use crate::models::base::actor::Admin;
use crate::models::base::caller::Caller;
use crate::models::base::page::{Column, Keyset, Page, PageParams};
use crate::models::base::random;
use crate::models::base::site::Site;
use crate::models::users::user::User;

/// A kind of event. The name is stored in the database; its text is `event-…` in `locales/`, and a
/// test checks that each exists. Other modules can define their own kinds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventKind(pub &'static str);

impl EventKind {
    pub const REGISTERED: EventKind = EventKind("registered");
    pub const LOGGED_IN: EventKind = EventKind("login");
    pub const LOGIN_FAILED: EventKind = EventKind("login.failed");
    pub const LOGIN_THROTTLED: EventKind = EventKind("login.throttled");
    pub const CODES_LOCKED: EventKind = EventKind("code.locked");
    pub const LOGGED_OUT: EventKind = EventKind("logout");
    pub const SESSION_ENDED: EventKind = EventKind("session.ended");
    pub const TOKEN_REPLAYED: EventKind = EventKind("token.replayed");
    pub const TOKEN_CREATED: EventKind = EventKind("token.created");
    pub const TOKEN_REVOKED: EventKind = EventKind("token.revoked");
    pub const APPLICATION_CREATED: EventKind = EventKind("application.created");
    pub const APPLICATION_CHANGED: EventKind = EventKind("application.changed");
    pub const APPLICATION_DELETED: EventKind = EventKind("application.deleted");
    pub const APPLICATION_AUTHORIZED: EventKind = EventKind("application.authorized");
    pub const APPLICATION_REVOKED: EventKind = EventKind("application.revoked");
    pub const REAUTHENTICATED: EventKind = EventKind("sudo");
    pub const REAUTHENTICATION_FAILED: EventKind = EventKind("sudo.failed");
    pub const ROLE_CHANGED: EventKind = EventKind("user.role");
    pub const USER_DISABLED: EventKind = EventKind("user.disabled");
    pub const USER_ENABLED: EventKind = EventKind("user.enabled");
    pub const USER_UNLOCKED: EventKind = EventKind("user.unlocked");
    pub const USER_DELETED: EventKind = EventKind("user.deleted");
    pub const TWO_FACTOR_ON: EventKind = EventKind("two-factor.on");
    pub const TWO_FACTOR_OFF: EventKind = EventKind("two-factor.off");
    pub const RECOVERY_CODE_USED: EventKind = EventKind("recovery-code.used");
    pub const RECOVERY_CODES_CREATED: EventKind = EventKind("recovery-codes.made");
    pub const PASSWORD_SET: EventKind = EventKind("password.set");
    pub const PASSWORD_CHANGED: EventKind = EventKind("password.changed");
    pub const PASSWORD_RESET: EventKind = EventKind("password.reset");
    pub const EMAIL_CHANGE_REQUESTED: EventKind = EventKind("email.asked");
    pub const EMAIL_VERIFIED: EventKind = EventKind("email.verified");
    pub const POST_EDITED: EventKind = EventKind("post.edited");
    pub const POST_DELETED: EventKind = EventKind("post.deleted");
    pub const TAG_CHANGED: EventKind = EventKind("tag.changed");
    pub const TAG_MERGED: EventKind = EventKind("tag.merged");
    pub const DENIED: EventKind = EventKind("denied");
}

/// An event before it is written.
#[must_use]
pub struct AuditEvent {
    kind: EventKind,
    actor: Option<(i64, String)>,
    subject: Option<(i64, Option<String>)>,
    detail: String,
}

impl AuditEvent {
    pub fn new(kind: EventKind) -> AuditEvent {
        AuditEvent { kind, actor: None, subject: None, detail: String::new() }
    }

    /// An account was deleted. Writing the event erases what the log says about that person, except
    /// the id.
    pub fn account_deleted(id: i64) -> AuditEvent {
        AuditEvent { subject: Some((id, None)), ..AuditEvent::new(EventKind::USER_DELETED) }
    }

    /// Something that `user` did to their own account.
    pub fn own(kind: EventKind, user: &User) -> AuditEvent {
        AuditEvent::new(kind).by(Some(user)).about(user.id, &user.username)
    }

    /// Who did it; none for the operator, or when nobody was logged in.
    pub fn by(mut self, user: Option<&User>) -> AuditEvent {
        self.actor = user.map(|user| (user.id, user.username.clone()));
        self
    }

    /// Whose account it concerns.
    pub fn about(mut self, id: i64, username: &str) -> AuditEvent {
        self.subject = Some((id, Some(username.to_owned())));
        self
    }

    /// Additional information: never a secret, never user input.
    pub fn detail(mut self, detail: impl Into<String>) -> AuditEvent {
        self.detail = detail.into();
        self
    }

    /// Writes the event. Call it at the end of a transaction: the end of the chain stays locked
    /// until the commit.
    pub async fn write(self, tx: &mut Tx, caller: &Caller) -> Result<()> {
        let (id, previous): (i64, String) =
            sql("UPDATE audit_head SET id = id + 1 RETURNING id, hash").one(&mut *tx).await?;
        let (actor_id, actor) = self.actor.unzip();
        let (subject_id, subject) = self.subject.unzip();
        let address = caller.address();
        // An unknown person at this address: more likely than not the account's owner.
        let owner = actor_id.or(subject_id.filter(|_| !address.is_empty()));
        let actor = PersonDetails {
            user_id: owner,
            salt: random::id()?,
            name: actor,
            address: Some(address),
            user_agent: Some(caller.user_agent.clone()),
        };
        let subject = match subject.flatten().filter(|_| subject_id != actor_id) {
            Some(name) => Some(PersonDetails {
                user_id: subject_id,
                salt: random::id()?,
                name: Some(name),
                address: None,
                user_agent: None,
            }),
            None => None,
        };
        let row = EventRow {
            id,
            at: now(),
            kind: self.kind.0.to_owned(),
            actor_id,
            actor: None,
            subject_id,
            subject: None,
            address: String::new(),
            user_agent: String::new(),
            request_id: caller.request_id.clone(),
            detail: self.detail,
            actor_digest: Some(actor.digest()),
            subject_digest: subject.as_ref().map(PersonDetails::digest),
            hash: String::new(),
        };
        let hash = row.hash_after(&previous);
        // A trigger notes the end of the chain.
        sql("INSERT INTO audit_events (id, at, kind, actor_id, subject_id, address, user_agent, \
             request_id, detail, actor_digest, subject_digest, hash) \
             VALUES ($1, $2, $3, $4, $5, '', '', $6, $7, $8, $9, $10)")
        .bind(row.id)
        .bind(row.at)
        .bind(row.kind)
        .bind(row.actor_id)
        .bind(row.subject_id)
        .bind(row.request_id)
        .bind(row.detail)
        .bind(row.actor_digest)
        .bind(row.subject_digest)
        .bind(hash)
        .execute(&mut *tx)
        .await?;
        insert_details(tx, id, actor, subject).await?;
        caller.record_event(self.kind.0);
        if let (EventKind::USER_DELETED, Some(account)) = (self.kind, subject_id) {
            // Here, since nobody else can write an event until the commit.
            sql("DELETE FROM audit_people WHERE user_id = $1").bind(account).execute(tx).await?;
        }
        Ok(())
    }

    /// Writes the event in its own transaction.
    pub async fn record(self, db: &Db, caller: &Caller) -> Result<()> {
        let mut tx = db.begin().await?;
        self.write(&mut tx, caller).await?;
        tx.commit().await
    }
}

/// Stores the details of an event, except those of an account that was deleted in the meantime.
async fn insert_details(
    tx: &mut Tx,
    event_id: i64,
    actor: PersonDetails,
    subject: Option<PersonDetails>,
) -> Result<()> {
    let mut insert = sql("INSERT INTO audit_people \
         (event_id, part, user_id, salt, name, address, user_agent)");
    for (part, person) in [("actor", Some(actor)), ("subject", subject)] {
        let Some(person) = person else { continue };
        insert = insert
            .push(if part == "actor" { " SELECT " } else { " UNION ALL SELECT " })
            .push_bind("", event_id)
            .push_bind(", ", part)
            .push_bind(", ", person.user_id)
            .push_bind(", ", person.salt)
            .push_bind(", ", person.name)
            .push_bind(", ", person.address)
            .push_bind(", ", person.user_agent)
            .push_bind(" WHERE ", person.user_id.is_none())
            .push_bind(" OR EXISTS (SELECT 1 FROM users WHERE id = ", person.user_id)
            .push(")");
    }
    insert.execute(tx).await?;
    Ok(())
}

/// An event, as shown to users and admins.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Event {
    /// Counts the events of the site.
    pub id: i64,
    /// UTC.
    pub at: DateTime<Utc>,
    /// What happened.
    #[schema(example = "login")]
    pub kind: String,
    /// The account that did it; null when nobody was logged in, or for the command line.
    pub actor_id: Option<i64>,
    /// Its username; null once the account was deleted.
    #[schema(example = "ann")]
    pub actor: Option<String>,
    /// The account that it concerns.
    pub subject_id: Option<i64>,
    /// Its username; null once the account was deleted.
    #[schema(example = "ann")]
    pub subject: Option<String>,
    /// Null once the account was deleted; empty for the command line.
    #[schema(example = "192.0.2.7")]
    pub address: Option<String>,
    /// Null once the account was deleted.
    #[schema(example = "curl/8.14.1")]
    pub user_agent: Option<String>,
    /// Identifies the request in the site's log.
    #[schema(example = "5f0c2a8e7d1b4c96")]
    pub request_id: String,
    /// More about it, depending on the kind; may be empty.
    #[schema(example = "")]
    pub detail: String,
}

/// Selects events; ends before WHERE. Those from before migration 9 have no digest, and everything
/// in their own row.
const SELECT: &str = "SELECT e.id, e.at, e.kind, e.actor_id, e.subject_id, \
    coalesce(a.name, e.actor) AS actor, \
    coalesce(s.name, e.subject, CASE WHEN e.subject_id = e.actor_id THEN a.name END) AS subject, \
    CASE WHEN e.actor_digest IS NULL THEN e.address ELSE a.address END AS address, \
    CASE WHEN e.actor_digest IS NULL THEN e.user_agent ELSE a.user_agent END AS user_agent, \
    e.request_id, e.detail FROM audit_events e \
    LEFT JOIN audit_people a ON a.event_id = e.id AND a.part = 'actor' \
    LEFT JOIN audit_people s ON s.event_id = e.id AND s.part = 'subject'";

/// The events of the user's own account, latest first.
pub async fn for_user(db: &Db, user: &User, params: &PageParams) -> Result<Page<Event>> {
    let keyset = Keyset::<1>::new(params)?;
    let query = sql(SELECT).push_bind(" WHERE e.subject_id = ", user.id);
    let rows = keyset.apply(query, [Column::Int("e.id")]).all(db).await?;
    Ok(keyset.page(rows, |event: &Event| [event.id]))
}

/// Token reuse that was detected in the last two weeks, latest first.
pub async fn replays(db: &Db, user: &User) -> Result<Vec<Event>> {
    sql(SELECT)
        .push_bind(" WHERE e.subject_id = ", user.id)
        .push_bind(" AND e.kind = ", EventKind::TOKEN_REPLAYED.0)
        .push_bind(" AND e.at > ", now() - Duration::days(14))
        .push(" ORDER BY e.id DESC LIMIT 10")
        .all(db)
        .await
}

/// All events, latest first, or those that are looked for.
///
/// # Errors
/// `Invalid`: `q` is searched for alone.
pub async fn list(
    site: &Site,
    _: &Admin,
    filter: &AuditFilter<'_>,
    params: &PageParams,
) -> Result<Page<Event>> {
    let keyset = Keyset::<1>::new(params)?;
    let rows = list_query(&site.db, filter, &keyset).await?.all(&site.db).await?;
    Ok(keyset.page(rows, |event: &Event| [event.id]))
}

/// The query of `list`; public for the test that reads its plan.
pub async fn list_query(
    db: &Db,
    filter: &AuditFilter<'_>,
    keyset: &Keyset<1>,
) -> Result<Statement> {
    let mut query = sql(SELECT).push(" WHERE true");
    if let Some(criteria) = Criteria::parse(db, filter).await? {
        query = criteria.restrict(query, keyset);
    }
    Ok(keyset.apply(query, [Column::Int("e.id")]))
}

/// The kinds of events in the log.
pub async fn kinds(site: &Site, _: &Admin) -> Result<Vec<String>> {
    search::kinds(&site.db).await
}

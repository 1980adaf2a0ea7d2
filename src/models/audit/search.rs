//! The search of the audit log: by equality on indexed columns, so that its cost does not grow with
//! the log.

use std::net::IpAddr;

use crate::db::{Db, Statement, Value, sql};
use crate::error::{Error, Result};
use crate::models::base::page::{Column, Keyset};
use crate::models::users::user;
use crate::validation::Rule;

/// What an admin looks for; blank texts mean nothing.
#[derive(Debug, Default)]
pub struct AuditFilter<'a> {
    /// A username, the number of an account, an IP address, the id of a request, or a kind of event
    /// (`login` includes `login.failed`).
    pub q: Option<&'a str>,
    /// A kind of event, exactly.
    pub kind: Option<&'a str>,
    /// A username, or the number of an account.
    pub person: Option<&'a str>,
}

/// What an event may equal to be found.
pub struct Criteria(Vec<Criterion>);

/// A query for the ids of events, up to the value, and the column of the id.
struct Criterion {
    ids: &'static str,
    value: Value,
    /// The kind that the events have besides.
    kind: Option<String>,
    id: &'static str,
}

const BY_ACTOR: &str = "SELECT id FROM audit_events WHERE actor_id = ";
const BY_SUBJECT: &str = "SELECT id FROM audit_events WHERE subject_id = ";
const BY_KIND: &str = "SELECT id FROM audit_events WHERE kind = ";

impl Criteria {
    /// The criteria for what an admin looks for; `None` when that is nothing in particular.
    ///
    /// # Errors
    /// `Invalid`.
    pub async fn parse(db: &Db, filter: &AuditFilter<'_>) -> Result<Option<Criteria>> {
        let text = |text: Option<&str>| text.map(user::canonical).filter(|text| !text.is_empty());
        match (text(filter.q), text(filter.kind), text(filter.person)) {
            (None, None, None) => Ok(None),
            (Some(term), None, None) => {
                Criteria::search(db, &term, filter.q.unwrap_or_default()).await.map(Some)
            }
            // The rest has no index for each of the others.
            (Some(_), ..) => Err(Error::invalid("q", Rule::Exclusive)),
            (None, kind, person) => Criteria::exact(db, kind, person.as_deref()).await.map(Some),
        }
    }

    /// Those of a kind, of a person, or both.
    async fn exact(db: &Db, kind: Option<String>, person: Option<&str>) -> Result<Criteria> {
        let mut criteria = Vec::new();
        match (person, kind) {
            (Some(person), kind) => {
                for account in accounts(db, person).await? {
                    for ids in [BY_ACTOR, BY_SUBJECT] {
                        let kind = kind.clone();
                        criteria.push(Criterion { ids, value: account.into(), kind, id: "id" });
                    }
                }
            }
            (None, kind) => {
                let value = kind.unwrap_or_default().into();
                criteria.push(Criterion { ids: BY_KIND, value, kind: None, id: "id" });
            }
        }
        Ok(Criteria(criteria))
    }

    async fn search(db: &Db, term: &str, q: &str) -> Result<Criteria> {
        let mut criteria = Vec::new();
        let mut add =
            |ids, value: Value, id| criteria.push(Criterion { ids, value, kind: None, id });
        for account in accounts(db, term).await? {
            add(BY_ACTOR, account.into(), "id");
            add(BY_SUBJECT, account.into(), "id");
        }
        // Events from before migration 9 name accounts that are gone. The engines' `lower` may
        // leave letters beyond ASCII as they are.
        let mut names = vec![term.to_owned(), q.trim().to_ascii_lowercase()];
        names.dedup();
        for name in names {
            let (actor, subject): (Value, Value) = (name.as_str().into(), name.into());
            add(
                "SELECT id FROM audit_events WHERE actor IS NOT NULL AND lower(actor) = ",
                actor,
                "id",
            );
            add(
                "SELECT id FROM audit_events WHERE subject IS NOT NULL AND lower(subject) = ",
                subject,
                "id",
            );
        }
        for kind in kinds(db).await? {
            let family = kind.strip_prefix(term);
            if family.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
                add(BY_KIND, kind.into(), "id");
            }
        }
        if let Ok(address) = term.parse::<IpAddr>() {
            let address = address.to_canonical().to_string();
            let (old, new): (Value, Value) = (address.as_str().into(), address.into());
            add("SELECT event_id AS id FROM audit_people WHERE address = ", new, "event_id");
            add("SELECT id FROM audit_events WHERE address <> '' AND address = ", old, "id");
        }
        add("SELECT id FROM audit_events WHERE request_id = ", term.into(), "id");
        Ok(Criteria(criteria))
    }

    /// Restricts a query that ends inside its WHERE clause. Each criterion contributes one page at
    /// most, read from its index in the order of the list.
    pub fn restrict(self, mut query: Statement, keyset: &Keyset<1>) -> Statement {
        if self.0.is_empty() {
            return query.push(" AND e.id IN (NULL)");
        }
        query = query.push(" AND e.id IN (");
        for (i, criterion) in self.0.into_iter().enumerate() {
            query = query.push(if i == 0 { "" } else { " UNION " }).push("SELECT id FROM (");
            query = query.push_bind(criterion.ids, criterion.value);
            query =
                criterion.kind.into_iter().fold(query, |q, kind| q.push_bind(" AND kind = ", kind));
            query = keyset.apply(query, [Column::Int(criterion.id)]).push(") AS found");
        }
        query.push(")")
    }
}

/// The accounts with this username or number (`17`, or `user 17`).
async fn accounts(db: &Db, term: &str) -> Result<Vec<i64>> {
    let number = term.strip_prefix("user ").unwrap_or(term).parse::<i64>().ok();
    let named: Option<i64> =
        sql("SELECT id FROM users WHERE username_key = $1").bind(term).optional_scalar(db).await?;
    let mut accounts: Vec<i64> = number.into_iter().chain(named).collect();
    accounts.dedup();
    Ok(accounts)
}

/// All kinds of events in the log. There are few, so the index is read from one to the next.
pub(super) async fn kinds(db: &Db) -> Result<Vec<String>> {
    let kinds: Vec<(String,)> = sql("WITH RECURSIVE kinds (kind) AS ( \
         SELECT min(kind) FROM audit_events UNION ALL \
         SELECT (SELECT min(e.kind) FROM audit_events e WHERE e.kind > kinds.kind) \
         FROM kinds WHERE kinds.kind IS NOT NULL) \
         SELECT kind FROM kinds WHERE kind IS NOT NULL")
    .all(db)
    .await?;
    Ok(kinds.into_iter().map(|(kind,)| kind).collect())
}

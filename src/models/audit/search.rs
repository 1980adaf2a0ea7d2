//! The search of the audit log: by equality on indexed columns, so that its cost does not grow with
//! the log.

use std::net::IpAddr;

use crate::db::{Db, Statement, Value, sql};
use crate::error::Result;
use crate::models::base::page::{Column, Keyset};
use crate::models::users::user;

/// What an event may equal to be found.
pub struct Criteria(Vec<Criterion>);

/// A query for the ids of events, up to the value, and the column of the id.
struct Criterion {
    ids: &'static str,
    value: Value,
    id: &'static str,
}

impl Criteria {
    /// The criteria for what an admin typed; `None` when it is blank.
    pub async fn parse(db: &Db, q: &str) -> Result<Option<Criteria>> {
        let term = user::canonical(q);
        if term.is_empty() {
            return Ok(None);
        }
        let mut criteria = Vec::new();
        let mut add = |ids, value: Value, id| criteria.push(Criterion { ids, value, id });
        for account in accounts(db, &term).await? {
            add("SELECT id FROM audit_events WHERE actor_id = ", account.into(), "id");
            add("SELECT id FROM audit_events WHERE subject_id = ", account.into(), "id");
        }
        // Events from before migration 9 name accounts that are gone. The engines' `lower` may
        // leave letters beyond ASCII as they are.
        let mut names = vec![term.clone(), q.trim().to_ascii_lowercase()];
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
            let family = kind.strip_prefix(&term);
            if family.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')) {
                add("SELECT id FROM audit_events WHERE kind = ", kind.into(), "id");
            }
        }
        if let Ok(address) = term.parse::<IpAddr>() {
            let address = address.to_canonical().to_string();
            let (old, new): (Value, Value) = (address.as_str().into(), address.into());
            add("SELECT event_id AS id FROM audit_people WHERE address = ", new, "event_id");
            add("SELECT id FROM audit_events WHERE address <> '' AND address = ", old, "id");
        }
        add("SELECT id FROM audit_events WHERE request_id = ", term.into(), "id");
        Ok(Some(Criteria(criteria)))
    }

    /// Restricts a query that ends inside its WHERE clause. Each criterion contributes one page at
    /// most, read from its index in the order of the list.
    pub fn restrict(self, mut query: Statement, keyset: &Keyset<1>) -> Statement {
        query = query.push(" AND e.id IN (");
        for (i, criterion) in self.0.into_iter().enumerate() {
            query = query.push(if i == 0 { "" } else { " UNION " }).push("SELECT id FROM (");
            query = query.push_bind(criterion.ids, criterion.value);
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
async fn kinds(db: &Db) -> Result<Vec<String>> {
    let kinds: Vec<(String,)> = sql("WITH RECURSIVE kinds (kind) AS ( \
         SELECT min(kind) FROM audit_events UNION ALL \
         SELECT (SELECT min(e.kind) FROM audit_events e WHERE e.kind > kinds.kind) \
         FROM kinds WHERE kinds.kind IS NOT NULL) \
         SELECT kind FROM kinds WHERE kind IS NOT NULL")
    .all(db)
    .await?;
    Ok(kinds.into_iter().map(|(kind,)| kind).collect())
}

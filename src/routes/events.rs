//! The audit: one's own events, and for admins everything.

use rocket::{Route, get, routes};

use super::docs::Problem;
use crate::models::audit::{self, Event};
use crate::models::page::{Asked, Page};
use crate::models::user::{Admin, User};
use crate::web::{self, Database, Query, Search, page};

pub fn both() -> Vec<Route> {
    routes![index, all]
}

/// What happened to one's own account, latest first
#[utoipa::path(get, path = "/me/events", tag = "accounts", security(("password" = [])),
    params(("before" = Option<String>, Query), ("after" = Option<String>, Query),
        ("limit" = Option<i64>, Query)),
    responses((status = 200, body = Page<Event>), (status = 401, body = Problem)))]
#[get("/me/events")]
pub async fn index(me: User, query: Query<Asked>, db: &Database) -> web::Result {
    let found = audit::own(db, &me, &query).await?;
    let (previous, next) = (found.previous.clone(), found.next.clone());
    Ok(page("events/index.html", found).between(previous, next))
}

/// Everything that happened to accounts, latest first; `q` searches names, kinds and addresses
#[utoipa::path(get, path = "/admin/audit", tag = "admin", security(("password" = [])),
    params(("q" = Option<String>, Query), ("before" = Option<String>, Query),
        ("after" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = Page<Event>), (status = 401, body = Problem),
        (status = 403, body = Problem)))]
#[get("/admin/audit")]
pub async fn all(admin: Admin, search: Query<Search>, db: &Database) -> web::Result {
    let found = audit::list(db, &admin, search.q.as_deref(), &search.part).await?;
    Ok(search.0.reply("admin/audit.html", found))
}

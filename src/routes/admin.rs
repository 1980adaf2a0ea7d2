//! What admins see and do. Everybody else finds nothing here.

use rocket::{Route, delete, get, patch, routes};
use serde::{Deserialize, Serialize};

use super::docs::Problem;
use crate::error::Error;
use crate::models::page::{self, Page};
use crate::models::post::{self, Post};
use crate::models::user::{self, Account, Admin, Role};
use crate::web::{self, Back, Database, Flash, Input, Query, gone, page, saved};

pub fn both() -> Vec<Route> {
    routes![posts, users, update_user, delete_user]
}

/// A search in a list.
#[derive(Debug, Default, Deserialize)]
pub struct Search {
    q: Option<String>,
    #[serde(flatten)]
    part: page::Asked,
}

/// A list with what was searched for.
#[derive(Serialize)]
struct Found<T> {
    #[serde(flatten)]
    page: Page<T>,
    q: Option<String>,
}

fn found<T: Serialize + Send + 'static>(
    template: &'static str,
    found: Page<T>,
    q: &Option<String>,
) -> web::Reply {
    let (previous, next) = (found.previous.clone(), found.next.clone());
    page(template, Found { page: found, q: q.clone() }).between(previous, next)
}

/// All posts; `q` searches titles and authors
#[utoipa::path(get, path = "/admin/posts", tag = "admin", security(("password" = [])),
    params(("q" = Option<String>, Query), ("before" = Option<String>, Query),
        ("after" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = Page<Post>), (status = 401, body = Problem),
        (status = 403, body = Problem)))]
#[get("/admin/posts")]
pub async fn posts(admin: Admin, search: Query<Search>, db: &Database) -> web::Result {
    let page = post::search(db, &admin, search.q.as_deref(), &search.part).await?;
    Ok(found("admin/posts.html", page, &search.q))
}

/// Everybody; `q` searches usernames and e-mails
#[utoipa::path(get, path = "/admin/users", tag = "admin", security(("password" = [])),
    params(("q" = Option<String>, Query), ("before" = Option<String>, Query),
        ("after" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = Page<Account>), (status = 401, body = Problem),
        (status = 403, body = Problem)))]
#[get("/admin/users")]
pub async fn users(admin: Admin, search: Query<Search>, db: &Database) -> web::Result {
    let page = user::list(db, &admin, search.q.as_deref(), &search.part).await?;
    Ok(found("admin/users.html", page, &search.q))
}

/// What an admin may change about somebody.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// `user` or `admin`.
    #[schema(example = "admin", required = true)]
    role: Option<String>,
    #[schema(ignore)]
    next: Option<String>,
}

/// Change somebody's role
///
/// In effect from their next request on. The last admin stays one.
#[utoipa::path(patch, path = "/admin/users/{username}", tag = "admin", security(("password" = [])),
    params(("username" = String, Path)), request_body = Change,
    responses((status = 200, body = Account), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
#[patch("/admin/users/<username>", data = "<change>")]
pub async fn update_user(
    username: &str,
    admin: Admin,
    change: Input<Change>,
    db: &Database,
) -> web::Result {
    let role = change.role.clone().ok_or_else(|| Error::invalid("role", "Give user or admin."))?;
    let account = user::set_role(db, &admin, username, Role::try_from(role)?).await?;
    let back = Back::from(change.0.next);
    Ok(saved(back.or("/admin/users"), Flash::RoleChanged, account))
}

/// Delete somebody with all their posts
///
/// The last admin stays.
#[utoipa::path(delete, path = "/admin/users/{username}", tag = "admin",
    security(("password" = [])), params(("username" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/admin/users/<username>", data = "<back>")]
pub async fn delete_user(username: &str, admin: Admin, back: Back, db: &Database) -> web::Result {
    user::delete(db, &admin, username).await?;
    Ok(gone(back.or("/admin/users"), Flash::UserDeleted))
}

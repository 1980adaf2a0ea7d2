//! What admins see and do. Everybody else finds nothing here.

use rocket::{Route, delete, get, patch, routes};
use serde::Deserialize;

use super::docs::Problem;
use crate::error::Error;
use crate::models::caller::Caller;
use crate::models::page::Page;
use crate::models::post::{self, Post};
use crate::models::user::{self, Account, Admin, Role};
use crate::models::written;
use crate::web::{self, Back, Database, Flash, Input, Query, Search, gone, saved};

pub fn both() -> Vec<Route> {
    routes![posts, users, update_user, delete_user]
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
    Ok(search.0.reply("admin/posts.html", page))
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
    Ok(search.0.reply("admin/users.html", page))
}

/// What an admin may change about somebody; what is missing stays as it is.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct Change {
    /// `user` or `admin`.
    #[schema(example = "admin")]
    role: Option<String>,
    /// True locks the person out and ends all their sessions, false lets them in again.
    #[serde(default, deserialize_with = "written::flag")]
    #[schema(example = false)]
    disabled: Option<bool>,
    #[schema(ignore)]
    next: Option<String>,
}

/// Change somebody's role, or lock them out
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
    caller: &Caller,
    change: Input<Change>,
    db: &Database,
) -> web::Result {
    let Input(Change { role, disabled, next }) = change;
    let flash = match (&role, disabled) {
        (Some(_), _) => Flash::RoleChanged,
        (None, Some(true)) => Flash::UserDisabled,
        (None, Some(false)) => Flash::UserEnabled,
        (None, None) => return Err(Error::invalid("role", "Give a role, or disabled.").into()),
    };
    let role = role.map(Role::try_from).transpose()?;
    let account =
        user::update(db, caller, &admin, username, &user::Change { role, disabled }).await?;
    Ok(saved(Back::from(next).or("/admin/users"), flash, account))
}

/// Delete somebody with all their posts
///
/// The last admin stays.
#[utoipa::path(delete, path = "/admin/users/{username}", tag = "admin",
    security(("password" = [])), params(("username" = String, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 409, body = Problem)))]
#[delete("/admin/users/<username>", data = "<back>")]
pub async fn delete_user(
    username: &str,
    admin: Admin,
    caller: &Caller,
    back: Back,
    db: &Database,
) -> web::Result {
    user::delete(db, caller, &admin, username).await?;
    Ok(gone(back.or("/admin/users"), Flash::UserDeleted))
}

//! The people whom an admin selected in the list: what will happen, and doing it. Programs change
//! them one by one.

use rocket::{get, post};
use serde::{Deserialize, Serialize};

use crate::models::base::actor::Admin;
use crate::models::base::form_value;
use crate::models::base::selection;
use crate::models::base::site::Site;
use crate::models::moderation::bulk::{self, BulkAction, Selected};
use crate::web::{self, Flash, Input, Query, QueryParams, ReturnTo, gone, page, room};

room! {
    pages: [show, create],
}

const PAGE: &str = "admin/bulk_users.html";
const LIST: &str = "/admin/users";

/// The selected people, and what to do.
#[derive(Deserialize)]
pub struct UserSelection {
    #[serde(default, deserialize_with = "form_value::words")]
    id: Vec<String>,
    action: Option<String>,
    next: Option<String>,
}

impl QueryParams for UserSelection {}

#[derive(Serialize)]
struct SelectedUsers {
    action: BulkAction,
    users: Vec<Selected>,
    /// To how many of them it will be done.
    count: usize,
    /// How many posts these have.
    posts: i64,
    /// How many of the selected ones exist no more.
    gone: usize,
    /// The list in which they were selected.
    next: String,
}

/// Lists what will happen to whom. It changes nothing, so it can be reloaded, and asked for again
/// after the password had to be confirmed.
#[get("/admin/users/bulk")]
async fn show(admin: Admin, query: Query<UserSelection>, site: &Site) -> web::Result {
    let Query(UserSelection { id, action, next }) = query;
    let (ids, next) = (selection::parse(&id)?, ReturnTo::from(next).or(LIST));
    if ids.is_empty() {
        return Ok(gone(next, Flash("nothing-selected")));
    }
    let action = BulkAction::parse(action.as_deref())?;
    let users = bulk::preview(site, &admin, action, &ids).await?;
    let gone = ids.len() - users.len();
    let concerned = || users.iter().filter(|user| user.skipped.is_none());
    let (count, posts) = (concerned().count(), concerned().map(|user| user.account.posts).sum());
    Ok(page(PAGE, SelectedUsers { action, users, count, posts, gone, next }))
}

#[post("/admin/users/bulk", data = "<input>")]
async fn create(input: Input<UserSelection>, admin: Admin, site: &Site) -> web::Result {
    let Input(UserSelection { id, action, next }) = input;
    let action = BulkAction::parse(action.as_deref())?;
    let outcome = bulk::perform(site, &admin, action, &selection::parse(&id)?).await?;
    let flash = match action {
        BulkAction::Disable => Flash("users-disabled"),
        BulkAction::Enable => Flash("users-enabled"),
        BulkAction::Purge => Flash("users-purged"),
        BulkAction::Delete => Flash("users-deleted"),
    };
    let counts = [
        ("done", outcome.done),
        ("posts", outcome.posts),
        ("gone", outcome.gone),
        ("oneself", outcome.oneself),
        ("unchanged", outcome.unchanged),
        ("last_admin", outcome.last_admin),
    ];
    Ok(gone(ReturnTo::from(next).or(LIST), flash).counting(counts))
}

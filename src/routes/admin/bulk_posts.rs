//! The posts that an admin selected in the list: what will happen, and doing it. Programs delete
//! them one by one.

use rocket::{get, post};
use serde::{Deserialize, Serialize};

use crate::models::base::actor::{Actor, Admin};
use crate::models::base::form_value;
use crate::models::base::selection;
use crate::models::base::site::Site;
use crate::models::posts::post::PostSummary;
use crate::models::posts::removal;
use crate::web::{self, Flash, Input, Query, QueryParams, ReturnTo, gone, page, room};

room! {
    pages: [show, create],
}

const PAGE: &str = "admin/bulk_posts.html";
const LIST: &str = "/admin/posts";

/// The selected posts.
#[derive(Deserialize)]
pub struct PostSelection {
    #[serde(default, deserialize_with = "form_value::words")]
    id: Vec<String>,
    next: Option<String>,
}

impl QueryParams for PostSelection {}

#[derive(Serialize)]
struct SelectedPosts {
    posts: Vec<PostSummary>,
    /// How many of the selected ones exist no more.
    gone: usize,
    /// The list in which they were selected.
    next: String,
}

/// Lists what will be deleted. It changes nothing, so it can be reloaded, and asked for again after
/// the password had to be confirmed.
#[get("/admin/posts/bulk")]
async fn show(admin: Admin, query: Query<PostSelection>, site: &Site) -> web::Result {
    let Query(PostSelection { id, next }) = query;
    let (ids, next) = (selection::parse(&id)?, ReturnTo::from(next).or(LIST));
    let posts = removal::preview(site, &admin, &ids).await?;
    if posts.is_empty() {
        return Ok(gone(next, Flash("nothing-selected")));
    }
    let gone = ids.len() - posts.len();
    Ok(page(PAGE, SelectedPosts { posts, gone, next }))
}

#[post("/admin/posts/bulk", data = "<input>")]
async fn create(
    input: Input<PostSelection>,
    admin: Admin,
    actor: Actor,
    site: &Site,
) -> web::Result {
    let Input(PostSelection { id, next }) = input;
    let removal = removal::delete_selected(site, &admin, &actor, &selection::parse(&id)?).await?;
    let counts = [("done", removal.deleted), ("gone", removal.gone)];
    Ok(gone(ReturnTo::from(next).or(LIST), Flash("posts-deleted")).counting(counts))
}

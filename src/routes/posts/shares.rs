//! Links that show a post to whoever has them.

use rocket::{delete, get, post};
use serde::Serialize;
use serde_json::json;

use super::votes::PostTitle;
use crate::error::Result;
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::models::posts::post;
use crate::models::posts::rendering;
use crate::models::posts::share_link::{self, ShareLink, ShareLinkInput};
use crate::web::{
    self, Flash, Id, Input, OrForm, PostsWrite, ReturnTo, Scoped, created, gone, page, room,
};

room! {
    tag: ("shares", "Links that show a post to whoever has them"),
    both: [index, create, revoke],
    pages: [show],
}

const LIST: &str = "posts/shares.html";

/// The links of a post, and the post.
#[derive(Serialize, utoipa::ToSchema)]
pub struct ShareLinks {
    /// The post.
    post: PostTitle,
    /// At most 20.
    items: Vec<ShareLink>,
}

async fn links(site: &Site, actor: &Actor, id: i64) -> Result<ShareLinks> {
    let (post, items) = share_link::list(site, actor, id).await?;
    Ok(ShareLinks { post: PostTitle::new(id, &post), items })
}

fn path(id: i64) -> String {
    format!("{}/shares", post::resource(id))
}

/// List the share links of a post
///
/// Those that still work. Only the author may.
#[utoipa::path(get, path = "/posts/{id}/shares", operation_id = "listShareLinks", tag = "shares",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)),
    responses((status = 200, body = ShareLinks)))]
#[get("/posts/<id>/shares")]
async fn index(id: Id, actor: Scoped<PostsWrite>, site: &Site) -> web::Result {
    Ok(page(LIST, links(site, &actor, *id).await?))
}

/// Make a share link
///
/// Whoever has it can read the post, also as a draft, without its comments. At most 20 for a post. Only the
/// author may.
#[utoipa::path(post, path = "/posts/{id}/shares", operation_id = "createShareLink", tag = "shares",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)), request_body = ShareLinkInput,
    responses((status = 201, body = ShareLink), (status = 429)))]
#[post("/posts/<id>/shares", data = "<input>")]
async fn create(
    id: Id,
    input: Input<ShareLinkInput>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let link = match share_link::create(site, &actor, *id, &input).await {
        Ok(link) => link,
        refused => {
            let view = links(site, &actor, *id).await?;
            refused.or_form(LIST, json!(view))?
        }
    };
    Ok(created(path(*id), Flash("share-link-created"), link))
}

/// Revoke a share link
///
/// Takes effect at once. Only the author may.
#[utoipa::path(delete, path = "/posts/{id}/shares/{number}", operation_id = "revokeShareLink",
    tag = "shares", security(("oauth2" = ["posts:write"])),
    params(("id" = i64, Path), ("number" = i64, Path)),
    responses((status = 204)))]
#[delete("/posts/<id>/shares/<number>", data = "<return_to>")]
async fn revoke(
    id: Id,
    number: Id,
    return_to: ReturnTo,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    share_link::revoke(site, &actor, *id, *number).await?;
    Ok(gone(return_to.or(path(*id)), Flash("share-link-revoked")))
}

/// What a link shows: the post, and nothing around it.
#[get("/s/<token>")]
async fn show(token: &str, site: &Site) -> web::Result {
    let post = share_link::open(site, token).await?;
    let post = rendering::refresh(site, post).await?;
    Ok(page("posts/shared.html", post))
}

//! Tags: the list of all, one of them with its posts, and what admins do with them.

use rocket::{get, patch, put};
use serde::Serialize;
use serde_json::json;

use crate::models::base::actor::Admin;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::feed;
use crate::models::posts::post::PostSummary;
use crate::models::posts::tag::{self, Tag, TagParams};
use crate::models::posts::tag_merge::{self, TagMerge, TagUpdate};
use crate::web::{self, Flash, Input, OrForm, Query, Visitor, data, form, list, room, saved};

room! {
    tag: ("tags", "Names under which posts are found"),
    both: [index, update, patch, merge],
    pages: [read, edit],
    api: [show],
    cached: [index, read, show],
}

const FORM: &str = "tags/edit.html";

/// A page of the list of tags, and what was searched for.
#[derive(Serialize, utoipa::ToSchema)]
pub struct TagList {
    #[serde(flatten)]
    page: Page<Tag>,
    /// With what the names begin.
    #[schema(example = "se")]
    q: Option<String>,
}

/// List tags
///
/// Those with the most posts first. `q` finds those whose names begin with it, on one page.
#[utoipa::path(get, path = "/tags", operation_id = "listTags", tag = "tags",
    security((), ("oauth2" = ["posts:read"])), params(TagParams, PageParams),
    responses((status = 200, body = TagList)))]
#[get("/tags")]
async fn index(query: Query<TagParams>, _visitor: Visitor, site: &Site) -> web::Result {
    let Query(params) = query;
    let tags = tag::list(site, &params).await?;
    Ok(list("tags/index.html", tags, |page| TagList { page, q: params.q }))
}

/// A tag and a page of its posts.
#[derive(Serialize)]
struct TagPage {
    tag: Tag,
    #[serde(flatten)]
    page: Page<PostSummary>,
}

#[get("/tags/<tag>")]
async fn read(tag: &str, query: Query<PageParams>, visitor: Visitor, site: &Site) -> web::Result {
    let tag = tag::find(&site.db, tag).await?;
    let posts = feed::by_tag(site, visitor.user(), tag.id, &query).await?;
    Ok(list("tags/show.html", posts, |page| TagPage { tag, page }))
}

/// Get a tag
///
/// Under another name of the tag, too. `GET /posts?tag=` lists its posts.
#[utoipa::path(get, path = "/tags/{tag}", operation_id = "getTag", tag = "tags",
    security((), ("oauth2" = ["posts:read"])), params(("tag" = String, Path)),
    responses((status = 200, body = Tag)))]
#[get("/tags/<tag>")]
async fn show(tag: &str, _visitor: Visitor, site: &Site) -> web::Result {
    Ok(data(tag::find(&site.db, tag).await?))
}

#[get("/tags/<tag>/edit")]
async fn edit(tag: &str, _admin: Admin, site: &Site) -> web::Result {
    let tag = tag::find(&site.db, tag).await?;
    let values = json!({ "description": tag.description });
    Ok(form(FORM, values, json!({ "tag": tag })))
}

/// Describe a tag
///
/// For admins.
#[utoipa::path(put, path = "/tags/{tag}", operation_id = "updateTag", tag = "tags",
    security(("oauth2" = ["admin"])), params(("tag" = String, Path)), request_body = TagUpdate,
    responses((status = 200, body = Tag)))]
#[put("/tags/<tag>", data = "<input>")]
async fn update(tag: &str, input: Input<TagUpdate>, admin: Admin, site: &Site) -> web::Result {
    let view = json!({ "tag": tag::find(&site.db, tag).await? });
    let tag = tag_merge::update(site, &admin, tag, &input).await.or_form(FORM, view)?;
    Ok(saved(tag.path.clone(), Flash("tag-saved"), tag))
}

/// Describe a tag by a merge patch
///
/// The same as PUT, for clients that patch (RFC 7396), as `application/merge-patch+json`, too.
#[utoipa::path(patch, path = "/tags/{tag}", operation_id = "patchTag", tag = "tags",
    security(("oauth2" = ["admin"])), params(("tag" = String, Path)),
    request_body = TagUpdate,
    responses((status = 200, body = Tag)))]
#[patch("/tags/<tag>", data = "<input>")]
async fn patch(tag: &str, input: Input<TagUpdate>, admin: Admin, site: &Site) -> web::Result {
    update(tag, input, admin, site).await
}

/// Merge a tag into another one
///
/// The name stays as another name of that tag, also for those who write with it. For admins; it cannot
/// be undone.
#[utoipa::path(put, path = "/tags/{tag}/merge", operation_id = "mergeTag", tag = "tags",
    security(("oauth2" = ["admin"])), params(("tag" = String, Path)), request_body = TagMerge,
    responses((status = 200, body = Tag)))]
#[put("/tags/<tag>/merge", data = "<input>")]
async fn merge(tag: &str, input: Input<TagMerge>, admin: Admin, site: &Site) -> web::Result {
    let view = json!({ "tag": tag::find(&site.db, tag).await? });
    let tag = tag_merge::merge(site, &admin, tag, &input).await.or_form(FORM, view)?;
    Ok(saved(tag.path.clone(), Flash("tag-merged"), tag))
}

//! Posts: the feed, one post, writing, editing, deleting. The forms are in `editor`.

use rocket::{delete, get, patch, post, put};
use serde::Serialize;
use serde_json::json;

use super::discussions::{self, Discussion};
use super::editor::{NEW_FORM, post_saved, with_suggestions};
use crate::error::Error;
use crate::models::base::actor::Actor;
use crate::models::base::caller::Caller;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::edit as editing;
use crate::models::posts::feed;
use crate::models::posts::feed_params::{FeedParams, Period, Sort};
use crate::models::posts::neighbours::{self, Neighbours};
use crate::models::posts::post::{self, Post, PostSummary};
use crate::models::posts::post_input::{PostInput, PostUpdate};
use crate::models::posts::publication_state::PostState;
use crate::models::posts::publishing;
use crate::models::posts::rendering;
use crate::models::posts::series_place::{self, SeriesPlace};
use crate::web::{
    self, Failure, Flash, Id, IfMatch, Input, Moved, OrForm, PostsWrite, Query, ReturnTo, Scoped,
    Slug, Visitor, created, data, gone, list, page, room,
};

room! {
    tag: ("posts", "Reading and writing"),
    both: [create, patch, delete],
    pages: [home, address, read],
    api: [index, show, update],
    cached: [home, read, index, show],
}

/// A page of the feed, with its parameters.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Feed {
    #[serde(flatten)]
    page: Page<PostSummary>,
    /// The author, if only one author's posts were requested.
    #[schema(example = "ann")]
    author: Option<String>,
    /// The tags that all of them have, as they were asked for.
    #[schema(example = json!(["sea"]))]
    tags: Vec<String>,
    /// Their order.
    sort: Sort,
    /// When they were published, if their order is `top`.
    period: Period,
}

/// The feed as a page: with the form that filters it, and what other pages of the same list have in
/// their query.
#[derive(Serialize)]
struct FeedPage {
    #[serde(flatten)]
    feed: Feed,
    filter: FilterForm,
    is_filtered: bool,
    /// Without the order: the filter alone.
    filter_query: String,
    query: String,
}

/// What was typed into the form.
#[derive(Serialize)]
struct FilterForm {
    since: String,
    until: String,
    min_votes: String,
}

/// The feed, as a page.
#[get("/")]
async fn home(
    query: Query<FeedParams>,
    visitor: Visitor,
    caller: &Caller,
    site: &Site,
) -> web::Result {
    let Query(params) = query;
    let params = FeedParams { include: None, ..params };
    let posts = feed::feed(site, visitor.user(), caller, &params).await?;
    let filter_query = params.filter_query();
    let query = format!("{}{filter_query}", params.order_query()?);
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    let filter = FilterForm {
        since: text(&params.since),
        until: text(&params.until),
        min_votes: text(&params.min_votes),
    };
    let view = Feed::of(&params)?;
    Ok(list("posts/index.html", posts, |page| FeedPage {
        feed: view(page),
        filter,
        is_filtered: !filter_query.is_empty(),
        filter_query,
        query,
    }))
}

/// List posts
///
/// Newest first, or in another order. Of many posts, a filter looks at a bounded number at a time: a page
/// may then have fewer items than its limit, or none, while `next` leads on.
#[utoipa::path(get, path = "/posts", operation_id = "listPosts", tag = "posts",
    security((), ("oauth2" = ["posts:read"])), params(FeedParams, PageParams),
    responses((status = 200, body = Feed), (status = 404), (status = 429)))]
#[get("/posts")]
async fn index(
    query: Query<FeedParams>,
    visitor: Visitor,
    caller: &Caller,
    site: &Site,
) -> web::Result {
    let Query(params) = query;
    let posts = feed::feed(site, visitor.user(), caller, &params).await?;
    Ok(list("posts/index.html", posts, Feed::of(&params)?))
}

impl Feed {
    fn of(params: &FeedParams) -> Result<impl FnOnce(Page<PostSummary>) -> Feed + use<>, Error> {
        let (sort, period) = (params.sort()?, params.period()?);
        let author = params.author.clone();
        let tags = params.tags()?;
        Ok(move |page| Feed { page, author, tags, sort, period })
    }
}

/// A post, and where to go on from it.
#[derive(Serialize)]
struct PostPage {
    #[serde(flatten)]
    post: Post,
    #[serde(flatten)]
    neighbours: Neighbours,
    /// Where it stands in its series.
    place: Option<SeriesPlace>,
    discussion: Discussion,
}

/// The page of a post, or the way to its address.
type ReadPage = web::Result<Result<web::Reply, Moved>>;

/// The number alone leads to the page.
#[get("/posts/<id>")]
async fn address(id: Id, visitor: Visitor, site: &Site) -> web::Result<Moved> {
    Ok(Moved(post::address(&site.db, visitor.user(), *id).await?))
}

/// The page of a post. What surrounds the post is no part of it, and so not in the API's answer, whose
/// tag would change with every new post. The rank leaves `/posts/<id>/edit` and the like to their routes.
#[get("/posts/<id>/<slug>", rank = 1)]
async fn read(id: Id, slug: Slug<'_>, visitor: Visitor, site: &Site) -> ReadPage {
    // Another address leads on without reading the text, which may be long.
    let address = post::address(&site.db, visitor.user(), *id).await?;
    if address != format!("{}/{}", post::resource(*id), slug.0) {
        return Ok(Err(Moved(address)));
    }
    let post = post::show(&site.db, visitor.user(), *id).await?;
    let neighbours = neighbours::around(&site.db, &post.summary).await?;
    let place = series_place::of(&site.db, &post.summary).await?;
    let post = rendering::refresh(site, post).await?;
    let discussion = discussions::beginning(site, visitor.user(), &post).await?;
    Ok(Ok(page("posts/show.html", PostPage { post, neighbours, place, discussion })))
}

/// Get a post
///
/// With the text in Markdown and as safe HTML. The `ETag` is for `If-Match` and `If-None-Match`.
#[utoipa::path(get, path = "/posts/{id}", operation_id = "getPost", tag = "posts",
    security((), ("oauth2" = ["posts:read"])), params(("id" = i64, Path)),
    responses((status = 200, body = Post)))]
#[get("/posts/<id>")]
async fn show(id: Id, visitor: Visitor, site: &Site) -> web::Result {
    let post = post::show(&site.db, visitor.user(), *id).await?;
    let post = rendering::refresh(site, post).await?;
    let version = post.summary.version;
    Ok(data(post).with_version(version))
}

/// Write a post
///
/// Public at once, unless `state`, `visibility` or `published_at` say something else. The answer has an
/// `ETag`, for a later edit with `If-Match`.
#[utoipa::path(post, path = "/posts", operation_id = "createPost", tag = "posts",
    security(("oauth2" = ["posts:write"])), request_body = PostInput,
    responses((status = 201, body = Post), (status = 429)))]
#[post("/posts", data = "<input>")]
async fn create(input: Input<PostInput>, actor: Scoped<PostsWrite>, site: &Site) -> web::Result {
    let post = match publishing::create(site, &actor, &input).await {
        Ok(post) => post,
        refused => refused.or_form(NEW_FORM, with_suggestions(site, &actor, json!({})).await)?,
    };
    let flash = match post.summary.state {
        PostState::Draft => Flash("draft-saved"),
        PostState::Scheduled => Flash("post-scheduled"),
        PostState::Published => Flash("post-created"),
    };
    let PostSummary { id, version, .. } = post.summary;
    let page = post.summary.path.clone();
    Ok(created(post::resource(id), flash, post).with_page(page).with_version(version))
}

/// Edit a post
///
/// Missing fields stay unchanged. With `If-Match` (or `version`), the edit is refused when somebody
/// else has saved a newer version.
#[utoipa::path(put, path = "/posts/{id}", operation_id = "updatePost", tag = "posts",
    security(("oauth2" = ["posts:write"])),
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header)), request_body = PostUpdate,
    responses((status = 200, body = Post), (status = 412), (status = 429)))]
#[put("/posts/<id>", data = "<input>")]
async fn update(
    id: Id,
    input: Input<PostUpdate>,
    if_match: IfMatch,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let Input(mut input) = input;
    input.version = if_match.0.or(input.version);
    let publishes = input.state.as_deref() == Some("published");
    let edited = match editing::update(site, &actor, *id, &input).await {
        Err(Error::VersionConflict) => return Err(stale(site, &actor, *id).await?),
        edited => edited,
    };
    Ok(post_saved(edited?, publishes))
}

/// The refusal of an edit of another version than the present one.
pub(super) async fn stale(site: &Site, actor: &Actor, id: i64) -> Result<Failure, Error> {
    let post = rendering::refresh(site, editing::editable(site, actor, id).await?).await?;
    let version = post.summary.version;
    Ok(Failure::stale(&data(post).with_version(version)))
}

/// Edit a post by a merge patch
///
/// The same as PUT, for clients that patch (RFC 7396). Null takes the post out of its series; no other field can
/// be removed.
#[utoipa::path(patch, path = "/posts/{id}", operation_id = "patchPost", tag = "posts",
    security(("oauth2" = ["posts:write"])),
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header)),
    request_body(content( (PostUpdate = "application/merge-patch+json"), (PostUpdate = "application/json"))),
    responses((status = 200, body = Post), (status = 412), (status = 429)))]
#[patch("/posts/<id>", data = "<input>")]
async fn patch(
    id: Id,
    input: Input<PostUpdate>,
    if_match: IfMatch,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    update(id, input, if_match, actor, site).await
}

/// Delete a post
///
/// With its votes and comments; it cannot be brought back. Only the author and admins may.
#[utoipa::path(delete, path = "/posts/{id}", operation_id = "deletePost", tag = "posts",
    security(("oauth2" = ["posts:write"])),
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 412)))]
#[delete("/posts/<id>", data = "<return_to>")]
async fn delete(
    id: Id,
    return_to: ReturnTo,
    if_match: IfMatch,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    if let Err(error) = editing::delete(site, &actor, *id, if_match.0).await {
        return Err(match error {
            Error::VersionConflict => stale(site, &actor, *id).await?,
            error => error.into(),
        });
    }
    Ok(gone(return_to.or("/"), Flash("post-deleted")))
}

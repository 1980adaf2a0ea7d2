//! Posts: the feed, one post, writing, editing, deleting.

use rocket::{delete, get, patch, post, put};
use serde::Serialize;
use serde_json::{Value, json};

use super::discussions::{self, Discussion};
use crate::error::Error;
use crate::models::base::actor::Actor;
use crate::models::base::caller::Caller;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::edit as editing;
use crate::models::posts::feed;
use crate::models::posts::feed_params::{FeedParams, Period, Sort};
use crate::models::posts::merging::{self, Fields, PostMerge, Resolution};
use crate::models::posts::neighbours::{self, Neighbours};
use crate::models::posts::post::{self, Post, PostSummary};
use crate::models::posts::post_draft;
use crate::models::posts::post_input::{PostInput, PostUpdate, PreviewInput};
use crate::models::posts::publication_state::PostState;
use crate::models::posts::rendering;
use crate::models::posts::tag;
use crate::web::{
    self, Failure, Flash, Id, IfMatch, Input, OrForm, PostsWrite, Query, ReturnTo, Scoped, Visitor,
    created, data, form, gone, list, page, room, saved,
};

room! {
    tag: ("posts", "Reading and writing"),
    both: [create, patch, delete, preview, preview_edit],
    pages: [home, read, new, edit, save],
    api: [index, show, update],
    cached: [home, read, index, show],
}

const NEW_FORM: &str = "posts/new.html";
pub(super) const EDIT_FORM: &str = "posts/edit.html";

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
    discussion: Discussion,
}

/// The page of a post. What surrounds the post is no part of it, and so not in the API's answer, whose
/// tag would change with every new post.
#[get("/posts/<id>")]
async fn read(id: Id, visitor: Visitor, site: &Site) -> web::Result {
    let post = post::show(&site.db, visitor.user(), *id).await?;
    let neighbours = neighbours::around(&site.db, &post.summary).await?;
    let post = rendering::refresh(site, post).await?;
    let discussion = discussions::beginning(site, visitor.user(), &post).await?;
    Ok(page("posts/show.html", PostPage { post, neighbours, discussion }))
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

#[get("/posts/new")]
async fn new(_actor: Actor, site: &Site) -> web::Reply {
    form(NEW_FORM, json!({}), with_suggestions(site, json!({})).await)
}

/// Tags that are suggested to those who write.
const SUGGESTIONS: i64 = 12;

/// Adds suggestions to what a form shows; it is complete without them.
async fn with_suggestions(site: &Site, mut view: Value) -> Value {
    view["popular"] = json!(tag::popular(&site.db, SUGGESTIONS).await.unwrap_or_default());
    view
}

/// Write a post
///
/// Public at once, unless `state`, `visibility` or `published_at` say something else. The answer has an `ETag`, for a later edit with `If-Match`.
#[utoipa::path(post, path = "/posts", operation_id = "createPost", tag = "posts",
    security(("oauth2" = ["posts:write"])), request_body = PostInput,
    responses((status = 201, body = Post), (status = 429)))]
#[post("/posts", data = "<input>")]
async fn create(input: Input<PostInput>, actor: Scoped<PostsWrite>, site: &Site) -> web::Result {
    let post = match editing::create(site, &actor, &input).await {
        Ok(post) => post,
        refused => refused.or_form(NEW_FORM, with_suggestions(site, json!({})).await)?,
    };
    let flash = match post.summary.state {
        PostState::Draft => Flash("draft-saved"),
        PostState::Scheduled => Flash("post-scheduled"),
        PostState::Published => Flash("post-created"),
    };
    let (path, version) = (post.summary.path.clone(), post.summary.version);
    Ok(created(path, flash, post).with_version(version))
}

#[get("/posts/<id>/edit")]
async fn edit(id: Id, actor: Actor, site: &Site) -> web::Result {
    let Post { summary, content, .. } = editing::editable(site, &actor, *id).await?;
    let mut view = with_suggestions(site, edit_view(&summary)).await;
    let mut values = json!({
        "title": summary.title,
        "content": content,
        "tags": summary.tags.0.join(", "),
        "version": summary.version,
    });
    if let (Some(values), Value::Object(more)) = (values.as_object_mut(), rare_fields(&summary)) {
        values.extend(more);
    }
    let is_author = summary.user_id == actor.user.id;
    if let Some(draft) = post_draft::find(&site.db, *id).await?.filter(|_| is_author) {
        // It goes on where it was left. The version says whether anybody has saved the post since.
        view["draft_saved_at"] = json!(draft.saved_at);
        let (title, content) = (draft.title, draft.content);
        for (field, text) in [
            ("title", title),
            ("content", content),
            ("summary", draft.summary),
            ("tags", draft.tags),
        ] {
            values[field] = json!(text);
        }
        values["version"] = json!(draft.version);
    }
    Ok(form(EDIT_FORM, values, view))
}

/// The values of the fields that are seldom changed.
fn rare_fields(summary: &PostSummary) -> Value {
    json!({
        "summary": summary.summary,
        "visibility": summary.visibility,
        // As a browser's field for date and time has it.
        "published_at": summary.published_at.map(|at| at.format("%Y-%m-%dT%H:%M").to_string()),
    })
}

/// What the form for an edit shows beside its fields.
pub(super) fn edit_view(summary: &PostSummary) -> Value {
    json!({ "path": summary.path, "state": summary.state, "user_id": summary.user_id })
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

/// The form for an edit, sent. If somebody else has saved meanwhile, it comes back with what both wrote.
#[put("/posts/<id>", data = "<input>")]
async fn save(
    id: Id,
    input: Input<PostUpdate>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let publishes = input.state.as_deref() == Some("published");
    let mut edited = editing::update(site, &actor, *id, &input).await;
    if let Err(Error::VersionConflict) = edited {
        edited = match merging::resolve(site, &actor, *id, &input).await {
            Ok(Resolution::Saved(post)) => Ok(*post),
            Ok(Resolution::Merge(merge)) => {
                let current = editing::editable(site, &actor, *id).await?.summary;
                return merge_form(&current, &input, &merge);
            }
            Err(error) => Err(error),
        };
    }
    let post = match edited {
        Ok(post) => post,
        refused => {
            let current = editing::editable(site, &actor, *id).await?.summary;
            refused.or_form(EDIT_FORM, with_suggestions(site, edit_view(&current)).await)?
        }
    };
    Ok(post_saved(post, publishes))
}

/// The form with what both wrote; saving it replaces the version that was saved meanwhile.
fn merge_form(current: &PostSummary, input: &PostUpdate, merge: &PostMerge) -> web::Result {
    let Fields { title, content, tags } = &merge.fields;
    let mut values = rare_fields(current);
    for (field, typed) in [
        ("summary", &input.summary),
        ("visibility", &input.visibility),
        ("published_at", &input.published_at),
    ] {
        if let Some(typed) = typed {
            values[field] = json!(typed);
        }
    }
    values["title"] = json!(title);
    values["content"] = json!(content);
    values["tags"] = json!(tags.join(", "));
    values["version"] = json!(merge.version);
    let mut view = edit_view(current);
    view["merge"] = json!(merge);
    Err(Error::VersionConflict).or_filled_form("posts/merge.html", values, view)
}

fn post_saved(post: Post, publishes: bool) -> web::Reply {
    let flash = match post.summary.state {
        PostState::Draft => Flash("draft-saved"),
        PostState::Scheduled => Flash("post-scheduled"),
        PostState::Published if publishes => Flash("post-created"),
        PostState::Published => Flash("post-saved"),
    };
    let (path, version) = (post.summary.path.clone(), post.summary.version);
    saved(path, flash, post).with_version(version)
}

/// Edit a post by a merge patch
///
/// The same as PUT, for clients that patch (RFC 7396). No field can be removed with null.
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

/// A text as rendered HTML.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Preview {
    /// Safe HTML.
    #[schema(example = "<p>The sea comes <em>twice</em> a day.</p>")]
    content_html: String,
}

/// A text as rendered HTML, for an edit.
#[derive(Serialize, utoipa::ToSchema)]
pub struct EditPreview {
    /// The path of the post, the same at both doors.
    #[schema(example = "/posts/1")]
    path: String,
    /// Safe HTML.
    #[schema(example = "<p>The sea comes <em>twice</em> a day.</p>")]
    content_html: String,
}

/// Render Markdown without publishing it
///
/// The HTML is what the post would show.
#[utoipa::path(post, path = "/posts/preview", operation_id = "previewPost", tag = "posts",
    security(("oauth2" = ["posts:write"])), request_body = PreviewInput,
    responses((status = 200, body = Preview), (status = 429)))]
#[post("/posts/preview", data = "<input>")]
async fn preview(
    input: Input<PreviewInput>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let view = with_suggestions(site, json!({})).await;
    let html = editing::preview(site, &actor, &input).await.or_form(NEW_FORM, view.clone())?;
    let data = Preview { content_html: html.clone() };
    Ok(web::preview(NEW_FORM, view, html, data))
}

/// Render Markdown for an edit without saving it
///
/// Only for those who may edit the post.
#[utoipa::path(put, path = "/posts/{id}/preview", operation_id = "previewEdit", tag = "posts",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)), request_body = PreviewInput,
    responses((status = 200, body = EditPreview), (status = 429)))]
#[put("/posts/<id>/preview", data = "<input>")]
async fn preview_edit(
    id: Id,
    input: Input<PreviewInput>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let summary = editing::editable(site, &actor, *id).await?.summary;
    let view = with_suggestions(site, edit_view(&summary)).await;
    let html = editing::preview(site, &actor, &input).await.or_form(EDIT_FORM, view.clone())?;
    let data = EditPreview { path: summary.path, content_html: html.clone() };
    Ok(web::preview(EDIT_FORM, view, html, data))
}

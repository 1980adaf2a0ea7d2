//! Posts: the feed, one post, writing, editing, deleting.

use rocket::{Route, State, delete, get, post, put, routes, uri};
use serde_json::json;

use crate::models::caller::Caller;
use crate::models::email::Rules;
use crate::models::page::Page;
use crate::models::post::{self, Draft, Post};
use crate::models::user::User;
use crate::web::{
    self, Back, Database, Flash, IfMatch, Input, OrForm, Query, Visitor, created, form, gone, page,
    saved,
};

pub fn both() -> Vec<Route> {
    routes![show, create, update, delete, preview, preview_edit]
}

pub fn pages() -> Vec<Route> {
    routes![home, new, edit]
}

pub fn api() -> Vec<Route> {
    routes![index]
}

/// The feed, as a page.
#[get("/")]
async fn home(query: Query<post::Asked>, visitor: Visitor, db: &Database) -> web::Result {
    feed(&query, &visitor, db).await
}

/// Posts of everybody
///
/// Newest first, or those with the most votes first.
#[utoipa::path(get, path = "/posts", tag = "posts", security((), ("password" = [])),
    params(
        ("sort" = Option<String>, Query, description = "`new` (default) or `top`"),
        ("author" = Option<String>, Query, description = "a username"),
        ("before" = Option<String>, Query, description = "the `next` of a page, to read on"),
        ("after" = Option<String>, Query, description = "the `previous` of a page, to go back"),
        ("limit" = Option<i64>, Query, description = "1 to 100; 20 when missing"),
    ),
    responses((status = 200, body = Feed), (status = 422, body = super::docs::Problem)))]
#[get("/posts")]
pub async fn index(query: Query<post::Asked>, visitor: Visitor, db: &Database) -> web::Result {
    feed(&query, &visitor, db).await
}

/// A part of the feed, and what it was asked for.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub struct Feed {
    #[serde(flatten)]
    pub page: Page<Post>,
    /// The username whose posts alone were asked for.
    pub author: Option<String>,
    #[schema(example = "new")]
    pub sort: String,
}

async fn feed(asked: &post::Asked, visitor: &Visitor, db: &Database) -> web::Result {
    let found = post::feed(db, visitor.user(), asked).await?;
    let (previous, next) = (found.previous.clone(), found.next.clone());
    let sort = asked.sort.clone().filter(|s| !s.is_empty()).unwrap_or_else(|| "new".to_owned());
    let view = Feed { page: found, author: asked.author.clone(), sort };
    Ok(page("posts/index.html", view).between(previous, next))
}

/// One post
#[utoipa::path(get, path = "/posts/{id}", tag = "posts", security((), ("password" = [])),
    params(("id" = i64, Path)),
    responses((status = 200, body = Post, headers(("ETag" = String, description = "for `If-Match` and `If-None-Match`"))),
        (status = 304), (status = 404, body = super::docs::Problem)))]
#[get("/posts/<id>")]
pub async fn show(id: i64, visitor: Visitor, db: &Database) -> web::Result {
    let post = post::show(&**db, visitor.user(), id).await?;
    let tag = tag(&post);
    Ok(page("posts/show.html", post).tagged(tag))
}

/// Names a state of a post: the version comes first, for `If-Match`; votes change what is shown.
fn tag(post: &Post) -> String {
    format!("\"{}-{}-{}\"", post.version, post.votes, u8::from(post.voted))
}

#[get("/posts/new")]
fn new(_me: User) -> web::Reply {
    form("posts/new.html", Draft::default(), json!({}))
}

/// Publish a post
#[utoipa::path(post, path = "/posts", tag = "posts", security(("password" = [])),
    request_body = Draft,
    responses((status = 201, body = Post, headers(("Location" = String))),
        (status = 401, body = super::docs::Problem), (status = 403, body = super::docs::Problem),
        (status = 422, body = super::docs::Problem)))]
#[post("/posts", data = "<draft>")]
pub async fn create(
    me: User,
    draft: Input<Draft>,
    rules: &State<Rules>,
    db: &Database,
) -> web::Result {
    let post =
        post::create(db, rules, &me, &draft).await.or_form("posts/new.html", &*draft, json!({}))?;
    Ok(created(uri!(show(post.id)), Flash::PostCreated, post))
}

#[get("/posts/<id>/edit")]
async fn edit(id: i64, me: User, db: &Database) -> web::Result {
    let post = post::editable(db, &me, id).await?;
    let draft =
        Draft { title: Some(post.title), content: Some(post.content), version: Some(post.version) };
    Ok(form("posts/edit.html", draft, json!({ "id": id })))
}

/// Edit a post
///
/// Missing fields stay as they are. `If-Match` (or `version`) refuses the edit when somebody was
/// faster.
#[utoipa::path(put, path = "/posts/{id}", tag = "posts", security(("password" = [])),
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header)),
    request_body = Draft,
    responses((status = 200, body = Post), (status = 401, body = super::docs::Problem),
        (status = 403, body = super::docs::Problem), (status = 404, body = super::docs::Problem),
        (status = 412, body = super::docs::Problem), (status = 422, body = super::docs::Problem)))]
#[put("/posts/<id>", data = "<draft>")]
pub async fn update(
    id: i64,
    me: User,
    if_match: IfMatch,
    caller: &Caller,
    draft: Input<Draft>,
    db: &Database,
) -> web::Result {
    let Input(mut draft) = draft;
    draft.version = if_match.0.or(draft.version);
    let edited = post::update(db, caller, &me, id, &draft).await;
    if let Err(crate::error::Error::Stale) = edited {
        // Saved once more, the text replaces what stands there now, which the writer has been told.
        draft.version = Some(post::editable(db, &me, id).await?.version);
    }
    let post = edited.or_form("posts/edit.html", &draft, json!({ "id": id }))?;
    Ok(saved(uri!(show(id)), Flash::PostSaved, post))
}

/// Delete a post
#[utoipa::path(delete, path = "/posts/{id}", tag = "posts", security(("password" = [])),
    params(("id" = i64, Path), ("If-Match" = Option<String>, Header)),
    responses((status = 204), (status = 401, body = super::docs::Problem),
        (status = 403, body = super::docs::Problem), (status = 404, body = super::docs::Problem),
        (status = 412, body = super::docs::Problem)))]
#[delete("/posts/<id>", data = "<back>")]
pub async fn delete(
    id: i64,
    me: User,
    if_match: IfMatch,
    caller: &Caller,
    back: Back,
    db: &Database,
) -> web::Result {
    post::delete(db, caller, &me, id, if_match.0).await?;
    Ok(gone(back.or(uri!(home)), Flash::PostDeleted))
}

/// What a text will look like.
#[derive(serde::Serialize, utoipa::ToSchema)]
pub struct Preview {
    pub content_html: String,
}

/// Render Markdown without publishing it
#[utoipa::path(post, path = "/posts/preview", tag = "posts", security(("password" = [])),
    request_body = Draft,
    responses((status = 200, body = Preview), (status = 401, body = super::docs::Problem)))]
#[post("/posts/preview", data = "<draft>")]
pub async fn preview(_me: User, draft: Input<Draft>) -> web::Result {
    let html = post::preview(&draft).or_form("posts/new.html", &*draft, json!({}))?;
    let view = json!({ "content_html": html });
    Ok(form("posts/new.html", draft.0, view).preview(html))
}

/// Render Markdown for an edit without saving it
#[utoipa::path(put, path = "/posts/{id}/preview", tag = "posts", security(("password" = [])),
    params(("id" = i64, Path)), request_body = Draft,
    responses((status = 200, body = Preview), (status = 401, body = super::docs::Problem),
        (status = 403, body = super::docs::Problem), (status = 404, body = super::docs::Problem)))]
#[put("/posts/<id>/preview", data = "<draft>")]
pub async fn preview_edit(id: i64, me: User, draft: Input<Draft>, db: &Database) -> web::Result {
    post::editable(db, &me, id).await?;
    let html = post::preview(&draft).or_form("posts/edit.html", &*draft, json!({ "id": id }))?;
    let view = json!({ "id": id, "content_html": html });
    Ok(form("posts/edit.html", draft.0, view).preview(html))
}

//! Discussions: the comments on a post, or the replies to a comment, and whether there can be more.

use rocket::{delete, get, put};
use serde::Serialize;

use super::votes::PostTitle;
use crate::error::{Error, Result};
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::closure;
use crate::models::posts::comment::{self, Comment};
use crate::models::posts::post::{self, Post};
use crate::models::posts::thread::{self, CommentSort, ThreadComment, ThreadParams, Top};
use crate::models::users::user::User;
use crate::web::{
    self, Flash, Id, PostsWrite, Query, ReturnTo, Scoped, Visitor, list, page, room, saved,
};

room! {
    both: [close, open],
    pages: [discussion, permalink],
    api: [index],
    cached: [discussion, permalink, index],
}

/// The comments on a post, and the post. `limit` counts the comments that are not replies; each is
/// followed by the replies to it, at most 500 in all.
#[derive(Serialize, utoipa::ToSchema)]
pub struct PostComments {
    /// The post.
    post: PostTitle,
    /// Their order.
    sort: CommentSort,
    #[serde(flatten)]
    page: Page<ThreadComment>,
}

/// A comment as pages show it: the replies to it follow in a list of their own.
#[derive(Serialize)]
pub struct LaidOut {
    #[serde(flatten)]
    top: ThreadComment,
    /// Whether its list of replies begins here.
    opens: bool,
    /// The comments whose lists of replies end after it, the innermost first.
    closes: Vec<Rest>,
}

/// A comment with some replies that are shown and some that are not.
#[derive(Serialize)]
struct Rest {
    id: i64,
    path: String,
    hidden_replies: i64,
}

/// Comments as pages show them.
#[derive(Serialize)]
pub struct Discussion {
    post: PostTitle,
    sort: CommentSort,
    closed: bool,
    /// The comment whose replies are shown.
    comment: Option<Comment>,
    comments: Vec<LaidOut>,
    next: Option<String>,
    previous: Option<String>,
}

pub fn title(id: i64, post: &Post) -> PostTitle {
    PostTitle::new(id, &post.summary)
}

/// Says where lists of replies begin and end: templates cannot follow a tree.
fn laid_out(items: Vec<ThreadComment>) -> Vec<LaidOut> {
    let parents: Vec<Option<i64>> = items.iter().map(|item| item.comment.parent_id).collect();
    let mut open: Vec<Rest> = Vec::new();
    let mut shown = Vec::with_capacity(items.len());
    for (place, top) in items.into_iter().enumerate() {
        let next = parents.get(place + 1).copied().flatten();
        let opens = next == Some(top.comment.id);
        let mut closes = Vec::new();
        if opens {
            let (path, hidden_replies) = (top.comment.path.clone(), top.hidden_replies);
            open.push(Rest { id: top.comment.id, path, hidden_replies });
        } else {
            while open.last().is_some_and(|above| next != Some(above.id)) {
                closes.extend(open.pop());
            }
        }
        shown.push(LaidOut { top, opens, closes });
    }
    shown
}

/// The first page of a discussion, for the page of the post.
pub async fn beginning(site: &Site, viewer: Option<&User>, post: &Post) -> Result<Discussion> {
    let params = ThreadParams::default();
    discuss(site, viewer, post, None, &params).await
}

async fn discuss(
    site: &Site,
    viewer: Option<&User>,
    post: &Post,
    comment: Option<Comment>,
    params: &ThreadParams,
) -> Result<Discussion> {
    let id = post.summary.id;
    let sort = params.sort()?;
    let top = comment.as_ref().map_or(Top::Post(id), |comment| Top::Comment(comment.id));
    let Page { items, cursors } = thread::page(site, viewer, top, sort, &params.page).await?;
    Ok(Discussion {
        post: title(id, post),
        sort,
        closed: post.summary.comments_closed,
        comment,
        comments: laid_out(items),
        next: cursors.next,
        previous: cursors.previous,
    })
}

/// List the comments on a post
///
/// Each comment is followed by the replies to it, at most 500 comments in all; `hidden_replies` says how
/// many are left out, which `parent` finds.
#[utoipa::path(get, path = "/posts/{id}/comments", operation_id = "listComments", tag = "comments",
    security((), ("oauth2" = ["posts:read"])), params(("id" = i64, Path), ThreadParams, PageParams),
    responses((status = 200, body = PostComments)))]
#[get("/posts/<id>/comments")]
async fn index(id: Id, query: Query<ThreadParams>, visitor: Visitor, site: &Site) -> web::Result {
    let post = post::show(&site.db, visitor.user(), *id).await?;
    let sort = query.sort()?;
    let top = match query.parent()? {
        None => Top::Post(*id),
        Some(parent) => {
            let comment = comment::show(&site.db, visitor.user(), parent).await?;
            if comment.post_id != *id {
                return Err(Error::NotFound.into());
            }
            Top::Comment(comment.id)
        }
    };
    let page = thread::page(site, visitor.user(), top, sort, &query.page).await?;
    let post = title(*id, &post);
    Ok(list("", page, |page| PostComments { post, sort, page }))
}

/// The comments on a post, as a page.
#[get("/posts/<id>/comments")]
async fn discussion(
    id: Id,
    query: Query<ThreadParams>,
    visitor: Visitor,
    site: &Site,
) -> web::Result {
    let post = post::show(&site.db, visitor.user(), *id).await?;
    let view = discuss(site, visitor.user(), &post, None, &query).await?;
    Ok(page("comments/index.html", view))
}

/// A comment and the replies to it, as a page.
#[get("/comments/<id>")]
async fn permalink(
    id: Id,
    query: Query<ThreadParams>,
    visitor: Visitor,
    site: &Site,
) -> web::Result {
    let comment = comment::show(&site.db, visitor.user(), *id).await?;
    let comment = comment::refresh(site, comment).await?;
    let post = post::show(&site.db, visitor.user(), comment.post_id).await?;
    let view = discuss(site, visitor.user(), &post, Some(comment), &query).await?;
    Ok(page("comments/show.html", view))
}

/// Close the comments on a post
///
/// Nobody can add another; what is there stays. Only the author and admins may.
#[utoipa::path(put, path = "/posts/{id}/comments/closed", operation_id = "closeComments",
    tag = "comments", security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)),
    responses((status = 200, body = Post), (status = 429)))]
#[put("/posts/<id>/comments/closed", data = "<return_to>")]
async fn close(id: Id, return_to: ReturnTo, actor: Scoped<PostsWrite>, site: &Site) -> web::Result {
    let post = closure::close(site, &actor, *id).await?;
    Ok(closed(return_to, Flash("comments-closed"), post))
}

/// Open the comments on a post again
///
/// Only the author and admins may.
#[utoipa::path(delete, path = "/posts/{id}/comments/closed", operation_id = "openComments",
    tag = "comments", security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)),
    responses((status = 200, body = Post), (status = 429)))]
#[delete("/posts/<id>/comments/closed", data = "<return_to>")]
async fn open(id: Id, return_to: ReturnTo, actor: Scoped<PostsWrite>, site: &Site) -> web::Result {
    let post = closure::open(site, &actor, *id).await?;
    Ok(closed(return_to, Flash("comments-opened"), post))
}

fn closed(return_to: ReturnTo, flash: Flash, post: Post) -> web::Reply {
    let (location, version) = (return_to.or(&post.summary.path), post.summary.version);
    saved(location, flash, post).with_version(version)
}

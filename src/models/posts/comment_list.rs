//! Comments apart from their threads: those of one person, and the latest of the site.

use std::collections::HashMap;

use serde::Serialize;

use crate::db::{Statement, sql};
use crate::error::Result;
use crate::models::base::actor::Admin;
use crate::models::base::page::{Column, Keyset, Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::comment::{self, Comment};
use crate::models::posts::post;
use crate::models::users::user::User;

/// A comment, and the post that it is about.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ListedComment {
    #[serde(flatten)]
    pub comment: Comment,
    /// The post.
    pub post: CommentedPost,
}

/// A post, as a list of comments names it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct CommentedPost {
    /// The number of the post.
    pub id: i64,
    /// One line.
    #[schema(example = "On tides")]
    pub title: String,
    /// The path of its page.
    #[schema(example = "/posts/1/on-tides")]
    pub path: String,
}

/// What one person (by id) said, the latest first.
///
/// # Errors
/// `Invalid`, about `before`, `after` and `limit`.
pub async fn by_author(
    site: &Site,
    viewer: Option<&User>,
    author: i64,
    params: &PageParams,
) -> Result<Page<ListedComment>> {
    let source = |query: Statement| query.push_bind(" AND c.user_id = ", author);
    page(site, viewer, params, source, Column::Int("c.id + 0")).await
}

/// What everybody said, the latest first: for admins.
///
/// # Errors
/// `Invalid`, about `before`, `after` and `limit`.
pub async fn latest(
    site: &Site,
    admin: &Admin,
    params: &PageParams,
) -> Result<Page<ListedComment>> {
    page(site, admin.user(), params, |query| query, Column::Int("c.id")).await
}

async fn page(
    site: &Site,
    viewer: Option<&User>,
    params: &PageParams,
    source: impl Fn(Statement) -> Statement,
    column: Column,
) -> Result<Page<ListedComment>> {
    let keyset = Keyset::<1>::new(params)?;
    let query = comment::select(viewer);
    let query = source(query.push("(SELECT c.id FROM comments c WHERE c.deleted_at IS NULL"));
    let query = keyset.apply(query, [column]);
    let query = query.push(") AS page JOIN comments c ON c.id = page.id");
    let order = if keyset.is_backwards() { " ORDER BY c.id" } else { " ORDER BY c.id DESC" };
    let comments = comment::read(&site.db, comment::join(query, post::LISTED).push(order)).await?;
    let page = keyset.page(comments, |comment| [comment.id]);
    let mut comments = Vec::with_capacity(page.items.len());
    for comment in page.items {
        comments.push(comment::refresh(site, comment).await?);
    }
    let ids = comments.iter().map(|comment| comment.post_id);
    let posts: Vec<(i64, String, String)> = sql("SELECT id, slug, title FROM posts WHERE")
        .push_list(" id IN ", ids)
        .all(&site.db)
        .await?;
    let commented = |(id, slug, title): (i64, String, String)| {
        let path = post::path(id, &slug, &title);
        (id, CommentedPost { id, title, path })
    };
    let posts: HashMap<i64, CommentedPost> = posts.into_iter().map(commented).collect();
    let with_post = |comment: Comment| {
        // It is gone with its post, if that was deleted this moment.
        let post = posts.get(&comment.post_id)?.clone();
        Some(ListedComment { comment, post })
    };
    Ok(Page { items: comments.into_iter().filter_map(with_post).collect(), cursors: page.cursors })
}

/// Those of these people (by id) who have said something.
pub async fn authors_among(
    site: &Site,
    _: &Admin,
    people: impl Iterator<Item = i64>,
) -> Result<Vec<i64>> {
    let query = sql("SELECT u.id FROM users u WHERE EXISTS (SELECT 1 FROM comments c \
         WHERE c.user_id = u.id AND c.deleted_at IS NULL)");
    let authors: Vec<(i64,)> = query.push_list(" AND u.id IN ", people).all(&site.db).await?;
    Ok(authors.into_iter().map(|(id,)| id).collect())
}

//! What comments said before they were edited, for the author and admins.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Statement, sql};
use crate::error::{Error, Result};
use crate::models::base::actor::Actor;
use crate::models::base::page::{Column, Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::comment::Comment;
use crate::models::posts::comment_edit::editable;
use crate::models::posts::history::{self, VersionPage, Versioned};
use crate::models::posts::rendering;

/// A version of a comment.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct CommentRevision {
    /// The version of the comment.
    #[schema(minimum = 1)]
    pub number: i64,
    /// When it was saved.
    pub written_at: DateTime<Utc>,
    /// Whether it is what the comment says now.
    pub current: bool,
    /// Markdown.
    #[schema(example = "The moon has a *part* in it.")]
    pub content: String,
}

/// The versions of a comment, latest first, and the comment. Only the earlier ones are in a table of
/// their own.
///
/// # Errors
/// `NotFound`; `Forbidden`; `Invalid`, about the page.
pub async fn list(
    site: &Site,
    actor: &Actor,
    id: i64,
    params: &PageParams,
) -> Result<(Comment, Page<CommentRevision>)> {
    let comment = editable(&site.db, actor, id).await?;
    let kept = sql("SELECT * FROM (SELECT * FROM (SELECT version AS number, written_at, \
         FALSE AS current, content FROM comment_revisions")
    .push_bind(" WHERE comment_id = ", id);
    let present = |query: Statement| {
        query
            .push(
                "SELECT c.version, coalesce(c.updated_at, c.created_at), TRUE, c.content \
                 FROM comments c",
            )
            .push_bind(" WHERE c.id = ", id)
            .push(") AS v WHERE TRUE")
    };
    let kept = (kept, Column::Int("version"));
    let number = |row: &CommentRevision| row.number;
    Ok((comment, history::list(site, params, kept, present, number).await?))
}

/// One version of a comment, and the comment.
///
/// # Errors
/// `NotFound`; `Forbidden`.
pub async fn show(
    site: &Site,
    actor: &Actor,
    id: i64,
    number: i64,
) -> Result<(Comment, CommentRevision)> {
    let comment = editable(&site.db, actor, id).await?;
    let revision = find(site, &comment, number).await?.ok_or(Error::NotFound)?;
    Ok((comment, revision))
}

/// One version of a comment as a page, perhaps compared (`history::read`), and the comment.
///
/// # Errors
/// `NotFound`; `Forbidden`.
pub async fn read(
    site: &Site,
    actor: &Actor,
    id: i64,
    number: i64,
    compare: Option<&str>,
) -> Result<(Comment, VersionPage<CommentRevision>)> {
    let comment = editable(&site.db, actor, id).await?;
    let page = history::read(site, &comment, number, compare).await?;
    Ok((comment, page))
}

impl Versioned for Comment {
    type Version = CommentRevision;

    async fn version(&self, site: &Site, number: i64) -> Result<Option<CommentRevision>> {
        find(site, self, number).await
    }

    /// Each edit of a comment keeps the version that it replaces, so that none is missing.
    async fn previous(&self, _: &Site, number: i64) -> Result<Option<i64>> {
        Ok((number > 1).then(|| number - 1))
    }

    fn text(version: &CommentRevision) -> &str {
        &version.content
    }

    async fn html(site: &Site, text: &str) -> Result<String> {
        rendering::render_comment_again(site, text).await
    }
}

/// A version of a comment, if there is one.
pub(super) async fn find(
    site: &Site,
    comment: &Comment,
    number: i64,
) -> Result<Option<CommentRevision>> {
    if number == comment.version {
        let written_at = comment.updated_at.unwrap_or(comment.created_at);
        let content = comment.content.clone();
        return Ok(Some(CommentRevision { number, written_at, current: true, content }));
    }
    sql("SELECT version AS number, written_at, FALSE AS current, content FROM comment_revisions \
         WHERE comment_id = $1 AND version = $2")
    .bind(comment.id)
    .bind(number)
    .optional(&site.db)
    .await
}

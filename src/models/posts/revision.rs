//! What posts said before: every version that was saved is kept, for the author and admins.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Statement, Tx, sql};
use crate::error::{Error, Result};
use crate::models::base::actor::Actor;
use crate::models::base::page::{Column, Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::history::{self, VersionPage, Versioned};
use crate::models::posts::post::{self, Author, Post};
use crate::models::posts::publication_state::Visibility;
use crate::models::posts::rendering;
use crate::models::posts::tag_name::TagNames;

/// Versions that are kept of one post.
const KEPT: i64 = 500;

/// A version of a post, as shown in lists.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Revision {
    /// The version of the post.
    #[schema(minimum = 1)]
    pub number: i64,
    /// One line.
    #[schema(example = "On tides")]
    pub title: String,
    /// Who saved it; null when the account was deleted, and when it was saved before this was kept.
    #[sqlx(skip)]
    pub editor: Option<Author>,
    /// When it was saved.
    pub written_at: DateTime<Utc>,
    /// Whether it is what the post says now.
    pub current: bool,
    #[serde(skip)]
    editor_id: Option<i64>,
    #[serde(skip)]
    editor_username: Option<String>,
}

/// A version of a post, with its text.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct PostRevision {
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub summary: Revision,
    /// Markdown.
    #[schema(example = "The sea comes *twice* a day.")]
    pub content: String,
    /// As they were then.
    #[sqlx(try_from = "String")]
    #[schema(value_type = Vec<String>, example = json!(["sea", "physics"]))]
    pub tags: TagNames,
    /// The one line for lists, which may be empty; null when it was saved before this was kept.
    #[serde(rename = "summary")]
    #[sqlx(rename = "summary")]
    #[schema(example = "Why the sea rises and falls.")]
    pub line: Option<String>,
    /// Who could read it, if that is known.
    #[serde(skip)]
    visibility: Option<String>,
}

impl PostRevision {
    /// Who could read it, if that is known.
    pub(super) fn visibility(&self) -> Option<Visibility> {
        self.visibility.as_deref()?.parse().ok()
    }
}

impl Revision {
    /// The author's id and name are columns of a joined table, which may have no row.
    fn name_editor(&mut self) {
        let editor = self.editor_id.zip(self.editor_username.take());
        self.editor = editor.map(|(id, username)| Author { id, username });
    }
}

/// The path of the versions of a post, the same at both doors.
pub fn path(post_id: i64) -> String {
    format!("{}/revisions", post::resource(post_id))
}

/// Keeps the present version of a post, unless it was kept before. Without an editor, it is what an
/// edit is about to replace: the first version, which its author wrote, or one that was saved when
/// nothing was kept yet.
///
/// # Errors
/// `NotFound` when the post was deleted meanwhile, `Unauthenticated` when the editor was.
pub(super) async fn keep(tx: &mut Tx, id: i64, editor: Option<i64>) -> Result<()> {
    let kept = sql(
        "INSERT INTO post_revisions (post_id, number, title, content, tags, editor_id, written_at, \
         summary, visibility) SELECT p.id, p.version, p.title, p.content, \
         coalesce((SELECT string_agg(t.name, ' ' ORDER BY pt.position) FROM post_tags pt \
             JOIN tags t ON t.id = pt.tag_id WHERE pt.post_id = p.id), ''), \
         coalesce($1, CASE WHEN p.version = 1 THEN p.user_id END), \
         coalesce(p.updated_at, p.created_at), p.summary, p.visibility \
         FROM posts p WHERE p.id = $2 AND p.state = 'published' \
         ON CONFLICT (post_id, number) DO NOTHING",
    )
    .bind(editor)
    .bind(id)
    .execute(&mut *tx)
    .await;
    match kept {
        // The post, or the account of whoever saves it, was deleted meanwhile.
        Err(e) if e.is_foreign_key_violation() => {
            return Err(editor.map_or(Error::NotFound, |_| Error::Unauthenticated));
        }
        other => other?,
    };
    if editor.is_none() {
        return Ok(());
    }
    sql("DELETE FROM post_revisions WHERE post_id = $1 \
         AND number <= (SELECT version FROM posts WHERE id = $1) - $2")
    .bind(id)
    .bind(KEPT)
    .execute(tx)
    .await?;
    Ok(())
}

/// The post, if this user may see what it said before.
async fn permitted(site: &Site, actor: &Actor, id: i64) -> Result<Post> {
    let post = post::show(&site.db, Some(&actor.user), id).await?;
    actor.permit(post.summary.user_id)?;
    Ok(post)
}

/// The versions of a post, latest first, and the post.
///
/// # Errors
/// `NotFound`; `Forbidden`; `Invalid`, about the page.
pub async fn list(
    site: &Site,
    actor: &Actor,
    id: i64,
    params: &PageParams,
) -> Result<(Post, Page<Revision>)> {
    let post = permitted(site, actor, id).await?;
    let kept = sql("SELECT v.number, v.title, v.written_at, v.number = v.latest AS current, \
         u.id AS editor_id, u.username AS editor_username FROM ( \
         SELECT * FROM (SELECT number, title, editor_id, written_at, ")
    .push_bind("CAST(", post.summary.version)
    .push_bind(" AS BIGINT) AS latest FROM post_revisions WHERE post_id = ", id);
    // The present version, which is not kept before it is replaced, if no edit saved it.
    let present = |query: Statement| {
        query
            .push(
                "SELECT p.version, p.title, CASE WHEN p.version = 1 THEN p.user_id END, \
                 coalesce(p.updated_at, p.created_at), p.version FROM posts p",
            )
            .push_bind(" WHERE p.id = ", id)
            .push(
                " AND NOT EXISTS (SELECT 1 FROM post_revisions r \
                 WHERE r.post_id = p.id AND r.number = p.version)) AS v \
                 LEFT JOIN users u ON u.id = v.editor_id WHERE TRUE",
            )
    };
    let kept = (kept, Column::Int("number"));
    let number = |row: &Revision| row.number;
    let mut page = history::list(site, params, kept, present, number).await?;
    page.items.iter_mut().for_each(Revision::name_editor);
    Ok((post, page))
}

/// One version of a post, and the post.
///
/// # Errors
/// `NotFound`, also when the version is no longer kept; `Forbidden`.
pub async fn show(
    site: &Site,
    actor: &Actor,
    id: i64,
    number: i64,
) -> Result<(Post, PostRevision)> {
    let post = permitted(site, actor, id).await?;
    let revision = find(site, &post, number).await?.ok_or(Error::NotFound)?;
    Ok((post, revision))
}

/// One version of a post as a page, perhaps compared (`history::read`), and the post.
///
/// # Errors
/// `NotFound`; `Forbidden`.
pub async fn read(
    site: &Site,
    actor: &Actor,
    id: i64,
    number: i64,
    compare: Option<&str>,
) -> Result<(Post, VersionPage<PostRevision>)> {
    let post = permitted(site, actor, id).await?;
    let page = history::read(site, &post, number, compare).await?;
    Ok((post, page))
}

impl Versioned for Post {
    type Version = PostRevision;

    async fn version(&self, site: &Site, number: i64) -> Result<Option<PostRevision>> {
        find(site, self, number).await
    }

    async fn previous(&self, site: &Site, number: i64) -> Result<Option<i64>> {
        let previous: Option<Option<i64>> =
            sql("SELECT max(number) FROM post_revisions WHERE post_id = $1 AND number < $2")
                .bind(self.summary.id)
                .bind(number)
                .optional_scalar(&site.db)
                .await?;
        Ok(previous.flatten())
    }

    fn text(version: &PostRevision) -> &str {
        &version.content
    }

    async fn html(site: &Site, text: &str) -> Result<String> {
        rendering::render_again(site, text).await
    }
}

/// A version of a post, if it is kept.
pub(super) async fn find(site: &Site, post: &Post, number: i64) -> Result<Option<PostRevision>> {
    let kept: Option<PostRevision> = sql("SELECT r.number, r.title, r.content, r.tags, \
         r.summary, r.visibility, r.written_at, u.id AS editor_id, u.username AS editor_username, \
         r.number = $1 AS current FROM post_revisions r \
         LEFT JOIN users u ON u.id = r.editor_id WHERE r.post_id = $2 AND r.number = $3")
    .bind(post.summary.version)
    .bind(post.summary.id)
    .bind(number)
    .optional(&site.db)
    .await?;
    match kept {
        Some(mut kept) => {
            kept.summary.name_editor();
            Ok(Some(kept))
        }
        None => Ok((number == post.summary.version).then(|| present(post))),
    }
}

/// The present version of a post, which no edit has saved.
fn present(post: &Post) -> PostRevision {
    let Post { summary, content, .. } = post;
    let author = Author { id: summary.author.id, username: summary.author.username.clone() };
    PostRevision {
        summary: Revision {
            number: summary.version,
            title: summary.title.clone(),
            editor: (summary.version == 1).then_some(author),
            written_at: summary.updated_at.unwrap_or(summary.created_at),
            current: true,
            editor_id: None,
            editor_username: None,
        },
        content: content.clone(),
        tags: summary.tags.clone(),
        line: Some(summary.summary.clone()),
        visibility: Some(<&str>::from(summary.visibility).to_owned()),
    }
}

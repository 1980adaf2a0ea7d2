//! What the search shows of a match.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use super::kind::SearchType;
use super::matching::Matching;
use crate::db::sql;
use crate::error::Result;
use crate::models::base::highlight::{self, TextPart};
use crate::models::base::site::Site;
use crate::models::posts::post::{self, Author, PostSummary};
use crate::models::posts::{comment, plain_text};
use crate::models::users::user::{self, User};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum ResultKind {
    Post,
    Comment,
    Person,
}

/// A match.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SearchResult {
    /// What it is.
    pub kind: ResultKind,
    /// The number of the post, of the comment or of the account.
    pub id: i64,
    /// Its path, the same at both doors.
    #[schema(example = "/posts/1/on-tides")]
    pub path: String,
    /// The title of the post, also of a comment's; or the username.
    pub title: Vec<TextPart>,
    /// The part of the text with the most of what was searched for; empty for people.
    pub excerpt: Vec<TextPart>,
    /// Who wrote it; null for people.
    pub author: Option<Author>,
    /// When it was published, or when the person registered.
    pub at: DateTime<Utc>,
}

/// The matches with these ids that this user may see, in this order.
pub async fn load(
    site: &Site,
    viewer: Option<&User>,
    matching: &Matching<'_>,
    ids: &[i64],
) -> Result<Vec<SearchResult>> {
    let mut found = match matching.kind {
        SearchType::Posts => posts(site, viewer, matching, ids).await?,
        SearchType::Comments => comments(site, matching, ids).await?,
        SearchType::People => people(site, matching, ids).await?,
    };
    let place = |item: &SearchResult| ids.iter().position(|id| *id == item.id);
    found.sort_by_key(place);
    Ok(found)
}

async fn posts(
    site: &Site,
    viewer: Option<&User>,
    matching: &Matching<'_>,
    ids: &[i64],
) -> Result<Vec<SearchResult>> {
    let posts = post::select_by_id(viewer, ids.iter().copied());
    let posts = post::summaries(&site.db, posts).await?;
    let texts: Vec<(i64, String)> =
        sql("SELECT id, substr(content_html, 1, CAST($1 AS INTEGER)) FROM posts WHERE")
            .bind(plain_text::MAX_HTML)
            .push_list(" id IN ", posts.iter().map(|post| post.id))
            .all(&site.db)
            .await?;
    let mut texts: HashMap<i64, String> = texts.into_iter().collect();
    let result = |post: PostSummary| SearchResult {
        kind: ResultKind::Post,
        id: post.id,
        path: post.path,
        title: whole(matching, &post.title),
        excerpt: excerpt(matching, &texts.remove(&post.id).unwrap_or_default()),
        author: Some(post.author),
        at: post.published_at.unwrap_or(post.created_at),
    };
    Ok(posts.into_iter().map(result).collect())
}

#[derive(FromRow)]
struct FoundComment {
    id: i64,
    title: String,
    html: String,
    #[sqlx(flatten)]
    author: Author,
    at: DateTime<Utc>,
}

async fn comments(site: &Site, matching: &Matching<'_>, ids: &[i64]) -> Result<Vec<SearchResult>> {
    let columns =
        sql("SELECT c.id, p.title, substr(c.content_html, 1, CAST($1 AS INTEGER)) AS html, \
         u.id AS author_id, u.username AS author_username, c.created_at AS at FROM comments c");
    let comments: Vec<FoundComment> =
        comment::join(columns.bind(plain_text::MAX_HTML), post::LISTED)
            .push_list(
                " AND c.deleted_at IS NULL AND u.id IS NOT NULL AND c.id IN ",
                ids.iter().copied(),
            )
            .all(&site.db)
            .await?;
    let result = |comment: FoundComment| SearchResult {
        kind: ResultKind::Comment,
        id: comment.id,
        path: comment::path(comment.id),
        title: vec![TextPart { text: comment.title, hit: false }],
        excerpt: excerpt(matching, &comment.html),
        author: Some(comment.author),
        at: comment.at,
    };
    Ok(comments.into_iter().map(result).collect())
}

async fn people(site: &Site, matching: &Matching<'_>, ids: &[i64]) -> Result<Vec<SearchResult>> {
    let people: Vec<(i64, String, DateTime<Utc>)> =
        sql("SELECT id, username, created_at FROM users WHERE")
            .push_list(" id IN ", ids.iter().copied())
            .all(&site.db)
            .await?;
    let result = |(id, username, at): (i64, String, DateTime<Utc>)| SearchResult {
        kind: ResultKind::Person,
        id,
        path: user::path(&username),
        title: whole(matching, &username),
        excerpt: Vec::new(),
        author: None,
        at,
    };
    Ok(people.into_iter().map(result).collect())
}

fn whole(matching: &Matching<'_>, text: &str) -> Vec<TextPart> {
    highlight::whole(text, &matching.terms.wanted, &matching.stemming)
}

fn excerpt(matching: &Matching<'_>, html: &str) -> Vec<TextPart> {
    let text = plain_text::of_html(html);
    // As a browser shows it.
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    highlight::excerpt(&text, &matching.terms.wanted, &matching.stemming)
}

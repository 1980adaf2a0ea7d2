//! Lists of posts.

use serde::Deserialize;

use super::{Post, current, select};
use crate::db::{Db, Query};
use crate::error::{Error, Result};
use crate::models::page::{self, Page, Part};
use crate::models::user::{self, Admin, User};

/// Which posts are asked for, as it arrives.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct Asked {
    /// `new` (the default) or `top`.
    pub sort: Option<String>,
    /// A username.
    pub author: Option<String>,
    #[serde(flatten)]
    pub part: page::Asked,
}

/// Everybody's posts: newest first, or those with the most votes first.
///
/// # Errors
/// `Invalid`, with complaints about `sort`, `before`, `after` and `limit`.
pub async fn feed(db: &Db, viewer: Option<&User>, asked: &Asked) -> Result<Page<Post>> {
    let mut query = select(viewer).push(" WHERE true");
    if let Some(author) = asked.author.as_deref().filter(|name| !name.is_empty()) {
        query = query
            .push_bind(
                " AND p.user_id = (SELECT id FROM users WHERE username_key = ",
                user::key(author),
            )
            .push(")");
    }
    match asked.sort.as_deref() {
        None | Some("" | "new") => newest(db, query, &asked.part).await,
        Some("top") => {
            let part = Part::<2>::of(&asked.part)?;
            let query = part.narrow(query, ["p.votes", "p.id"]);
            let found = all(db, query).await?;
            Ok(part.page(found, |post| [post.votes, post.id]))
        }
        Some(_) => Err(Error::invalid("sort", "Give new or top.")),
    }
}

/// One person's posts, newest first; `author` is a user's id.
pub async fn by_author(
    db: &Db,
    viewer: Option<&User>,
    author: i64,
    asked: &page::Asked,
) -> Result<Page<Post>> {
    let query = select(viewer).push_bind(" WHERE p.user_id = ", author);
    newest(db, query, asked).await
}

/// All posts for an admin; `q` searches titles and authors.
pub async fn search(
    db: &Db,
    _: &Admin,
    q: Option<&str>,
    asked: &page::Asked,
) -> Result<Page<Post>> {
    let mut query = select(None).push(" WHERE true");
    if let Some(pattern) = q.and_then(user::containing) {
        query = query
            .push_bind(" AND (lower(p.title) LIKE ", pattern.clone())
            .push_bind(" ESCAPE '\\' OR u.username_key LIKE ", pattern)
            .push(" ESCAPE '\\')");
    }
    newest(db, query, asked).await
}

async fn newest(db: &Db, query: Query, asked: &page::Asked) -> Result<Page<Post>> {
    let part = Part::<1>::of(asked)?;
    let found = all(db, part.narrow(query, ["p.id"])).await?;
    Ok(part.page(found, |post| [post.id]))
}

async fn all(db: &Db, query: Query) -> Result<Vec<Post>> {
    let posts: Vec<Post> = query.all(db).await?;
    Ok(posts.into_iter().map(current).collect())
}

//! Tags: the names under which posts are found. Triggers count the posts of each.

use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::db::{Db, Statement, Tx, count_content, now, sql};
use crate::error::{Error, Fault, FaultKind, Result};
use crate::models::base::page::{Column, Keyset, Page, PageParams};
use crate::models::base::site::Site;
use crate::models::base::url_path;
use crate::models::posts::tag_name;
use crate::validation::{FieldError, Rule};

/// A tag.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Tag {
    #[serde(skip)]
    pub id: i64,
    /// In lower case, without spaces.
    #[schema(example = "sea")]
    pub name: String,
    /// The path of the tag, the same at both doors.
    #[sqlx(skip)]
    #[schema(example = "/tags/sea")]
    pub path: String,
    /// What it is about, in the words of an admin; may be empty.
    #[schema(example = "Tides, ships and lighthouses.")]
    pub description: String,
    /// How many posts have it.
    pub posts: i64,
}

/// Raw, unvalidated parameters of the list of tags.
#[derive(Debug, Default, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TagParams {
    /// Only tags whose names begin with this.
    #[param(example = "se", max_length = 100)]
    pub q: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    pub page: PageParams,
}

/// The path of the tag with this name, the same at both doors.
pub fn path(name: &str) -> String {
    format!("/tags/{}", url_path::segment(name))
}

const ORDER: [Column; 2] = [Column::Int("t.posts"), Column::Int("t.id")];

/// Longest beginning of a name to search for, in characters.
const MAX_Q: usize = 100;

/// Tags that begin with the same letters and are compared by their number of posts.
const MAX_COMPARED: i64 = 500;

/// The tags that posts have, those with the most posts first. With `q`, those whose names begin with it,
/// of which there is one page alone.
///
/// # Errors
/// `Invalid`, about `q`, `before`, `after` and `limit`.
pub async fn list(site: &Site, params: &TagParams) -> Result<Page<Tag>> {
    let keyset = Keyset::<2>::new(&params.page)?;
    let typed = params.q.as_deref().map_or(0, |q| q.chars().count());
    if typed > MAX_Q {
        let error = FieldError::new("q", Rule::TooLong);
        return Err(error.with("max", MAX_Q).with("actual", typed).into());
    }
    let Some(q) = params.q.as_deref().filter(|q| !q.trim().is_empty()) else {
        let source = |query: Statement| query.push("SELECT t.id FROM tags t WHERE t.posts > 0");
        let query = sql("SELECT t.id, t.name, t.description, t.posts FROM ");
        let query = keyset.ids(query, ORDER, source).push(" AS page JOIN tags t ON t.id = page.id");
        let tags = with_paths(keyset.order(query, ORDER).all(&site.db).await?);
        return Ok(keyset.page(tags, |tag| [tag.posts, tag.id]));
    };
    let Some(prefix) = tag_name::normalise(q) else {
        return Ok(Page::with_cursors::<2>(vec![], None, None));
    };
    let query = sql("SELECT t.id, t.name, t.description, t.posts FROM \
         (SELECT id, name, description, posts FROM tags")
    .push_bind(" WHERE name >= ", prefix.as_str())
    .push_bind(" AND name < ", format!("{prefix}\u{10ffff}"))
    .push_bind(" ORDER BY name LIMIT ", MAX_COMPARED)
    .push(") AS t WHERE t.posts > 0 ORDER BY t.posts DESC, t.id DESC")
    .push_bind(" LIMIT ", keyset.limit());
    Ok(Page::with_cursors::<2>(with_paths(query.all(&site.db).await?), None, None))
}

/// The tags with the most posts, for those who write.
pub async fn popular(db: &Db, limit: i64) -> Result<Vec<String>> {
    let names: Vec<(String,)> = sql("SELECT name FROM tags WHERE posts > 0")
        .push_bind(" ORDER BY posts DESC, id DESC LIMIT ", limit)
        .all(db)
        .await?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}

fn with_paths(mut tags: Vec<Tag>) -> Vec<Tag> {
    for tag in &mut tags {
        tag.path = path(&tag.name);
    }
    tags
}

/// The tag of this name, or the one of which it is another name.
///
/// # Errors
/// `NotFound`.
pub async fn find(db: &Db, name: &str) -> Result<Tag> {
    let name = tag_name::normalise(name).ok_or(Error::NotFound)?;
    let tag = sql("SELECT t.id, t.name, t.description, t.posts FROM tags n \
         JOIN tags t ON t.id = coalesce(n.alias_of, n.id)")
    .push_bind(" WHERE n.name = ", name)
    .one(db)
    .await?;
    Ok(with_paths(vec![tag]).remove(0))
}

/// A name and the id of its tag.
type Known = (String, i64);

/// The ids of the tags of these names, in the same order; tags that are missing are created. Two names
/// of one tag are one.
pub(super) async fn ids(tx: &mut Tx, names: &[String]) -> Result<Vec<i64>> {
    let mut known = known(tx, names).await?;
    // In a fixed order, so that two transactions never wait for each other.
    let mut missing: Vec<&String> =
        names.iter().filter(|name| known.iter().all(|(other, _)| other != *name)).collect();
    missing.sort();
    if !missing.is_empty() {
        let at = now();
        for name in missing {
            sql(
                "INSERT INTO tags (name, created_at) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            )
            .bind(name.as_str())
            .bind(at)
            .execute(&mut *tx)
            .await?;
        }
        known = self::known(tx, names).await?;
    }
    let mut ids = Vec::new();
    for name in names {
        let id = known.iter().find(|(other, _)| other == name).map(|(_, id)| *id);
        let id = id.ok_or_else(swept)?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// A tag that no post had was deleted after it had been read: with the whole transaction run again
/// (`db::repeat`), it is created anew.
pub(super) fn swept() -> Error {
    let words = "a tag was deleted meanwhile".to_owned();
    Error::Unserved(Fault { kind: FaultKind::Aborted, words, known: false })
}

async fn known(tx: &mut Tx, names: &[String]) -> Result<Vec<Known>> {
    let names = names.iter().map(String::as_str);
    sql("SELECT name, coalesce(alias_of, id) FROM tags WHERE")
        .push_list(" name IN ", names)
        .all(tx)
        .await
}

/// Gives a post these tags, which are normalised, in place of those that it has.
pub(super) async fn assign(tx: &mut Tx, post_id: i64, names: &[String]) -> Result<()> {
    let ids = ids(tx, names).await?;
    sql("DELETE FROM post_tags WHERE post_id = $1")
        .bind(post_id)
        .push_list(" AND (tag_id IN ", ids.iter().copied())
        .push(") IS NOT TRUE")
        .execute(&mut *tx)
        .await?;
    if ids.is_empty() {
        return Ok(());
    }
    let mut insert = sql("INSERT INTO post_tags (post_id, tag_id, position, published_at) \
         SELECT p.id, t.id, CASE t.id");
    for (position, id) in ids.iter().enumerate() {
        let position = i64::try_from(position).unwrap_or_default();
        insert = insert.push_bind(" WHEN ", *id).push_bind(" THEN ", position);
    }
    let inserted = insert
        .push(" END, p.published_at FROM posts p, tags t")
        .push_bind(" WHERE p.id = ", post_id)
        .push_list(" AND t.id IN ", ids.iter().copied())
        .push(" ORDER BY t.id ON CONFLICT (post_id, tag_id) DO UPDATE SET position = excluded.position")
        .execute(tx)
        .await;
    match inserted {
        Ok(count) if count == ids.len() as u64 => Ok(()),
        Err(error) if !error.is_foreign_key_violation() => Err(error),
        // On PostgreSQL, before or after the statement had looked for it.
        Ok(_) | Err(_) => Err(swept()),
    }
}

/// Tags that one sweep deletes at most.
const SWEPT: i64 = 500;

/// Deletes tags that no post has and that nobody has described or merged; returns how many.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    // The count knows nothing of drafts.
    let unused: Vec<(i64,)> = sql("SELECT t.id FROM tags t WHERE t.posts = 0 \
         AND NOT EXISTS (SELECT 1 FROM post_tags pt WHERE pt.tag_id = t.id) \
         AND t.description = '' AND t.alias_of IS NULL \
         AND NOT EXISTS (SELECT 1 FROM tags other WHERE other.alias_of = t.id)")
    .push_bind(" LIMIT ", SWEPT)
    .all(&mut *tx)
    .await?;
    if unused.is_empty() {
        return Ok(0);
    }
    let ids = || unused.iter().map(|(id,)| *id);
    // Their pages are kept until something changes that they show.
    count_content(tx).await?;
    let deleted =
        sql("DELETE FROM tags WHERE posts = 0 AND description = '' AND alias_of IS NULL \
         AND NOT EXISTS (SELECT 1 FROM post_tags pt WHERE pt.tag_id = tags.id)")
        .push_list(" AND id IN ", ids())
        .execute(tx)
        .await;
    match deleted {
        // Another tag was merged into one of them this moment. The next sweep leaves that one out.
        Err(error) if error.is_foreign_key_violation() => Ok(0),
        other => other,
    }
}

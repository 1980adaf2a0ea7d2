//! What admins do with tags: they describe them, and merge two spellings into one.

use serde::{Deserialize, Serialize};

use crate::db::{Db, Step, repeat, sql};
use crate::error::{Error, Result};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Admin;
use crate::models::base::site::Site;
use crate::models::base::{form_value, job, visible};
use crate::models::posts::tag::{self, Tag};
use crate::models::posts::tag_name;
use crate::validation::{FieldError, Rule};

/// Longest description, in characters.
const MAX_DESCRIPTION: usize = 500;

/// Changes to a tag; missing fields stay unchanged.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct TagUpdate {
    /// At most 500 characters, in one line; may be empty.
    #[serde(default, deserialize_with = "form_value::text_not_null")]
    #[schema(nullable = false, max_length = 500, example = "Tides, ships and lighthouses.")]
    pub description: Option<String>,
}

/// Another tag.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct TagMerge {
    /// Its name; it is created if there is none.
    #[schema(value_type = String, min_length = 1, max_length = 40, example = "sea")]
    pub into: Option<String>,
}

/// The job that gives posts the tags into which theirs were merged.
#[derive(Debug, Serialize, Deserialize)]
pub struct MergedTags;

/// The name of the job.
pub const JOB: &str = "merged-tags";

/// Describes a tag.
///
/// # Errors
/// `NotFound`; `Invalid`, about `description`.
pub async fn update(site: &Site, admin: &Admin, name: &str, input: &TagUpdate) -> Result<Tag> {
    let tag = tag::find(&site.db, name).await?;
    let Some(text) = input.description.as_deref() else { return Ok(tag) };
    let description = visible::parse_line("description", text)?;
    let actual = description.chars().count();
    if actual > MAX_DESCRIPTION {
        let error = FieldError::new("description", Rule::TooLong);
        return Err(error.with("max", MAX_DESCRIPTION).with("actual", actual).into());
    }
    if description == tag.description {
        return Ok(tag);
    }
    let mut tx = site.db.begin().await?;
    let changed = sql("UPDATE tags SET description = $1 WHERE id = $2")
        .bind(description.as_str())
        .bind(tag.id)
        .execute(&mut tx)
        .await?;
    if changed == 0 {
        return Err(Error::NotFound);
    }
    let event = AuditEvent::new(EventKind::TAG_CHANGED).by(admin.user());
    event.detail(format!("tag {}", tag.id)).write(&mut tx, admin.caller()).await?;
    tx.commit().await?;
    Ok(Tag { description, ..tag })
}

/// Makes a tag another name of the tag `into`. A job gives its posts that tag, a batch at a time: there
/// may be many.
///
/// # Errors
/// `NotFound`; `Invalid`, about `into`.
pub async fn merge(site: &Site, admin: &Admin, name: &str, input: &TagMerge) -> Result<Tag> {
    let from = tag::find(&site.db, name).await?;
    let typed = input.into.as_deref().unwrap_or_default();
    if typed.trim().is_empty() {
        return Err(Error::invalid("into", Rule::Required));
    }
    let into = tag_name::normalise(typed).ok_or(Error::invalid("into", Rule::Malformed))?;
    repeat(|| try_merge(site, admin, from.id, &into)).await?;
    tag::find(&site.db, &into).await
}

async fn try_merge(site: &Site, admin: &Admin, from: i64, into: &str) -> Result<()> {
    let mut tx = site.db.begin().await?;
    let ids = tag::ids(&mut tx, &[into.to_owned()]).await?;
    let Some(target) = ids.first().copied().filter(|id| *id != from) else {
        return Err(Error::invalid("into", Rule::Taken));
    };
    let merged = sql("UPDATE tags SET alias_of = $1 WHERE id = $2 OR alias_of = $2")
        .bind(target)
        .bind(from)
        .execute(&mut tx)
        .await;
    match merged {
        // No post had it, and it was deleted this moment.
        Ok(0) => return Err(Error::NotFound),
        Err(error) if error.is_foreign_key_violation() => return Err(tag::swept()),
        other => other?,
    };
    job::enqueue(&mut tx, JOB, None, &MergedTags).await?;
    let event = AuditEvent::new(EventKind::TAG_MERGED).by(admin.user());
    event.detail(format!("tag {from} into {target}")).write(&mut tx, admin.caller()).await?;
    tx.commit().await
}

/// Posts per transaction: few, so that other writers of an SQLite file wait for less than a second.
const BATCH: i64 = 500;

/// Gives the next posts the tags into which theirs were merged. Somebody may have written with the old
/// name while it was merged, so this is also done from time to time.
pub async fn move_posts(db: &Db) -> Result<Step> {
    repeat(|| try_move_posts(db)).await
}

async fn try_move_posts(db: &Db) -> Result<Step> {
    let posts: Vec<(i64,)> =
        sql("SELECT pt.post_id FROM tags t JOIN post_tags pt ON pt.tag_id = t.id \
         WHERE t.alias_of IS NOT NULL")
        .push_bind(" LIMIT ", BATCH)
        .all(db)
        .await?;
    if posts.is_empty() {
        return Ok(Step::Finished);
    }
    let posts = || posts.iter().map(|(id,)| *id);
    let mut tx = db.begin().await?;
    sql("INSERT INTO post_tags (post_id, tag_id, position, published_at) \
         SELECT pt.post_id, t.alias_of, pt.position, pt.published_at \
         FROM post_tags pt JOIN tags t ON t.id = pt.tag_id WHERE t.alias_of IS NOT NULL")
    .push_list(" AND pt.post_id IN ", posts())
    .push(" ON CONFLICT (post_id, tag_id) DO NOTHING")
    .execute(&mut tx)
    .await?;
    sql("DELETE FROM post_tags WHERE tag_id IN (SELECT id FROM tags WHERE alias_of IS NOT NULL)")
        .push_list(" AND post_id IN ", posts())
        .execute(&mut tx)
        .await?;
    tx.commit().await?;
    Ok(Step::Continue)
}

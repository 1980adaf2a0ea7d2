//! When a comment was saved while somebody was editing it: what both wrote, as one text.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::models::posts::comment::{Comment, refresh};
use crate::models::posts::comment_edit::{CommentUpdate, MAX_LENGTH, editable, update};
use crate::models::posts::comment_revision;
use crate::models::posts::merging::{MergedTexts, merge_texts};
use crate::models::posts::post_input::parse_content;

/// What became of an edit of an older version.
pub enum CommentResolution {
    /// Nobody else has changed anything: there is nothing to ask.
    Saved(Box<Comment>),
    Merge(Box<CommentMerge>),
}

/// What two people made of a comment, for the form that the second one sees.
#[derive(Debug, Serialize)]
pub struct CommentMerge {
    /// The version that the form replaces when it is saved.
    pub version: i64,
    pub mine: String,
    pub theirs: String,
    pub written_at: DateTime<Utc>,
    #[serde(flatten)]
    pub texts: MergedTexts,
}

/// Merges an edit that was refused because there is a newer version; saves it at once if that one says
/// nothing else than the version that was edited.
///
/// # Errors
/// As `comment_edit::update`.
pub async fn resolve(
    site: &Site,
    actor: &Actor,
    id: i64,
    input: &CommentUpdate,
) -> Result<CommentResolution> {
    loop {
        let current = editable(&site.db, actor, id).await?;
        let edited = match input.version {
            Some(number) => comment_revision::find(site, &current, number).await?,
            None => None,
        };
        let base = edited.map(|edited| edited.content);
        let theirs = current.content.clone();
        let mine = match input.content.as_deref() {
            Some(text) => parse_content(text, MAX_LENGTH)?,
            None => theirs.clone(),
        };
        if mine == theirs {
            return saved(site, current).await;
        }
        let version = current.version;
        if base.as_ref() == Some(&theirs) {
            let input = CommentUpdate { version: Some(version), ..input.clone() };
            match update(site, actor, id, &input).await {
                Err(Error::VersionConflict) => continue,
                other => return Ok(CommentResolution::Saved(Box::new(other?))),
            }
        }
        let texts = merge_texts(site, base, mine.clone(), theirs.clone()).await?;
        if texts.text == theirs {
            return saved(site, current).await;
        }
        let written_at = current.updated_at.unwrap_or(current.created_at);
        let merge = CommentMerge { version, mine, theirs, written_at, texts };
        return Ok(CommentResolution::Merge(Box::new(merge)));
    }
}

async fn saved(site: &Site, current: Comment) -> Result<CommentResolution> {
    Ok(CommentResolution::Saved(Box::new(refresh(site, current).await?)))
}

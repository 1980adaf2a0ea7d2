//! When a comment was saved while somebody was editing it: what both wrote, as one text.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::models::base::actor::Actor;
use crate::models::base::diff::merge::Marks;
use crate::models::base::site::Site;
use crate::models::posts::comment::{Comment, refresh};
use crate::models::posts::comment_edit::{self, CommentUpdate, MAX_LENGTH, editable};
use crate::models::posts::comment_revision;
use crate::models::posts::merging::{MergedTexts, compare_texts, merge_texts, refuse_marks};
use crate::models::posts::post_input::parse_content;

/// What became of an edit.
pub enum CommentResolution {
    Saved(Box<Comment>),
    /// It was saved otherwise meanwhile, and there is something to ask.
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

impl CommentMerge {
    fn new(current: &Comment, mine: String, texts: MergedTexts) -> CommentMerge {
        CommentMerge {
            version: current.version,
            mine,
            theirs: current.content.clone(),
            written_at: current.updated_at.unwrap_or(current.created_at),
            texts,
        }
    }
}

/// Saves an edit; if the comment was saved otherwise meanwhile, both are merged.
///
/// # Errors
/// As `comment_edit::update`, but for `VersionConflict`; `Invalid`, about `content`, when it has marks
/// that are refused.
pub async fn update(
    site: &Site,
    actor: &Actor,
    id: i64,
    input: &CommentUpdate,
    marks: Marks,
) -> Result<CommentResolution> {
    if marks == Marks::Refused {
        let current = editable(&site.db, actor, id).await?;
        refuse_marks(input.content.as_deref(), &current.content)?;
    }
    match comment_edit::update(site, actor, id, input).await {
        Err(Error::VersionConflict) => resolve(site, actor, id, input).await,
        other => Ok(CommentResolution::Saved(Box::new(other?))),
    }
}

/// What was merged, sent and refused, beside the current version.
///
/// # Errors
/// `NotFound`; `Forbidden`; `Unavailable` when too many others are waiting.
pub async fn compare(
    site: &Site,
    actor: &Actor,
    id: i64,
    input: &CommentUpdate,
) -> Result<CommentMerge> {
    let current = editable(&site.db, actor, id).await?;
    let typed = input.content.as_ref().map(|text| text.replace("\r\n", "\n"));
    let mine = typed.unwrap_or_else(|| current.content.clone());
    let texts = compare_texts(site, mine.clone(), current.content.clone()).await?;
    Ok(CommentMerge::new(&current, mine, texts))
}

/// Merges an edit that was refused because there is a newer version; saves it at once if that one says
/// nothing else than the version that was edited.
async fn resolve(
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
            match comment_edit::update(site, actor, id, &input).await {
                Err(Error::VersionConflict) => continue,
                other => return Ok(CommentResolution::Saved(Box::new(other?))),
            }
        }
        let texts = merge_texts(site, base, mine.clone(), theirs.clone()).await?;
        if texts.text == theirs {
            return saved(site, current).await;
        }
        return Ok(CommentResolution::Merge(Box::new(CommentMerge::new(&current, mine, texts))));
    }
}

async fn saved(site: &Site, current: Comment) -> Result<CommentResolution> {
    Ok(CommentResolution::Saved(Box::new(refresh(site, current).await?)))
}

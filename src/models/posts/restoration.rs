//! Restoring an earlier version of a post or a comment: it is saved again, as a new version.

use serde::Deserialize;

use crate::error::Result;
use crate::models::base::actor::Actor;
use crate::models::base::form_value;
use crate::models::base::site::Site;
use crate::models::posts::comment::Comment;
use crate::models::posts::comment_edit::{self, CommentUpdate};
use crate::models::posts::post::Post;
use crate::models::posts::post_input::PostUpdate;
use crate::models::posts::{comment_revision, edit, revision};

/// Under which condition a version is restored.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct RestoreInput {
    /// The version that is replaced; the change is refused if there is a newer one.
    #[serde(default, deserialize_with = "form_value::number_not_null")]
    #[schema(example = 3, nullable = false, minimum = 1)]
    pub version: Option<i64>,
}

/// Saves title, text, summary and tags of an earlier version of a post as a new one.
///
/// # Errors
/// `NotFound`; `Forbidden`; `VersionConflict` when the post has another version than `seen`;
/// `TooManyRequests`.
pub async fn restore_post(
    site: &Site,
    actor: &Actor,
    id: i64,
    number: i64,
    seen: Option<i64>,
) -> Result<Post> {
    let (_, old) = revision::show(site, actor, id, number).await?;
    let update = PostUpdate {
        title: Some(old.summary.title),
        content: Some(old.content),
        tags: Some(old.tags.0),
        summary: old.line,
        version: seen,
        ..PostUpdate::default()
    };
    edit::update(site, actor, id, &update).await
}

/// Saves the text of an earlier version of a comment as a new one.
///
/// # Errors
/// `NotFound`, also when the comment was deleted; `Forbidden`; `VersionConflict` when the comment has
/// another version than `seen`; `TooManyRequests`.
pub async fn restore_comment(
    site: &Site,
    actor: &Actor,
    id: i64,
    number: i64,
    seen: Option<i64>,
) -> Result<Comment> {
    let (_, old) = comment_revision::show(site, actor, id, number).await?;
    let update = CommentUpdate { content: Some(old.content), version: seen };
    comment_edit::update(site, actor, id, &update).await
}

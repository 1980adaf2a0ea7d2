//! What can be searched.

use serde::Serialize;
use strum::{EnumString, IntoStaticStr};

/// What to search.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    EnumString,
    IntoStaticStr,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum SearchType {
    /// Titles, tags, authors and texts.
    #[default]
    Posts,
    /// Texts and authors.
    Comments,
    /// Parts of usernames.
    People,
}

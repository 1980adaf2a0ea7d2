//! What can be searched.

use crate::models::base::choice::choice;

choice! {
    /// What to search.
    pub enum SearchType {
        /// Titles, tags, authors and texts.
        #[default]
        Posts,
        /// Texts and authors.
        Comments,
        /// Parts of usernames.
        People,
    }
}

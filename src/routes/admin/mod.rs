//! Administration. To everybody else, its pages do not exist.

pub mod audit;
pub mod bulk_posts;
pub mod bulk_users;
pub mod checkup;
pub mod comments;
pub mod logo;
pub mod overview;
pub mod posts;
pub mod sessions;
pub mod settings;
pub mod setup;
pub mod users;

use crate::error::Error;
use crate::validation::{FieldError, Rule};
use crate::web::Room;

pub fn rooms() -> Vec<Room> {
    vec![
        audit::room(),
        bulk_posts::room(),
        bulk_users::room(),
        checkup::room(),
        comments::room(),
        logo::room(),
        overview::room(),
        posts::room(),
        sessions::room(),
        settings::room(),
        setup::room(),
        users::room(),
    ]
}

/// A filter of a list, which is repeated in the answer and in links.
///
/// # Errors
/// `Invalid`, if it has more than `max` characters: nothing that it could find has as many.
fn bounded(
    field: &'static str,
    filter: Option<String>,
    max: usize,
) -> Result<Option<String>, Error> {
    match filter.as_ref().map_or(0, |filter| filter.chars().count()) {
        actual if actual > max => Err(FieldError::new(field, Rule::TooLong)
            .with("max", max)
            .with("actual", actual)
            .into()),
        _ => Ok(filter),
    }
}

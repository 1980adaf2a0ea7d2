//! What an admin selected in a list, to do something with all of it.

use crate::error::{Error, Result};
use crate::models::base::actor::Admin;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::site::Site;
use crate::validation::{FieldError, Rule};

/// No more can be selected at once: the longest page of a list.
const MAX_SELECTED: usize = 100;

/// The ids that were selected, each once.
///
/// # Errors
/// `Invalid`, about `id`.
pub fn parse(texts: &[String]) -> Result<Vec<i64>> {
    if texts.len() > MAX_SELECTED {
        return Err(FieldError::new("id", Rule::TooLong).with("max", MAX_SELECTED).into());
    }
    let mut ids = Vec::new();
    for text in texts {
        let id = text.parse().map_err(|_| Error::invalid("id", Rule::Malformed))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Counts an action on a selection.
///
/// # Errors
/// `TooManyRequests`.
pub async fn acquire(site: &Site, admin: &Admin) -> Result<()> {
    let Some(user) = admin.user() else { return Ok(()) };
    let budget = Budget::new(site.limits.selections, &user.id.to_string());
    rate_limit::acquire(&site.db, admin.caller(), &budget).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_taken_once_and_in_bounded_number() {
        let texts = |numbers: std::ops::Range<i64>| -> Vec<String> {
            numbers.map(|number| number.to_string()).collect()
        };
        assert_eq!(parse(&[texts(1..3), texts(1..4)].concat()).unwrap(), [1, 2, 3]);
        assert_eq!(parse(&texts(0..100)).unwrap().len(), 100);
        for wrong in [texts(0..101), vec!["x".to_owned()], vec!["99999999999999999999".to_owned()]]
        {
            assert!(matches!(parse(&wrong), Err(Error::Invalid(_))), "{wrong:?}");
        }
    }
}

//! The password policy.

use zxcvbn::{Score, zxcvbn};

use crate::error::{Error, Result};
use crate::models::base::hasher::{Hasher, MAX_LENGTH};
use crate::validation::{FieldError, Rule};

/// Minimum length in characters.
const MIN_LENGTH: usize = 10;

/// Rejects passwords that are too short, too long, easy to guess, or that contain the username.
/// Estimating the strength of a long one takes a while, so it runs on a blocking thread.
///
/// # Errors
/// `Invalid`, about `password`; `Unavailable` when too many callers are already waiting.
pub async fn validate(
    hasher: &Hasher,
    password: &str,
    username: &str,
    email: Option<&str>,
) -> Result<()> {
    validate_length(password)?;
    let (password, username) = (password.to_owned(), username.to_owned());
    let email = email.map(str::to_owned);
    hasher.run(move || validate_strength(&password, &username, email.as_deref())).await?
}

/// Rejects passwords that are too short or too long to be analysed.
fn validate_length(password: &str) -> Result<()> {
    let error = |rule| FieldError::new("password", rule).with("min", MIN_LENGTH);
    match password.chars().count() {
        ..MIN_LENGTH => Err(error(Rule::TooShort).into()),
        MIN_LENGTH..=MAX_LENGTH => Ok(()),
        _ => Err(error(Rule::TooLong).with("max", MAX_LENGTH).into()),
    }
}

fn validate_strength(password: &str, username: &str, email: Option<&str>) -> Result<()> {
    let lower = password.to_lowercase();
    if !username.is_empty() && lower.contains(&username.to_lowercase()) {
        return Err(Error::invalid("password", Rule::ContainsUsername));
    }
    let guess = zxcvbn(password, &[username, email.unwrap_or_default(), "postly"]);
    if guess.score() < Score::Three {
        let reason = guess.feedback().and_then(|f| f.warning()).map(|w| format!("{w:?}"));
        return Err(FieldError::new("password", Rule::Guessable)
            .with("reason", reason.unwrap_or_default())
            .into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_says_why() {
        let why = |password: &str| {
            let checked = validate_length(password)
                .and_then(|()| validate_strength(password, "ann-marie", None));
            match checked {
                Err(Error::Invalid(errors)) => errors.iter().map(|e| e.rule).collect(),
                Ok(()) => vec![],
                other => panic!("{password:?}: {other:?}"),
            }
        };
        assert_eq!(why("short"), [Rule::TooShort]);
        assert_eq!(why("password123"), [Rule::Guessable]);
        assert_eq!(why("qwertyuiop"), [Rule::Guessable]);
        assert_eq!(why("xK9-Ann-Marie-2p"), [Rule::ContainsUsername]);
        assert_eq!(why(&"violet ".repeat(40)), [Rule::TooLong]);
        assert_eq!(why("violet otter paddles upstream"), []);
    }
}

//! The password policy.

use zxcvbn::{Score, zxcvbn};

use crate::error::{Error, Result};
use crate::models::base::hasher::MAX_LENGTH;
use crate::models::base::site::Site;
use crate::validation::{FieldError, Rule};

/// Minimum length in characters.
const MIN_LENGTH: usize = 10;

/// Rejects passwords that are too short, too long, easy to guess, known from a breach, or that
/// contain the username. Words that belong to the person and the site count as if everybody knew
/// them, see `context_words`. Estimating the strength of a long password and reading the list of
/// breached ones take a while, so it runs on a blocking thread.
///
/// # Errors
/// `Invalid`, about `password`; `Unavailable` when too many callers are already waiting.
pub async fn validate(
    site: &Site,
    password: &str,
    username: &str,
    email: Option<&str>,
) -> Result<()> {
    validate_length(password)?;
    let words = context_words(site.keys.issuer(), username, email);
    let (password, username) = (password.to_owned(), username.to_owned());
    let breached = site.breached_passwords.clone();
    let check = move || {
        validate_strength(&password, &username, &words)?;
        let list = breached.as_ref();
        match list.map(|list| list.contains(&password)).transpose() {
            Ok(Some(true)) => Err(Error::invalid("password", Rule::Breached)),
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Internal(format!("the breached passwords: {error}"))),
        }
    };
    site.hasher.run(check).await?
}

/// The words that anybody would try first for this account (ASVS 6.1.2, 6.2.11): the name of the
/// site, its host name and the parts of it, the username, the e-mail address, its local part, its
/// domain and the parts of that.
fn context_words(origin: &str, username: &str, email: Option<&str>) -> Vec<String> {
    let host = origin.split("://").last().unwrap_or_default();
    let host = host.rsplit_once(':').map_or(host, |(name, _)| name);
    let email = email.unwrap_or_default();
    let (local, domain) = email.split_once('@').unwrap_or_default();
    let parts = host.split('.').chain(domain.split('.')).chain(local.split(['.', '_', '-', '+']));
    let words = ["postly", host, username, email, local, domain].into_iter().chain(parts);
    words.filter(|word| word.len() > 2).map(str::to_owned).collect()
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

fn validate_strength(password: &str, username: &str, words: &[String]) -> Result<()> {
    let lower = password.to_lowercase();
    if !username.is_empty() && lower.contains(&username.to_lowercase()) {
        return Err(Error::invalid("password", Rule::ContainsUsername));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let guess = zxcvbn(password, &words);
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
                .and_then(|()| validate_strength(password, "ann-marie", &[]));
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

    #[test]
    fn words_of_the_site_and_the_person_make_no_password() {
        let email = Some("quillfeather.jones@zephyrworks.example");
        let words = context_words("https://harbourlights.example:8443", "brightwater", email);
        for password in [
            "Harbourlights-2026",
            "harbourlights.example",
            "quillfeather!99",
            "zephyrworks2026",
            "Zephyrworks.example1",
            "quillfeather.jones1",
        ] {
            let without = validate_strength(password, "brightwater", &[]);
            assert!(without.is_ok(), "{password} is good enough elsewhere: {without:?}");
            assert!(validate_strength(password, "brightwater", &words).is_err(), "{password}");
        }
        assert!(validate_strength("violet otter paddles upstream", "brightwater", &words).is_ok());
    }
}

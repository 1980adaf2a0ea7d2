//! The first admin of a new site, for installations that nobody watches.

use std::path::Path;

use super::secret_files;
use crate::error::Fatal;
use crate::models::moderation::first_run::FirstRunInput;

/// The first admin, if one is configured. The password is in a file, as Docker and Kubernetes mount
/// their secrets: other programs can read a variable.
///
/// # Errors
/// One sentence for the operator, without the password.
pub fn parse(
    username: Option<String>,
    password_file: Option<&Path>,
    email: Option<String>,
) -> Result<Option<FirstRunInput>, Fatal> {
    let (username, file) = match (username, password_file) {
        (None, None) if email.is_none() => return Ok(None),
        (Some(username), Some(file)) => (username, file),
        _ => {
            return Err(Fatal::new(
                "POSTLY_SETUP_USERNAME and POSTLY_SETUP_PASSWORD_FILE must be set together",
            ));
        }
    };
    let password = secret_files::first_line("POSTLY_SETUP_PASSWORD_FILE", file)?;
    Ok(Some(FirstRunInput {
        username: Some(username),
        password: Some(password),
        email,
        ..FirstRunInput::default()
    }))
}

//! Secrets in files, as Docker, Kubernetes and systemd hand them over: other programs can read a
//! variable.

use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::error::Fatal;

/// The contents of a file that the variable `name` names.
///
/// # Errors
/// One sentence for the operator, when the file cannot be read.
pub fn read(name: &str, file: &Path) -> Result<String, Fatal> {
    std::fs::read_to_string(file).map_err(|e| Fatal(format!("{name}: {}: {e}", file.display())))
}

/// The first line of such a file.
///
/// # Errors
/// One sentence for the operator, when the file cannot be read.
pub fn first_line(name: &str, file: &Path) -> Result<String, Fatal> {
    Ok(read(name, file)?.lines().next().unwrap_or_default().to_owned())
}

/// The value of a secret that is set either itself or by a file.
///
/// # Errors
/// One sentence for the operator, when both are set or the file cannot be read.
pub fn either(
    name: &str,
    value: Option<String>,
    file: Option<&Path>,
) -> Result<Option<String>, Fatal> {
    match (value, file) {
        (value, None) => Ok(value),
        (None, Some(file)) => read(&format!("{name}_FILE"), file).map(Some),
        (Some(_), Some(_)) => Err(Fatal(format!("set either {name} or {name}_FILE, not both"))),
    }
}

/// `url`, the value of the variable `url_name`, with the password from the file that the variable
/// `name` names.
///
/// # Errors
/// One sentence for the operator, which repeats neither the URL nor the password.
pub fn with_password(url_name: &str, url: &str, name: &str, file: &Path) -> Result<String, Fatal> {
    let wrong = |what: &str| Fatal(format!("{name} is set, but {what}"));
    let password = first_line(name, file)?;
    if password.is_empty() {
        return Err(wrong(&format!("the first line of {} is empty", file.display())));
    }
    let unfit = || wrong(&format!("{url_name} is not a URL with a user and a host"));
    let mut url = Url::parse(url).map_err(|_| unfit())?;
    if url.password().is_some() {
        return Err(wrong(&format!("{url_name} already has a password")));
    }
    if url.username().is_empty() {
        return Err(unfit());
    }
    // `set_password` itself would leave a percent sign alone.
    let encoded = utf8_percent_encode(&password, NON_ALPHANUMERIC).to_string();
    url.set_password(Some(&encoded)).map_err(|()| unfit())?;
    Ok(url.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_password_survives_in_the_url() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        for password in ["plain", "p@ss:w/o?r#d%41 é+&=\"'"] {
            std::fs::write(&file, format!("{password}\nignored\n")).unwrap();
            let url = with_password("A", "postgres://ann@db:5432/postly?x=y", "B", &file).unwrap();
            let url = Url::parse(&url).unwrap();
            let decoded = percent_encoding::percent_decode_str(url.password().unwrap());
            assert_eq!(decoded.decode_utf8().unwrap(), password);
            assert_eq!((url.username(), url.path(), url.query()), ("ann", "/postly", Some("x=y")));
        }
        for url in ["sqlite:data/postly.db", "postgres://db/postly", "postgres://a:canary@db/x"] {
            let Fatal(sentence) = with_password("A", url, "B", &file).unwrap_err();
            assert!(sentence.starts_with("B is set, but A"), "{sentence}");
            assert!(!sentence.contains("canary"), "{sentence}");
        }
    }
}

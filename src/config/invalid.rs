//! Why a setting cannot be used, in words for the operator.

use rocket::figment::Error;
use rocket::figment::error::{Actual, Kind};

use crate::error::Fatal;

/// Names the variable, or the key in a file, and what it may be. The value is repeated only where a
/// number, a flag or a word from a list is expected: texts may be keys, or URLs with passwords.
pub fn invalid(error: &Error) -> Fatal {
    if let Kind::UnknownField(name, known) = &error.kind {
        return unknown(error, name, known);
    }
    let name = variable(&error.path);
    let setting = place(error, &name);
    Fatal(match &error.kind {
        Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
            let is_text = matches!(expected.as_str(), "a string" | "path string");
            let given = if is_text { String::new() } else { format!(", not {}", shown(actual)) };
            format!("{setting} must be {}{given}", allowed(expected))
        }
        Kind::UnknownVariant(given, known) => {
            format!("{setting} must be one of {}, not {given:?}", known.join(", "))
        }
        Kind::ISizeOutOfRange(_) | Kind::USizeOutOfRange(_) => {
            format!("{setting} is too large or too small")
        }
        _ if name.starts_with("POSTLY_") || name == "DATABASE_URL" => {
            format!("{setting} cannot be read")
        }
        // Rocket's own settings; it describes them itself.
        kind if error.path.is_empty() => format!("the configuration is invalid: {kind}"),
        kind => format!("{setting} cannot be read: {kind}"),
    })
}

/// The environment variable of a setting.
fn variable(path: &[String]) -> String {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path[..] {
        ["databases", "postly", "url"] => "DATABASE_URL".to_owned(),
        ["postly", ..] => path.join("_").to_uppercase(),
        _ => format!("ROCKET_{}", path.join("_").to_uppercase()),
    }
}

/// The variable, or the key in a file if that is where the value comes from.
fn place(error: &Error, variable: &str) -> String {
    let source = error.metadata.as_ref().and_then(|metadata| metadata.source.as_ref());
    match source.and_then(|source| source.file_path()) {
        Some(file) => format!("{} in {}", error.path.join("."), file.display()),
        None => variable.to_owned(),
    }
}

fn allowed(expected: &str) -> &str {
    match expected {
        "a boolean" => "true or false",
        "a string" | "path string" => "a text; put a number in double quotes",
        "u16" => "a whole number from 0 to 65535",
        "u8" | "u32" | "u64" | "usize" => "a whole number, not negative",
        "i8" | "i16" | "i32" | "i64" | "isize" => "a whole number",
        other => other,
    }
}

fn shown(actual: &Actual) -> String {
    match actual {
        Actual::Str(text) => format!("{text:?}"),
        Actual::Bool(flag) => flag.to_string(),
        Actual::Unsigned(number) => number.to_string(),
        Actual::Signed(number) => number.to_string(),
        Actual::Float(number) => number.to_string(),
        other => other.to_string(),
    }
}

fn unknown(error: &Error, name: &str, known: &[&str]) -> Fatal {
    let mut path = vec!["postly".to_owned()];
    path.push(name.to_owned());
    let variable = variable(&path);
    let setting = match place(error, &variable) {
        place if place == variable => variable,
        _ => format!("{name} in the configuration file"),
    };
    // Below this, the resemblance is chance.
    const ALIKE: f64 = 0.8;
    let nearest = known
        .iter()
        .map(|other| (strsim::jaro_winkler(name, other), other))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    let hint = match nearest {
        Some((_, nearest)) => {
            format!("; did you mean POSTLY_{}?", nearest.to_uppercase())
        }
        None => "; README.md lists all settings".to_owned(),
    };
    Fatal(format!("there is no setting {setting}{hint}"))
}

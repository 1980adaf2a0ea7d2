//! How values arrive: forms know nothing but text, JSON has numbers and lists.

use serde::de::{Deserialize, Deserializer, Error};

/// A number, or text that is one; blank text is none.
pub fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(i64),
        Text(String),
    }
    match Option::<Written>::deserialize(from)? {
        None => Ok(None),
        Some(Written::Number(number)) => Ok(Some(number)),
        Some(Written::Text(text)) if text.trim().is_empty() => Ok(None),
        Some(Written::Text(text)) => text.trim().parse().map(Some).map_err(Error::custom),
    }
}

/// A list of words, or text with blanks between them.
pub fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Written {
        List(Vec<String>),
        Text(String),
    }
    let texts = match Option::<Written>::deserialize(from)? {
        None => vec![],
        Some(Written::List(list)) => list,
        Some(Written::Text(text)) => vec![text],
    };
    Ok(texts.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect())
}

/// Yes or no, as a JSON value or in the words of a form.
pub fn flag<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Written {
        Flag(bool),
        Text(String),
    }
    match Option::<Written>::deserialize(from)? {
        None => Ok(None),
        Some(Written::Flag(flag)) => Ok(Some(flag)),
        Some(Written::Text(text)) => match text.as_str() {
            "" => Ok(None),
            "true" | "on" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(Error::custom("it is neither true nor false")),
        },
    }
}

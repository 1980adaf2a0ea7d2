//! Form value coercion: forms contain only text, JSON has numbers, booleans and lists.

use serde::de::{Deserialize, Deserializer, Error};

/// A whole number, also as 1.0, which JSON does not tell from 1; or text that is a number. Blank text is
/// `None`.
pub fn number<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Option::<Number>::deserialize(from)?.map_or(Ok(None), Number::read)
}

/// The same, without null: it would remove what stays as it is when it is missing.
pub fn number_not_null<'de, D: Deserializer<'de>>(from: D) -> Result<Option<i64>, D::Error> {
    Number::deserialize(from)?.read()
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Number {
    Whole(i64),
    Decimal(f64),
    Text(String),
}

impl Number {
    fn read<E: Error>(self) -> Result<Option<i64>, E> {
        match self {
            Self::Whole(number) => Ok(Some(number)),
            // Beyond the range, it becomes the largest or the smallest number.
            Self::Decimal(number) if number.fract() == 0.0 => Ok(Some(number as i64)),
            Self::Decimal(_) => Err(E::custom("not a whole number")),
            Self::Text(text) if text.trim().is_empty() => Ok(None),
            Self::Text(text) => text.trim().parse().map(Some).map_err(E::custom),
        }
    }
}

/// Text; null is the same as an empty text, not as a missing field.
pub fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(Some(Option::deserialize(from)?.unwrap_or_default()))
}

/// The same, without null: it would empty what stays as it is when it is missing.
pub fn text_not_null<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    String::deserialize(from).map(Some)
}

/// A list of words, or words separated by whitespace.
pub fn words<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    let texts = Option::<Texts>::deserialize(from)?.map_or_else(Vec::new, Texts::into_vec);
    Ok(texts.iter().flat_map(|text| text.split_whitespace()).map(str::to_owned).collect())
}

/// A list of texts, or one text; not null.
pub fn texts<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<String>>, D::Error> {
    Ok(Some(Texts::deserialize(from)?.into_vec()))
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Texts {
    List(Vec<String>),
    Text(String),
}

impl Texts {
    fn into_vec(self) -> Vec<String> {
        match self {
            Self::List(list) => list,
            Self::Text(text) => vec![text],
        }
    }
}

/// A boolean, as JSON or as the text of a form.
pub fn boolean<'de, D: Deserializer<'de>>(from: D) -> Result<Option<bool>, D::Error> {
    #[derive(serde::Deserialize)]
    #[serde(untagged)]
    enum Value {
        Boolean(bool),
        Text(String),
    }
    match Option::<Value>::deserialize(from)? {
        None => Ok(None),
        Some(Value::Boolean(value)) => Ok(Some(value)),
        Some(Value::Text(text)) => match text.as_str() {
            "" => Ok(None),
            "true" | "on" => Ok(Some(true)),
            "false" => Ok(Some(false)),
            _ => Err(Error::custom("neither true nor false")),
        },
    }
}

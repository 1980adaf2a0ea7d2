//! Parameters that take one of a few words.

use std::str::FromStr;

use crate::error::{Error, Result};
use crate::validation::Rule;

/// Declares an enum of such words: its variants in lower case, one of them the default.
macro_rules! choice {
    ($(#[$about:meta])* $vis:vis enum $name:ident { $($(#[$of:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$about])*
        #[derive(
            Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, strum::EnumString,
            strum::IntoStaticStr, utoipa::ToSchema,
        )]
        #[serde(rename_all = "lowercase")]
        #[strum(serialize_all = "lowercase")]
        $vis enum $name {
            $($(#[$of])* $variant,)+
        }
    };
}
pub(crate) use choice;

/// The word that was chosen, or the default.
///
/// # Errors
/// `Invalid`, about the field.
pub fn chosen<T: FromStr + Default>(field: &'static str, text: Option<&str>) -> Result<T> {
    match text.map(str::trim).filter(|text| !text.is_empty()) {
        None => Ok(T::default()),
        Some(text) => text.parse().map_err(|_| Error::invalid(field, Rule::Unknown)),
    }
}

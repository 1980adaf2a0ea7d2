//! The readable part of a post's address.

use std::ops::Deref;

use rocket::request::FromParam;

use crate::models::posts::slug::RESERVED;

/// Any text but the names of what else belongs to a post: where these take only forms, a browser is led to
/// a page by the catcher.
#[derive(Debug, Clone, Copy)]
pub struct Slug<'a>(pub &'a str);

impl<'a> FromParam<'a> for Slug<'a> {
    type Error = &'a str;

    fn from_param(param: &'a str) -> Result<Self, &'a str> {
        if RESERVED.contains(&param) { Err(param) } else { Ok(Slug(param)) }
    }
}

impl Deref for Slug<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        self.0
    }
}

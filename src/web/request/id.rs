//! The number of something in a path.

use std::fmt::{self, Display};
use std::ops::Deref;

use rocket::request::FromParam;

/// A number in its only spelling: `/posts/01` and `/posts/+1` are not other addresses of `/posts/1`, which caches
/// and search engines would keep beside it.
#[derive(Debug, Clone, Copy)]
pub struct Id(pub i64);

impl<'a> FromParam<'a> for Id {
    type Error = &'a str;

    fn from_param(param: &'a str) -> Result<Self, &'a str> {
        let id = param.parse().map_err(|_| param)?;
        if Id(id).to_string() == param { Ok(Id(id)) } else { Err(param) }
    }
}

impl Deref for Id {
    type Target = i64;

    fn deref(&self) -> &i64 {
        &self.0
    }
}

impl Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

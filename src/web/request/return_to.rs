//! Where to redirect after an action.

use rocket::Request;
use rocket::data::{Data, FromData, Outcome};
use serde::Deserialize;

use super::input::read_form;
use super::refusal::refuse;
use crate::web::door::{Door, is_local};

/// The form's `next`, if it is a path on this site. Empty at the API door, which reads no body.
pub struct ReturnTo(Option<String>);

impl From<Option<String>> for ReturnTo {
    fn from(next: Option<String>) -> Self {
        ReturnTo(next.filter(|path| is_local(path)))
    }
}

impl ReturnTo {
    pub fn or(self, otherwise: impl ToString) -> String {
        self.0.unwrap_or_else(|| otherwise.to_string())
    }
}

#[rocket::async_trait]
impl<'r> FromData<'r> for ReturnTo {
    type Error = ();

    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        #[derive(Deserialize)]
        struct Form {
            next: Option<String>,
        }
        if Door::of(request) == Door::Api {
            return Outcome::Success(ReturnTo(None));
        }
        match read_form::<Form>(request, data).await {
            Ok(form) => Outcome::Success(form.next.into()),
            Err(cause) => Outcome::Error(refuse(request, cause)),
        }
    }
}

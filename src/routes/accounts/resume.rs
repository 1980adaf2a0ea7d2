//! Where a form goes that was sent before its sender had logged in, or had confirmed the password:
//! the page that asks for it, which carries along what was typed.

use rocket::http::{RawStr, Status};
use rocket::response::Redirect;
use rocket::{Responder, post};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{login, sudo};
use crate::models::accounts::two_factor::totp;
use crate::models::base::site::Site;
use crate::web::{
    self, Flash, Input, Kept, Query, QueryParams, ReturnTo, Visitor, form, gone, room,
};

room! {
    pages: [create],
}

/// Where to go on afterwards.
#[derive(Deserialize)]
struct Onward {
    /// The page with the form, where it is shown again.
    next: Option<String>,
    /// The page from which it was sent, if there is nothing to show again.
    from: Option<String>,
}

impl QueryParams for Onward {}

/// Any form.
#[derive(Deserialize)]
struct AnyForm {
    next: Option<String>,
}

#[derive(Responder)]
enum Answer {
    Form((Status, Box<web::Reply>)),
    LogIn(Box<web::Reply>),
    Confirm(Box<Redirect>),
}

#[post("/resume", data = "<input>")]
async fn create(
    input: Input<AnyForm>,
    query: Query<Onward>,
    visitor: Visitor,
    kept: Kept<'_>,
    site: &Site,
) -> web::Result<Answer> {
    let (Input(AnyForm { next }), Query(onward)) = (input, query);
    let page = ReturnTo::from(onward.next).or("/");
    let Some(mut values) = kept.begin() else {
        let from = ReturnTo::from(onward.from).or(page);
        let next = ReturnTo::from(next).or(from);
        let next = RawStr::new(&next).percent_encode().to_string();
        return Ok(match visitor.user() {
            Some(_) => {
                let location = format!("/sudo?next={next}&repeat=true");
                Answer::Confirm(Box::new(Redirect::to(location)))
            }
            None => {
                let location = format!("/login?next={next}");
                Answer::LogIn(Box::new(gone(location, Flash("log-in-first"))))
            }
        });
    };
    values.insert("next".to_owned(), page.into());
    let reply = match visitor.user() {
        Some(user) => {
            let two_factor = totp::is_on(&site.db, user.id).await?;
            let view = json!({ "two_factor": two_factor, "kept": true });
            form(sudo::FORM, Value::Object(values), view)
        }
        None => form(login::FORM, Value::Object(values), json!({ "kept": true })),
    };
    Ok(Answer::Form((Status::Forbidden, Box::new(reply))))
}

//! Registration. At the page door it also logs in, so that a new password is not asked for again.

use rocket::http::RawStr;
use rocket::response::Redirect;
use rocket::{get, post};
use serde::Deserialize;
use serde_json::json;

use crate::models::accounts::account::{self, Account};
use crate::models::accounts::registration::{self, Registration};
use crate::models::base::caller::Caller;
use crate::models::base::site::Site;
use crate::web::{
    self, Client, Flash, Input, OrForm, Query, QueryParams, ReturnTo, Visitor, created, form, room,
};

room! {
    pages: [new, create_page],
    auth: [create],
}

#[derive(Deserialize)]
struct RegistrationForm {
    #[serde(flatten)]
    registration: Registration,
    next: Option<String>,
}

/// Where to redirect afterwards.
#[derive(Deserialize)]
struct Next {
    next: Option<String>,
}

impl QueryParams for Next {}

const FORM: &str = "accounts/register.html";

/// Who is logged in already goes on at once.
#[get("/register")]
fn new(query: Query<Next>, visitor: Visitor) -> Result<web::Reply, Box<Redirect>> {
    let next = ReturnTo::from(query.0.next).or("/");
    match visitor.user() {
        Some(_) => Err(Box::new(Redirect::to(next))),
        None => Ok(form(FORM, json!({ "next": next }), json!({}))),
    }
}

#[post("/register", data = "<input>")]
async fn create_page(
    input: Input<RegistrationForm>,
    client: Client<'_>,
    site: &Site,
) -> web::Result {
    let Input(RegistrationForm { registration, next }) = input;
    let identity = registration::register(site, client.caller(), &registration)
        .await
        .or_form(FORM, json!({}))?;
    client.log_in(&identity).await?;
    Ok(created(ReturnTo::from(next).or("/"), Flash("registered"), ()))
}

/// Create an account
///
/// It does not log in. Whether anybody can register, and whether an e-mail address is required, is a
/// setting of the site.
#[utoipa::path(post, path = "/auth/register", operation_id = "register", tag = "accounts",
    security(()), request_body = Registration,
    responses((status = 201, body = Account), (status = 429),
        (status = 403, description = "Nobody can register at present."),
        (status = 409, description = "The username is taken, or on some sites the address.")))]
#[post("/register", data = "<input>")]
async fn create(input: Input<Registration>, caller: &Caller, site: &Site) -> web::Result {
    let identity = registration::register(site, caller, &input).await?;
    let account = account::own(site, &identity.user).await?;
    let name = RawStr::new(&account.username).percent_encode().to_string();
    Ok(created(format!("/users/{name}"), Flash("registered"), account))
}

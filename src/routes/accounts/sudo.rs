//! Confirming the password again, for sensitive actions.

use rocket::{get, post};
use serde::Deserialize;
use serde_json::json;

use crate::models::accounts::login;
use crate::models::accounts::session::Session;
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::web::{self, Flash, Input, OrForm, Problem, Query, ReturnTo, form, gone, room};

room! {
    pages: [new, create],
    auth: [create],
}

/// The password, to be confirmed.
#[derive(Default, Deserialize, utoipa::ToSchema)]
pub struct SudoInput {
    #[schema(required = true)]
    password: Option<String>,
    #[schema(ignore)]
    next: Option<String>,
}

const FORM: &str = "accounts/sudo.html";

#[get("/sudo")]
fn new(_session: Session, query: Query<SudoInput>) -> web::Reply {
    form(FORM, json!({ "next": ReturnTo::from(query.0.next).or("/me") }), json!({}))
}

/// Confirm your password
///
/// Required for sensitive actions, which return 401 and `error="insufficient_user_authentication"`
/// (RFC 9470) until the password is confirmed. Lasts 15 minutes.
#[utoipa::path(post, path = "/auth/sudo", tag = "accounts", request_body = SudoInput,
    responses((status = 204), (status = 401, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
#[post("/sudo", data = "<input>")]
async fn create(
    input: Input<SudoInput>,
    actor: Actor,
    session: Session,
    site: &Site,
) -> web::Result {
    let Input(SudoInput { password, next }) = input;
    login::reauthenticate(site, &actor, &session, password.as_deref())
        .await
        .or_form(FORM, json!({}))?;
    Ok(gone(ReturnTo::from(next).or("/me"), Flash("reauthenticated")))
}

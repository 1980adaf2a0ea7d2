//! Personal API tokens.

use rocket::{Route, delete, get, post, routes};
use serde::Serialize;
use serde_json::{Value, json};

use super::docs::Problem;
use crate::models::api_token::{self, Created, Draft, Seen};
use crate::models::caller::Caller;
use crate::models::user::User;
use crate::web::{self, Back, Database, Flash, Input, OrForm, Sudo, gone, page, shown};

pub fn both() -> Vec<Route> {
    routes![index, create, delete]
}

/// One's own tokens, without the tokens themselves.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Tokens {
    pub items: Vec<Seen>,
}

/// One's own personal tokens, the newest first
#[utoipa::path(get, path = "/me/tokens", tag = "tokens", security(("password" = [])),
    responses((status = 200, body = Tokens), (status = 401, body = Problem)))]
#[get("/me/tokens")]
pub async fn index(me: User, _sudo: Sudo, db: &Database) -> web::Result {
    Ok(page("tokens/index.html", Tokens { items: api_token::list(db, &me).await? }))
}

/// Make a personal token
///
/// For a program of one's own, used as `Authorization: Bearer`. It is shown this once. Needs a fresh
/// proof, see `/auth/sudo`.
#[utoipa::path(post, path = "/me/tokens", tag = "tokens", security(("password" = [])),
    request_body = Draft,
    responses((status = 201, body = Created), (status = 401, body = Problem),
        (status = 409, body = Problem), (status = 422, body = Problem)))]
#[post("/me/tokens", data = "<draft>")]
pub async fn create(
    me: User,
    _sudo: Sudo,
    caller: &Caller,
    draft: Input<Draft>,
    db: &Database,
) -> web::Result {
    let made = match api_token::create(db, caller, &me, &draft).await {
        Ok(made) => made,
        refused => {
            let kept: Value = json!({ "items": api_token::list(db, &me).await? });
            refused.or_form("tokens/index.html", &draft.0, kept)?
        }
    };
    Ok(shown("tokens/created.html", format!("/me/tokens/{}", made.seen.id), made))
}

/// Revoke a personal token
///
/// At once. Needs a fresh proof, see `/auth/sudo`.
#[utoipa::path(delete, path = "/me/tokens/{id}", tag = "tokens", security(("password" = [])),
    params(("id" = i64, Path)),
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem)))]
#[delete("/me/tokens/<id>", data = "<back>")]
pub async fn delete(
    id: i64,
    me: User,
    _sudo: Sudo,
    caller: &Caller,
    back: Back,
    db: &Database,
) -> web::Result {
    api_token::delete(db, caller, &me, id).await?;
    Ok(gone(back.or("/me/tokens"), Flash::TokenRevoked))
}

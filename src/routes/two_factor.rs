//! Two factors: setting up an authenticator, turning it off, recovery codes.

use rocket::{Route, State, delete, get, post, put, routes};
use serde_json::json;

use super::docs::Problem;
use crate::error::Error;
use crate::models::caller::Caller;
use crate::models::token::Keys;
use crate::models::two_factor::{self, Code, RecoveryCodes, Setup, Standing};
use crate::models::user::User;
use crate::web::{self, Database, Flash, Input, OrForm, Sudo, gone, page, shown};

pub fn both() -> Vec<Route> {
    routes![show, begin, enable, disable, renew_codes]
}

/// Whether one's log-in needs a code
#[utoipa::path(get, path = "/me/two-factor", tag = "two factors", security(("password" = [])),
    responses((status = 200, body = Standing), (status = 401, body = Problem)))]
#[get("/me/two-factor")]
pub async fn show(me: User, _sudo: Sudo, db: &Database) -> web::Result {
    Ok(page("two_factor/show.html", two_factor::standing(db, &me).await?))
}

/// Begin to set up an authenticator
///
/// It takes effect once a code of it is shown, with PUT. Needs a fresh proof, see `/auth/sudo`.
#[utoipa::path(post, path = "/me/two-factor", tag = "two factors", security(("password" = [])),
    responses((status = 201, body = Setup), (status = 401, body = Problem),
        (status = 409, body = Problem)))]
#[post("/me/two-factor")]
pub async fn begin(me: User, _sudo: Sudo, keys: &State<Keys>, db: &Database) -> web::Result {
    let setup = two_factor::begin(db, keys, &me).await?;
    Ok(shown("two_factor/setup.html", "/me/two-factor", setup))
}

/// Turn two-factor log-in on, with a code of the new authenticator
///
/// Gives ten recovery codes, this once.
#[utoipa::path(put, path = "/me/two-factor", tag = "two factors", security(("password" = [])),
    request_body = Code,
    responses((status = 201, body = RecoveryCodes), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
#[put("/me/two-factor", data = "<code>")]
pub async fn enable(
    me: User,
    _sudo: Sudo,
    code: Input<Code>,
    caller: &Caller,
    keys: &State<Keys>,
    db: &Database,
) -> web::Result {
    let codes = match two_factor::enable(db, keys, caller, &me, &code).await {
        Ok(codes) => codes,
        refused => {
            let setup = two_factor::begun(db, keys, &me).await?;
            refused.or_form("two_factor/setup.html", &code.0, json!(setup))?
        }
    };
    Ok(shown("two_factor/codes.html", "/me/two-factor", codes))
}

/// Turn two-factor log-in off, with a code
#[utoipa::path(delete, path = "/me/two-factor", tag = "two factors", security(("password" = [])),
    request_body = Code,
    responses((status = 204), (status = 401, body = Problem), (status = 404, body = Problem),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
#[delete("/me/two-factor", data = "<code>")]
pub async fn disable(
    me: User,
    _sudo: Sudo,
    code: Input<Code>,
    caller: &Caller,
    keys: &State<Keys>,
    db: &Database,
) -> web::Result {
    or_show(two_factor::disable(db, keys, caller, &me, &code).await, &code, &me, db).await?;
    Ok(gone("/me/two-factor", Flash::TwoFactorOff))
}

/// Make new recovery codes, with a code
///
/// The old ones are worthless.
#[utoipa::path(post, path = "/me/two-factor/recovery-codes", tag = "two factors",
    security(("password" = [])), request_body = Code,
    responses((status = 201, body = RecoveryCodes), (status = 401, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
#[post("/me/two-factor/recovery-codes", data = "<code>")]
pub async fn renew_codes(
    me: User,
    _sudo: Sudo,
    code: Input<Code>,
    caller: &Caller,
    keys: &State<Keys>,
    db: &Database,
) -> web::Result {
    let renewed = two_factor::renew_codes(db, keys, caller, &me, &code).await;
    let codes = or_show(renewed, &code, &me, db).await?;
    Ok(shown("two_factor/codes.html", "/me/two-factor", codes))
}

/// The page with both forms once more, when a code was refused.
async fn or_show<T>(
    outcome: Result<T, Error>,
    code: &Code,
    me: &User,
    db: &Database,
) -> web::Result<T> {
    match outcome {
        Ok(done) => Ok(done),
        refused => {
            let standing = two_factor::standing(db, me).await?;
            refused.or_form("two_factor/show.html", code, json!(standing))
        }
    }
}

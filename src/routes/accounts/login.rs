//! Logging in and out. This differs between the doors (a cookie for a browser, tokens for an API
//! client), so two handlers call one model function.

use rocket::http::{Header, RawStr};
use rocket::response::Redirect;
use rocket::{Responder, get, post};
use serde::Deserialize;
use serde_json::json;

use crate::models::accounts::identity::Identity;
use crate::models::accounts::login::{self, Login, PasswordCheck};
use crate::models::accounts::login_challenge;
use crate::models::accounts::session::{self, Session};
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::web::security::session_cookie::TokenResponse;
use crate::web::{
    self, Client, Flash, Input, Kept, NoBody, OrForm, Query, QueryParams, ReturnTo, SettingUp,
    Visitor, form, gone, page, room, saved,
};

room! {
    tag: ("accounts", "Registration, logging in and out, your account"),
    pages: [new, create_page, new_code, create_code, delete_page],
    auth: [create, delete],
}

/// Where to redirect afterwards.
#[derive(Deserialize)]
struct Next {
    next: Option<String>,
}

impl QueryParams for Next {}

#[derive(Deserialize)]
struct LoginForm {
    #[serde(flatten)]
    login: Login,
    next: Option<String>,
}

pub(super) const FORM: &str = "accounts/login.html";
const CODE_FORM: &str = "accounts/code.html";

/// Who is logged in already goes on at once.
#[get("/login")]
fn new(query: Query<Next>, visitor: Visitor) -> Result<web::Reply, Box<Redirect>> {
    let next = ReturnTo::from(query.0.next).or("/");
    match visitor.user() {
        Some(_) => Err(Box::new(Redirect::to(next))),
        None => Ok(form(FORM, json!({ "next": next }), json!({}))),
    }
}

#[post("/login", data = "<input>")]
async fn create_page(
    input: Input<LoginForm>,
    kept: Kept<'_>,
    client: Client<'_>,
    site: &Site,
) -> web::Result {
    let Input(LoginForm { mut login, next }) = input;
    login.device_token = client.device_token().map(str::to_owned);
    let view = json!({ "kept": kept.is_carried() });
    let check = login::authenticate(site, client.caller(), &login).await.or_form(FORM, view)?;
    let next = ReturnTo::from(next).or("/");
    match check {
        PasswordCheck::Complete(identity) => logged_in(&client, &identity, &kept, next).await,
        PasswordCheck::CodeRequired(identity) if kept.is_carried() => {
            client.request_code(&identity).await?;
            // Not a redirect, which could not carry the form along.
            Ok(page(CODE_FORM, json!({ "kept": true })).with_entered())
        }
        PasswordCheck::CodeRequired(identity) => {
            client.request_code(&identity).await?;
            let next = RawStr::new(&next).percent_encode().to_string();
            Ok(saved(format!("/login/code?next={next}"), Flash("code-required"), ()))
        }
    }
}

/// The second factor, after the password.
#[derive(Deserialize)]
struct CodeForm {
    code: Option<String>,
    next: Option<String>,
}

#[get("/login/code")]
async fn new_code(query: Query<Next>, client: Client<'_>, site: &Site) -> web::Result {
    login_challenge::find(site, client.challenge()).await.or_form(CODE_FORM, json!({}))?;
    Ok(form(CODE_FORM, json!({ "next": ReturnTo::from(query.0.next).or("/") }), json!({})))
}

#[post("/login/code", data = "<input>")]
async fn create_code(
    input: Input<CodeForm>,
    kept: Kept<'_>,
    client: Client<'_>,
    site: &Site,
) -> web::Result {
    let Input(CodeForm { code, next }) = input;
    let (caller, device) = (client.caller(), client.device_token());
    let challenge = client.challenge();
    let answer = login_challenge::answer(site, caller, challenge, code.as_deref(), device).await;
    let identity = answer.or_form(CODE_FORM, json!({ "kept": kept.is_carried() }))?;
    logged_in(&client, &identity, &kept, ReturnTo::from(next).or("/")).await
}

/// Opens the session; a form that was sent before is shown again with what was typed, but not
/// carried out: its sender decides that.
async fn logged_in(
    client: &Client<'_>,
    identity: &Identity,
    kept: &Kept<'_>,
    next: String,
) -> web::Result {
    let sid = client.log_in(identity).await?;
    let flash = match kept.is_carried() {
        true => Flash("logged-in-kept"),
        false => Flash("logged-in"),
    };
    Ok(saved(kept.keep(client.site, &sid, next).await?, flash, ()))
}

/// The redirect after logging out.
#[derive(Responder)]
struct LoggedOut(web::Reply, Header<'static>);

/// Ends the session; succeeds even if there is none.
#[post("/logout")]
async fn delete_page(client: Client<'_>) -> web::Result<LoggedOut> {
    client.log_out().await?;
    // Not cookies: one of them marks a known device.
    let clear = Header::new("Clear-Site-Data", "\"cache\"");
    Ok(LoggedOut(gone("/", Flash("logged-out")), clear))
}

/// Log in
///
/// With a username or an e-mail address, and the password; with two-factor log-in, also a code.
#[utoipa::path(post, path = "/auth/login", operation_id = "logIn", tag = "accounts", security(()),
    request_body = Login,
    responses((status = 200, body = TokenResponse),
        (status = 401, description = "Wrong, or a `code` is also required."), (status = 429)))]
#[post("/login", data = "<input>")]
async fn create(input: Input<Login>, client: Client<'_>, site: &Site) -> web::Result {
    let check = login::authenticate(site, client.caller(), &input).await?;
    let (code, device) = (input.code.as_deref(), input.device_token.as_deref());
    let identity = login_challenge::complete(site, client.caller(), check, code, device).await?;
    Ok(saved("/", Flash("logged-in"), client.open_session(&identity, None, device).await?))
}

/// Log out
///
/// The session ends immediately; every copy of its token becomes invalid.
#[utoipa::path(post, path = "/auth/logout", operation_id = "logOut", tag = "accounts",
    responses((status = 204)))]
#[post("/logout", data = "<_body>")]
async fn delete(
    _body: NoBody,
    actor: SettingUp<Actor>,
    session: SettingUp<Session>,
    site: &Site,
) -> web::Result {
    session::log_out(site, &actor, &session.id).await?;
    Ok(gone("/", Flash("logged-out")))
}

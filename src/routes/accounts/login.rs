//! Logging in and out. This differs between the doors (a cookie for a browser, tokens for an API
//! client), so two handlers call one model function.

use rocket::http::{Header, RawStr};
use rocket::{Responder, get, post};
use serde::Deserialize;
use serde_json::json;

use crate::models::accounts::login::{self, Login, PasswordCheck};
use crate::models::accounts::login_challenge;
use crate::models::accounts::session::{self, Session};
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::web::security::session_cookie::TokenResponse;
use crate::web::{
    self, Client, Flash, Input, OrForm, Query, QueryParams, ReturnTo, SettingUp, form, gone, room,
    saved,
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

const FORM: &str = "accounts/login.html";
const CODE_FORM: &str = "accounts/code.html";

#[get("/login")]
fn new(query: Query<Next>) -> web::Reply {
    form(FORM, json!({ "next": ReturnTo::from(query.0.next).or("/") }), json!({}))
}

#[post("/login", data = "<input>")]
async fn create_page(input: Input<LoginForm>, client: Client<'_>, site: &Site) -> web::Result {
    let Input(LoginForm { mut login, next }) = input;
    login.device_token = client.device_token().map(str::to_owned);
    let check =
        login::authenticate(site, client.caller(), &login).await.or_form(FORM, json!({}))?;
    let next = ReturnTo::from(next).or("/");
    match check {
        PasswordCheck::Complete(identity) => {
            client.log_in(&identity).await?;
            Ok(saved(next, Flash("logged-in"), ()))
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
async fn create_code(input: Input<CodeForm>, client: Client<'_>, site: &Site) -> web::Result {
    let Input(CodeForm { code, next }) = input;
    let (caller, device) = (client.caller(), client.device_token());
    let challenge = client.challenge();
    let answer = login_challenge::answer(site, caller, challenge, code.as_deref(), device).await;
    client.log_in(&answer.or_form(CODE_FORM, json!({}))?).await?;
    Ok(saved(ReturnTo::from(next).or("/"), Flash("logged-in"), ()))
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
#[post("/logout")]
async fn delete(actor: SettingUp<Actor>, session: SettingUp<Session>, site: &Site) -> web::Result {
    session::log_out(site, &actor, &session.id).await?;
    Ok(gone("/", Flash("logged-out")))
}

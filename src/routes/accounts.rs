//! Accounts: register, log in, log out, sudo, me, dashboard. Logging in differs between the doors (a
//! cookie here, a bearer token there), so it has two handlers over one model function.

use rocket::{Route, State, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::docs::Problem;
use crate::models::account::{self, Login, Registration, Shown, Standing};
use crate::models::caller::Caller;
use crate::models::email::Rules;
use crate::models::page::{Asked, Page};
use crate::models::password::Hasher;
use crate::models::post::{self, Post};
use crate::models::session::{self, Session};
use crate::models::token::Keys;
use crate::models::user::{self, Account, User};
use crate::web::client::Bearer;
use crate::web::{
    self, Back, Client, Database, Flash, Input, OrForm, Query, created, form, gone, page, saved,
};

pub fn both() -> Vec<Route> {
    routes![me, dashboard]
}

pub fn pages() -> Vec<Route> {
    routes![
        register_form,
        register_page,
        login_form,
        login_page,
        logout_page,
        code_form,
        code_page,
        sudo_form,
        sudo
    ]
}

/// Mounted below `/auth` at the API door.
pub fn api() -> Vec<Route> {
    routes![register, login, logout, sudo]
}

/// Where a person wants to go once they are in.
#[derive(Deserialize)]
struct Next {
    next: Option<String>,
}

/// The registration form, or the log-in form.
#[derive(Deserialize, Serialize)]
struct Entry<T> {
    #[serde(flatten)]
    credentials: T,
    next: Option<String>,
}

#[get("/register")]
fn register_form(query: Query<Next>) -> web::Reply {
    form("accounts/register.html", json!({ "next": Back::from(query.0.next).or("/") }), json!({}))
}

#[get("/login")]
fn login_form(query: Query<Next>) -> web::Reply {
    form("accounts/login.html", json!({ "next": Back::from(query.0.next).or("/") }), json!({}))
}

/// Makes the account and logs in: a password just chosen need not be typed again.
#[post("/register", data = "<entry>")]
async fn register_page(
    entry: Input<Entry<Registration>>,
    client: Client<'_>,
    hasher: &State<Hasher>,
    rules: &State<Rules>,
    db: &Database,
) -> web::Result {
    let who = account::register(db, hasher, client.caller, rules, &entry.credentials)
        .await
        .or_form("accounts/register.html", &entry.0, json!({}))?;
    client.enter(db, &who).await?;
    Ok(created(Back::from(entry.0.next).or("/"), Flash::Registered, ()))
}

#[post("/login", data = "<entry>")]
async fn login_page(
    entry: Input<Entry<Login>>,
    client: Client<'_>,
    hasher: &State<Hasher>,
    db: &Database,
) -> web::Result {
    let shown = account::authenticate(db, hasher, client.caller, &entry.credentials)
        .await
        .or_form("accounts/login.html", &entry.0, json!({}))?;
    let next = Back::from(entry.0.next).or("/");
    match shown {
        Shown::Enough(who) => {
            client.enter(db, &who).await?;
            Ok(saved(next, Flash::LoggedIn, ()))
        }
        Shown::Half(who) => {
            client.ask_for_code(db, &who).await?;
            let next = rocket::http::RawStr::new(&next).percent_encode().to_string();
            Ok(saved(format!("/login/code?next={next}"), Flash::CodeNeeded, ()))
        }
    }
}

/// The second factor, after the password.
#[derive(Deserialize)]
struct Second {
    code: Option<String>,
    next: Option<String>,
}

#[get("/login/code")]
fn code_form(query: Query<Next>) -> web::Reply {
    form("accounts/code.html", json!({ "next": Back::from(query.0.next).or("/") }), json!({}))
}

#[post("/login/code", data = "<second>")]
async fn code_page(
    second: Input<Second>,
    client: Client<'_>,
    keys: &State<Keys>,
    db: &Database,
) -> web::Result {
    let Input(Second { code, next }) = second;
    let next = Back::from(next).or("/");
    let who = account::answer(db, keys, client.caller, client.challenge(), code.as_deref())
        .await
        .or_form("accounts/code.html", &json!({ "next": next }), json!({}))?;
    client.enter(db, &who).await?;
    Ok(saved(next, Flash::LoggedIn, ()))
}

/// Ends the session; without one there is nothing to end, which is what was wanted.
#[post("/logout")]
async fn logout_page(client: Client<'_>, db: &Database) -> web::Result {
    client.leave(db).await?;
    Ok(gone("/", Flash::LoggedOut))
}

/// Make an account
#[utoipa::path(post, path = "/auth/register", tag = "accounts", request_body = Registration,
    responses((status = 201, body = Account, headers(("Location" = String))),
        (status = 409, body = Problem, description = "the username is taken; \
            where no mail is sent, or the e-mail"),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
#[post("/register", data = "<registration>")]
pub async fn register(
    registration: Input<Registration>,
    caller: &Caller,
    hasher: &State<Hasher>,
    rules: &State<Rules>,
    db: &Database,
) -> web::Result {
    let who = account::register(db, hasher, caller, rules, &registration).await?;
    let account = user::account(db, &who.user).await?;
    let name = rocket::http::RawStr::new(&account.username).percent_encode().to_string();
    Ok(created(format!("/users/{name}"), Flash::Registered, account))
}

/// Log in
///
/// With the username or the e-mail, and the password; with two-factor log-in also a code.
#[utoipa::path(post, path = "/auth/login", tag = "accounts", request_body = Login,
    responses((status = 200, body = Bearer),
        (status = 401, body = Problem, description = "wrong, or a `code` is needed too"),
        (status = 422, body = Problem), (status = 429, body = Problem)))]
#[post("/login", data = "<login>")]
pub async fn login(
    login: Input<Login>,
    client: Client<'_>,
    hasher: &State<Hasher>,
    keys: &State<Keys>,
    db: &Database,
) -> web::Result {
    let shown = account::authenticate(db, hasher, client.caller, &login).await?;
    let who = account::complete(db, keys, client.caller, shown, login.code.as_deref()).await?;
    Ok(saved("/", Flash::LoggedIn, client.bearer(db, &who).await?))
}

/// Log out
///
/// The session ends at once; every copy of its token is worthless.
#[utoipa::path(post, path = "/auth/logout", tag = "accounts", security(("password" = [])),
    responses((status = 204), (status = 401, body = Problem)))]
#[post("/logout")]
pub async fn logout(me: User, session: Session, caller: &Caller, db: &Database) -> web::Result {
    session::close(db, caller, &me, &session.id).await?;
    Ok(gone("/", Flash::LoggedOut))
}

/// The password, given again.
#[derive(Default, Deserialize, utoipa::ToSchema)]
pub struct Proof {
    #[schema(required = true)]
    password: Option<String>,
    #[schema(ignore)]
    next: Option<String>,
}

#[get("/sudo")]
fn sudo_form(_session: Session, query: Query<Next>) -> web::Reply {
    form("accounts/sudo.html", json!({ "next": Back::from(query.0.next).or("/me") }), json!({}))
}

/// Give the password again
///
/// For what needs a fresh proof: it is answered with 401 and
/// `error="insufficient_user_authentication"` (RFC 9470) until this was done. Lasts 15 minutes.
#[utoipa::path(post, path = "/auth/sudo", tag = "accounts", security(("password" = [])),
    request_body = Proof,
    responses((status = 204), (status = 401, body = Problem), (status = 422, body = Problem),
        (status = 429, body = Problem)))]
#[post("/sudo", data = "<proof>")]
pub async fn sudo(
    me: User,
    session: Session,
    proof: Input<Proof>,
    caller: &Caller,
    hasher: &State<Hasher>,
    db: &Database,
) -> web::Result {
    let next = Back::from(proof.0.next).or("/me");
    account::prove(db, hasher, caller, &me, &session, proof.0.password.as_deref()).await.or_form(
        "accounts/sudo.html",
        &json!({ "next": next }),
        json!({}),
    )?;
    Ok(gone(next, Flash::Proved))
}

/// One's own account
#[utoipa::path(get, path = "/me", tag = "accounts", security(("password" = [])),
    responses((status = 200, body = Account), (status = 401, body = Problem)))]
#[get("/me")]
pub async fn me(me: User, db: &Database) -> web::Result {
    Ok(page("accounts/me.html", user::account(db, &me).await?))
}

/// A greeting, numbers, and one's own posts.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Dashboard {
    #[serde(flatten)]
    pub standing: Standing,
    #[serde(flatten)]
    pub page: Page<Post>,
}

/// One's own posts, newest first
#[utoipa::path(get, path = "/dashboard", tag = "accounts", security(("password" = [])),
    params(("before" = Option<String>, Query), ("after" = Option<String>, Query),
        ("limit" = Option<i64>, Query)),
    responses((status = 200, body = Dashboard), (status = 401, body = Problem)))]
#[get("/dashboard")]
pub async fn dashboard(me: User, query: Query<Asked>, db: &Database) -> web::Result {
    let posts = post::by_author(db, Some(&me), me.id, &query).await?;
    let standing = account::standing(db, &me).await?;
    let (previous, next) = (posts.previous.clone(), posts.next.clone());
    Ok(page("accounts/dashboard.html", Dashboard { standing, page: posts }).between(previous, next))
}

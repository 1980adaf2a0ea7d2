//! Accounts: register, log in, log out, me, dashboard. Logging in differs between the doors (a
//! cookie here, a bearer token there), so it has two handlers over one model function.

use rocket::{Route, State, get, post, routes};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::docs::Problem;
use crate::error::Error;
use crate::models::account::{self, Login, Registration, Standing};
use crate::models::page::{Asked, Page};
use crate::models::password::Hasher;
use crate::models::post::{self, Post};
use crate::models::session;
use crate::models::user::{self, Account, User};
use crate::web::client::Bearer;
use crate::web::{
    self, Back, Client, Database, Flash, Input, OrForm, Query, Session, created, form, gone, oauth,
    page, saved,
};

pub fn both() -> Vec<Route> {
    routes![me, dashboard]
}

pub fn pages() -> Vec<Route> {
    routes![register_form, register_page, login_form, login_page, logout_page]
}

/// Mounted below `/auth` at the API door.
pub fn api() -> Vec<Route> {
    routes![register, login, token, logout]
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
    db: &Database,
) -> web::Result {
    let user = account::register(db, hasher, &entry.credentials).await.or_form(
        "accounts/register.html",
        &entry.0,
        json!({}),
    )?;
    client.enter(db, &user).await?;
    Ok(created(Back::from(entry.0.next).or("/"), Flash::Registered, ()))
}

#[post("/login", data = "<entry>")]
async fn login_page(
    entry: Input<Entry<Login>>,
    client: Client<'_>,
    hasher: &State<Hasher>,
    db: &Database,
) -> web::Result {
    let user = account::authenticate(db, hasher, &entry.credentials).await.or_form(
        "accounts/login.html",
        &entry.0,
        json!({}),
    )?;
    client.enter(db, &user).await?;
    Ok(saved(Back::from(entry.0.next).or("/"), Flash::LoggedIn, ()))
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
        (status = 409, body = Problem, description = "the username or the e-mail is taken"),
        (status = 422, body = Problem)))]
#[post("/register", data = "<registration>")]
pub async fn register(
    registration: Input<Registration>,
    hasher: &State<Hasher>,
    db: &Database,
) -> web::Result {
    let user = account::register(db, hasher, &registration).await?;
    let account = user::account(db, &user).await?;
    let name = rocket::http::RawStr::new(&account.username).percent_encode().to_string();
    Ok(created(format!("/users/{name}"), Flash::Registered, account))
}

/// Log in
///
/// With the username or the e-mail, and the password.
#[utoipa::path(post, path = "/auth/login", tag = "accounts", request_body = Login,
    responses((status = 200, body = Bearer), (status = 401, body = Problem),
        (status = 422, body = Problem)))]
#[post("/login", data = "<login>")]
pub async fn login(
    login: Input<Login>,
    client: Client<'_>,
    hasher: &State<Hasher>,
    db: &Database,
) -> web::Result {
    let user = account::authenticate(db, hasher, &login).await?;
    Ok(saved("/", Flash::LoggedIn, client.bearer(db, &user).await?))
}

/// The OAuth2 password form (RFC 6749 §4.3.2).
#[derive(Deserialize, utoipa::ToSchema)]
pub struct PasswordGrant {
    #[schema(example = "password", required = true)]
    grant_type: Option<String>,
    /// The username or the e-mail.
    #[schema(required = true)]
    username: Option<String>,
    #[schema(required = true)]
    password: Option<String>,
}

/// Log in with the OAuth2 password form
///
/// What an “Authorize” button uses. Form-encoded, with the error codes of RFC 6749.
#[utoipa::path(post, path = "/auth/token", tag = "accounts",
    request_body(content = PasswordGrant, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = Bearer), (status = 400, body = oauth::Refusal)))]
#[post("/token", data = "<grant>")]
pub async fn token(
    grant: oauth::Form<PasswordGrant>,
    client: Client<'_>,
    hasher: &State<Hasher>,
    db: &Database,
) -> Result<oauth::Answer<Bearer>, web::Failure> {
    let grant = match grant.0 {
        Ok(grant) => grant,
        Err(why) => return oauth::refuse("invalid_request", &why),
    };
    match grant.grant_type.as_deref() {
        Some("password") => {}
        None | Some("") => return oauth::refuse("invalid_request", "Give a grant_type."),
        Some(_) => {
            return oauth::refuse("unsupported_grant_type", "The grant_type must be password.");
        }
    }
    let login = Login { username: grant.username, email: None, password: grant.password };
    match account::authenticate(db, hasher, &login).await {
        Ok(user) => oauth::grant(client.bearer(db, &user).await?),
        Err(Error::BadCredentials(why)) => oauth::refuse("invalid_grant", why),
        Err(Error::Invalid(_)) => {
            oauth::refuse("invalid_request", "Give a username and a password.")
        }
        Err(error) => Err(error.into()),
    }
}

/// Log out
///
/// The session ends at once; every copy of its token is worthless.
#[utoipa::path(post, path = "/auth/logout", tag = "accounts", security(("password" = [])),
    responses((status = 204), (status = 401, body = Problem)))]
#[post("/logout")]
pub async fn logout(session: Session, db: &Database) -> web::Result {
    session::close(db, &session.sid).await?;
    Ok(gone("/", Flash::LoggedOut))
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

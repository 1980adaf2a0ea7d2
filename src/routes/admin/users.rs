//! User administration: roles, access, deletion.

use rocket::{delete, get, patch};
use serde::{Deserialize, Serialize};
use strum::EnumString;

use super::bounded;
use crate::error::Error;
use crate::models::accounts::account::Account;
use crate::models::base::actor::Admin;
use crate::models::base::form_value;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::moderation::administration::{self, UserSearch, UserUpdate};
use crate::models::users::user::Role;
use crate::validation::Rule;
use crate::web::{self, Flash, Input, Query, QueryParams, ReturnTo, gone, list, page, room, saved};

room! {
    tag: ("admin", "For admins only"),
    both: [index, update, delete],
    pages: [confirm],
}

const LIST: &str = "/admin/users";

/// What to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UserListParams {
    /// What to search for in usernames and e-mail addresses.
    #[param(example = "ann")]
    q: Option<String>,
    /// Only the user with this name. Not together with `q`.
    #[param(example = "ann")]
    username: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    page: PageParams,
}

impl QueryParams for UserListParams {
    const NAMES: &'static [&'static str] = &["q", "username", "before", "after", "limit"];
}

/// A page of accounts, and what was asked for.
#[derive(Serialize, utoipa::ToSchema)]
pub struct UserList {
    #[serde(flatten)]
    page: Page<Account>,
    /// What was searched for.
    #[schema(example = "ann")]
    q: Option<String>,
    /// The name that was asked for.
    #[schema(example = "ann")]
    username: Option<String>,
}

/// List all users, newest first
///
/// `q` searches usernames and e-mail addresses.
#[utoipa::path(get, path = "/admin/users", operation_id = "listUsers", tag = "admin",
    security(("oauth2" = ["admin"])), params(UserListParams, PageParams),
    responses((status = 200, body = UserList)))]
#[get("/admin/users")]
async fn index(admin: Admin, query: Query<UserListParams>, site: &Site) -> web::Result {
    let Query(UserListParams { q, username, page }) = query;
    let username = bounded("username", username, 300)?;
    let wanted = UserSearch { q: q.as_deref(), username: username.as_deref() };
    let accounts = administration::list(site, &admin, &wanted, &page).await?;
    Ok(list("admin/users.html", accounts, |page| UserList { page, q, username }))
}

/// A change that has to be confirmed.
#[derive(Debug, Clone, Copy, Serialize, EnumString)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
enum UserChange {
    Promote,
    Demote,
    Disable,
    Delete,
}

/// The change, and where to go afterwards.
#[derive(Deserialize)]
pub struct ConfirmParams {
    change: Option<String>,
    next: Option<String>,
}

impl QueryParams for ConfirmParams {}

#[derive(Serialize)]
struct Confirmation {
    change: UserChange,
    account: Account,
    next: String,
}

/// Says what a change means before it is made.
#[get("/admin/users/<username>/confirm")]
async fn confirm(
    username: &str,
    admin: Admin,
    query: Query<ConfirmParams>,
    site: &Site,
) -> web::Result {
    let Query(ConfirmParams { change, next }) = query;
    let change = change.unwrap_or_default().parse();
    let change = change.map_err(|_| Error::invalid("change", Rule::Unknown))?;
    let account = administration::show(site, &admin, username).await?;
    let next = ReturnTo::from(next).or(LIST);
    Ok(page("admin/confirm_user.html", Confirmation { change, account, next }))
}

/// Changes to a user; missing fields stay unchanged.
#[derive(Deserialize, utoipa::ToSchema)]
pub struct UserUpdateInput {
    /// What the user may do.
    #[schema(value_type = Role, required = false)]
    role: Option<String>,
    /// True disables the account and ends all its sessions, false enables it again.
    #[serde(default, deserialize_with = "form_value::boolean")]
    #[schema(example = false, nullable = false)]
    disabled: Option<bool>,
    #[schema(ignore)]
    next: Option<String>,
}

/// Change a user's role, or disable or enable the account
///
/// Effective with their next request. The last admin can be neither demoted nor disabled.
#[utoipa::path(patch, path = "/admin/users/{username}", operation_id = "updateUser", tag = "admin",
    security(("oauth2" = ["admin"])), params(("username" = String, Path)),
    request_body = UserUpdateInput,
    responses((status = 200, body = Account), (status = 409)))]
#[patch("/admin/users/<username>", data = "<input>")]
async fn update(
    username: &str,
    input: Input<UserUpdateInput>,
    admin: Admin,
    site: &Site,
) -> web::Result {
    let Input(UserUpdateInput { role, disabled, next }) = input;
    let flash = match (&role, disabled) {
        (Some(_), _) => Flash("role-changed"),
        (None, Some(true)) => Flash("user-disabled"),
        (None, Some(false)) => Flash("user-enabled"),
        (None, None) => return Err(Error::invalid("role", Rule::Required).into()),
    };
    let role = role.map(Role::try_from).transpose()?;
    let update = UserUpdate { role, disabled };
    let account = administration::update(site, &admin, username, &update).await?;
    Ok(saved(ReturnTo::from(next).or(LIST), flash, account))
}

/// Delete a user with all their posts
///
/// The last admin cannot be deleted.
#[utoipa::path(delete, path = "/admin/users/{username}", operation_id = "deleteUser", tag = "admin",
    security(("oauth2" = ["admin"])), params(("username" = String, Path)),
    responses((status = 204), (status = 409)))]
#[delete("/admin/users/<username>", data = "<return_to>")]
async fn delete(username: &str, return_to: ReturnTo, admin: Admin, site: &Site) -> web::Result {
    administration::delete(site, &admin, username).await?;
    Ok(gone(return_to.or(LIST), Flash("user-deleted")))
}

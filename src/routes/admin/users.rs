//! User administration: roles, access, deletion.

use rocket::{delete, get, patch};
use serde::Deserialize;

use crate::error::Error;
use crate::models::accounts::account::Account;
use crate::models::base::actor::Admin;
use crate::models::base::form_value;
use crate::models::base::page::PageParams;
use crate::models::base::site::Site;
use crate::models::moderation::administration::{self, UserUpdate};
use crate::models::users::user::Role;
use crate::validation::Rule;
use crate::web::{
    self, Flash, Input, Query, ReturnTo, SearchParams, SearchResult, gone, list, room, saved,
};

room! {
    tag: ("admin", "For admins only"),
    both: [index, update, delete],
}

/// List all users, newest first
///
/// `q` searches usernames and e-mail addresses.
#[utoipa::path(get, path = "/admin/users", operation_id = "listUsers", tag = "admin",
    security(("oauth2" = ["admin"])), params(SearchParams, PageParams),
    responses((status = 200, body = SearchResult<Account>)))]
#[get("/admin/users")]
async fn index(admin: Admin, query: Query<SearchParams>, site: &Site) -> web::Result {
    let Query(SearchParams { q, page }) = query;
    let accounts = administration::list(site, &admin, q.as_deref(), &page).await?;
    Ok(list("admin/users.html", accounts, |page| SearchResult { page, q }))
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
    Ok(saved(ReturnTo::from(next).or("/admin/users"), flash, account))
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
    Ok(gone(return_to.or("/admin/users"), Flash("user-deleted")))
}

//! The events of the user's own account.

use rocket::get;

use crate::models::audit::{self, Event};
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::web::{self, AccountScope, Query, Scoped, list, room};

room! {
    both: [index],
}

/// List the events of your account, latest first
///
/// Log-ins, changes of the password and the like, with the addresses they came from.
#[utoipa::path(get, path = "/me/events", operation_id = "listEvents", tag = "accounts",
    security(("oauth2" = ["account"])), params(PageParams),
    responses((status = 200, body = Page<Event>)))]
#[get("/me/events")]
async fn index(actor: Scoped<AccountScope>, query: Query<PageParams>, site: &Site) -> web::Result {
    let events = audit::for_user(&site.db, &actor.user, &query).await?;
    Ok(list("accounts/events/index.html", events, |page| page))
}

//! The audit log.

use rocket::get;
use serde::{Deserialize, Serialize};

use super::bounded;
use crate::models::audit::{self, AuditFilter, Event};
use crate::models::base::actor::Admin;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::web::response::messages;
use crate::web::{self, Query, QueryParams, list, room};

room! {
    both: [index],
}

/// What to list.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditParams {
    /// A username, the number of an account, an IP address, the id of a request, or a kind of event
    /// (`login` includes `login.failed`). Not together with `kind` or `person`.
    #[param(example = "192.0.2.7")]
    q: Option<String>,
    /// Only events of exactly this kind.
    #[param(example = "login.failed", max_length = 100)]
    kind: Option<String>,
    /// Only what this user did, and what concerns their account: a username, or the number of an
    /// account.
    #[param(example = "ann", max_length = 300)]
    person: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    page: PageParams,
}

impl QueryParams for AuditParams {
    const NAMES: &'static [&'static str] = &["q", "kind", "person", "before", "after", "limit"];
}

/// A page of the audit log, and what was asked for.
#[derive(Serialize, utoipa::ToSchema)]
pub struct AuditPage {
    #[serde(flatten)]
    page: Page<Event>,
    /// What was searched for.
    #[schema(example = "192.0.2.7")]
    q: Option<String>,
    /// The kind that was asked for.
    #[schema(example = "login.failed")]
    kind: Option<String>,
    /// The person who was asked for.
    #[schema(example = "ann")]
    person: Option<String>,
    /// The kinds of events in the log, ordered by their names.
    kinds: Vec<KindView>,
}

/// A kind of event.
#[derive(Serialize, utoipa::ToSchema)]
pub struct KindView {
    /// Stable and machine-readable.
    #[schema(example = "login.failed")]
    kind: String,
    /// As pages show it.
    #[schema(example = "Log-in failed")]
    name: String,
}

impl From<String> for KindView {
    fn from(kind: String) -> KindView {
        KindView { name: messages::event(&kind), kind }
    }
}

/// List the audit log, latest first
///
/// All events, or those of a kind, of a person, or both.
#[utoipa::path(get, path = "/admin/audit", operation_id = "listAuditEvents", tag = "admin",
    security(("oauth2" = ["admin"])), params(AuditParams, PageParams),
    responses((status = 200, body = AuditPage)))]
#[get("/admin/audit")]
async fn index(admin: Admin, query: Query<AuditParams>, site: &Site) -> web::Result {
    let Query(AuditParams { q, kind, person, page }) = query;
    let (kind, person) = (bounded("kind", kind, 100)?, bounded("person", person, 300)?);
    let filter = AuditFilter { q: q.as_deref(), kind: kind.as_deref(), person: person.as_deref() };
    let events = audit::list(site, &admin, &filter, &page).await?;
    let kinds = audit::kinds(site, &admin).await?;
    let mut kinds: Vec<KindView> = kinds.into_iter().map(KindView::from).collect();
    kinds.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(list("admin/audit.html", events, |page| AuditPage { page, q, kind, person, kinds }))
}

//! The search of everybody.

use rocket::get;
use serde::Serialize;
use serde_json::json;

use crate::models::base::caller::Caller;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::search_query::SearchNote;
use crate::models::base::site::Site;
use crate::models::posts::public_search::{self, SearchParams, SearchResult, SearchType};
use crate::web::{self, OrForm, Query, Visitor, list, room};

room! {
    tag: ("search", "Posts, comments and people"),
    both: [index],
}

/// What was found, and what was asked for.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SearchResults {
    #[serde(flatten)]
    page: Page<SearchResult>,
    /// What was searched for.
    #[schema(example = "tides")]
    q: String,
    /// What was searched.
    r#type: SearchType,
    /// Parts of the query that have another effect than it seems.
    notes: Vec<SearchNote>,
}

/// Search
///
/// All words must occur, whatever their case, diacritics and endings; `"a phrase"` occurs as it is, and
/// `-word` does not. `tag:`, `author:`, `before:` and `after:` (days in UTC) narrow posts and comments. The
/// newest 200 matches are ranked by relevance, then the next 200. A page can have fewer items than `limit`,
/// or none, and still a `next`.
#[utoipa::path(get, path = "/search", operation_id = "search", tag = "search",
    security((), ("oauth2" = ["posts:read"])), params(SearchParams, PageParams),
    responses((status = 200, body = SearchResults), (status = 429)))]
#[get("/search")]
async fn index(
    query: Query<SearchParams>,
    visitor: Visitor,
    caller: &Caller,
    site: &Site,
) -> web::Result {
    const TEMPLATE: &str = "search/index.html";
    let kind = query.kind().unwrap_or_default();
    let q = query.q.clone().unwrap_or_default();
    let view = json!({ "q": q, "type": kind, "items": [], "notes": [] });
    let found = public_search::search(site, visitor.user(), caller, &query).await;
    let found = found.or_form(TEMPLATE, view)?;
    let notes = found.notes;
    Ok(list(TEMPLATE, found.page, |page| SearchResults { page, q, r#type: kind, notes }))
}

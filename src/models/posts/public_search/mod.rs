//! The search of everybody: posts, comments and people, ranked, with excerpts around what was found.

mod kind;
mod matching;
mod rank;
mod results;
mod window;

use serde::Deserialize;

pub use self::kind::SearchType;
use self::matching::Matching;
pub use self::results::{ResultKind, SearchResult};
use self::window::Position;
use crate::db::{Hits, SearchFrom};
use crate::error::Result;
use crate::models::base::caller::Caller;
use crate::models::base::choice::chosen;
use crate::models::base::page::{Keyset, Page, PageParams};
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::search_query::{SearchNote, SearchQuery};
use crate::models::base::site::Site;
use crate::models::users::user::User;

/// Raw, unvalidated parameters of the search.
#[derive(Debug, Default, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// Words, `"phrases"`, `-without`, `tag:…`, `author:…`, `before:2026-01-31`, `after:2026-01-01`; at
    /// most 300 characters and 16 terms.
    #[param(example = "tides", max_length = 300)]
    pub q: Option<String>,
    /// `posts` (the default), `comments` or `people`.
    #[param(value_type = Option<SearchType>)]
    pub r#type: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    pub page: PageParams,
}

impl SearchParams {
    /// # Errors
    /// `Invalid`, about `type`.
    pub fn kind(&self) -> Result<SearchType> {
        chosen("type", self.r#type.as_deref())
    }
}

/// What was found, and what a person should know about it.
pub struct SearchAnswer {
    pub page: Page<SearchResult>,
    pub notes: Vec<SearchNote>,
}

/// Finds what matches: of the newest matches, 200 at a time, the most relevant first.
///
/// # Errors
/// `Invalid`, about `q`, `type`, `before`, `after` and `limit`; `TooManyRequests`.
pub async fn search(
    site: &Site,
    viewer: Option<&User>,
    caller: &Caller,
    params: &SearchParams,
) -> Result<SearchAnswer> {
    let (kind, position) = (params.kind()?, Position::of(&Keyset::new(&params.page)?));
    let query = SearchQuery::parse(params.q.as_deref().unwrap_or_default())?;
    if query.is_empty() {
        let page = Page::with_cursors::<1>(Vec::new(), None, None);
        return Ok(SearchAnswer { page, notes: query.notes });
    }
    acquire(site, viewer, caller).await?;
    let matching = Matching::new(site, kind, query).await?;
    let slice = window::slice(&matching, position).await?;
    let ids: Vec<i64> = slice.items.iter().map(|item| item.id).collect();
    let items = results::load(site, viewer, &matching, &ids).await?;
    let page = Page::with_cursors(items, slice.next, slice.previous);
    Ok(SearchAnswer { page, notes: matching.notes })
}

/// Counts a search against the limits.
///
/// # Errors
/// `TooManyRequests`.
async fn acquire(site: &Site, viewer: Option<&User>, caller: &Caller) -> Result<()> {
    let limits = (site.limits.searches, site.limits.searches_address);
    let budgets = match viewer {
        Some(user) => Budget::of_user(user.id, caller, limits.0, limits.1).to_vec(),
        None => vec![Budget::new(limits.1, &caller.network())],
    };
    rate_limit::check_all(&site.db, caller, &budgets).await?;
    // A read waits for no write.
    rate_limit::count_later(&site.db, caller, &budgets);
    Ok(())
}

/// The ids of posts that match a query, newest first; at most `limit`, and within bounds: if `resume` is
/// set, others may follow beyond it.
///
/// # Errors
/// `Invalid`, about `q`; `TooManyRequests`.
pub async fn post_ids(
    site: &Site,
    viewer: Option<&User>,
    caller: &Caller,
    q: &str,
    (from, limit): (SearchFrom, i64),
) -> Result<Hits> {
    let query = SearchQuery::parse(q)?;
    if query.is_empty() {
        return Ok(Hits::default());
    }
    acquire(site, viewer, caller).await?;
    let matching = Matching::new(site, SearchType::Posts, query).await?;
    let Hits { ids, resume } = matching.candidates(from, limit).await?;
    let is_full = i64::try_from(ids.len()).is_ok_and(|count| count >= limit);
    let resume = resume.or(ids.last().copied().filter(|_| is_full));
    let mut ids: Vec<i64> = matching.rank(&ids).await?.into_iter().map(|item| item.id).collect();
    ids.sort_unstable();
    if !matches!(from, SearchFrom::After(_)) {
        ids.reverse();
    }
    Ok(Hits { ids, resume })
}

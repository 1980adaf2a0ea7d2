//! Searching posts: all of them, for admins, or those of one author.

use chrono::{DateTime, Utc};

use crate::db::{Statement, sql};
use crate::error::{Error, Result};
use crate::models::base::actor::Admin;
use crate::models::base::choice::choice;
use crate::models::base::page::{Column, Keyset, Page, PageParams};
use crate::models::base::search::{self, Found};
use crate::models::base::site::Site;
use crate::models::posts::feed;
use crate::models::posts::post::{self, PostSummary};
use crate::models::posts::post_search;
use crate::models::users::user::{self, User};
use crate::validation::Rule;

/// What an admin looks for; blank texts mean nothing.
pub struct PostSearch<'a> {
    pub q: Option<&'a str>,
    /// A username.
    pub author: Option<&'a str>,
    /// For others than everybody, without `q` and `author`.
    pub visibility: ListedVisibility,
}

choice! {
    /// The readers of published posts that are not their author's alone.
    pub enum ListedVisibility {
        #[default]
        Public,
        Unlisted,
        Members,
    }
}

/// All posts for an admin, and the author's name as it is written. Without a search, in the order of
/// publication; a search of all posts finds titles and authors, latest written first.
///
/// # Errors
/// `NotFound` if there is no such author; `Invalid`, about `visibility`, `before`, `after` and `limit`.
pub async fn for_admin(
    site: &Site,
    admin: &Admin,
    search: &PostSearch<'_>,
    params: &PageParams,
) -> Result<(Page<PostSummary>, Option<String>)> {
    let viewer = admin.user();
    if search.visibility != ListedVisibility::Public {
        let is_given = |text: Option<&str>| text.is_some_and(|text| !text.trim().is_empty());
        if is_given(search.q) || is_given(search.author) {
            return Err(Error::invalid("visibility", Rule::Exclusive));
        }
        return Ok((by_visibility(site, viewer, search.visibility, params).await?, None));
    }
    if let Some(name) = search.author.filter(|name| !name.trim().is_empty()) {
        let author = user::by_username(&site.db, name).await?;
        let posts = by_author(site, viewer, author.id, search.q, params).await?;
        return Ok((posts, Some(author.username)));
    }
    let Some(needle) = search.q.and_then(search::needle) else {
        return Ok((feed::newest(site, viewer, None, params).await?, None));
    };
    let keyset = Keyset::<1>::new(params)?;
    let found = search::find(&site.db, &post_search::SEARCH.table, &needle, &keyset).await?;
    let posts = post::summaries(&site.db, post::select_by_id(viewer, found.ids())).await?;
    Ok((found.page(posts, |post| [post.id]), None))
}

/// What is published for those who know the address, the latest written first.
async fn by_visibility(
    site: &Site,
    viewer: Option<&User>,
    visibility: ListedVisibility,
    params: &PageParams,
) -> Result<Page<PostSummary>> {
    let visibility: &str = visibility.into();
    let shown = |query: Statement| {
        query.push("p.state = 'published'").push_bind(" AND p.visibility = ", visibility)
    };
    post::not_listed(&site.db, viewer, params, shown).await
}

/// Posts of one author that a search looks at before the page ends: few people have as many.
const MAX_SCANNED: i64 = 500;

/// When a post was published, its id, and whether its title matches; null while it is not indexed.
type Scanned = (DateTime<Utc>, i64, Option<bool>);

/// One author's posts, newest first, or those of them whose titles contain `q`.
///
/// The index of the search does not know authors, and what one author wrote may be rare among what it
/// finds; so it is the author's posts that are looked at, in their order, a bounded number at a time.
pub async fn by_author(
    site: &Site,
    viewer: Option<&User>,
    author: i64,
    q: Option<&str>,
    params: &PageParams,
) -> Result<Page<PostSummary>> {
    let Some(needle) = q.and_then(search::needle) else {
        return feed::by_author(site, viewer, author, params).await;
    };
    let keyset = Keyset::<2>::new(params)?;
    let scan = keyset.with_limit(MAX_SCANNED);
    // The title is the first line of what is searched.
    let query = sql("SELECT page.published_at, page.id, \
         (SELECT s.text LIKE $1 FROM post_search s WHERE s.id = page.id) AS matches FROM ")
    .bind(format!("%{needle}%\n%"));
    let source = |query| post::push_source(query, "SELECT p.id, p.published_at", Some(author));
    let query = scan.ids(query, post::PUBLISHED, source).push(" AS page");
    let columns = [Column::Time("page.published_at"), Column::Int("page.id")];
    let rows: Vec<Scanned> = scan.order(query, columns).all(&site.db).await?;
    let matches = rows
        .into_iter()
        .map(|(at, id, matches)| ([at.timestamp_micros(), id], matches.unwrap_or_default()));
    let found = Found::among(&keyset, MAX_SCANNED, matches);
    let posts = post::summaries(&site.db, post::select_by_id(viewer, found.ids())).await?;
    Ok(found.page(posts, PostSummary::published_key))
}

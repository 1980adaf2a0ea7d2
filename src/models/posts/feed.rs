//! Lists of posts.

use chrono::Utc;
use serde::Serialize;

use crate::db::{Hits, sql};
use crate::error::Result;
use crate::models::base::caller::Caller;
use crate::models::base::page::{Keyset, Page, PageParams};
use crate::models::base::search::{self, Found};
use crate::models::base::site::Site;
use crate::models::posts::drafts;
use crate::models::posts::feed_content;
use crate::models::posts::feed_filter::Filter;
use crate::models::posts::feed_params::{FeedParams, Period, Sort};
use crate::models::posts::feed_query::{self, Order};
use crate::models::posts::post::{self, PostSummary};
use crate::models::posts::public_search;
use crate::models::users::user::User;

/// The posts that the parameters ask for.
///
/// Pages by time neither skip nor repeat a post while others are published. In the orders `hot` and
/// `top`, a post whose votes change between two pages can move from one to the other, and so be seen
/// twice or not at all; every other post is seen once.
///
/// # Errors
/// `Invalid`, about the parameters; `NotFound` if there is no such author; `TooManyRequests`, for a
/// search.
pub async fn feed(
    site: &Site,
    viewer: Option<&User>,
    caller: &Caller,
    params: &FeedParams,
) -> Result<Page<PostSummary>> {
    let (sort, period) = (params.sort()?, params.period()?);
    let with_content = params.includes_content()?;
    if let Some(q) = params.q()? {
        return matching(site, viewer, caller, q, params).await;
    }
    let filter = Filter::of(site, params).await?;
    if sort == Sort::Top && period != Period::All {
        // The cursor names the period, which may end between two pages.
        let keyset = Keyset::<3>::new(&params.page)?;
        let (number, keyset) = keyset.within();
        let number = number.unwrap_or_else(|| period.number(Utc::now()));
        let order = Order::top_of(period, number);
        let mut slice = feed_query::read(&site.db, viewer, &filter, &keyset, &order).await?;
        if with_content {
            slice = feed_content::add(&site.db, slice, &keyset, order.keys).await?;
        }
        return Ok(slice.with_keys(|[votes, id]| [number, votes, id]).page());
    }
    let keyset = Keyset::<2>::new(&params.page)?;
    let order = Order::of(sort);
    let mut slice = feed_query::read(&site.db, viewer, &filter, &keyset, &order).await?;
    if with_content {
        slice = feed_content::add(&site.db, slice, &keyset, order.keys).await?;
    }
    Ok(slice.page())
}

/// The posts that a search finds, latest written first.
async fn matching(
    site: &Site,
    viewer: Option<&User>,
    caller: &Caller,
    q: &str,
    params: &FeedParams,
) -> Result<Page<PostSummary>> {
    let keyset = Keyset::<1>::new(&params.page)?;
    let range = (search::begin(&keyset), keyset.limit() + 1);
    let Hits { ids, resume } = public_search::post_ids(site, viewer, caller, q, range).await?;
    let hits = ids.into_iter().map(|id| [id]).collect();
    let found = Found::new(&keyset, hits, resume.map(|id| [id]));
    let posts = post::summaries(&site.db, post::select_by_id(viewer, found.ids())).await?;
    let mut slice = found.slice(posts, |post| [post.id]);
    if params.includes_content()? {
        slice = feed_content::add(&site.db, slice, &keyset, |post| [post.id]).await?;
    }
    Ok(slice.page())
}

/// One author's posts, newest first.
pub async fn by_author(
    site: &Site,
    viewer: Option<&User>,
    author_id: i64,
    params: &PageParams,
) -> Result<Page<PostSummary>> {
    newest(site, viewer, Some(author_id), params).await
}

/// The posts with one tag (by id), newest first.
pub async fn by_tag(
    site: &Site,
    viewer: Option<&User>,
    tag_id: i64,
    params: &PageParams,
) -> Result<Page<PostSummary>> {
    let keyset = Keyset::<2>::new(params)?;
    let (filter, order) = (Filter::by_tag(tag_id), Order::of(Sort::New));
    Ok(feed_query::read(&site.db, viewer, &filter, &keyset, &order).await?.page())
}

/// All posts, newest first, or those of one author (by id) alone.
pub(super) async fn newest(
    site: &Site,
    viewer: Option<&User>,
    author: Option<i64>,
    params: &PageParams,
) -> Result<Page<PostSummary>> {
    let keyset = Keyset::<2>::new(params)?;
    let query = post::select_page(viewer, author, &keyset, post::PUBLISHED);
    let posts = post::summaries(&site.db, query).await?;
    Ok(keyset.page(posts, PostSummary::published_key))
}

/// Statistics about the user's own posts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct DashboardStats {
    /// A greeting.
    #[schema(example = "Welcome ann, this is your dashboard")]
    pub message: String,
    /// How many posts the user has published.
    pub posts: i64,
    /// How many posts only the user finds, counted up to 100: drafts, scheduled posts, and those that are not
    /// public.
    pub drafts: i64,
    /// How many votes those posts have received.
    pub votes: i64,
}

/// Statistics about the user's own posts.
pub async fn stats(site: &Site, user: &User) -> Result<DashboardStats> {
    let (posts, votes): (i64, i64) = sql("SELECT posts, votes FROM user_counts WHERE user_id = $1")
        .bind(user.id)
        .optional(&site.db)
        .await?
        .unwrap_or_default(); // The account was deleted in the meantime.
    let message = format!("Welcome {}, this is your dashboard", user.username);
    let drafts = drafts::count(site, user).await?;
    Ok(DashboardStats { message, posts, drafts, votes })
}

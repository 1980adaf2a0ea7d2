//! Lists of posts.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr};

use crate::db::{Db, sql};
use crate::error::{Error, Result};
use crate::models::base::page::{Keyset, Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::post::{self, PostSummary};
use crate::models::users::user::{self, User};
use crate::validation::Rule;

/// The order of a feed.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    EnumString,
    IntoStaticStr,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Sort {
    /// Newest first.
    #[default]
    New,
    /// Most votes first.
    Top,
}

/// Raw, unvalidated parameters of the feed.
#[derive(Debug, Default, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FeedParams {
    /// `new` (the default) or `top`.
    #[param(value_type = Option<Sort>)]
    pub sort: Option<String>,
    /// Only the posts of this user.
    #[param(example = "ann")]
    pub author: Option<String>,
    /// `content` adds the full text in Markdown; such a page ends early if it would exceed 1 MiB.
    #[param(pattern = "^(content)?$")]
    pub include: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    pub page: PageParams,
}

impl FeedParams {
    /// # Errors
    /// `Invalid`, about `sort`.
    pub fn sort(&self) -> Result<Sort> {
        match self.sort.as_deref().filter(|sort| !sort.is_empty()) {
            None => Ok(Sort::default()),
            Some(sort) => sort.parse().map_err(|_| Error::invalid("sort", Rule::Unknown)),
        }
    }

    /// # Errors
    /// `Invalid`, about `include`.
    fn includes_content(&self) -> Result<bool> {
        match self.include.as_deref() {
            None | Some("") => Ok(false),
            Some("content") => Ok(true),
            Some(_) => Err(Error::invalid("include", Rule::Unknown)),
        }
    }
}

/// All posts: newest first, or those with the most votes first.
///
/// # Errors
/// `Invalid`, about `sort`, `include`, `before`, `after` and `limit`; `NotFound` if there is no such
/// author.
pub async fn feed(
    site: &Site,
    viewer: Option<&User>,
    params: &FeedParams,
) -> Result<Page<PostSummary>> {
    let (sort, with_content) = (params.sort()?, params.includes_content()?);
    let keyset = Keyset::<2>::new(&params.page)?;
    // Looked up first: with a subquery, PostgreSQL does not know how few posts an author may have.
    let author = match params.author.as_deref().filter(|name| !name.is_empty()) {
        None => None,
        Some(name) => Some(user::by_username(&site.db, name).await?.id),
    };
    let (order, keys): (_, fn(&PostSummary) -> [i64; 2]) = match sort {
        Sort::New => (post::PUBLISHED, PostSummary::published_key),
        Sort::Top => (post::VOTES, |post| [post.votes, post.id]),
    };
    let query = post::select_page(viewer, author, &keyset, order);
    let mut posts = post::summaries(&site.db, query).await?;
    if !with_content {
        return Ok(keyset.page(posts, keys));
    }
    let count = add_contents(&site.db, &mut posts).await?;
    Ok(keyset.page_of(count, posts, keys))
}

/// Maximum size of the items of a page that includes contents, in bytes: with the cursors, the page
/// has at most 1 MiB.
const CONTENT_BUDGET: usize = 1024 * 1024 - 1024;

/// Adds the contents of as many posts, from the first on, as fit into the budget, at least one;
/// returns how many. Contents that do not fit are not even read.
async fn add_contents(db: &Db, posts: &mut [PostSummary]) -> Result<usize> {
    let ids = posts.iter().map(|post| post.id);
    let sizes: Vec<(i64, i64)> =
        sql("SELECT id, CAST(octet_length(content) AS BIGINT) FROM posts WHERE")
            .push_list(" id IN ", ids)
            .all(db)
            .await?;
    let size = |id| sizes.iter().find(|(known, _)| *known == id).map_or(0, |(_, size)| *size);
    let mut total = 0;
    let readable = posts.iter().take_while(|post| {
        let is_first = total == 0;
        total += usize::try_from(size(post.id)).unwrap_or(usize::MAX / 2);
        is_first || total <= CONTENT_BUDGET
    });
    let ids: Vec<i64> = readable.map(|post| post.id).collect();
    let contents: Vec<(i64, String)> =
        sql("SELECT id, content FROM posts WHERE").push_list(" id IN ", ids).all(db).await?;
    let mut contents: std::collections::HashMap<i64, String> = contents.into_iter().collect();

    // JSON escapes some characters, so the length of the serialised item counts.
    let (mut count, mut total) = (0, 0);
    for post in posts {
        // A post that was deleted in the meantime has no content: the page ends before it.
        let Some(content) = contents.remove(&post.id) else { break };
        post.content = Some(content);
        let item = serde_json::to_vec(post).map_err(|e| Error::Internal(e.to_string()))?;
        total += item.len() + 1;
        if count > 0 && total > CONTENT_BUDGET {
            break;
        }
        count += 1;
    }
    Ok(count)
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
    Ok(DashboardStats { message, posts, votes })
}

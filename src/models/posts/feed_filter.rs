//! Which posts a list has.

use chrono::{DateTime, Utc};

use crate::db::{Statement, sql};
use crate::error::{Error, Result};
use crate::models::base::site::Site;
use crate::models::posts::feed_params::FeedParams;
use crate::models::posts::tag;
use crate::models::users::user;

/// The conditions of a list; the default has none.
#[derive(Debug, Default)]
pub struct Filter {
    pub author: Option<Owner>,
    /// All of them. A tag that does not exist has no posts, and the id 0.
    pub tags: Vec<Owner>,
    pub since: Option<DateTime<Utc>>,
    pub until: Option<DateTime<Utc>>,
    pub updated_since: Option<DateTime<Utc>>,
    pub min_votes: Option<i64>,
}

/// An author or a tag, by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Owner {
    pub id: i64,
    /// How many posts it has, at least at this moment.
    pub posts: i64,
}

impl Filter {
    /// # Errors
    /// `Invalid`, about the parameters; `NotFound` if there is no such author.
    pub async fn of(site: &Site, params: &FeedParams) -> Result<Filter> {
        let mut filter = Filter {
            author: None,
            tags: Vec::new(),
            since: params.since()?,
            until: params.until()?,
            updated_since: params.updated_since()?,
            min_votes: params.min_votes()?,
        };
        let names = params.tags()?;
        // Looked up first: with a subquery, PostgreSQL does not know how few posts an author may have.
        if let Some(name) = params.author() {
            let id = user::by_username(&site.db, name).await?.id;
            let posts: Option<i64> = sql("SELECT posts FROM user_counts WHERE user_id = $1")
                .bind(id)
                .optional_scalar(&site.db)
                .await?;
            filter.author = Some(Owner { id, posts: posts.unwrap_or_default() });
        }
        for name in names {
            let owner = match tag::find(&site.db, &name).await {
                Ok(tag) => Owner { id: tag.id, posts: tag.posts },
                Err(Error::NotFound) => Owner { id: 0, posts: 0 },
                Err(error) => return Err(error),
            };
            if !filter.tags.contains(&owner) {
                filter.tags.push(owner);
            }
        }
        Ok(filter)
    }

    /// The posts with one tag (by id).
    pub fn by_tag(id: i64) -> Filter {
        Filter { tags: vec![Owner { id, posts: i64::MAX }], ..Filter::default() }
    }

    /// The tag or the author with the fewest posts, and whether it is a tag.
    pub fn smallest(&self) -> Option<(Owner, bool)> {
        let tags = self.tags.iter().map(|tag| (*tag, true));
        let author = self.author.iter().map(|author| (*author, false));
        tags.chain(author).min_by_key(|(owner, _)| owner.posts)
    }

    /// Adds all conditions to a query for posts `p` that ends inside WHERE.
    pub fn push(&self, query: Statement) -> Statement {
        let query = self
            .author
            .iter()
            .fold(query, |query, author| query.push_bind(" AND p.user_id = ", author.id));
        // Not EXISTS, for which PostgreSQL would read all posts of a tag at once.
        let count = i64::try_from(self.tags.len()).unwrap_or(i64::MAX);
        let query = if self.tags.is_empty() {
            query
        } else {
            query
                .push(" AND (SELECT count(*) FROM post_tags x WHERE x.post_id = p.id")
                .push_list(" AND x.tag_id IN ", self.tags.iter().map(|tag| tag.id))
                .push_bind(") = ", count)
        };
        let query = push_time(query, " AND p.published_at >= ", self.since);
        let query = push_time(query, " AND p.published_at < ", self.until);
        let query =
            push_time(query, " AND coalesce(p.updated_at, p.created_at) >= ", self.updated_since);
        self.min_votes
            .into_iter()
            .fold(query, |query, votes| query.push_bind(" AND p.votes >= ", votes))
    }
}

/// Adds a condition, if there is a time.
pub(super) fn push_time(
    query: Statement,
    condition: &'static str,
    time: Option<DateTime<Utc>>,
) -> Statement {
    time.into_iter().fold(query, |query, time| query.push_bind(condition, time))
}

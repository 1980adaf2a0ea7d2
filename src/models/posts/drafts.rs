//! Posts that are in no list but that of their author: drafts, scheduled posts, and those that are not
//! public.

use crate::db::{Statement, sql};
use crate::error::Result;
use crate::models::base::actor::Actor;
use crate::models::base::page::{Column, Keyset, Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::post::{self, PostSummary};
use crate::models::users::user::User;

/// The user's own, the latest written first.
///
/// # Errors
/// `Invalid`, about `before`, `after` and `limit`.
pub async fn list(site: &Site, actor: &Actor, params: &PageParams) -> Result<Page<PostSummary>> {
    // As in the index: it is never read by the primary key.
    const ORDER: [Column; 1] = [Column::Int("p.id + 0")];
    let keyset = Keyset::<1>::new(params)?;
    let source = |query: Statement| {
        query
            .push("SELECT p.id FROM posts p WHERE p.published_at IS NULL")
            .push_bind(" AND p.user_id = ", actor.user.id)
    };
    let query = keyset.ids(post::select_from("", Some(&actor.user)), ORDER, source);
    let query = query.push(" AS page JOIN posts p ON p.id = page.id").push(post::AUTHOR);
    let query = keyset.order(query.push(post::READABLE), [Column::Int("p.id")]);
    let posts = post::summaries(&site.db, query).await?;
    Ok(keyset.page(posts, |post| [post.id]))
}

/// So many are counted.
const MOST: i64 = 100;

/// How many the user has, at most 100.
pub(super) async fn count(site: &Site, user: &User) -> Result<i64> {
    sql("SELECT count(*) FROM (SELECT 1 AS one FROM posts WHERE published_at IS NULL")
        .push_bind(" AND user_id = ", user.id)
        // In the order of the index, which PostgreSQL would not choose otherwise.
        .push_bind(" ORDER BY id + 0 LIMIT ", MOST)
        .push(") AS drafts")
        .scalar(&site.db)
        .await
}

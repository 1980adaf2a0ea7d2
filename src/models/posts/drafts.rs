//! Posts that are in no list but that of their author: drafts, scheduled posts, and those that are not
//! public.

use crate::db::{Statement, sql};
use crate::error::Result;
use crate::models::base::actor::Actor;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::post::{self, PostSummary};
use crate::models::users::user::User;

/// The user's own, the latest written first.
///
/// # Errors
/// `Invalid`, about `before`, `after` and `limit`.
pub async fn list(site: &Site, actor: &Actor, params: &PageParams) -> Result<Page<PostSummary>> {
    let me = &actor.user;
    let own = |query: Statement| query.push_bind("p.user_id = ", me.id);
    post::not_listed(&site.db, Some(me), params, own).await
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

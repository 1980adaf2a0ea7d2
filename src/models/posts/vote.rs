//! Votes: one per user and post, never for one's own post. The database maintains the count.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Statement, now, repeat, sql};
use crate::error::{Denial, Error, Result};
use crate::models::accounts::new_account;
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::page::{Column, Keyset, Page, PageParams};
use crate::models::base::rate_limit;
use crate::models::base::site::Site;
use crate::models::posts::post::{self, Author, Post};
use crate::models::posts::rendering;

/// A user's vote.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Vote {
    #[serde(skip)]
    id: i64,
    #[sqlx(flatten)]
    /// Who voted.
    pub user: Author,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Votes for a post; repeating it changes nothing.
///
/// # Errors
/// `NotFound`; `Forbidden` for one's own post; `TooManyRequests`.
pub async fn cast(site: &Site, actor: &Actor, post_id: i64) -> Result<Post> {
    repeat(|| try_cast(site, actor, post_id)).await
}

async fn try_cast(site: &Site, actor: &Actor, post_id: i64) -> Result<Post> {
    let me = &actor.user;
    let mut budgets = actor.budgets(site.limits.votes, site.limits.votes_address).to_vec();
    budgets.extend(new_account::votes(site, actor).await?);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let mut tx = site.db.begin().await?;
    let post = post::show(&mut tx, Some(me), post_id).await?;
    if post.summary.user_id == me.id {
        return Err(Error::Forbidden(Denial::OwnVote));
    }
    let inserted = sql("INSERT INTO votes (post_id, user_id, created_at) VALUES ($1, $2, $3) \
         ON CONFLICT (post_id, user_id) DO NOTHING")
    .bind(post_id)
    .bind(me.id)
    .bind(now())
    .execute(&mut tx)
    .await;
    match inserted {
        // The post was deleted concurrently.
        Err(e) if e.is_foreign_key_violation() => return Err(Error::NotFound),
        Ok(0) => {}
        other => {
            other?;
            rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
        }
    };
    let post = post::show(&mut tx, Some(me), post_id).await?;
    tx.commit().await?;
    rendering::refresh(site, post).await
}

/// Withdraws a vote; repeating it changes nothing.
///
/// # Errors
/// `NotFound`; `TooManyRequests`.
pub async fn withdraw(site: &Site, actor: &Actor, post_id: i64) -> Result<Post> {
    repeat(|| try_withdraw(site, actor, post_id)).await
}

async fn try_withdraw(site: &Site, actor: &Actor, post_id: i64) -> Result<Post> {
    let budgets = actor.budgets(site.limits.votes, site.limits.votes_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let mut tx = site.db.begin().await?;
    let withdrawn = sql("DELETE FROM votes WHERE post_id = $1 AND user_id = $2")
        .bind(post_id)
        .bind(actor.user.id)
        .execute(&mut tx)
        .await?;
    if withdrawn > 0 {
        rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
    }
    let post = post::show(&mut tx, Some(&actor.user), post_id).await?;
    tx.commit().await?;
    rendering::refresh(site, post).await
}

/// Who voted for a post, latest first.
pub async fn list(site: &Site, post: &Post, params: &PageParams) -> Result<Page<Vote>> {
    let ballot = Ballot {
        ids: "SELECT v.id FROM votes v WHERE v.post_id = ",
        rows: " AS page JOIN votes v ON v.id = page.id JOIN users u ON u.id = v.user_id",
    };
    ballot.list(site, post.summary.id, params).await
}

/// Where the votes for one kind of thing are.
pub(super) struct Ballot {
    /// The ids of the votes `v` for one thing, whose id follows.
    pub ids: &'static str,
    /// Joins the votes `v` and their users `u` to a `page` of ids.
    pub rows: &'static str,
}

const ORDER: [Column; 1] = [Column::Int("v.id")];

impl Ballot {
    /// Who voted for the thing with this id, latest first.
    pub async fn list(&self, site: &Site, id: i64, params: &PageParams) -> Result<Page<Vote>> {
        let keyset = Keyset::<1>::new(params)?;
        let query = sql(
            "SELECT v.id, v.created_at, u.id AS author_id, u.username AS author_username FROM ",
        );
        let source = |query: Statement| query.push_bind(self.ids, id);
        let query = keyset.ids(query, ORDER, source).push(self.rows);
        let votes = keyset.order(query, ORDER).all(&site.db).await?;
        Ok(keyset.page(votes, |vote: &Vote| [vote.id]))
    }
}

/// A vote in a user's name.
pub struct AssignedVote {
    pub post_id: i64,
    pub user_id: i64,
}

/// Casts votes in other users' names, in one transaction: for the demo.
pub async fn cast_assigned(
    site: &Site,
    _: &Admin,
    votes: impl IntoIterator<Item = AssignedVote>,
) -> Result<()> {
    let mut tx = site.db.begin().await?;
    for vote in votes {
        sql("INSERT INTO votes (post_id, user_id, created_at) VALUES ($1, $2, $3)")
            .bind(vote.post_id)
            .bind(vote.user_id)
            .bind(now())
            .execute(&mut tx)
            .await?;
    }
    tx.commit().await
}

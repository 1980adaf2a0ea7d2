//! Votes for comments: one per user and comment, never for one's own. The database maintains the count.

use crate::db::{now, repeat, sql};
use crate::error::{Denial, Error, Result};
use crate::models::accounts::new_account;
use crate::models::base::actor::Actor;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::rate_limit;
use crate::models::base::site::Site;
use crate::models::posts::comment::{self, Comment};
use crate::models::posts::vote::{Ballot, Vote};

/// Votes for a comment; repeating it changes nothing.
///
/// # Errors
/// `NotFound`; `Forbidden` for one's own comment; `TooManyRequests`.
pub async fn cast(site: &Site, actor: &Actor, comment_id: i64) -> Result<Comment> {
    let mut budgets = actor.budgets(site.limits.votes, site.limits.votes_address).to_vec();
    budgets.extend(new_account::votes(site, actor).await?);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let comment = repeat(async || {
        let mut tx = site.db.begin().await?;
        let comment = comment::show(&mut tx, Some(&actor.user), comment_id).await?;
        match &comment.author {
            // Nobody can vote for what was deleted.
            None => return Err(Error::NotFound),
            Some(author) if author.id == actor.user.id => {
                return Err(Error::Forbidden(Denial::OwnVote));
            }
            Some(_) => {}
        }
        let inserted = sql("INSERT INTO comment_votes (comment_id, user_id, created_at) \
             VALUES ($1, $2, $3) ON CONFLICT (comment_id, user_id) DO NOTHING")
        .bind(comment_id)
        .bind(actor.user.id)
        .bind(now())
        .execute(&mut tx)
        .await;
        match inserted {
            // The comment was deleted concurrently.
            Err(e) if e.is_foreign_key_violation() => return Err(Error::NotFound),
            Ok(0) => {}
            other => {
                other?;
                rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
            }
        }
        let comment = comment::show(&mut tx, Some(&actor.user), comment_id).await?;
        tx.commit().await?;
        Ok(comment)
    })
    .await?;
    comment::refresh(site, comment).await
}

/// Withdraws a vote; repeating it changes nothing.
///
/// # Errors
/// `NotFound`; `TooManyRequests`.
pub async fn withdraw(site: &Site, actor: &Actor, comment_id: i64) -> Result<Comment> {
    let budgets = actor.budgets(site.limits.votes, site.limits.votes_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let comment = repeat(async || {
        let mut tx = site.db.begin().await?;
        let withdrawn = sql("DELETE FROM comment_votes WHERE comment_id = $1 AND user_id = $2")
            .bind(comment_id)
            .bind(actor.user.id)
            .execute(&mut tx)
            .await?;
        if withdrawn > 0 {
            rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
        }
        let comment = comment::show(&mut tx, Some(&actor.user), comment_id).await?;
        tx.commit().await?;
        Ok(comment)
    })
    .await?;
    comment::refresh(site, comment).await
}

/// Who voted for a comment, latest first.
pub async fn list(site: &Site, comment_id: i64, params: &PageParams) -> Result<Page<Vote>> {
    let ballot = Ballot {
        ids: "SELECT v.id FROM comment_votes v WHERE v.comment_id = ",
        rows: " AS page JOIN comment_votes v ON v.id = page.id JOIN users u ON u.id = v.user_id",
    };
    ballot.list(site, comment_id, params).await
}

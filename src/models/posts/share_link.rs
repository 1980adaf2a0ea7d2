//! Links that show one post, in any state, to whoever has them, and nothing around it.

use chrono::{DateTime, Duration, Utc};
use serde::{Deserialize, Serialize};
use sqlx::FromRow;

use crate::db::{Tx, now, repeat, sql};
use crate::error::{Error, Result};
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::models::base::{form_value, random, rate_limit};
use crate::models::posts::post::{self, Post, PostSummary};
use crate::models::posts::post_draft;
use crate::models::users::user;
use crate::validation::{FieldError, Rule};

/// Most links of one post.
const MAX_LINKS: i64 = 20;
/// Most days until a link expires.
const MAX_DAYS: i64 = 365;

/// A link that shows a post to whoever has it.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct ShareLink {
    /// For `DELETE /posts/{id}/shares/{number}`.
    pub id: i64,
    /// The path of the page that it shows.
    #[schema(example = "/s/…")]
    pub path: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it stops working; null if it works until it is revoked.
    pub expires_at: Option<DateTime<Utc>>,
}

/// The input for a new link.
#[derive(Debug, Default, Deserialize, utoipa::ToSchema)]
pub struct ShareLinkInput {
    /// Days until it expires, 1 to 365; without them, it works until it is revoked.
    #[serde(default, deserialize_with = "form_value::number")]
    #[schema(example = 7, minimum = 1, maximum = 365)]
    pub days: Option<i64>,
}

const COLUMNS: &str = "SELECT id, '/s/' || token AS path, created_at, expires_at FROM share_links";

/// The links of one's own post that still work, the latest first, and the post.
///
/// # Errors
/// `NotFound`; `Forbidden` for anybody but the author.
pub async fn list(
    site: &Site,
    actor: &Actor,
    post_id: i64,
) -> Result<(PostSummary, Vec<ShareLink>)> {
    let post = post_draft::own(site, actor, post_id).await?.summary;
    let links = sql(COLUMNS)
        .push_bind(" WHERE post_id = ", post_id)
        .push_bind(" AND (expires_at IS NULL OR expires_at > ", now())
        .push_bind(") ORDER BY id DESC LIMIT ", MAX_LINKS)
        .all(&site.db)
        .await?;
    Ok((post, links))
}

/// Makes a link to one's own post.
///
/// # Errors
/// `NotFound`; `Forbidden`; `Invalid`, about `days`, and when there are too many links;
/// `TooManyRequests`.
pub async fn create(
    site: &Site,
    actor: &Actor,
    post_id: i64,
    input: &ShareLinkInput,
) -> Result<ShareLink> {
    let budgets = actor.budgets(site.limits.edits, site.limits.edits_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    post_draft::own(site, actor, post_id).await?;
    if input.days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days)) {
        let error = FieldError::new("days", Rule::OutOfRange);
        return Err(error.with("min", 1i64).with("max", MAX_DAYS).into());
    }
    let token = random::token("")?;
    repeat(async || {
        let at = now();
        let mut tx = site.db.begin().await?;
        // Of parallel requests, each waits for the one before, so that none miscounts.
        user::lock(&mut tx, actor.user.id).await?;
        let count: i64 = sql("SELECT count(*) FROM share_links WHERE post_id = $1 \
             AND (expires_at IS NULL OR expires_at > $2)")
        .bind(post_id)
        .bind(at)
        .scalar(&mut tx)
        .await?;
        if count >= MAX_LINKS {
            return Err(FieldError::new("days", Rule::TooMany).with("max", MAX_LINKS).into());
        }
        let inserted = sql("INSERT INTO share_links (post_id, token, created_at, expires_at) \
             VALUES ($1, $2, $3, $4) RETURNING id, '/s/' || token AS path, created_at, expires_at")
        .bind(post_id)
        .bind(token.as_str())
        .bind(at)
        .bind(input.days.map(|days| at + Duration::days(days)))
        .one::<ShareLink>(&mut tx)
        .await;
        let link = match inserted {
            // The post was deleted concurrently.
            Err(e) if e.is_foreign_key_violation() => return Err(Error::NotFound),
            other => other?,
        };
        rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
        tx.commit().await?;
        Ok(link)
    })
    .await
}

/// Ends a link of one's own post at once.
///
/// # Errors
/// `NotFound`; `Forbidden`.
pub async fn revoke(site: &Site, actor: &Actor, post_id: i64, id: i64) -> Result<()> {
    post_draft::own(site, actor, post_id).await?;
    let revoked = sql("DELETE FROM share_links WHERE id = $1 AND post_id = $2")
        .bind(id)
        .bind(post_id)
        .execute(site.db.writer())
        .await?;
    if revoked == 0 { Err(Error::NotFound) } else { Ok(()) }
}

/// The post that a link shows, as it is stored: `rendering::refresh` it before it is shown.
///
/// # Errors
/// `NotFound`, also when the link has expired or was revoked.
pub async fn open(site: &Site, token: &str) -> Result<Post> {
    // No other text is a token; PostgreSQL refuses some.
    if !token.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)) {
        return Err(Error::NotFound);
    }
    let mut post: Post = post::select_from(post::CONTENT, None)
        .push("share_links l JOIN posts p ON p.id = l.post_id")
        .push(post::AUTHOR)
        .push_bind("l.token = ", token)
        .push_bind(" AND (l.expires_at IS NULL OR l.expires_at > ", now())
        .push(")")
        .one(&site.db)
        .await?;
    post.summary.complete();
    Ok(post)
}

/// Deletes links that have expired.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    sql("DELETE FROM share_links WHERE expires_at <= $1").bind(now()).execute(tx).await
}

//! Limits for new accounts, which admins set: whoever registers to flood the site is slowed down.

use chrono::{DateTime, Duration, Utc};

use crate::db::{now, sql};
use crate::error::Result;
use crate::models::base::actor::Actor;
use crate::models::base::rate_limit::Budget;
use crate::models::base::rate_policy::RatePolicy;
use crate::models::base::site::Site;

const HOUR: i64 = 60 * 60;

/// The additional budget of a new account for posts.
pub async fn posts(site: &Site, actor: &Actor) -> Result<Option<Budget>> {
    budget(site, actor, "new-account-posts", site.settings.current().new_account_posts).await
}

/// The additional budget of a new account for votes.
pub async fn votes(site: &Site, actor: &Actor) -> Result<Option<Budget>> {
    budget(site, actor, "new-account-votes", site.settings.current().new_account_votes).await
}

async fn budget(
    site: &Site,
    actor: &Actor,
    name: &'static str,
    quota: i64,
) -> Result<Option<Budget>> {
    let days = site.settings.current().new_account_days;
    if quota == 0 || days == 0 {
        return Ok(None);
    }
    let created_at: DateTime<Utc> = sql("SELECT created_at FROM users WHERE id = $1")
        .bind(actor.user.id)
        .one::<(DateTime<Utc>,)>(&site.db)
        .await?
        .0;
    let is_new = created_at > now() - Duration::days(days);
    let policy = RatePolicy { name, quota, window: HOUR };
    Ok(is_new.then(|| Budget::new(policy, &actor.user.id.to_string())))
}

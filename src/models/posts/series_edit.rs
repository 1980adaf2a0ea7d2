//! Renaming and deleting series.

use crate::db::{Tx, repeat, sql};
use crate::error::{Error, Result};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Actor;
use crate::models::base::rate_limit;
use crate::models::base::site::Site;
use crate::models::posts::series::{self, CountedSeries, Series, SeriesUpdate};
use crate::models::posts::series_title;
use crate::models::users::user;
use crate::validation::{FieldError, Rule, ValidationErrors};

const CHANGED: EventKind = EventKind("series.changed");
const DELETED: EventKind = EventKind("series.deleted");

/// The series, if this user may change it.
///
/// # Errors
/// `NotFound`; `Forbidden`.
pub async fn editable(site: &Site, actor: &Actor, id: i64) -> Result<Series> {
    let series = series::find(&site.db, Some(&actor.user), id).await?;
    actor.permit(series.author.id)?;
    Ok(series)
}

/// Renames a series.
///
/// # Errors
/// `NotFound`; `Forbidden`; `Invalid`, or `Taken` when its author has another one of that title;
/// `TooManyRequests`.
pub async fn update(
    site: &Site,
    actor: &Actor,
    id: i64,
    input: &SeriesUpdate,
) -> Result<CountedSeries> {
    let budgets = actor.budgets(site.limits.edits, site.limits.edits_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let series = editable(site, actor, id).await?;
    let title =
        input.title.as_deref().map(|text| series_title::parse("title", text)).transpose()?;
    let title = title.unwrap_or_else(|| series.title.clone());
    if title.is_empty() {
        return Err(Error::invalid("title", Rule::Required));
    }
    if title != series.title {
        repeat(async || {
            let mut tx = site.db.begin().await?;
            user::lock(&mut tx, series.author.id).await?;
            let renamed = sql("UPDATE series SET title = $1, title_key = $2 WHERE id = $3")
                .bind(title.as_str())
                .bind(series_title::key(&title))
                .bind(id)
                .execute(&mut tx)
                .await;
            match renamed {
                Ok(0) => return Err(Error::NotFound),
                Err(error) if error.is_unique_violation() => {
                    let mut errors = ValidationErrors::default();
                    errors.add(FieldError::new("title", Rule::Taken));
                    return Err(Error::Taken(errors));
                }
                other => other?,
            };
            rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
            record_moderation(&mut tx, actor, CHANGED, &series).await?;
            tx.commit().await
        })
        .await?;
    }
    series::show(&site.db, Some(&actor.user), id).await
}

/// Deletes a series; its posts stay. Returns what it was.
///
/// # Errors
/// `NotFound`; `Forbidden`; `TooManyRequests`.
pub async fn delete(site: &Site, actor: &Actor, id: i64) -> Result<Series> {
    let budgets = actor.budgets(site.limits.edits, site.limits.edits_address);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let series = editable(site, actor, id).await?;
    repeat(async || {
        let mut tx = site.db.begin().await?;
        // No post comes to it meanwhile.
        user::lock(&mut tx, series.author.id).await?;
        let deleted = sql("DELETE FROM series WHERE id = $1").bind(id).execute(&mut tx).await?;
        if deleted == 0 {
            return Err(Error::NotFound);
        }
        rate_limit::charge_all(&mut tx, &actor.caller, &budgets).await?;
        record_moderation(&mut tx, actor, DELETED, &series).await?;
        tx.commit().await
    })
    .await?;
    Ok(series)
}

/// Audits what an admin does to another user's series.
async fn record_moderation(
    tx: &mut Tx,
    actor: &Actor,
    kind: EventKind,
    series: &Series,
) -> Result<()> {
    if series.author.id == actor.user.id {
        return Ok(());
    }
    AuditEvent::new(kind)
        .by(Some(&actor.user))
        .about(series.author.id, &series.author.username)
        .detail(format!("series {}", series.id))
        .write(tx, &actor.caller)
        .await
}

//! Actions on the people whom an admin selected in the list.

use serde::Serialize;
use strum::{EnumString, IntoStaticStr};

use crate::error::{Conflict, Error, Result};
use crate::models::accounts::account::{self, Account};
use crate::models::base::actor::Admin;
use crate::models::base::selection;
use crate::models::base::site::Site;
use crate::models::moderation::administration::{self, UserUpdate};
use crate::models::posts::{comment_list, comment_removal, removal};
use crate::validation::Rule;

/// What is done to everybody who is selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, EnumString, IntoStaticStr)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum BulkAction {
    Disable,
    Enable,
    /// Disables the account and deletes all posts and comments.
    Purge,
    /// Deletes the account with all posts.
    Delete,
}

impl BulkAction {
    /// # Errors
    /// `Invalid`, about `action`.
    pub fn parse(text: Option<&str>) -> Result<BulkAction> {
        text.unwrap_or_default().parse().map_err(|_| Error::invalid("action", Rule::Unknown))
    }
}

/// Why nothing is done to somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Skip {
    /// An admin who selected everybody did not mean this.
    Oneself,
    /// The account is disabled, or enabled, already.
    Unchanged,
}

/// Somebody who is selected.
#[derive(Debug, Serialize)]
pub struct Selected {
    #[serde(flatten)]
    pub account: Account,
    pub skipped: Option<Skip>,
}

/// What became of those who were selected.
#[derive(Debug, Default)]
pub struct BulkOutcome {
    pub done: usize,
    /// Posts that were deleted while their authors' accounts stay.
    pub posts: usize,
    /// Their accounts were deleted before.
    pub gone: usize,
    pub oneself: usize,
    pub unchanged: usize,
    pub last_admin: usize,
}

/// Those of the selected people who exist, the newest account first, and what will be skipped.
pub async fn preview(
    site: &Site,
    admin: &Admin,
    action: BulkAction,
    ids: &[i64],
) -> Result<Vec<Selected>> {
    let query = account::select().push_list(" WHERE u.id IN ", ids.iter().copied());
    let accounts: Vec<Account> = query.push(" ORDER BY u.id DESC").all(&site.db).await?;
    let own_id = admin.user().map(|user| user.id);
    let with_comments = match action {
        BulkAction::Purge => {
            comment_list::authors_among(site, admin, accounts.iter().map(|a| a.id)).await?
        }
        BulkAction::Disable | BulkAction::Enable | BulkAction::Delete => Vec::new(),
    };
    let selected = accounts.into_iter().map(|account| {
        let is_same = match action {
            BulkAction::Disable => account.disabled_at.is_some(),
            BulkAction::Enable => account.disabled_at.is_none(),
            BulkAction::Purge => {
                account.disabled_at.is_some()
                    && account.posts == 0
                    && !with_comments.contains(&account.id)
            }
            BulkAction::Delete => false,
        };
        let skipped = match () {
            () if Some(account.id) == own_id => Some(Skip::Oneself),
            () if is_same => Some(Skip::Unchanged),
            () => None,
        };
        Selected { account, skipped }
    });
    Ok(selected.collect())
}

/// Does it to everybody who is selected, each in transactions of their own: locks are short, and each
/// is audited like a single one. If one fails, it is done to those before, and not to the others.
///
/// # Errors
/// `TooManyRequests`.
pub async fn perform(
    site: &Site,
    admin: &Admin,
    action: BulkAction,
    ids: &[i64],
) -> Result<BulkOutcome> {
    selection::acquire(site, admin).await?;
    let selected = preview(site, admin, action, ids).await?;
    let gone = ids.len() - selected.len();
    let mut outcome = BulkOutcome { gone, ..BulkOutcome::default() };
    for Selected { account, skipped } in selected {
        match skipped {
            Some(Skip::Oneself) => outcome.oneself += 1,
            Some(Skip::Unchanged) => outcome.unchanged += 1,
            None => match apply(site, admin, action, &account).await {
                Ok(posts) => {
                    outcome.done += 1;
                    outcome.posts += posts;
                }
                Err(Error::NotFound) => outcome.gone += 1,
                Err(Error::Conflict(Conflict::LastAdmin)) => outcome.last_admin += 1,
                Err(error) => return Err(error),
            },
        }
    }
    Ok(outcome)
}

/// Returns how many posts were deleted while the account stays.
async fn apply(site: &Site, admin: &Admin, action: BulkAction, account: &Account) -> Result<usize> {
    let disable = |disabled| UserUpdate { role: None, disabled: Some(disabled) };
    let name = account.username.as_str();
    match action {
        BulkAction::Enable => {
            drop(administration::update(site, admin, name, &disable(false)).await?)
        }
        BulkAction::Disable => {
            drop(administration::update(site, admin, name, &disable(true)).await?)
        }
        BulkAction::Delete => administration::delete(site, admin, name).await?,
        BulkAction::Purge => {
            // First, so that no new ones come in between.
            if account.disabled_at.is_none() {
                administration::update(site, admin, name, &disable(true)).await?;
            }
            comment_removal::delete_all_of(site, admin, account.id, name).await?;
            return removal::delete_all_of(site, admin, account.id, name).await;
        }
    }
    Ok(0)
}

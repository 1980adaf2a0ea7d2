//! Accounts, as shown to their owner and to admins.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;

use crate::db::{Conn, Statement, sql};
use crate::error::Result;
use crate::models::base::site::Site;
use crate::models::users::user::{Role, User};

/// An account, as shown to its owner and to admins.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Account {
    /// The number of the account.
    pub id: i64,
    /// Unique, ignoring case.
    #[schema(example = "ann")]
    pub username: String,
    /// Null if there is none.
    #[schema(example = "ann@mail.example")]
    pub email: Option<String>,
    /// Whether the e-mail address was confirmed.
    pub email_verified: bool,
    /// A new address that is not confirmed yet.
    #[schema(example = "ann@new.example")]
    pub pending_email: Option<String>,
    /// The last e-mail to this address could not be delivered; null if there is no such address.
    #[schema(example = "ann@mail.example")]
    pub mail_failed_to: Option<String>,
    /// Why: in most cases the answer of the mail server.
    #[schema(example = "the server said 550 5.1.1 no such user")]
    pub mail_failed_reason: Option<String>,
    /// When it came back, or was given up.
    pub mail_failed_at: Option<DateTime<Utc>>,
    /// What the user may do.
    #[sqlx(try_from = "String")]
    pub role: Role,
    /// When an admin disabled the account; null while it is enabled.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When the user registered.
    pub created_at: DateTime<Utc>,
    /// How many posts the user has published.
    pub posts: i64,
}

/// Selects accounts; ends before WHERE.
pub(in crate::models) fn select() -> Statement {
    sql("SELECT u.id, u.username, u.email, u.email_verified_at IS NOT NULL AS email_verified, \
         u.pending_email, u.mail_failed_to, u.mail_failed_reason, u.mail_failed_at, u.role, \
         u.disabled_at, u.created_at, \
         (SELECT c.posts FROM user_counts c WHERE c.user_id = u.id) AS posts FROM users u")
}

/// The account with this id.
///
/// # Errors
/// `NotFound`.
pub(in crate::models) async fn by_id<'c>(conn: impl Into<Conn<'c>>, id: i64) -> Result<Account> {
    select().push_bind(" WHERE u.id = ", id).one(conn).await
}

/// The user's own account.
pub async fn own(site: &Site, user: &User) -> Result<Account> {
    by_id(&site.db, user.id).await
}

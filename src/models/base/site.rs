//! The site: what every model function needs, in one value.

use std::sync::Arc;

use serde::Serialize;

use crate::db::{Db, sql};
use crate::error::Result;
use crate::models::base::hasher::Hasher;
use crate::models::base::keys::Keys;
use crate::models::base::pool::Pool;
use crate::models::users::reserved_names::ReservedNames;

/// The database, the password hasher, the pool that renders posts, the keys and the rules. Cheap to clone.
#[derive(Clone)]
pub struct Site {
    pub db: Db,
    pub hasher: Hasher,
    pub renderer: Pool,
    pub keys: Arc<Keys>,
    pub rules: Rules,
    pub reserved_names: ReservedNames,
}

/// The policies that the operator configured.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Rules {
    pub email: EmailRules,
}

/// E-mail policy.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct EmailRules {
    /// A mail server is configured. An address takes effect only once it is confirmed.
    pub sends_mail: bool,
    /// Registration requires an address.
    pub required: bool,
    /// Posting requires a confirmed address, except for admins.
    pub verified_to_post: bool,
}

impl Site {
    /// # Errors
    /// `Unavailable` when the database does not answer.
    pub async fn ping(&self) -> Result<()> {
        sql("SELECT CAST(1 AS BIGINT)").scalar::<i64>(&self.db).await.map(|_| ())
    }
}

//! The site: what every model function needs, in one value.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::db::Db;
use crate::models::base::attempts::Attempts;
use crate::models::base::breached_passwords::BreachedPasswords;
use crate::models::base::hasher::Hasher;
use crate::models::base::keys::Keys;
use crate::models::base::metrics::Metrics;
use crate::models::base::pool::Pool;
use crate::models::base::rate_policy::RateLimits;
use crate::models::base::settings::Settings;
use crate::models::users::reserved_names::ReservedNames;

/// The database, the password hasher, the pool that renders posts, the keys, the rules and lists.
/// Cheap to clone.
#[derive(Clone)]
pub struct Site {
    pub db: Db,
    pub hasher: Hasher,
    pub renderer: Pool,
    pub keys: Arc<Keys>,
    pub rules: Rules,
    /// What admins change in pages.
    pub settings: Settings,
    pub reserved_names: ReservedNames,
    /// Passwords that nobody may choose, if the operator has such a list.
    pub breached_passwords: Option<Arc<BreachedPasswords>>,
    pub limits: RateLimits,
    /// Attempts at passwords and codes that are being verified.
    pub attempts: Attempts,
    /// What this instance counts for the operator.
    pub metrics: Metrics,
}

impl Site {
    /// The e-mail policy in force.
    pub fn email_rules(&self) -> EmailRules {
        let settings = self.settings.current();
        EmailRules {
            sends_mail: self.rules.sends_mail,
            required: settings.email_required,
            verified_to_post: settings.posting_needs_verified_email,
        }
    }
}

/// The policies that the operator configured.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// Whether a mail server is configured.
    pub sends_mail: bool,
    pub two_factor: TwoFactorPolicy,
    /// After how many days audit events are sealed and deleted; never, if there is none.
    pub audit_retention_days: Option<u32>,
    /// Whether programs can exchange a password for tokens at the OAuth2 token endpoint.
    pub password_grant: bool,
}

/// Who has to use two-factor log-in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TwoFactorPolicy {
    #[default]
    None,
    Admins,
    Everybody,
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

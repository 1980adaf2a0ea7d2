//! The limits themselves: how often something may be tried, and what is left of it.

/// So many times in so many seconds.
#[derive(Debug)]
pub struct RatePolicy {
    pub name: &'static str,
    pub quota: i64,
    /// Seconds.
    pub window: i64,
}

/// Failed log-ins from one address.
pub const LOGIN_ADDRESS: RatePolicy = RatePolicy { name: "login-address", quota: 10, window: 60 };
/// Failed log-ins to one account.
pub const LOGIN_ACCOUNT: RatePolicy =
    RatePolicy { name: "login-account", quota: 5, window: 5 * 60 };
/// Wrong passwords of somebody who is logged in already; apart from log-ins, with which strangers
/// could lock the owner out.
pub const SUDO: RatePolicy = RatePolicy { name: "sudo", quota: 5, window: 5 * 60 };
/// Wrong two-factor codes after the right password.
pub const CODE: RatePolicy = RatePolicy { name: "code", quota: 5, window: 5 * 60 };
/// Registrations from one address.
pub const REGISTER: RatePolicy = RatePolicy { name: "register", quota: 20, window: 60 };
/// Requests for mails with links, and uses of the links, from one address.
pub const LINKS: RatePolicy = RatePolicy { name: "links", quota: 20, window: 60 };
/// Mails with links to one address.
pub const MAILS: RatePolicy = RatePolicy { name: "mails", quota: 5, window: 60 * 60 };
/// Denials of one person that are worth an audit event: nobody fills the disk by being refused.
pub const DENIALS: RatePolicy = RatePolicy { name: "denials", quota: 10, window: 60 };

/// How much of a limit is left.
#[derive(Debug, Clone)]
pub struct RateLimitStatus {
    pub policy: &'static RatePolicy,
    pub remaining: i64,
    /// Seconds until the count starts over.
    pub resets_in: i64,
}

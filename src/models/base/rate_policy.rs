//! The rate-limit policies, and the status of a limit.

/// At most `quota` attempts per `window`.
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
/// Wrong passwords of a logged-in user; separate from log-ins, with which strangers could lock the
/// owner out.
pub const SUDO: RatePolicy = RatePolicy { name: "sudo", quota: 5, window: 5 * 60 };
/// Wrong two-factor codes after the right password.
pub const CODE: RatePolicy = RatePolicy { name: "code", quota: 5, window: 5 * 60 };
/// Registrations from one address.
pub const REGISTER: RatePolicy = RatePolicy { name: "register", quota: 20, window: 60 };
/// Requests for e-mailed links, and uses of the links, from one address.
pub const LINKS: RatePolicy = RatePolicy { name: "links", quota: 20, window: 60 };
/// E-mails with links to one address.
pub const MAILS: RatePolicy = RatePolicy { name: "mails", quota: 5, window: 60 * 60 };
/// Audit events about denials of one user: nobody can fill the disk with them.
pub const DENIALS: RatePolicy = RatePolicy { name: "denials", quota: 10, window: 60 };

/// The status of a limit.
#[derive(Debug, Clone)]
pub struct RateLimitStatus {
    pub policy: &'static RatePolicy,
    pub remaining: i64,
    /// Seconds until the window ends.
    pub resets_in: i64,
}

//! The limits of the site: how often something may happen, and the status of a limit.

use std::fmt;

/// At most `quota` times per `window`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatePolicy {
    pub name: &'static str,
    pub quota: i64,
    /// Seconds.
    pub window: i64,
}

/// The longest window that can be configured, in seconds: a day.
pub const MAX_WINDOW: i64 = 24 * HOUR;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;

/// As in the configuration: `60/h`, `5/5m`.
impl fmt::Display for RatePolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(MAX_WINDOW, "d"), (HOUR, "h"), (MINUTE, "m"), (1, "s")];
        let (length, unit) =
            units.into_iter().find(|(length, _)| self.window % length == 0).unwrap_or((1, "s"));
        match self.window / length {
            1 => write!(f, "{}/{unit}", self.quota),
            count => write!(f, "{}/{count}{unit}", self.quota),
        }
    }
}

/// Generates `RateLimits` from one table: field, name, default quota and window.
macro_rules! limits {
    ($($(#[$comment:meta])* $field:ident: $name:literal, $quota:literal / $window:expr;)*) => {
        /// All limits. README.md has the same table, and a test compares the two.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub struct RateLimits {
            $($(#[$comment])* pub $field: RatePolicy,)*
        }

        impl Default for RateLimits {
            fn default() -> RateLimits {
                RateLimits {
                    $($field: RatePolicy { name: $name, quota: $quota, window: $window },)*
                }
            }
        }

        impl RateLimits {
            /// All limits, in the order of the table.
            pub fn all(&self) -> Vec<RatePolicy> {
                vec![$(self.$field,)*]
            }

            /// Changes the limit with this name; `window` is in seconds. Returns whether there is
            /// one.
            pub fn set(&mut self, name: &str, quota: i64, window: i64) -> bool {
                match name {
                    $($name => {
                        self.$field = RatePolicy { quota, window, ..self.$field };
                        true
                    })*
                    _ => false,
                }
            }
        }
    };
}

limits! {
    /// Failed log-ins of unknown devices, from one network.
    login_address: "login-address", 10 / MINUTE;
    /// Failed log-ins of unknown devices, to one account.
    login_account: "login-account", 5 / (5 * MINUTE);
    /// Failed log-ins of one known device, to one account.
    login_device: "login-device", 5 / (5 * MINUTE);
    /// Wrong codes at log-in: of all unknown devices together, of each known one by itself.
    login_code: "login-code", 5 / (5 * MINUTE);
    /// Wrong passwords of a logged-in user.
    sudo: "sudo", 5 / (5 * MINUTE);
    /// Wrong codes of a logged-in user.
    code: "code", 5 / (5 * MINUTE);
    /// Sessions opened by one user.
    sessions: "sessions", 120 / HOUR;
    sessions_address: "sessions-address", 1200 / HOUR;
    /// Right passwords of a logged-in user, to confirm or change something.
    confirmations: "confirmations", 120 / HOUR;
    confirmations_address: "confirmations-address", 1200 / HOUR;
    /// Refresh tokens exchanged by one user.
    refreshes: "refreshes", 600 / HOUR;
    refreshes_address: "refreshes-address", 6000 / HOUR;
    /// Unknown refresh tokens and authorization codes, from one network.
    refresh_address: "refresh-address", 30 / MINUTE;
    /// Registrations from one network.
    register: "register", 20 / MINUTE;
    /// Requests for e-mailed links, and uses of the links, from one network.
    links: "links", 20 / MINUTE;
    /// E-mails with links to one address.
    mails: "mails", 5 / HOUR;
    /// Warnings by e-mail about wrong codes, to one user.
    code_mails: "code-mails", 1 / MAX_WINDOW;
    /// Personal tokens created by one user.
    tokens: "tokens", 60 / HOUR;
    tokens_address: "tokens-address", 600 / HOUR;
    /// Applications registered and changed by one user.
    applications: "applications", 60 / HOUR;
    applications_address: "applications-address", 600 / HOUR;
    /// Times that one user gives applications access.
    authorizations: "authorizations", 60 / HOUR;
    authorizations_address: "authorizations-address", 600 / HOUR;
    /// Posts of one user.
    posts: "posts", 60 / HOUR;
    posts_address: "posts-address", 600 / HOUR;
    /// Comments of one user.
    comments: "comments", 120 / HOUR;
    comments_address: "comments-address", 1200 / HOUR;
    /// Edits of posts and comments by one user.
    edits: "edits", 300 / HOUR;
    edits_address: "edits-address", 3000 / HOUR;
    /// Texts that are saved while one user writes.
    drafts: "drafts", 1500 / HOUR;
    drafts_address: "drafts-address", 15000 / HOUR;
    /// Previews for one user: the editor asks for one every 1.5 seconds while somebody writes.
    previews: "previews", 2400 / HOUR;
    previews_address: "previews-address", 24000 / HOUR;
    /// Votes cast and withdrawn by one user.
    votes: "votes", 600 / HOUR;
    votes_address: "votes-address", 6000 / HOUR;
    /// Searches of one user.
    searches: "searches", 60 / MINUTE;
    searches_address: "searches-address", 300 / MINUTE;
    /// Requests with an Idempotency-Key of one user: each is kept for a day.
    idempotency_keys: "idempotency-keys", 2000 / MAX_WINDOW;
    idempotency_keys_address: "idempotency-keys-address", 20000 / MAX_WINDOW;
    /// Changes to the settings by one admin.
    settings: "settings", 60 / HOUR;
    /// Examinations of the site that one admin asks for.
    checkups: "checkups", 20 / HOUR;
    /// Actions of one admin on selected posts or people.
    selections: "selections", 60 / HOUR;
    /// Audit events about denials of one user: nobody can fill the disk with them.
    denials: "denials", 10 / MINUTE;
}

/// The status of a limit.
#[derive(Debug, Clone)]
pub struct RateLimitStatus {
    pub policy: RatePolicy,
    pub remaining: i64,
    /// Seconds until the window ends.
    pub resets_in: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_written_with_the_largest_unit() {
        let text = |quota, window| RatePolicy { name: "x", quota, window }.to_string();
        assert_eq!(text(60, 3600), "60/h");
        assert_eq!(text(5, 300), "5/5m");
        assert_eq!(text(1, 86_400), "1/d");
        assert_eq!(text(7, 90), "7/90s");
    }
}

//! One-time messages after a redirect. The cookie holds a code of this list, never text, so nobody
//! can plant words in a page.

use rocket::Request;
use rocket::http::{Cookie, CookieJar};
use serde::Serialize;

use super::cookie::harden;
use crate::config::PublicUrl;

const NAME: &str = "postly_flash";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flash {
    Registered,
    LoggedIn,
    LoggedOut,
    PostCreated,
    PostSaved,
    PostDeleted,
    VoteCast,
    VoteWithdrawn,
    RoleChanged,
    UserDisabled,
    UserEnabled,
    UserDeleted,
    Proved,
    SessionEnded,
    SessionsEnded,
    TokenRevoked,
    PasswordChanged,
    SignedOut,
    CodeNeeded,
    TwoFactorOff,
    PasswordReset,
    ResetAsked,
    EmailAsked,
    EmailVerified,
    LinkSent,
}

/// A message as templates see it.
#[derive(Serialize)]
pub struct Message {
    pub kind: &'static str,
    pub text: &'static str,
}

const ALL: [(Flash, &str, &str); 25] = [
    (Flash::Registered, "registered", "Welcome to Postly. Your account is ready."),
    (Flash::LoggedIn, "logged-in", "You are logged in."),
    (Flash::LoggedOut, "logged-out", "You are logged out."),
    (Flash::PostCreated, "post-created", "Your post is published."),
    (Flash::PostSaved, "post-saved", "The post is saved."),
    (Flash::PostDeleted, "post-deleted", "The post is deleted."),
    (Flash::VoteCast, "vote-cast", "Your vote is counted."),
    (Flash::VoteWithdrawn, "vote-withdrawn", "Your vote is withdrawn."),
    (Flash::RoleChanged, "role-changed", "The role is changed."),
    (Flash::UserDisabled, "user-disabled", "The account is disabled and logged out everywhere."),
    (Flash::UserEnabled, "user-enabled", "The account is open again."),
    (Flash::Proved, "proved", "Thank you. You can go on for 15 minutes."),
    (Flash::SessionEnded, "session-ended", "The session is ended."),
    (Flash::SessionsEnded, "sessions-ended", "The other sessions are ended."),
    (Flash::TokenRevoked, "token-revoked", "The token is revoked."),
    (
        Flash::PasswordChanged,
        "password-changed",
        "Your password is changed. Every other session is ended.",
    ),
    (Flash::PasswordReset, "password-reset", "Your password is set. Log in with it."),
    (
        Flash::ResetAsked,
        "reset-asked",
        "If this address has an account here, a link is on its way to it. It works for an hour.",
    ),
    (Flash::EmailAsked, "email-asked", "Your e-mail address is noted."),
    (Flash::EmailVerified, "email-verified", "Your e-mail address is confirmed. Thank you."),
    (Flash::LinkSent, "link-sent", "The link is on its way."),
    (Flash::CodeNeeded, "code-needed", "Your password is right. One more step."),
    (Flash::TwoFactorOff, "two-factor-off", "Two-factor log-in is off."),
    (Flash::SignedOut, "signed-out", "All sessions of this person are ended."),
    (Flash::UserDeleted, "user-deleted", "The account and its posts are deleted."),
];

impl Flash {
    /// Leaves the message for the next page.
    pub fn leave(self, jar: &CookieJar<'_>, public_url: &PublicUrl) {
        let code = ALL.iter().find(|(flash, ..)| *flash == self).map_or("", |(_, code, _)| code);
        let mut cookie = harden(Cookie::new(NAME, code), public_url);
        cookie.set_max_age(rocket::time::Duration::minutes(1));
        jar.add(cookie);
    }
}

/// The message that was left, which is thereby used up.
pub fn take(request: &Request<'_>, public_url: &PublicUrl) -> Option<Message> {
    let code = request.cookies().get(NAME)?.value();
    let message = ALL.iter().find(|(_, known, _)| *known == code);
    request.cookies().remove(harden(Cookie::new(NAME, ""), public_url));
    message.map(|(_, _, text)| Message { kind: "success", text })
}

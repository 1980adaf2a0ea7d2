//! Two-factor log-in: an authenticator, and recovery codes for when it is lost.

pub mod recovery_codes;
pub mod totp;

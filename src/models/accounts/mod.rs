//! Accounts: registration, log-in, and all kinds of credentials.

pub mod access_token;
pub mod account;
pub mod account_search;
pub mod application;
pub mod authorization_code;
pub mod authorized_application;
pub mod device;
pub mod email_address;
pub mod identity;
pub mod kept_form;
pub mod login;
pub mod login_challenge;
pub mod name_search;
pub mod new_account;
pub mod password;
pub mod password_change;
pub mod password_reset;
pub mod personal_token;
pub mod redirect_uri;
pub mod refresh_token;
pub mod registration;
pub mod scope;
pub mod session;
pub mod session_list;
pub mod two_factor;
pub mod unlock;

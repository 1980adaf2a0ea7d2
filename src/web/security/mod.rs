//! Security: cookies, the cross-origin check, CORS, headers, tokens.

pub mod cookie;
pub mod cors;
pub mod denials;
pub mod headers;
pub mod link_cookie;
pub mod method;
pub mod oauth;
pub mod origin;
pub mod session_cookie;

//! A room is a group of routes: its handlers by door, and their part of the API document.

use rocket::Route;

/// What a routes file exports; `lib.rs` mounts a list of them.
pub struct Room {
    /// At both doors.
    pub both: Vec<Route>,
    /// At the page door only.
    pub pages: Vec<Route>,
    /// At the API door only.
    pub api: Vec<Route>,
    /// Below `/auth` at the API door.
    pub auth: Vec<Route>,
    /// The names of the handlers whose answers are kept (`response::cache`).
    pub cached: &'static [&'static str],
    /// Their part of the API document, which is made when it is first asked for.
    pub document: fn() -> utoipa::openapi::OpenApi,
}

/// Generates `pub fn room() -> Room` from handlers, listed by door. Those of the API door (`both`,
/// `api`, `auth`) need a `#[utoipa::path]`, which is included in the API document.
macro_rules! room {
    (
        $(tag: ($tag:literal, $description:literal),)?
        $(both: [$($both:ident),* $(,)?],)?
        $(pages: [$($pages:ident),* $(,)?],)?
        $(api: [$($api:ident),* $(,)?],)?
        $(auth: [$($auth:ident),* $(,)?],)?
        $(cached: [$($cached:ident),* $(,)?],)?
    ) => {
        /// The handlers of this file, by door.
        pub fn room() -> $crate::web::Room {
            #[derive(utoipa::OpenApi)]
            #[openapi(
                paths($($($both,)*)? $($($api,)*)? $($($auth,)*)?)
                $(, tags((name = $tag, description = $description)))?
            )]
            struct Fragment;
            $crate::web::Room {
                both: rocket::routes![$($($both),*)?],
                pages: rocket::routes![$($($pages),*)?],
                api: rocket::routes![$($($api),*)?],
                auth: rocket::routes![$($($auth),*)?],
                cached: &[$($(stringify!($cached)),*)?],
                document: <Fragment as utoipa::OpenApi>::openapi,
            }
        }
    };
}
pub(crate) use room;

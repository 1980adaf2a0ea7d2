//! The HTTP layer: doors, guards, input, replies, headers. Independent of the site's features.

pub mod background;
pub mod cause;
pub mod database;
pub mod door;
pub mod drain;
pub mod public_url;
pub mod request;
pub mod request_log;
pub mod response;
pub mod room;
pub mod security;
pub mod settings;

pub use request::body::NoBody;
pub use request::conditional::IfMatch;
pub use request::edit_form::EditForm;
pub use request::guards::{
    AccountScope, Confirmed, CurrentSession, PostsRead, PostsWrite, Scoped, SettingUp, Sudo,
    Visitor,
};
pub use request::id::Id;
pub use request::input::Input;
pub use request::kept::Kept;
pub use request::query::{Query, QueryParams};
pub use request::reach::Reach;
pub use request::return_to::ReturnTo;
pub use request::slug::Slug;
pub use request::upload::Upload;
pub use response::failure::{Failure, OrForm};
pub use response::flash::Flash;
pub use response::moved::Moved;
pub use response::problem::Problem;
pub use response::reply::{
    Reply, ShownPage, begun, created, data, form, gone, list, once, page, preview, saved, shown,
};
pub use response::shown::Shown;
pub use room::Room;
pub(crate) use room::room;
pub use security::session_cookie::Client;

pub type Result<T = Reply> = std::result::Result<T, Failure>;

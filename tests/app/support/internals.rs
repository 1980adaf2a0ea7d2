//! The internals of Postly that tests use: the only file that names paths of the library.

pub use postly::config::Config;
pub use postly::db::{Backfill, Db, Step, now, sql};
pub use postly::error::Error::AuditBroken;
pub use postly::error::{AuditFault, Error};
pub use postly::jobs::HANDLERS;
pub use postly::jobs::job::{Context as JobContext, Handler, Job};
pub use postly::jobs::mailer::{Mailer, Transport};
pub use postly::jobs::sweep::Sweep;
pub use postly::jobs::worker::run_due;
pub use postly::models::BACKFILLS;
pub use postly::models::accounts::access_token::{Audience, sign, verify as verify_token};
pub use postly::models::accounts::personal_token::Scope;
pub use postly::models::accounts::registration::{Registration, create as create_user};
pub use postly::models::audit::{verify as verify_audit, verify_checkpoint};
pub use postly::models::base::actor::Admin;
pub use postly::models::base::job::{self, ClaimedJob};
pub use postly::models::base::keys::{Keys, key_id};
pub use postly::models::base::page::{Keyset, PageParams};
pub use postly::models::base::random::sha256;
pub use postly::models::base::rate_policy::Limits;
pub use postly::models::base::site::Site;
pub use postly::models::mail::outbox::JOB as MAIL;
pub use postly::models::users::user::Role;
pub use postly::rocket;
pub use postly::web::door::API;
pub use postly::web::public_url::PublicUrl;

/// The state of a site.
pub fn site(rocket: &::rocket::Rocket<::rocket::Orbit>) -> &Site {
    rocket.state::<Site>().unwrap()
}

/// How many e-mails are waiting to be sent.
pub async fn pending_mails(db: &Db) -> Result<i64, Error> {
    job::pending(db, MAIL).await
}

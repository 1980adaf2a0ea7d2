//! The internals of Postly that tests use: the only file that names paths of the library.

pub use postly::config::Config;
pub use postly::db::{
    Backfill, Db, SearchFrom, Step, Tx, Value, fenced, moved_columns, now, recording, sql,
};
pub use postly::error::Error::AuditBroken;
pub use postly::error::{AuditFault, Error};
pub use postly::jobs::HANDLERS;
pub use postly::jobs::audit::AuditRetention;
pub use postly::jobs::failure::JobFailure;
pub use postly::jobs::job::{Context as JobContext, Handler, Job};
pub use postly::jobs::mailer::{Mailer, Transport};
use postly::jobs::surroundings::Surroundings;
pub use postly::jobs::sweep::Sweep;
pub use postly::jobs::worker::run_due;
pub use postly::models::BACKFILLS;
pub use postly::models::accounts::access_token::{Audience, sign, verify as verify_token};
pub use postly::models::accounts::application::find as find_client;
pub use postly::models::accounts::authorization_code::{CodeExchange, exchange as exchange_code};
pub use postly::models::accounts::registration::{Registration, create as create_user};
pub use postly::models::accounts::scope::Scope;
pub use postly::models::audit::chain::{
    Checkpoint, EventRow as AuditRow, verify as verify_audit, verify_checkpoint,
};
pub use postly::models::audit::retention::enforce as enforce_retention;
pub use postly::models::audit::{AuditEvent, AuditFilter, EventKind, list_query as audit_query};
pub use postly::models::base::actor::Admin;
pub use postly::models::base::caller::Caller;
pub use postly::models::base::diff::merge::{marks_left, merge, merge_without_base};
pub use postly::models::base::diff::{Diff, DiffBlock, DiffLine, diff};
pub use postly::models::base::idempotency;
pub use postly::models::base::job::{self, ClaimedJob, Wanted};
pub use postly::models::base::keys::{Keys, key_id};
pub use postly::models::base::page::{Keyset, PageParams};
pub use postly::models::base::random::sha256;
pub use postly::models::base::rate_policy::RateLimits;
pub use postly::models::base::site::Site;
pub use postly::models::mail::outbox::JOB as MAIL;
pub use postly::models::moderation::census;
use postly::models::moderation::first_run;
pub use postly::models::posts::feed_params::Period;
pub use postly::models::posts::public_search::post_ids;
pub use postly::models::posts::schedule;
pub use postly::models::posts::series_assignment::sweep as sweep_series;
pub use postly::models::posts::tag::sweep as sweep_tags;
use postly::models::posts::tag_merge;
pub use postly::models::users::user::Role;
pub use postly::rocket;
pub use postly::routes::api::document::ApiDocument;
pub use postly::web::door::API;
pub use postly::web::public_url::PublicUrl;
pub use postly::web::request::panics;

/// The state of a site.
pub fn site(rocket: &::rocket::Rocket<::rocket::Orbit>) -> &Site {
    rocket.state::<Site>().unwrap()
}

/// The secret of the link that creates the first admin.
pub async fn first_run_secret(site: &Site) -> Option<String> {
    first_run::secret(site).await.unwrap()
}

/// How many e-mails are waiting to be sent.
pub async fn pending_mails(db: &Db) -> Result<i64, Error> {
    job::pending(db, MAIL).await
}

/// Gives some posts the tags into which theirs were merged; whether there may be more.
pub async fn move_tagged_posts(db: &Db) -> Result<bool, Error> {
    Ok(tag_merge::move_posts(db).await? == Step::Continue)
}

/// The context for running jobs on a site, in addition to the site's own worker.
pub fn worker(site: &Site, folder: &std::path::Path) -> JobContext {
    let from = "Postly <post@posts.example>".parse().unwrap();
    let transport = Transport::Folder(folder.to_owned());
    let mailer = Mailer::new(transport, from, "https://posts.example");
    let surroundings = Surroundings {
        database_url: String::new(),
        private: Vec::new(),
        folder: None,
        origin: "https://posts.example".to_owned(),
        advice: Vec::new(),
    };
    JobContext {
        site: site.clone(),
        mailer: std::sync::Arc::new(mailer),
        surroundings: std::sync::Arc::new(surroundings),
    }
}

/// A job that a worker has claimed, for kinds that look only at their payload.
pub fn claimed_job() -> ClaimedJob {
    ClaimedJob {
        id: 1,
        kind: String::new(),
        lane: None,
        payload: "null".to_owned(),
        attempts: 1,
        created_at: now(),
    }
}

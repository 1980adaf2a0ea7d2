//! The worker, which runs the jobs that models enqueue, in every instance.

pub mod audit;
pub mod checkup;
pub mod failure;
pub mod job;
pub mod mail;
pub mod mailer;
pub mod merged_tags;
pub mod public_address;
pub mod scheduled_posts;
pub mod search_index;
pub mod smtp;
pub mod smtp_url;
pub mod surroundings;
pub mod sweep;
pub mod worker;

/// Every kind of job.
pub const HANDLERS: &[job::Handler] = &[
    job::Handler::of::<crate::models::mail::outbox::QueuedEmail>(),
    job::Handler::of::<sweep::Sweep>(),
    job::Handler::of::<audit::AuditRetention>(),
    job::Handler::of::<checkup::Checkup>(),
    job::Handler::of::<crate::models::posts::tag_merge::MergedTags>(),
    job::Handler::of::<search_index::SearchIndex>(),
    job::Handler::of::<crate::models::posts::schedule::ScheduledPosts>(),
];

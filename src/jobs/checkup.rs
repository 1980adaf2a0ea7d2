//! Examines the whole site, for `postly doctor` and for admins.

use std::time::Duration;

use serde::Deserialize;

use super::failure::JobFailure;
use super::job::{Context, Job};
use super::mailer::Mailer;
use super::public_address;
use super::surroundings::Surroundings;
use crate::db::{self, Db, SchemaState, Space, now};
use crate::error::{Error, Fatal, Result};
use crate::models::BACKFILLS;
use crate::models::audit::chain;
use crate::models::base::job::{self, ClaimedJob};
use crate::models::base::site::Site;
use crate::models::moderation::checkup::{self, Diagnosis, Finding, counters};

/// What to do about what is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mending {
    Nothing,
    /// Modes of files, numbers that can be counted again, and the index of the search.
    WhatIsSafe,
}

/// Free space below which the disk counts as low or full: a share of the whole, and bytes. A large
/// disk may be fuller.
const LOW: Share = Share { percent: 10, bytes: 2 << 30 };
const FULL: Share = Share { percent: 2, bytes: 200 << 20 };

struct Share {
    percent: u64,
    bytes: u64,
}

impl Share {
    fn exceeds(&self, space: Space) -> bool {
        space.free < self.bytes.min(space.whole / 100 * self.percent)
    }
}

/// How old the latest backup may be.
const BACKUP_AGE: chrono::Duration = chrono::Duration::days(8);

/// Carries out all checks. Checks that read much may take minutes on a large site, and use
/// connections of `site` that have no time limit for statements.
pub async fn examine(
    site: &Site,
    mailer: &Mailer,
    around: &Surroundings,
    mending: Mending,
) -> Vec<Finding> {
    let db = &site.db;
    let mut findings = vec![configuration(around), files(around, mending), disk(around)];
    let mut add = |check: &'static str, result: Result<Finding>| {
        let failed =
            |error: Error| Finding::about(Diagnosis::CheckFailed, [format!("{check}: {error}")]);
        findings.push(result.unwrap_or_else(failed));
    };
    add("database", integrity(db).await);
    add("schema", schema(around).await);
    add("counters", numbers(db, mending).await);
    add("search", searchable(site, mending).await);
    add("queue", checkup::queue(db).await);
    add("audit", audit(site).await);
    add("clock", checkup::clock(db).await);
    add("mail", Ok(mail(mailer).await));
    add("address", Ok(address(around).await));
    add("backup", Ok(backup(db)));
    findings
}

fn configuration(around: &Surroundings) -> Finding {
    match around.advice.is_empty() {
        true => Finding::new(Diagnosis::ConfigurationOk),
        false => Finding::about(Diagnosis::ConfigurationUnwise, &around.advice),
    }
}

fn files(around: &Surroundings, mending: Mending) -> Finding {
    let open = || around.private.iter().filter(|path| db::is_open_to_others(path));
    let before: Vec<String> = open().map(|path| path.display().to_string()).collect();
    if before.is_empty() {
        return Finding::new(Diagnosis::FilesOk);
    }
    if mending == Mending::WhatIsSafe {
        open().for_each(|path| db::make_private(path));
        if open().next().is_none() {
            return Finding::about(Diagnosis::FilesMended, before);
        }
    }
    Finding::about(Diagnosis::FilesOpen, open().map(|path| path.display().to_string()))
}

fn disk(around: &Surroundings) -> Finding {
    let Some(folder) = &around.folder else { return Finding::new(Diagnosis::DiskElsewhere) };
    let space = match db::space(folder) {
        Ok(space) => space,
        Err(e) => {
            let detail = format!("disk: {}: {e}", folder.display());
            return Finding::about(Diagnosis::CheckFailed, [detail]);
        }
    };
    #[allow(clippy::cast_precision_loss, reason = "it is rounded anyway")]
    let gibibytes = |bytes: u64| bytes as f64 / f64::from(1 << 30);
    let detail = format!(
        "{}: {:.1} of {:.1} GiB are free",
        folder.display(),
        gibibytes(space.free),
        gibibytes(space.whole)
    );
    let diagnosis = match () {
        () if FULL.exceeds(space) => Diagnosis::DiskFull,
        () if LOW.exceeds(space) => Diagnosis::DiskLow,
        () => Diagnosis::DiskOk,
    };
    Finding::about(diagnosis, [detail])
}

async fn integrity(db: &Db) -> Result<Finding> {
    let faults = db.faults().await?;
    Ok(match faults.is_empty() {
        true => Finding::new(Diagnosis::DatabaseOk),
        false => Finding::about(Diagnosis::DatabaseDamaged, faults),
    })
}

async fn schema(around: &Surroundings) -> Result<Finding> {
    let state = db::inspect(&around.database_url, BACKFILLS, Duration::ZERO).await;
    Ok(match state.map_err(|Fatal(why)| Error::Internal(why))? {
        SchemaState::Current => Finding::new(Diagnosis::SchemaOk),
        state => Finding::about(Diagnosis::SchemaOther, [format!("{state:?}").to_lowercase()]),
    })
}

async fn numbers(db: &Db, mending: Mending) -> Result<Finding> {
    let (posts, users) = (counters::wrong_posts(db, 0).await?, counters::wrong_users(db, 0).await?);
    let tags = counters::wrong_tags(db, 0).await?;
    if posts.is_empty() && users.is_empty() && tags.is_empty() {
        return Ok(Finding::new(Diagnosis::CountersOk));
    }
    if mending == Mending::WhatIsSafe {
        let mended = counters::mend(db).await?;
        return Ok(Finding::about(Diagnosis::CountersMended, [format!("{mended} numbers")]));
    }
    let posts = posts.iter().map(|id| format!("post {id}"));
    let users = users.iter().map(|id| format!("user {id}"));
    let tags = tags.iter().map(|id| format!("tag {id}"));
    Ok(Finding::about(Diagnosis::CountersWrong, posts.chain(users).chain(tags)))
}

async fn searchable(site: &Site, mending: Mending) -> Result<Finding> {
    let missing = counters::unsearchable(site).await?;
    let detail = [format!("{missing} posts, comments and people")];
    Ok(match (missing, mending) {
        (0, _) => Finding::new(Diagnosis::SearchOk),
        (_, Mending::Nothing) => Finding::about(Diagnosis::SearchIncomplete, detail),
        (_, Mending::WhatIsSafe) => {
            counters::index_missing(site).await?;
            Finding::about(Diagnosis::SearchMended, detail)
        }
    })
}

async fn audit(site: &Site) -> Result<Finding> {
    match chain::verify(site).await {
        Ok(verified) => {
            let events = verified.end.id - verified.sealed;
            Ok(Finding::about(Diagnosis::AuditOk, [format!("{events} events")]))
        }
        Err(Error::AuditBroken(fault)) => {
            Ok(Finding::about(Diagnosis::AuditBroken, [fault.to_string()]))
        }
        Err(error) => Err(error),
    }
}

async fn mail(mailer: &Mailer) -> Finding {
    match mailer.check().await {
        None => Finding::new(Diagnosis::MailMissing),
        Some(Ok(())) => Finding::new(Diagnosis::MailOk),
        Some(Err(failure)) => Finding::about(Diagnosis::MailUnreachable, [failure.to_string()]),
    }
}

async fn address(around: &Surroundings) -> Finding {
    match public_address::reach(&around.origin).await {
        Ok(()) => Finding::about(Diagnosis::AddressOk, [&around.origin]),
        Err(why) => Finding::about(Diagnosis::AddressUnreachable, [why]),
    }
}

fn backup(db: &Db) -> Finding {
    match db.last_backup() {
        None => Finding::new(Diagnosis::BackupElsewhere),
        Some(None) => Finding::new(Diagnosis::BackupMissing),
        Some(Some(at)) => {
            let old = at < now() - BACKUP_AGE;
            let diagnosis = if old { Diagnosis::BackupOld } else { Diagnosis::BackupOk };
            Finding::about(diagnosis, [at.format("%Y-%m-%d %H:%M UTC")])
        }
    }
}

/// An examination that an admin asked for.
#[derive(Deserialize)]
pub struct Checkup;

/// How long an examination by the server may take, and one statement of it. `postly doctor` has no
/// limit.
const LONGEST: Duration = Duration::from_secs(150);

// No other worker may take the job in the meantime.
const _: () = assert!(LONGEST.as_secs() < job::LEASE.as_secs());

impl Job for Checkup {
    const NAME: &'static str = checkup::JOB;
    const MAX_ATTEMPTS: i64 = 3;

    async fn run(self, context: Context, _: ClaimedJob) -> Result<(), JobFailure> {
        let around = &context.surroundings;
        let site = Site { db: context.site.db.patient(LONGEST), ..context.site.clone() };
        let examined = tokio::time::timeout(
            LONGEST,
            examine(&site, &context.mailer, around, Mending::Nothing),
        );
        let findings = examined.await.unwrap_or_else(|_| {
            let detail = "the site is too large for this page; run postly doctor";
            vec![Finding::about(Diagnosis::CheckFailed, [detail])]
        });
        Ok(checkup::store(&context.site.db, &findings).await?)
    }
}

//! The copies of a SQLite file that are kept beside it from before upgrades.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::address::absolute;
use super::backup::{copy, refusal};
use super::files::beside;
use super::inspect::{SchemaState, examine_file};
use super::migrations::Backfill;
use super::value::now;
use crate::error::Fatal;

/// What stands between the name of the database and the number of its schema.
const MIDDLE: &str = ".before-upgrade-from-";

/// If the database is about to be migrated, copies it to
/// `postly.db.before-upgrade-from-0015-20261128T170000Z` and deletes older copies: the latest of
/// each schema is kept, and of these the latest `copies`.
///
/// # Errors
/// One sentence for the operator: there is no copy.
pub async fn keep(database: &Path, backfills: &[Backfill], copies: usize) -> Result<(), Fatal> {
    if copies == 0 {
        return Ok(());
    }
    let found = examine_file(database, backfills).await?;
    if found.state != SchemaState::Older {
        return Ok(());
    }
    let time = now().format("%Y%m%dT%H%M%SZ");
    let file = beside(database, &format!("{MIDDLE}{:04}-{time}", found.version));
    match copy(database, &file).await {
        Ok(()) => {
            tracing::info!("before the upgrade, the database was copied to {}", file.display())
        }
        // Made this very second, by an attempt that failed.
        Err(sqlx::Error::Io(e)) if e.kind() == ErrorKind::AlreadyExists => {}
        Err(error) => {
            let name = absolute(database);
            return Err(Fatal(format!(
                "the database {name} was not migrated, since no copy of it could be kept: {}; make \
                 room, or make a backup elsewhere and set POSTLY_UPGRADE_COPIES=0",
                refusal(&name, &file, &error)
            )));
        }
    }
    for old in surplus(database, copies) {
        if let Err(error) = std::fs::remove_file(&old) {
            tracing::warn!(%error, "the old copy {} cannot be deleted", old.display());
        }
    }
    Ok(())
}

/// The copies that are no longer kept.
fn surplus(database: &Path, copies: usize) -> Vec<PathBuf> {
    let folder = match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let start = format!("{}{MIDDLE}", database.file_name().unwrap_or_default().display());
    let entries = folder.read_dir().into_iter().flatten().flatten();
    let mut all: Vec<(String, String, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let (schema, time) = name.strip_prefix(&start)?.split_once('-')?;
            is_ours(schema, time).then(|| (time.to_owned(), schema.to_owned(), entry.path()))
        })
        .collect();
    all.sort();
    // An upgrade that fails again and again must not displace the copy from before its beginning.
    let mut latest = BTreeMap::new();
    let mut surplus = Vec::new();
    for (time, schema, path) in all {
        surplus.extend(latest.insert(schema, (time, path)).map(|(_, path)| path));
    }
    let mut latest: Vec<_> = latest.into_values().collect();
    latest.sort();
    let excess = latest.len().saturating_sub(copies);
    surplus.extend(latest.into_iter().take(excess).map(|(_, path)| path));
    surplus
}

/// Whether a name ends as `keep` writes it: nothing else is deleted.
fn is_ours(schema: &str, time: &str) -> bool {
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let time = time.strip_suffix('Z').and_then(|time| time.split_once('T'));
    is_number(schema) && time.is_some_and(|(day, hour)| is_number(day) && is_number(hour))
}

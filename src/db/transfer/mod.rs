//! Moving a whole site from one database to another, on either engine.

mod digest;
mod schema;
mod source;
mod store;
mod target;
mod write;

pub use source::refuse_running;
pub use target::finish as finish_move;

use self::schema::{Table, compare};
use self::source::MoveSource;
use self::write::digest;
use super::migrations::Backfill;
use crate::error::Fatal;

/// A table that was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedTable {
    pub name: String,
    pub rows: u64,
    /// 64 hexadecimal digits, the same on both sides whatever the order of the rows.
    pub hash: String,
}

/// How far a move is.
#[derive(Debug)]
pub struct MoveProgress<'t> {
    pub table: &'t str,
    /// Whether the copy is being compared; otherwise it is being written.
    pub is_check: bool,
    pub rows: u64,
    pub total: u64,
}

/// Copies every table of the database at `from`, as of one moment, to the empty database at `to`,
/// and compares both. Until `finish_move`, no version of Postly serves the target; an interrupted
/// move can be repeated, and begins anew. The source is only read. With `is_online`, servers may go
/// on writing to it; what they write is not moved.
///
/// # Errors
/// One sentence for the operator.
pub async fn move_database(
    from: &str,
    to: &str,
    is_online: bool,
    backfills: &[Backfill],
    mut report: impl FnMut(MoveProgress<'_>),
) -> Result<Vec<MovedTable>, Fatal> {
    let mut source = MoveSource::open(from, is_online).await?;
    let mut target = target::prepare(to, backfills).await?;
    source.store.begin_snapshot().await?;
    let tables = source.store.tables().await?;
    compare(&tables, &target.store.tables().await?)?;
    let mut moved = Vec::new();
    for table in &tables {
        let total = source.store.count(table).await?;
        let mut tell = |rows, is_check| {
            report(MoveProgress { table: &table.name, is_check, rows, total });
        };
        let read =
            write::copy(&mut source.store, &mut target.store, table, |n| tell(n, false)).await?;
        let written = digest(&mut target.store, table, |n| tell(n, true)).await?;
        if read != written {
            return Err(Fatal(format!(
                "the table {} is not the same after the move: {} rows with hash {} became {} with {}",
                table.name,
                read.rows,
                read.hash(),
                written.rows,
                written.hash()
            )));
        }
        if table.has_sequence {
            let last = source.store.sequence(table).await?;
            target.set_sequence(table, last).await?;
        }
        moved.push(MovedTable { name: table.name.clone(), rows: read.rows, hash: read.hash() });
    }
    target.commit(&tables).await?;
    target.store.close().await;
    source.store.close().await;
    Ok(moved)
}

/// The tables and columns of a database that would be moved, as `table.column kind`, for the test
/// that compares both engines.
///
/// # Errors
/// One sentence, when a type is unknown.
pub async fn moved_columns(url: &str) -> Result<Vec<String>, Fatal> {
    let mut source = MoveSource::open(url, true).await?;
    let tables: Vec<Table> = source.store.tables().await?;
    source.store.close().await;
    let mut columns = Vec::new();
    for table in tables {
        for column in table.columns {
            columns.push(format!("{}.{} {:?}", table.name, column.name, column.kind));
        }
        if table.has_sequence {
            columns.push(format!("{} has a sequence", table.name));
        }
    }
    columns.sort();
    Ok(columns)
}

//! Why the database cannot serve a request, by the codes of both engines.

use sqlx::sqlite::SqliteError;

/// Why the database cannot serve a request now.
#[derive(Debug, Clone)]
pub struct Fault {
    pub kind: FaultKind,
    /// The database's own words, for the log.
    pub words: String,
    /// Whether it belongs to an outage whose beginning has been logged.
    pub known: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultKind {
    /// The connection was lost, or the SQLite file was deleted or replaced.
    Gone,
    /// There is no space left. Reads may still work.
    Full,
    /// Nothing can be written. Reads still work.
    ReadOnly,
    /// The SQLite file is damaged or was overwritten. Some reads may still work.
    Damaged,
    /// Time-outs of locks, statements and the pool: they concern this request alone.
    Busy,
    /// A deadlock or a serialisation failure: the transaction can be repeated at once.
    Aborted,
}

impl Fault {
    pub fn new(kind: FaultKind, words: impl Into<String>) -> Fault {
        Fault { kind, words: words.into(), known: false }
    }
}

impl FaultKind {
    /// What an error says about the database; `None` if it is about the statement or its values.
    pub(super) fn of(error: &sqlx::Error) -> Option<FaultKind> {
        use sqlx::Error as E;
        match error {
            E::PoolTimedOut => Some(FaultKind::Busy),
            // A server that hangs up in the middle of the handshake is reported
            // as a protocol or TLS error, not as a lost connection.
            E::PoolClosed | E::Io(_) | E::Protocol(_) | E::Tls(_) | E::WorkerCrashed => {
                Some(FaultKind::Gone)
            }
            E::Database(e) if e.try_downcast_ref::<SqliteError>().is_some() => {
                sqlite_fault(e.as_ref())
            }
            E::Database(e) => postgres_fault(&e.code().unwrap_or_default()),
            _ => None,
        }
    }
}

/// <https://www.postgresql.org/docs/current/errcodes-appendix.html>
fn postgres_fault(code: &str) -> Option<FaultKind> {
    match code {
        "53100" => Some(FaultKind::Full),
        // read_only_sql_transaction: a standby, or `default_transaction_read_only`.
        "25006" => Some(FaultKind::ReadOnly),
        // lock_not_available, query_canceled: the time-outs.
        "55P03" | "57014" => Some(FaultKind::Busy),
        // serialization_failure, deadlock_detected.
        "40001" | "40P01" => Some(FaultKind::Aborted),
        // Connections, and the shutdown of the server.
        _ if code.starts_with("08") || code.starts_with("57P") => Some(FaultKind::Gone),
        // Resources, among them too_many_connections.
        _ if code.starts_with("53") => Some(FaultKind::Busy),
        _ => None,
    }
}

/// <https://www.sqlite.org/rescode.html>; the low byte is the primary code.
fn sqlite_fault(error: &dyn sqlx::error::DatabaseError) -> Option<FaultKind> {
    let code = error.code().and_then(|code| code.parse::<i32>().ok()).unwrap_or(0);
    match (code, code & 0xff) {
        // FULL, and IOERR_WRITE, which a quota or a limit of the file size causes.
        (_, 13) | (778, _) => Some(FaultKind::Full),
        // READONLY_DBMOVED, CANTOPEN.
        (1032, _) | (_, 14) => Some(FaultKind::Gone),
        (_, 8) => Some(FaultKind::ReadOnly),
        // CORRUPT_VTAB: the index of a search alone.
        (267, _) => None,
        // CORRUPT, NOTADB.
        (_, 11 | 26) => Some(FaultKind::Damaged),
        // BUSY, LOCKED, INTERRUPT (the time limit of a statement), IOERR.
        (_, 5 | 6 | 9 | 10) => Some(FaultKind::Busy),
        _ => None,
    }
}

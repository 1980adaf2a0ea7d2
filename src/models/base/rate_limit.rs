//! Rate limits. They are stored in the database, so that all instances share them and a restart
//! does not reset them.

use chrono::{DateTime, Duration, Utc};

use crate::db::{Batch, Conn, Db, Statement, Tx, now, sql};
use crate::error::{Error, Result};
use crate::models::base::caller::Caller;
use crate::models::base::random;
use crate::models::base::rate_policy::{MAX_WINDOW, RateLimitStatus, RatePolicy};

/// By how much the clocks of two instances may differ. A window that ends later than its length
/// allows was begun before a clock was set back, and counts as over.
const CLOCK_DIFFERENCE: i64 = 60;

/// What a limit counts, and for whom.
#[derive(Debug, Clone)]
pub struct Budget {
    pub policy: RatePolicy,
    /// Names typed into a log-in form are sometimes passwords: only their hash is stored.
    stored_key: String,
}

impl Budget {
    pub fn new(policy: RatePolicy, key: &str) -> Budget {
        Budget { policy, stored_key: format!("{}:{}", policy.name, random::sha256(key)) }
    }

    /// The budgets of what a user does: their own, and that of their network.
    pub fn of_user(
        user_id: i64,
        caller: &Caller,
        own: RatePolicy,
        network: RatePolicy,
    ) -> [Budget; 2] {
        [Budget::new(own, &user_id.to_string()), Budget::new(network, &caller.network())]
    }

    /// A part of somebody's budgets, such as that of one device of a user. `part` is stored as it
    /// is.
    pub fn of_part(policy: RatePolicy, key: &str, part: &str) -> Budget {
        let whole = Budget::new(policy, key).stored_key;
        Budget { policy, stored_key: format!("{whole}:{part}") }
    }

    pub(super) fn stored_key(&self) -> &str {
        &self.stored_key
    }

    fn length(&self) -> Duration {
        Duration::seconds(self.policy.window)
    }

    /// When a window can end at the latest that was begun before `at`.
    fn latest_end(&self, at: DateTime<Utc>) -> DateTime<Utc> {
        at + self.length() + Duration::seconds(CLOCK_DIFFERENCE)
    }
}

struct Window {
    count: i64,
    ends_at: DateTime<Utc>,
}

/// The key, the count and the end of a window.
type WindowRow = (String, i64, DateTime<Utc>);

/// How much of a budget is used.
#[derive(Debug, Clone, Copy)]
pub(super) struct Used {
    pub count: i64,
    /// Seconds until the window ends, rounded up, so that a client that waits this long succeeds.
    pub resets_in: i64,
}

impl Used {
    fn new(window: &Window, at: DateTime<Utc>) -> Used {
        let resets_in = ((window.ends_at - at).num_milliseconds() + 999) / 1000;
        Used { count: window.count, resets_in }
    }

    pub fn status(self, policy: RatePolicy) -> RateLimitStatus {
        let remaining = (policy.quota - self.count).max(0);
        RateLimitStatus { policy, remaining, resets_in: self.resets_in }
    }

    pub fn refusal(self, first: bool) -> Error {
        Error::TooManyRequests { retry_after: self.resets_in.max(1), first }
    }
}

/// Reads a budget, without counting anything.
pub(super) async fn read<'c>(conn: impl Into<Conn<'c>>, budget: &Budget) -> Result<Used> {
    let used = read_all(conn, std::slice::from_ref(budget)).await?;
    used.into_iter().next().ok_or(Error::NotFound)
}

/// `read` for several budgets, in their order, by one statement.
async fn read_all<'c>(conn: impl Into<Conn<'c>>, budgets: &[Budget]) -> Result<Vec<Used>> {
    let at = now();
    let keys = budgets.iter().map(Budget::stored_key);
    let windows: Vec<WindowRow> = sql("SELECT key, count, ends_at FROM throttles WHERE")
        .push_list(" key IN ", keys)
        .push_bind(" AND ends_at > ", at)
        .all(conn)
        .await?;
    let used = |budget: &Budget| {
        let known = windows.iter().find(|(key, ..)| *key == budget.stored_key);
        let known = known.filter(|(.., ends_at)| *ends_at <= budget.latest_end(at));
        let (count, ends_at) = known
            .map_or_else(|| (0, at + budget.length()), |(_, count, ends_at)| (*count, *ends_at));
        Used::new(&Window { count, ends_at }, at)
    };
    Ok(budgets.iter().map(used).collect())
}

/// Counts in one statement, so that concurrent requests are all counted.
pub(super) async fn count<'c>(conn: impl Into<Conn<'c>>, budget: &Budget) -> Result<Used> {
    let used = count_all(conn, std::slice::from_ref(budget)).await?;
    used.into_iter().next().ok_or(Error::NotFound)
}

/// `count` for several budgets, in their order, by one statement.
async fn count_all<'c>(conn: impl Into<Conn<'c>>, budgets: &[Budget]) -> Result<Vec<Used>> {
    let at = now();
    counted(budgets, at, counting(budgets, at).all(conn).await?)
}

/// What the statement that counts has returned, in the order of the budgets.
fn counted(budgets: &[Budget], at: DateTime<Utc>, windows: Vec<WindowRow>) -> Result<Vec<Used>> {
    let used = |budget: &Budget| {
        let (_, count, ends_at) = windows.iter().find(|(key, ..)| *key == budget.stored_key)?;
        Some(Used::new(&Window { count: *count, ends_at: *ends_at }, at))
    };
    budgets.iter().map(|budget| used(budget).ok_or(Error::NotFound)).collect()
}

/// Counts soon, for reads, which wait for no write. `check` comes first: requests that arrive in the same
/// moment may exceed the budget.
pub fn count_later(db: &Db, caller: &Caller, budgets: &[Budget]) {
    // Each request counts.
    let key = format!("limits {}", caller.request_id);
    counting(budgets, now()).execute_later(db, key, |error| {
        tracing::warn!(%error, "a request was not counted");
    });
}

/// The statement that counts, and returns the windows.
fn counting(budgets: &[Budget], at: DateTime<Utc>) -> Statement {
    let mut query = sql("INSERT INTO throttles (key, count, ends_at) VALUES ");
    for (n, budget) in budgets.iter().enumerate() {
        query = query
            .push_bind(if n == 0 { "(" } else { ", (" }, budget.stored_key())
            .push_bind(", 1, ", at + budget.length())
            .push(")");
    }
    // A window is over when it has ended, or ends later than it could.
    let is_over = |mut query: Statement| {
        query = query.push_bind("(throttles.ends_at <= ", at);
        query = query.push(" OR throttles.ends_at > CASE throttles.key");
        for budget in budgets {
            query = query
                .push_bind(" WHEN ", budget.stored_key())
                .push_bind(" THEN ", budget.latest_end(at));
        }
        query.push(" END)")
    };
    let query = query.push(" ON CONFLICT (key) DO UPDATE SET count = CASE WHEN ");
    let query = is_over(query).push(" THEN 1 ELSE throttles.count + 1 END, ends_at = CASE WHEN ");
    is_over(query)
        .push(" THEN excluded.ends_at ELSE throttles.ends_at END RETURNING key, count, ends_at")
}

/// Counts a request and records how many remain for the response headers. A refused request only
/// reads: on SQLite, a flood of them leaves the one connection that writes to others.
///
/// # Errors
/// `TooManyRequests` when none is left.
pub async fn acquire(db: &Db, caller: &Caller, budget: &Budget) -> Result<()> {
    check(db, caller, budget).await?;
    settle(count(db.writer(), budget).await?, caller, budget)
}

/// `acquire` in the transaction of the write that is limited, so that both are one commit, and
/// nothing is counted that was not written. Call `check` before expensive work.
///
/// # Errors
/// `TooManyRequests` when none is left; roll the transaction back.
pub async fn charge(tx: &mut Tx, caller: &Caller, budget: &Budget) -> Result<()> {
    settle(count(tx, budget).await?, caller, budget)
}

/// Whether anything is left, without counting.
///
/// # Errors
/// `TooManyRequests` when none is left.
pub async fn check(db: &Db, caller: &Caller, budget: &Budget) -> Result<()> {
    check_all(db, caller, std::slice::from_ref(budget)).await
}

fn settle(used: Used, caller: &Caller, budget: &Budget) -> Result<()> {
    caller.record(used.status(budget.policy));
    match used.count > budget.policy.quota {
        true => Err(used.refusal(false)),
        false => Ok(()),
    }
}

/// `acquire` for several budgets.
pub async fn acquire_all(db: &Db, caller: &Caller, budgets: &[Budget]) -> Result<()> {
    // Nothing is counted when one of them is used up.
    check_all(db, caller, budgets).await?;
    settle_all(count_all(db.writer(), budgets).await?, caller, budgets)
}

/// `check` for several budgets.
pub async fn check_all(db: &Db, caller: &Caller, budgets: &[Budget]) -> Result<()> {
    for (used, budget) in read_all(db, budgets).await?.into_iter().zip(budgets) {
        caller.record(used.status(budget.policy));
        if used.count >= budget.policy.quota {
            return Err(used.refusal(false));
        }
    }
    Ok(())
}

/// `charge` for several budgets.
pub async fn charge_all(tx: &mut Tx, caller: &Caller, budgets: &[Budget]) -> Result<()> {
    settle_all(count_all(tx, budgets).await?, caller, budgets)
}

/// `charge_all`, after statements that return nothing: all are handed over together.
///
/// # Errors
/// Those of the statements, and those of `charge`.
pub async fn charge_all_after(
    tx: &mut Tx,
    before: Batch,
    caller: &Caller,
    budgets: &[Budget],
) -> Result<()> {
    let at = now();
    let windows = before.then(counting(budgets, at)).all(tx).await?;
    settle_all(counted(budgets, at, windows)?, caller, budgets)
}

fn settle_all(used: Vec<Used>, caller: &Caller, budgets: &[Budget]) -> Result<()> {
    used.into_iter().zip(budgets).try_for_each(|(used, budget)| settle(used, caller, budget))
}

/// Counts without response headers; returns whether anything was left.
pub async fn take<'c>(conn: impl Into<Conn<'c>>, budget: &Budget) -> Result<bool> {
    Ok(count(conn, budget).await?.count <= budget.policy.quota)
}

/// Forgets what was counted, also for all parts of the budget.
pub async fn forget(tx: &mut Tx, budget: &Budget) -> Result<()> {
    sql("DELETE FROM throttles WHERE key = $1 OR key LIKE $2")
        .bind(budget.stored_key())
        .bind(format!("{}:%", budget.stored_key()))
        .execute(tx)
        .await?;
    Ok(())
}

/// Deletes windows that have ended, or that a clock which was set back has left; returns how many.
pub async fn sweep(tx: &mut Tx) -> Result<u64> {
    let at = now();
    sql("DELETE FROM throttles WHERE ends_at <= $1 OR ends_at > $2")
        .bind(at)
        .bind(at + Duration::seconds(MAX_WINDOW + CLOCK_DIFFERENCE))
        .execute(tx)
        .await
}

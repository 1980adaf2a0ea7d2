//! A condition that all transactions of a task must meet, and a mark that each of them leaves.

use std::sync::OnceLock;

use super::connection::Tx;
use super::statement::Statement;
use crate::error::{Error, Result};

/// Makes the statement from an id.
type Mark = fn(i64) -> Statement;

tokio::task_local! {
    static FENCE: OnceLock<(Mark, i64)>;
}

/// Runs `work`, in which `set_fence` can be called.
pub async fn fenced<T>(work: impl Future<Output = T>) -> T {
    FENCE.scope(OnceLock::new(), work).await
}

/// From now on, every transaction of this task runs the statement before it is committed, and is
/// rolled back when it affects no row.
pub fn set_fence(mark: Mark, id: i64) {
    // Fails outside of `fenced`; the fence is then left out.
    let _ = FENCE.try_with(|fence| fence.set((mark, id)));
}

/// # Errors
/// `Unavailable` when the statement affects no row.
pub(super) async fn pass_fence(tx: &mut Tx) -> Result<()> {
    let fence = FENCE.try_with(|fence| fence.get().copied()).ok().flatten();
    let Some((mark, id)) = fence else { return Ok(()) };
    match mark(id).execute(tx).await? {
        0 => Err(Error::Unavailable),
        _ => Ok(()),
    }
}

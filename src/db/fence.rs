//! A statement that all transactions of a task run before they are committed.

use std::sync::OnceLock;

tokio::task_local! {
    static FENCE: OnceLock<(&'static str, i64)>;
}

/// Runs `work`, in which `set_fence` can be called.
pub async fn fenced<T>(work: impl Future<Output = T>) -> T {
    FENCE.scope(OnceLock::new(), work).await
}

/// From now on, every transaction of this task runs the statement with this id before it is
/// committed, and is rolled back when the statement affects no row.
pub fn set_fence(statement: &'static str, id: i64) {
    // Fails outside of `fenced`; there is then no fence.
    let _ = FENCE.try_with(|fence| fence.set((statement, id)));
}

/// The statement and the id, if there is a fence.
pub(super) fn fence() -> Option<(&'static str, i64)> {
    FENCE.try_with(|fence| fence.get().copied()).ok().flatten()
}

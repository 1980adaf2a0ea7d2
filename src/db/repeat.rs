//! Repeating a transaction that PostgreSQL has aborted.

use crate::error::Result;

/// How often a transaction is run at most.
const ATTEMPTS: u32 = 3;

/// Runs a whole transaction, and runs it again if the database aborted it because of a deadlock or a
/// serialisation failure. It must do nothing that is not rolled back with it.
pub async fn repeat<T, F>(mut transaction: impl FnMut() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    for _ in 1..ATTEMPTS {
        match transaction().await {
            Err(error) if error.is_repeatable() => {}
            outcome => return outcome,
        }
    }
    transaction().await
}

//! Statements that run one after the other, without a look at what each has found. SQLite gets them at
//! once: handing a statement to the thread of a connection costs more than most that write.

use super::connection::Tx;
use super::statement::{Row, Statement, sql};
use crate::error::Result;

/// Statements of a transaction, in their order.
#[derive(Default)]
pub struct Batch(Vec<Statement>);

impl Batch {
    /// Appends a statement.
    pub fn then(mut self, statement: Statement) -> Batch {
        self.0.push(statement);
        self
    }

    /// Appends the statements of another one.
    pub fn followed_by(mut self, other: Batch) -> Batch {
        self.0.extend(other.0);
        self
    }

    pub async fn execute(self, tx: &mut Tx) -> Result<()> {
        if matches!(tx, Tx::Sqlite(_)) {
            return self.joined().execute(tx).await.map(drop);
        }
        for statement in self.0 {
            statement.execute(&mut *tx).await?;
        }
        Ok(())
    }

    /// The rows of the last statement; the others return none.
    pub async fn all<T: Row>(mut self, tx: &mut Tx) -> Result<Vec<T>> {
        if matches!(tx, Tx::Sqlite(_)) {
            return self.joined().all(tx).await;
        }
        let last = self.0.pop();
        self.execute(tx).await?;
        match last {
            Some(last) => last.all(tx).await,
            None => Ok(Vec::new()),
        }
    }

    fn joined(self) -> Statement {
        self.0.into_iter().reduce(Statement::and_then).unwrap_or_else(|| sql(""))
    }
}

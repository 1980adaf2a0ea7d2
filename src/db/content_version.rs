//! The version of what anybody may read: triggers count each change to it (migration 0022). What was
//! made from one version is current as long as the version is the same.

use super::connection::{Db, Tx};
use super::statement::sql;
use crate::error::Result;

/// Reads the version, as part of a statement that reads something else, too: it is then exact also
/// where another instance has just written.
pub const CONTENT_VERSION: &str = "(SELECT CAST(sum(number) AS BIGINT) FROM content_versions)";

/// Counts a change that no trigger counts.
///
/// # Errors
/// When the database cannot be written.
pub async fn count_content(tx: &mut Tx) -> Result<()> {
    sql("UPDATE content_versions SET number = number + 1 WHERE slot = 0").execute(tx).await?;
    Ok(())
}

/// More rows than this are put together: each connection that ever wrote has left one.
const MAX_SLOTS: i64 = 500;

impl Db {
    /// The version of what anybody may read. Every change by this instance that was answered before
    /// is part of it, and every change by others that is older than half a second.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn content_version(&self) -> Result<i64> {
        let read = async {
            let (version, slots): (i64, i64) =
                sql("SELECT CAST(sum(number) AS BIGINT), count(*) FROM content_versions")
                    .one(self)
                    .await?;
            if slots > MAX_SLOTS {
                self.join_slots();
            }
            Ok(version)
        };
        self.common().content.get(read).await
    }

    /// Adds the rows of connections that have ended to the first one, which leaves their sum as it is.
    fn join_slots(&self) {
        let Db::Postgres { .. } = self else { return };
        let joined = sql("WITH ended AS (DELETE FROM content_versions v WHERE v.slot <> 0 \
             AND NOT EXISTS (SELECT 1 FROM pg_stat_activity a WHERE a.pid = v.slot) \
             RETURNING v.number) \
             UPDATE content_versions SET number = number + \
             CAST(coalesce((SELECT sum(number) FROM ended), 0) AS BIGINT) WHERE slot = 0");
        joined.execute_later(self, "content versions".to_owned(), |error| {
            tracing::warn!(%error, "the versions of the content were not put together");
        });
    }
}

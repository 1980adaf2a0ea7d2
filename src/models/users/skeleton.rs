//! Names that look alike, such as Latin "coco" and Cyrillic "сосо": they have the same skeleton
//! (UTS #39, section 4).

use unicode_security::skeleton;

use crate::db::{Backfill, Step, Tx, sql};
use crate::error::Result;
use crate::models::users::user;

/// What a name looks like. Letters can look alike in one case only: Latin "BOB" and Cyrillic "ВОВ",
/// but not "bob" and "вов".
#[derive(Debug, PartialEq, Eq)]
pub struct Skeletons {
    /// Of the name in lower case.
    pub folded: String,
    /// Of the name as it was written.
    pub as_written: String,
}

impl Skeletons {
    pub fn of(username: &str) -> Skeletons {
        Skeletons {
            folded: skeleton(&user::canonical(username)).collect(),
            as_written: skeleton(username).collect(),
        }
    }
}

/// Computes the skeletons of the accounts that were there before migration 12.
pub const BACKFILL: Backfill =
    Backfill { name: "username-skeletons", after: 12, run: |tx| Box::pin(compute_missing(tx)) };

/// Accounts per transaction.
const BATCH: i64 = 5_000;

async fn compute_missing(tx: &mut Tx) -> Result<Step> {
    let missing: Vec<(i64, String)> =
        sql("SELECT id, username FROM users WHERE username_skeleton IS NULL ORDER BY id LIMIT $1")
            .bind(BATCH)
            .all(&mut *tx)
            .await?;
    let is_last = i64::try_from(missing.len()).is_ok_and(|count| count < BATCH);
    for (id, username) in missing {
        let skeletons = Skeletons::of(&username);
        sql("UPDATE users SET username_skeleton = $1, username_skeleton_as_written = $2 \
             WHERE id = $3")
        .bind(skeletons.folded)
        .bind(skeletons.as_written)
        .bind(id)
        .execute(&mut *tx)
        .await?;
    }
    Ok(if is_last { Step::Finished } else { Step::Continue })
}

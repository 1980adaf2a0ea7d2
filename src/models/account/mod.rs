//! Accounts: registering, logging in, and what the command line does to them.

mod challenge;
mod login;
mod registration;

use serde::Serialize;

use crate::db::{Db, sql};
use crate::error::Result;
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::password::{self, Hasher};
use crate::models::session;
use crate::models::user::{self, User};

pub use challenge::{Shown, answer, challenge, complete};
pub use login::{Login, WRONG, authenticate, confirm, prove};
pub use registration::{Registration, operator_create, register};

/// Somebody who has just shown who they are.
#[derive(Debug)]
pub struct Identity {
    pub user: User,
    /// The hash of the password that was shown. A session is opened only while the account still
    /// has it.
    pub stamp: String,
}

/// Passwords never leave in an answer; as a condition, this keeps them in the API's description.
pub(in crate::models) fn always<T>(_: &T) -> bool {
    true
}

/// Sets a password from the command line and ends all the person's sessions.
pub async fn operator_set_password(
    db: &Db,
    hasher: &Hasher,
    username: &str,
    secret: &str,
) -> Result<()> {
    let profile = user::profile(db, username).await?;
    password::check(secret, &profile.username, None)?;
    let hash = hasher.hash(secret).await?;
    let mut tx = db.begin().await?;
    sql("UPDATE users SET password_hash = $1 WHERE id = $2")
        .bind(hash)
        .bind(profile.id)
        .execute(&mut tx)
        .await?;
    session::delete_all(&mut tx, profile.id, None).await?;
    Entry::new(Kind::PasswordSet)
        .about(profile.id, &profile.username)
        .write(&mut tx, &Caller::operator())
        .await?;
    tx.commit().await
}

/// What the dashboard says beside the person's posts.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct Standing {
    #[schema(example = "Welcome ann, this is your dashboard")]
    pub message: String,
    /// How many posts the person has written.
    pub posts: i64,
    /// How many votes those posts have received.
    pub votes: i64,
}

/// The person's own numbers.
pub async fn standing(db: &Db, me: &User) -> Result<Standing> {
    let (posts, votes): (i64, i64) =
        sql("SELECT count(*), CAST(coalesce(sum(votes), 0) AS BIGINT) FROM posts \
             WHERE user_id = $1")
        .bind(me.id)
        .one(db)
        .await?;
    let message = format!("Welcome {}, this is your dashboard", me.username);
    Ok(Standing { message, posts, votes })
}

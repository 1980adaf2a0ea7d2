//! Accounts: registering, logging in, and what the command line does to them.

mod challenge;
mod login;
mod registration;

use serde::Serialize;

use crate::db::{Db, Tx, sql};
use crate::error::Result;
use crate::models::audit::{Entry, Kind};
use crate::models::caller::Caller;
use crate::models::outbox;
use crate::models::password::Hasher;
use crate::models::recovery;
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

/// Ends every way into an account but the password: sessions, personal tokens, mailed links.
pub(in crate::models) async fn revoke_all(tx: &mut Tx, user_id: i64) -> Result<()> {
    session::delete_all(tx, user_id, None).await?;
    for statement in [
        "DELETE FROM api_tokens WHERE user_id = $1",
        "DELETE FROM link_tokens WHERE user_id = $1",
        "DELETE FROM login_challenges WHERE user_id = $1",
    ] {
        sql(statement).bind(user_id).execute(&mut *tx).await?;
    }
    Ok(())
}

/// Sets a password from the command line and ends every other way in.
pub async fn operator_set_password(
    db: &Db,
    hasher: &Hasher,
    username: &str,
    secret: &str,
) -> Result<()> {
    let profile = user::profile(db, username).await?;
    hasher.vet(secret, &profile.username, None).await?;
    let hash = hasher.hash(secret).await?;
    let mut tx = db.begin().await?;
    sql("UPDATE users SET password_hash = $1 WHERE id = $2")
        .bind(hash)
        .bind(profile.id)
        .execute(&mut tx)
        .await?;
    revoke_all(&mut tx, profile.id).await?;
    recovery::notify(&mut tx, profile.id, outbox::Kind::PasswordChanged).await?;
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

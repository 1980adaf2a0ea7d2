//! The users of the demo, which can be told from others and taken away again.

use crate::db::{Db, sql};
use crate::error::{Conflict, Error, Result};
use crate::models::accounts::registration::{self, Registration};
use crate::models::base::actor::Admin;
use crate::models::base::site::Site;
use crate::models::moderation::administration;
use crate::models::users::user::{Role, User};

/// How many names are tried for a user if others have them already.
const MAX_TRIES: usize = 20;

/// Creates a user of the demo; if the name is taken, with a number behind it.
///
/// # Errors
/// `Taken` when too many names are.
pub async fn create(site: &Site, admin: &Admin, name: &str, password: &str) -> Result<User> {
    for n in 1..MAX_TRIES {
        let username = if n == 1 { name.to_owned() } else { format!("{name}-{n}") };
        match try_create(site, admin, &username, password).await {
            Err(Error::Taken(_)) => {}
            other => return other,
        }
    }
    try_create(site, admin, &format!("{name}-{MAX_TRIES}"), password).await
}

async fn try_create(site: &Site, admin: &Admin, username: &str, password: &str) -> Result<User> {
    let input = Registration {
        username: Some(username.to_owned()),
        email: None,
        password: Some(password.to_owned()),
    };
    let new = registration::prepare(site, &input, false).await?;
    let mut tx = site.db.begin().await?;
    let user = registration::insert(site, &mut tx, admin.caller(), &new, Role::User).await?.user;
    sql("INSERT INTO demo_users (user_id) VALUES ($1)").bind(user.id).execute(&mut tx).await?;
    tx.commit().await?;
    Ok(user)
}

/// The names of the demo's users.
pub async fn list(db: &Db) -> Result<Vec<String>> {
    let names: Vec<(String,)> =
        sql("SELECT u.username FROM demo_users d JOIN users u ON u.id = d.user_id ORDER BY u.id")
            .all(db)
            .await?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}

/// # Errors
/// `Conflict` when the demo is there already.
pub async fn refuse_second(db: &Db) -> Result<()> {
    if list(db).await?.is_empty() { Ok(()) } else { Err(Error::Conflict(Conflict::DemoExists)) }
}

/// Deletes a user of the demo with everything that they wrote.
///
/// # Errors
/// `Conflict` when no admin would remain.
pub async fn remove(site: &Site, admin: &Admin, username: &str) -> Result<()> {
    administration::delete(site, admin, username).await
}

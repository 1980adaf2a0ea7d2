//! `postly user`.

use std::io::{IsTerminal, Read};

use clap::Subcommand;

use super::operator::{self, Access};
use crate::config::Config;
use crate::error::{Error, Fatal};
use crate::models::accounts::registration::{self, Registration};
use crate::models::accounts::{password_change, two_factor::totp, unlock};
use crate::models::base::actor::Admin;
use crate::models::base::site::Site;
use crate::models::moderation::administration::{self, UserUpdate};
use crate::models::users::user::Role;

#[derive(Subcommand)]
pub enum UserCommand {
    /// Create an account; the password is read from the terminal or standard input
    Add {
        username: String,
        #[arg(long)]
        email: Option<String>,
        /// Make the user an admin
        #[arg(long)]
        admin: bool,
    },
    /// Make a user an admin
    Promote { username: String },
    /// Make an admin a regular user
    Demote { username: String },
    /// Disable an account and end all its sessions
    Disable { username: String },
    /// Enable an account again
    Enable { username: String },
    /// Delete a user with all their posts
    Delete { username: String },
    /// Set a user's password and end their sessions; it is read from the terminal or standard input
    SetPassword { username: String },
    /// Turn off two-factor log-in for a user who lost the authenticator and the recovery codes
    ResetTwoFactor { username: String },
    /// Forget a user's failed log-ins and wrong codes, so that they can try again at once
    Unlock { username: String },
    /// List all users
    List,
}

pub async fn run(config: &Config, command: UserCommand) -> Result<(), Fatal> {
    let access = match command {
        UserCommand::Add { .. } => Access::Create,
        _ => Access::Existing,
    };
    let site = operator::site(config, access).await?;
    let admin = Admin::operator();
    match command {
        UserCommand::Add { username, email, admin: is_admin } => {
            let password = Some(read_password()?);
            let input = Registration { username: Some(username), email, password };
            let role = if is_admin { Role::Admin } else { Role::User };
            let user = registration::create(&site, &admin, &input, role).await?;
            println!("{} was registered with the role {}.", user.username, user.role.as_str());
        }
        UserCommand::Promote { username } => {
            set_role(&site, &admin, &username, Role::Admin).await?
        }
        UserCommand::Demote { username } => set_role(&site, &admin, &username, Role::User).await?,
        UserCommand::Disable { username } => {
            disable(&site, &admin, &username, true).await?;
            println!("The account {username} is disabled.");
        }
        UserCommand::Enable { username } => {
            disable(&site, &admin, &username, false).await?;
            println!("The account {username} is enabled.");
        }
        UserCommand::Delete { username } => {
            let deleted = administration::delete(&site, &admin, &username).await;
            deleted.map_err(|e| named(e, &username))?;
            println!("{username} was deleted, with all posts.");
        }
        UserCommand::SetPassword { username } => {
            let password = read_password()?;
            let set = password_change::set(&site, &admin, &username, &password).await;
            set.map_err(|e| named(e, &username))?;
            println!("The password of {username} was changed; all sessions ended.");
        }
        UserCommand::ResetTwoFactor { username } => {
            let reset = totp::reset(&site, &admin, &username).await;
            reset.map_err(|e| named(e, &username))?;
            println!("Two-factor log-in is off for {username}.");
        }
        UserCommand::Unlock { username } => {
            let unlocked = unlock::unlock(&site, &admin, &username).await;
            unlocked.map_err(|e| named(e, &username))?;
            println!("The account {username} is unlocked.");
        }
        UserCommand::List => {
            for account in administration::list_all(&site, &admin).await? {
                println!(
                    "{}\t{}\t{}\t{} posts\tjoined {}",
                    account.username,
                    account.role.as_str(),
                    account.email.as_deref().unwrap_or("-"),
                    account.posts,
                    account.created_at.format("%Y-%m-%d"),
                );
            }
        }
    }
    site.db.close().await;
    Ok(())
}

/// Names the user in a `NotFound` error.
fn named(error: Error, username: &str) -> Fatal {
    match error {
        Error::NotFound => Fatal(format!("there is no user named {username:?}")),
        other => other.into(),
    }
}

async fn set_role(site: &Site, admin: &Admin, username: &str, role: Role) -> Result<(), Fatal> {
    let update = UserUpdate { role: Some(role), ..UserUpdate::default() };
    let updated = administration::update(site, admin, username, &update).await;
    let account = updated.map_err(|e| named(e, username))?;
    println!("{} now has the role {}.", account.username, role.as_str());
    Ok(())
}

async fn disable(site: &Site, admin: &Admin, username: &str, disabled: bool) -> Result<(), Fatal> {
    let update = UserUpdate { disabled: Some(disabled), ..UserUpdate::default() };
    let updated = administration::update(site, admin, username, &update).await;
    updated.map(|_| ()).map_err(|e| named(e, username))
}

/// Reads the password: typed twice at a terminal, or the first line of standard input. It is never
/// an argument, which other users of the machine could see.
fn read_password() -> Result<String, Fatal> {
    let unreadable = |e| Fatal(format!("the password cannot be read: {e}"));
    if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("Password: ").map_err(unreadable)?;
        let second = rpassword::prompt_password("Repeat the password: ").map_err(unreadable)?;
        if first != second {
            return Err(Fatal::new("the two passwords differ"));
        }
        return Ok(first);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

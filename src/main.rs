//! The command line.

use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use postly::config::{Config, LogFormat, keys};
use postly::db::{self, Db};
use postly::demo;
use postly::error::{Error, Result};
use postly::models::account::{self, Registration};
use postly::models::audit;
use postly::models::password::Hasher;
use postly::models::two_factor;
use postly::models::user::{self, Change, Role};
use postly::web::{Database, drain};
use rocket::error::ErrorKind;
use rocket_db_pools::Database as _;
use tracing_subscriber::EnvFilter;

/// A self-hosted, multi-user posting site.
///
/// Without a command it serves: SQLite and a signing secret under ./data, on
/// http://127.0.0.1:8000. Everything can be configured by environment variables, a .env file or
/// Rocket.toml; README.md lists them.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the site (the default); migrates the database first
    Serve,
    /// Bring the database up to date, then exit
    Migrate,
    /// Copy the SQLite database to a new file while the site serves, and check the copy
    Backup { file: PathBuf },
    /// Manage people
    #[command(subcommand)]
    User(UserCommand),
    /// Manage the signing keys
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Check the audit
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Fill an empty site with people and posts, for trying it out
    Demo {
        /// How many posts; the first few are written by hand, the rest are filler
        #[arg(long, default_value_t = demo::DEFAULT_POSTS)]
        posts: u64,
    },
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Put a new key into the generated file; it signs from the next start on
    Rotate {
        /// How many of the older keys stay, whose tokens are still good
        #[arg(long, default_value_t = 1)]
        keep: usize,
    },
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Find out whether an event was changed or is missing
    Verify {
        /// What an earlier verification printed as the end: NUMBER:HASH. It must still be there
        #[arg(long)]
        expect: Option<String>,
    },
}

#[derive(Subcommand)]
enum UserCommand {
    /// Make an account; the password is read from the terminal or standard input
    Add {
        username: String,
        #[arg(long)]
        email: Option<String>,
        /// Give it the role admin
        #[arg(long)]
        admin: bool,
    },
    /// Make somebody an admin
    Promote { username: String },
    /// Make an admin an ordinary user
    Demote { username: String },
    /// Lock somebody out and end all their sessions
    Disable { username: String },
    /// Let somebody in again
    Enable { username: String },
    /// Delete somebody with all their posts
    Delete { username: String },
    /// Set somebody's password and end their sessions; read from the terminal or standard input
    SetPassword { username: String },
    /// Turn two-factor log-in off for somebody who lost the authenticator and the recovery codes
    ResetTwoFactor { username: String },
    /// List everybody
    List,
}

fn main() -> ExitCode {
    // Before any thread starts: the environment may not change under one.
    let dotenv = dotenvy::dotenv();
    let arguments = Arguments::parse();
    let outcome = match dotenv {
        Err(error) if !error.not_found() => {
            Err(Error::Internal(format!("the file .env cannot be read: {error}")))
        }
        _ => rocket::execute(run(arguments.command.unwrap_or(Command::Serve))),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("postly: {}", plain(&error));
            ExitCode::FAILURE
        }
    }
}

/// The error in one sentence, complaints included.
fn plain(error: &Error) -> String {
    match error {
        Error::Invalid(complaints) | Error::Conflict(complaints) => {
            complaints.iter().map(|c| c.message.as_str()).collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    }
}

async fn run(command: Command) -> Result<()> {
    let config = Config::load()?;
    log_to_stderr(config.log_format);
    if let Command::Keys(KeysCommand::Rotate { keep }) = command {
        return rotate_keys(&config, keep);
    }
    if let Command::Backup { file } = &command {
        // Before anything is migrated: a backup may be meant for the way back.
        db::backup(&config.database_url, file).await?;
        println!("The database is copied to {}, and the copy is sound.", file.display());
        return Ok(());
    }
    let db = Db::connect(&config.database_url, 2, Duration::from_secs(10)).await?;
    db.migrate().await?;
    match command {
        Command::Serve => {
            // Rocket opens a pool of its own; this one has served its purpose.
            db.close().await;
            return serve(config).await;
        }
        Command::Backup { .. } => {} // Returned above.
        Command::Migrate => println!("The database is up to date."),
        Command::User(command) => manage(command, &db, config.bcrypt_cost).await?,
        Command::Keys(_) => {}
        Command::Audit(AuditCommand::Verify { expect }) => {
            verify_audit(&db, expect.as_deref()).await?;
        }
        Command::Demo { posts } => {
            let hasher = Hasher::new(config.bcrypt_cost)?;
            let made = demo::fill(&db, &hasher, posts).await?;
            println!(
                "{} people and {} posts are in. Log in as any of them, for example {}, with the \
                 password: {}",
                made.people, made.posts, made.somebody, made.password
            );
        }
    }
    db.close().await;
    Ok(())
}

fn rotate_keys(config: &Config, keep: usize) -> Result<()> {
    if config.is_key_configured {
        return Err(Error::Internal(
            "the keys stand in POSTLY_SECRET_KEY: put a new one before them, separated by a comma, \
             and start every instance again"
                .to_owned(),
        ));
    }
    let (path, count) = keys::rotate(&config.database_url, keep)?;
    println!(
        "{} has a new key and {} older. Start Postly again to use it.",
        path.display(),
        count - 1
    );
    Ok(())
}

async fn verify_audit(db: &Db, expect: Option<&str>) -> Result<()> {
    let end = audit::verify(db).await?;
    if let Some(expect) = expect {
        audit::expect(db, expect).await?;
    }
    println!("{} events, none changed or missing. The end: {}:{}", end.id, end.id, end.hash);
    Ok(())
}

async fn serve(config: Config) -> Result<()> {
    // To look at Rocket's error also keeps it from a panic of its own.
    let failed = |e: rocket::Error| Error::Internal(format!("the server cannot run: {e}"));
    let drain = config.drain;
    let rocket = postly::rocket(config)?.ignite().await.map_err(failed)?;
    let stopping = drain::at_signal(&rocket, drain)?;
    let db = Database::fetch(&rocket).map(|db| Db::clone(db));
    if let Err(e) = rocket.launch().await {
        let ErrorKind::Shutdown(server, None) = e.kind() else { return Err(failed(e)) };
        if !drain::finish(server, stopping).await {
            tracing::warn!("some requests took too long and were cut off");
            return Ok(()); // They would keep the database from closing.
        }
    }
    if let Some(db) = db {
        db.close().await;
    }
    Ok(())
}

async fn manage(command: UserCommand, db: &Db, bcrypt_cost: u32) -> Result<()> {
    let missing = |error, username: &str| match error {
        Error::NotFound => Error::Internal(format!("nobody is called {username:?}")),
        other => other,
    };
    match command {
        UserCommand::Add { username, email, admin } => {
            let form =
                Registration { username: Some(username), email, password: Some(read_password()?) };
            let role = if admin { Role::Admin } else { Role::User };
            let user =
                account::operator_create(db, &Hasher::new(bcrypt_cost)?, &form, role).await?;
            println!("{} is registered as {}.", user.username, user.role.as_str());
        }
        UserCommand::Promote { username } => {
            set_role(db, &username, Role::Admin).await.map_err(|e| missing(e, &username))?;
        }
        UserCommand::Demote { username } => {
            set_role(db, &username, Role::User).await.map_err(|e| missing(e, &username))?;
        }
        UserCommand::Disable { username } => {
            disable(db, &username, true).await.map_err(|e| missing(e, &username))?;
            println!("{username} is locked out.");
        }
        UserCommand::Enable { username } => {
            disable(db, &username, false).await.map_err(|e| missing(e, &username))?;
            println!("{username} may log in again.");
        }
        UserCommand::Delete { username } => {
            user::operator_delete(db, &username).await.map_err(|e| missing(e, &username))?;
            println!("{username} is deleted, with all posts.");
        }
        UserCommand::SetPassword { username } => {
            let password = read_password()?;
            let hasher = Hasher::new(bcrypt_cost)?;
            account::operator_set_password(db, &hasher, &username, &password)
                .await
                .map_err(|e| missing(e, &username))?;
            println!("{username} has a new password and no session.");
        }
        UserCommand::ResetTwoFactor { username } => {
            two_factor::operator_reset(db, &username).await.map_err(|e| missing(e, &username))?;
            println!("{username} logs in with the password alone now.");
        }
        UserCommand::List => {
            for person in user::operator_list(db).await? {
                println!(
                    "{}\t{}\t{}\t{} posts\tsince {}",
                    person.username,
                    person.role.as_str(),
                    person.email.as_deref().unwrap_or("-"),
                    person.posts,
                    person.created_at.format("%Y-%m-%d"),
                );
            }
        }
    }
    Ok(())
}

async fn set_role(db: &Db, username: &str, role: Role) -> Result<()> {
    let change = Change { role: Some(role), ..Change::default() };
    let account = user::operator_update(db, username, &change).await?;
    println!("{} is {} now.", account.username, role.as_str());
    Ok(())
}

async fn disable(db: &Db, username: &str, disabled: bool) -> Result<()> {
    let change = Change { disabled: Some(disabled), ..Change::default() };
    user::operator_update(db, username, &change).await?;
    Ok(())
}

/// The password, typed twice at a terminal, or the first line of standard input. Never an argument:
/// other users of the machine could read it.
fn read_password() -> Result<String> {
    let unreadable = |e| Error::Internal(format!("the password cannot be read: {e}"));
    if std::io::stdin().is_terminal() {
        let first = rpassword::prompt_password("Password: ").map_err(unreadable)?;
        let second = rpassword::prompt_password("Once more: ").map_err(unreadable)?;
        if first != second {
            return Err(Error::Internal("the two passwords differ".to_owned()));
        }
        return Ok(first);
    }
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text).map_err(unreadable)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// Logs go to standard error; `RUST_LOG` says how much.
fn log_to_stderr(format: LogFormat) {
    // Each request has a line of our own; Rocket's account of its routing would say it again.
    let usual = "info,rocket=error,rocket::server::_=off,rocket_dyn_templates=error";
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => subscriber.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => subscriber.json().init(),
    }
}

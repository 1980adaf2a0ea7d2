//! The command line: one command a file.

mod audit;
mod backup;
mod demo;
mod keys;
mod log;
mod migrate;
mod operator;
mod serve;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::error::Fatal;

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
    Backup(backup::BackupArguments),
    /// Manage people
    #[command(subcommand)]
    User(user::UserCommand),
    /// Manage the signing keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Check the audit log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Fill an empty site with people and posts, for trying it out
    Demo(demo::DemoArguments),
}

/// Runs the command that the process was started with.
pub fn main() -> ExitCode {
    // Before any thread starts: the environment must not change while one runs.
    let dotenv = dotenvy::dotenv();
    let command = Arguments::parse().command.unwrap_or(Command::Serve);
    let outcome = match dotenv {
        Err(error) if !error.not_found() => {
            Err(Fatal(format!("the file .env cannot be read: {error}")))
        }
        _ => rocket::execute(run(command)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("postly: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<(), Fatal> {
    let config = Config::load()?;
    log::to_stderr(config.log_format);
    match command {
        Command::Serve => serve::run(config).await,
        Command::Migrate => migrate::run(&config).await,
        Command::Backup(arguments) => backup::run(&config, &arguments).await,
        Command::User(command) => user::run(&config, command).await,
        Command::Keys(command) => keys::run(&config, &command),
        Command::Audit(command) => audit::run(&config, &command).await,
        Command::Demo(arguments) => demo::run(&config, &arguments).await,
    }
}

//! The command line: one command per file.

mod announcement;
mod audit;
mod backup;
mod demo;
mod doctor;
mod first_run;
mod healthcheck;
mod keys;
mod log;
mod log_writer;
mod metrics;
mod migrate;
mod notify;
mod operator;
mod process;
mod relocate;
mod restore;
mod serve;
mod start;
mod user;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::Config;
use crate::error::Fatal;

/// A self-hosted, multi-user posting site.
///
/// Without a command, it serves the site on http://127.0.0.1:8000, with a SQLite database and a
/// signing secret under ./data. Configure it with environment variables, a .env file or
/// Rocket.toml; README.md lists the settings.
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
    Migrate(migrate::MigrateArguments),
    /// Copy the SQLite database to a new file while the site is running, and verify the copy
    Backup(backup::BackupArguments),
    /// Verify a copy of the SQLite database, and put it in the place of the current one
    Restore(restore::RestoreArguments),
    /// Copy the site to another, empty database: from SQLite to PostgreSQL, or back
    Move(relocate::MoveArguments),
    /// Ask the running server whether it is well; exits with 0 or 1
    Healthcheck(healthcheck::HealthcheckArguments),
    /// Manage users
    #[command(subcommand)]
    User(user::UserCommand),
    /// Manage the signing keys
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// Check the audit log
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Check whether all is well
    Doctor(doctor::DoctorArguments),
    /// Fill a site with demo users and posts
    Demo(demo::DemoArguments),
}

/// Parses the command line and runs the command.
pub fn main() -> ExitCode {
    process::set_up();
    // Before any thread starts: changing the environment is not thread-safe.
    let dotenv = process::read_dotenv();
    let command = Arguments::parse().command.unwrap_or(Command::Serve);
    match dotenv.and_then(|()| rocket::execute(run(command))) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("postly: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The exit code of a command that did not fail.
async fn run(command: Command) -> Result<ExitCode, Fatal> {
    // Before the rest of the configuration is read: a file that is needed at the start only may be
    // gone by now.
    if let Command::Healthcheck(arguments) = &command {
        return healthcheck::run(arguments).await.map(|()| ExitCode::SUCCESS);
    }
    let config = match (Config::load(), &command) {
        (Err(error), Command::Doctor(_)) => return Ok(doctor::report(&error)),
        (config, _) => config?,
    };
    let _log = log::to_stderr(config.log_format, !matches!(command, Command::Serve))?;
    let done = match command {
        Command::Doctor(arguments) => {
            let examined = doctor::run(&config, &arguments).await;
            return Ok(examined.unwrap_or_else(|error| doctor::report(&error)));
        }
        Command::Migrate(arguments) => return migrate::run(&config, &arguments).await,
        Command::Serve => serve::run(config).await,
        Command::Backup(arguments) => backup::run(&config, &arguments).await,
        Command::Restore(arguments) => restore::run(&config, &arguments).await,
        Command::Move(arguments) => relocate::run(&config, &arguments).await,
        Command::Healthcheck(arguments) => healthcheck::run(&arguments).await,
        Command::User(command) => user::run(&config, command).await,
        Command::Keys(command) => keys::run(&config, &command).await,
        Command::Audit(command) => audit::run(&config, &command).await,
        Command::Demo(arguments) => demo::run(&config, &arguments).await,
    };
    done.map(|()| ExitCode::SUCCESS)
}

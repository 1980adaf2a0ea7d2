//! Logging setup.

use std::fmt::Debug;
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

use super::log_writer::{self, LogGuard};
use crate::config::LogFormat;
use crate::error::Fatal;
use crate::web::request::panics;

/// Where Rocket logs that a connection cannot be accepted.
const LISTENER: &str = "rocket_http::listener";

/// Logs to standard error; `RUST_LOG` sets the level. A `command` is silent by default unless
/// something is wrong: cron mails whatever it prints. The guard writes the last lines when it is
/// dropped.
///
/// # Errors
/// When `RUST_LOG` cannot be read.
pub fn to_stderr(format: LogFormat, is_command: bool) -> Result<LogGuard, Fatal> {
    let default = if is_command { "warn" } else { "info" };
    let wanted = std::env::var("RUST_LOG").unwrap_or_else(|_| default.to_owned());
    let wrong = |_| {
        Fatal::new(
            "RUST_LOG must be a level (error, warn, info, debug, trace), or levels by module such \
             as info,postly=debug",
        )
    };
    let filter = EnvFilter::try_new(wanted).map_err(wrong)?;
    // `Bounds` sums these up in one line of our own.
    let listener = format!("{LISTENER}=warn").parse().map_err(|e| Fatal(format!("log: {e}")))?;
    let bounds = Bounds { is_command, refused: Mutex::default() };
    let subscriber = tracing_subscriber::registry().with(bounds);
    let (writer, guard) =
        log_writer::start(std::io::stderr()).map_err(|e| Fatal(format!("log: {e}")))?;
    let lines = tracing_subscriber::fmt::layer().with_writer(writer);
    let filter = filter.add_directive(listener);
    match format {
        LogFormat::Text => {
            let lines = lines.with_ansi(std::io::stderr().is_terminal());
            subscriber.with(filter).with(lines).init();
        }
        LogFormat::Json => subscriber.with(filter).with(lines.json()).init(),
    }
    // Those of requests are logged with the request that they ended.
    panics::set_hook(|info| tracing::error!(error = panics::describe(info), "a task failed"));
    Ok(guard)
}

/// What is never logged, whatever `RUST_LOG` says. Below `info`, libraries log the headers of
/// requests with their tokens, SQL, and what is said to the mail server.
struct Bounds {
    is_command: bool,
    /// When a connection was last refused.
    refused: Mutex<Option<Instant>>,
}

impl Bounds {
    fn most(&self, target: &str) -> LevelFilter {
        let within = |module: &str| {
            target
                .strip_prefix(module)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        };
        // Rocket's macros log why a guard failed; we log one line for each failure ourselves.
        if within("postly::routes") {
            return LevelFilter::ERROR;
        }
        if within("postly") {
            return LevelFilter::TRACE;
        }
        // The pool logs each broken connection; we log an outage when it begins and ends.
        if within("sqlx_core::pool") {
            return LevelFilter::OFF;
        }
        // Rocket logs each request with its query, which may contain the secret of a mailed link;
        // we log requests ourselves.
        if within("rocket::server") {
            return LevelFilter::OFF;
        }
        // It repeats the value of a parameter of `DATABASE_URL` that it does not know.
        if within("sqlx_postgres::options") {
            return LevelFilter::OFF;
        }
        if within("rocket") || within("rocket_dyn_templates") || within("rocket_db_pools") {
            return LevelFilter::ERROR;
        }
        // Slow statements and notices of PostgreSQL are expected while a command works.
        if self.is_command && (within("sqlx") || target.starts_with("sqlx_")) {
            return LevelFilter::ERROR;
        }
        LevelFilter::INFO
    }

    /// Whether this is the first refusal for a while. Rocket logs one each 250 ms.
    fn begins_episode(&self) -> bool {
        const GAP: Duration = Duration::from_secs(10);
        let Ok(mut refused) = self.refused.lock() else { return false };
        let before = refused.replace(Instant::now());
        before.is_none_or(|before| before.elapsed() > GAP)
    }
}

impl<S: Subscriber> Layer<S> for Bounds {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= self.most(metadata.target())
    }

    fn event_enabled(&self, event: &Event<'_>, _: Context<'_, S>) -> bool {
        if event.metadata().target() != "log" {
            return true;
        }
        let mut line = LogLine::default();
        event.record(&mut line);
        if line.target != LISTENER {
            return true;
        }
        let error = line.message.strip_prefix("accept error ").unwrap_or(&line.message);
        let error = error.split_once("; recovery").map_or(error, |(error, _)| error);
        if self.begins_episode() {
            tracing::error!(
                error,
                "new connections cannot be accepted; if too many files are open, raise the limit \
                 (ulimit -n, LimitNOFILE of systemd)"
            );
        }
        false
    }
}

/// A line of the `log` crate.
#[derive(Default)]
struct LogLine {
    target: String,
    message: String,
}

impl Visit for LogLine {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "log.target" {
            value.clone_into(&mut self.target);
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.message = format!("{value:?}");
        }
    }
}

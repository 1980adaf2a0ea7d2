//! `postly serve`.

use std::time::Instant;

use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;

use super::operator::{self, Access};
use super::{announcement, first_run, metrics, notify, start};
use crate::config::Config;
use crate::db;
use crate::error::Fatal;
use crate::models::base::site::Site;
use crate::routes::admin::setup::SetupLink;
use crate::web::background::RunningWorker;
use crate::web::drain;

pub async fn run(config: Config) -> Result<(), Fatal> {
    // Rocket opens its own pool. One for migrations is closed first: with its files, a process loses the
    // locks that SQLite holds on them for another pool.
    operator::prepare(&config).await?;
    start::check_files(&config)?;
    start::warn(&config);

    // Formatting a Rocket error also keeps it from panicking when it is dropped.
    let address = config.listens_at;
    let failed = |e: rocket::Error| match e.kind() {
        ErrorKind::Bind(cause) | ErrorKind::Io(cause) => {
            start::cannot_listen(address, "ROCKET_PORT", cause)
        }
        _ => Fatal(format!("the server cannot run: {e}")),
    };
    let wait = config.drain;
    let ready = AdHoc::on_liftoff("systemd", |_| Box::pin(async { notify::systemd("READY=1") }));
    let rocket = match crate::rocket(config.clone())?.attach(ready).ignite().await {
        Ok(rocket) => rocket,
        Err(error) => {
            let failure = failed(error);
            // Rocket does not tell why its pool could not be opened; this one says so in a sentence.
            operator::open(&config, Access::Existing).await?.close().await;
            return Err(failure);
        }
    };
    // Another file may have been restored in between.
    if db::is_sqlite(&config.database_url)? {
        operator::require_current(&config).await?;
    }
    let stopping = drain::at_signal(&rocket, wait)?;
    let site = rocket.state::<Site>().cloned();
    let worker = rocket.state::<RunningWorker>().cloned().unwrap_or_default();
    let mut watched = None;
    if let Some(site) = &site {
        let link = rocket.state::<SetupLink>();
        first_run::prepare(&config, site, link).await?;
        announcement::log(&config, site).await?;
        watched = metrics::serve(&config, site).await?;
    }
    let launched = rocket.launch().await;
    if let Err(e) = &launched
        && !matches!(e.kind(), ErrorKind::Shutdown(_, None))
    {
        return launched.map(drop).map_err(failed);
    }
    let end = stopping.await.unwrap_or_else(|_| Instant::now());
    let mut is_finished = true;
    if let Err(e) = &launched
        && let ErrorKind::Shutdown(server, None) = e.kind()
        && !drain::finish(server, end).await
    {
        tracing::warn!("some requests did not finish in time and were aborted");
        is_finished = false;
    } else if !worker.finish(end).await {
        tracing::warn!("some jobs did not finish in time; they are run again later");
        is_finished = false;
    }
    if let Some(metrics) = watched {
        metrics.notify();
    }
    if !is_finished {
        // What is still running would keep the database from closing.
        if let Some(site) = site {
            site.db.terminate().await;
        }
        return Ok(());
    }
    if let Some(site) = site {
        site.db.close().await;
    }
    Ok(())
}

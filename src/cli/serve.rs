//! `postly serve`.

use rocket::error::ErrorKind;

use super::operator::{self, Access};
use super::start;
use crate::config::Config;
use crate::error::Fatal;
use crate::models::base::site::Site;
use crate::web::drain;

pub async fn run(config: Config) -> Result<(), Fatal> {
    // Rocket opens its own pool; this one is for migrations.
    operator::open(&config, Access::Migrate).await?.close().await;
    start::check_files(&config)?;
    start::warn(&config);

    // Formatting a Rocket error also keeps it from panicking when it is dropped.
    let (address, port) = (config.listens_at.ip(), config.listens_at.port());
    let failed = |e: rocket::Error| match e.kind() {
        ErrorKind::Bind(cause) | ErrorKind::Io(cause) => start::cannot_listen(address, port, cause),
        _ => Fatal(format!("the server cannot run: {e}")),
    };
    let wait = config.drain;
    let rocket = crate::rocket(config)?.ignite().await.map_err(failed)?;
    let stopping = drain::at_signal(&rocket, wait)?;
    let site = rocket.state::<Site>().cloned();
    if let Err(e) = rocket.launch().await {
        let ErrorKind::Shutdown(server, None) = e.kind() else { return Err(failed(e)) };
        if !drain::finish(server, stopping).await {
            tracing::warn!("some requests did not finish in time and were aborted");
            return Ok(()); // They would keep the database from closing.
        }
    }
    if let Some(site) = site {
        site.db.close().await;
    }
    Ok(())
}

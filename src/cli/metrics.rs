//! Serves the metrics beside the site.

use std::net::SocketAddr;
use std::sync::Mutex;

use rocket::Shutdown;
use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;
use rocket::tokio::sync::oneshot;

use super::start;
use crate::config::Config;
use crate::error::Fatal;
use crate::models::base::site::Site;
use crate::routes::metrics;

/// Begins to serve the metrics at `POSTLY_METRICS_ADDRESS`, if there is one, and returns once it
/// listens. They are served until the value notifies the server, also while the site drains.
///
/// # Errors
/// One sentence for the operator when it cannot listen.
pub async fn serve(config: &Config, site: &Site) -> Result<Option<Shutdown>, Fatal> {
    let Some(address) = config.metrics_address else { return Ok(None) };
    let (listens, is_listening) = oneshot::channel();
    let listens = Mutex::new(Some(listens));
    let figment =
        config.figment.clone().merge(("address", address.ip())).merge(("port", address.port()));
    let server = metrics::mount(rocket::custom(figment), site.clone()).attach(AdHoc::on_liftoff(
        "address",
        |rocket| {
            Box::pin(async move {
                let at = SocketAddr::new(rocket.config().address, rocket.config().port);
                tracing::info!("metrics are at http://{at}/metrics");
                if let Some(listens) = listens.lock().ok().and_then(|mut sender| sender.take()) {
                    let _ = listens.send(());
                }
            })
        },
    ));
    let failed = move |e: rocket::Error| match e.kind() {
        ErrorKind::Bind(cause) | ErrorKind::Io(cause) => {
            start::cannot_listen(address, "POSTLY_METRICS_ADDRESS", cause)
        }
        _ => Fatal(format!("the metrics cannot be served: {e}")),
    };
    let server = server.ignite().await.map_err(failed)?;
    let shutdown = server.shutdown();
    let launched = rocket::tokio::spawn(async move { server.launch().await.map(drop) });
    if is_listening.await.is_err() {
        // The sender is dropped with the server, which did not begin to listen.
        let outcome = launched.await.map_err(|e| Fatal(format!("the metrics: {e}")))?;
        outcome.map_err(failed)?;
    }
    Ok(Some(shutdown))
}

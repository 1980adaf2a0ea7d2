//! The metrics, on a server of their own: they tell more than strangers need to know.

use std::time::{Duration, Instant};

use rocket::http::{ContentType, Status};
use rocket::tokio::sync::Mutex;
use rocket::tokio::time::timeout;
use rocket::{Build, Rocket, State, catch, catchers, get, routes};
use strum::IntoEnumIterator;

use crate::db::Readiness;
use crate::models::base::site::Site;
use crate::models::moderation::census;

/// For how long what the database told is good enough: several programs may ask.
const FRESH: Duration = Duration::from_secs(5);

/// How long to wait for the database. Prometheus itself gives up after ten seconds.
const PATIENCE: Duration = Duration::from_secs(3);

/// When the database was last asked.
#[derive(Default)]
struct Asked(Mutex<Option<Instant>>);

/// Adds the metrics of `site` to a server.
pub fn mount(server: Rocket<Build>, site: Site) -> Rocket<Build> {
    server
        .manage(site)
        .manage(Asked::default())
        .mount("/", routes![metrics])
        .register("/", catchers![nothing])
}

/// The metrics in the text format of Prometheus.
#[get("/metrics")]
async fn metrics(
    site: &State<Site>,
    asked: &State<Asked>,
) -> Result<(ContentType, String), Status> {
    let mut last = asked.0.lock().await;
    if last.is_none_or(|last| last.elapsed() >= FRESH) {
        ask_database(site).await;
        *last = Some(Instant::now());
    }
    drop(last);
    let text = site.metrics.text().map_err(|error| {
        tracing::error!(%error, "the metrics cannot be shown");
        Status::InternalServerError
    })?;
    let plain =
        ContentType::new("text", "plain").with_params([("version", "0.0.4"), ("charset", "utf-8")]);
    Ok((plain, text))
}

/// What the database does not tell in time stays as it was; its state says so.
async fn ask_database(site: &Site) {
    let states: Vec<&str> = Readiness::iter().map(<&str>::from).collect();
    let state = site.db.readiness().await;
    site.metrics.database(state.into(), &states, &site.db.pool_use());
    if state != Readiness::Gone
        && let Ok(Ok(census)) = timeout(PATIENCE, census::take(&site.db)).await
    {
        site.metrics.census(census);
    }
}

#[catch(default)]
fn nothing(status: Status, _: &rocket::Request<'_>) -> String {
    format!("{status}; the metrics are at /metrics\n")
}

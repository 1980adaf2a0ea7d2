//! Keeps the settings in memory up to date, whichever instance has changed them.

use std::time::Duration;

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Orbit, Rocket};
use tokio::time::sleep;

use crate::models::base::site::Site;

/// How often the database is asked whether they have changed.
const INTERVAL: Duration = Duration::from_millis(500);

pub struct SettingsRefresh;

#[rocket::async_trait]
impl Fairing for SettingsRefresh {
    fn info(&self) -> Info {
        Info { name: "settings", kind: Kind::Liftoff }
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        let Some(site) = rocket.state::<Site>().cloned() else { return };
        let mut shutdown = rocket.shutdown();
        refresh(&site).await;
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    () = &mut shutdown => break,
                    () = sleep(INTERVAL) => refresh(&site).await,
                }
            }
        });
    }
}

/// An outage of the database is logged elsewhere; meanwhile, the known settings stay in force.
async fn refresh(site: &Site) {
    if let Err(error) = site.settings.refresh(&site.db).await {
        tracing::debug!(%error, "the settings cannot be read");
    }
}

//! What the log says when the server starts.

use url::Url;

use crate::config::Config;
use crate::error::Result;
use crate::jobs::mailer::Transport;
use crate::models::base::site::Site;
use crate::models::moderation::administration;

/// Which version serves which data, and with what. No credentials.
pub async fn log(config: &Config, site: &Site) -> Result<()> {
    let database = site.db.describe().await?;
    let keys: Vec<&str> = site.keys.ids().collect();
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        engine = database.engine,
        database = database.place,
        keys = keys.join(", "),
        mail = mail_route(config),
        public_url = config.public_url.origin(),
        "starting"
    );
    if !administration::has_admin(site).await? {
        tracing::warn!(
            "there is no admin yet; open the setup link, or create one with: postly user add NAME \
             --admin"
        );
    }
    Ok(())
}

/// Where e-mails go.
fn mail_route(config: &Config) -> String {
    let url: Option<String> = config.figment.extract_inner("postly.mail_url").ok();
    let server = url.and_then(|url| Url::parse(&url).ok()).filter(Url::has_host);
    match (&config.mail.transport, server) {
        (Transport::Folder(folder), _) => format!("files in {}", folder.display()),
        (_, Some(server)) => {
            let port = server.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{}{port}", server.scheme(), server.host_str().unwrap_or_default())
        }
        _ => "the log".to_owned(),
    }
}

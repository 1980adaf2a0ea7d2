//! Whether the site can be reached at its public address, from this machine.

use std::sync::Arc;
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig, TlsProvider};

/// How long the whole request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The longest answer that is read, in bytes. The expected one is `ok`.
const LONGEST: u64 = 1_000;

/// Asks `origin` whether it is alive.
///
/// # Errors
/// Why not, on one line.
pub async fn reach(origin: &str) -> Result<(), String> {
    let url = format!("{origin}/healthz");
    // The client blocks its thread.
    let asked = tokio::task::spawn_blocking(move || ask(&url)).await;
    asked.unwrap_or_else(|e| Err(e.to_string()))
}

fn ask(url: &str) -> Result<(), String> {
    let roots = rustls_native_certs::load_native_certs().certs;
    let roots: Vec<_> =
        roots.iter().map(|root| Certificate::from_der(root.as_ref()).to_owned()).collect();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .root_certs(RootCerts::new_with_certs(&roots))
        .unversioned_rustls_crypto_provider(provider)
        .build();
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(TIMEOUT))
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(None)
        .tls_config(tls)
        .build()
        .into();
    let mut response = agent.get(url).call().map_err(|e| format!("{url}: {e}"))?;
    let status = response.status();
    let body = response.body_mut().with_config().limit(LONGEST).read_to_string();
    match (status.as_u16(), body.as_deref()) {
        (200, Ok("ok\n")) => Ok(()),
        (200, _) => Err(format!("{url} is answered by something that is not Postly")),
        _ => Err(format!("{url} answers {status}")),
    }
}

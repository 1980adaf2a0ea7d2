//! The client's IP address: proxies are trusted only if the operator configured them.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};

use ipnet::IpNet;
use rocket::Request;

/// The proxies that the operator trusts.
pub struct TrustedProxies {
    networks: Vec<IpNet>,
    /// Whether the operator was told of a proxy that is not among them.
    warned: AtomicBool,
}

impl TrustedProxies {
    pub fn new(networks: Vec<IpNet>) -> TrustedProxies {
        TrustedProxies { networks, warned: AtomicBool::new(false) }
    }

    fn contain(&self, peer: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&peer))
    }

    /// Warns once of a proxy that is probably the operator's own: without it, all clients count as
    /// one, and one of them uses up the rate limits of all.
    fn warn_of_proxy(&self, peer: IpAddr) {
        let is_near = match peer {
            IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
            IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local(),
        };
        if is_near && !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "{peer} sends X-Forwarded-For, but is not in POSTLY_TRUSTED_PROXIES: all clients \
                 behind it count as one address; if it is your proxy, set \
                 POSTLY_TRUSTED_PROXIES={peer}"
            );
        }
    }
}

/// The client's address; `None` when the connection has none, as in tests with a local client.
pub fn of(request: &Request<'_>) -> Option<IpAddr> {
    let peer = request.remote()?.ip().to_canonical();
    let proxies = request.rocket().state::<TrustedProxies>()?;
    let forwarded: Vec<&str> = request.headers().get("X-Forwarded-For").collect();
    if let Some(peer) = untrusted_proxy(request) {
        proxies.warn_of_proxy(peer);
    }
    Some(client(peer, &forwarded, &proxies.networks))
}

/// The peer, if it forwards requests of others and is not trusted.
pub fn untrusted_proxy(request: &Request<'_>) -> Option<IpAddr> {
    let peer = request.remote()?.ip().to_canonical();
    let proxies = request.rocket().state::<TrustedProxies>()?;
    let forwards = request.headers().contains("X-Forwarded-For");
    (forwards && !proxies.contain(peer)).then_some(peer)
}

/// The request's id in the log of the trusted proxy that sent it, if that is a short token.
pub fn request_id<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    let peer = request.remote()?.ip().to_canonical();
    let trusted = request.rocket().state::<TrustedProxies>()?;
    let id = request.headers().get_one("X-Request-Id")?;
    let is_token = (8..=64).contains(&id.len())
        && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'));
    (is_token && trusted.contain(peer)).then_some(id)
}

/// Each proxy appends the address of its peer to `X-Forwarded-For`. Read from the right, an address
/// can be trusted if a trusted proxy wrote it; the first one that is not a trusted proxy is the
/// client. Anything further left could be forged.
fn client(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> IpAddr {
    let is_trusted =
        |address: &IpAddr| trusted.iter().any(|network| network.contains(&address.to_canonical()));
    let mut client = peer.to_canonical();
    let hops = forwarded.iter().flat_map(|line| line.split(',')).map(str::trim);
    for hop in hops.collect::<Vec<_>>().into_iter().rev() {
        if !is_trusted(&client) {
            break;
        }
        match hop.parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trusted_proxies_are_believed() {
        let trusted: Vec<IpNet> = vec!["10.0.0.0/8".parse().unwrap()];
        for (peer, forwarded, expected) in [
            // No proxy in between, or none that we trust.
            ("192.0.2.7", &[][..], "192.0.2.7"),
            ("192.0.2.7", &["198.51.100.1"], "192.0.2.7"),
            // One proxy of ours; what the client itself wrote is further left and ignored.
            ("10.0.0.1", &["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.5, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", &["203.0.113.5", "198.51.100.1"], "198.51.100.1"),
            // Two of them.
            ("10.0.0.1", &["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
            // The search stops at an invalid address.
            ("10.0.0.1", &["nonsense"], "10.0.0.1"),
            ("10.0.0.1", &["198.51.100.1, nonsense, 10.0.0.2"], "10.0.0.2"),
            ("::ffff:10.0.0.1", &["2001:db8::1"], "2001:db8::1"),
        ] {
            let client = client(peer.parse().unwrap(), forwarded, &trusted);
            assert_eq!(client.to_string(), expected, "{peer} {forwarded:?}");
        }
    }
}

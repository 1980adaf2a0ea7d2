//! IP networks in the configuration.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::error::Fatal;

/// Parses networks and single addresses, such as `10.0.0.0/8, 2001:db8::1`.
pub fn parse(text: &str) -> Result<Vec<IpNet>, Fatal> {
    text.split([',', ' '])
        .filter(|part| !part.is_empty())
        .map(|part| {
            let address = || part.parse::<IpAddr>().map(IpNet::from);
            part.parse::<IpNet>().or_else(|_| address()).map_err(|_| {
                Fatal(format!(
                    "POSTLY_TRUSTED_PROXIES must be networks such as 10.0.0.0/8, not {part:?}"
                ))
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trusted_proxies_are_networks_or_addresses() {
        let networks = parse("127.0.0.1, 10.0.0.0/8 2001:db8::/32").unwrap();
        assert_eq!(networks.len(), 3);
        assert!(networks[0].contains(&"127.0.0.1".parse::<IpAddr>().unwrap()));
        assert!(parse("").unwrap().is_empty());
        for wrong in ["localhost", "10.0.0.0/33", "*"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}

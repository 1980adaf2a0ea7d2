//! Whoever sends a request, as far as limits and the audit need to know.

use std::net::IpAddr;
use std::sync::Mutex;

use crate::models::throttle::Standing;

/// Longest part of a user agent that is kept, in characters.
const USER_AGENT: usize = 200;

/// Where a request comes from.
#[derive(Debug)]
pub struct Caller {
    /// The client's address, as far as trusted proxies tell.
    address: Option<IpAddr>,
    pub user_agent: String,
    pub request_id: String,
    /// The limits that this request has met.
    standings: Mutex<Vec<Standing>>,
}

impl Caller {
    pub fn new(address: Option<IpAddr>, user_agent: &str, request_id: &str) -> Caller {
        Caller {
            address: address.map(|address| address.to_canonical()),
            // No line ends: what is kept may stand in a log or a mail one day.
            user_agent: user_agent.chars().filter(|c| !c.is_control()).take(USER_AGENT).collect(),
            request_id: request_id.to_owned(),
            standings: Mutex::default(),
        }
    }

    /// Whoever holds the command line.
    pub fn operator() -> Caller {
        Caller::new(None, "command line", "")
    }

    /// The address in text; empty when there is none.
    pub fn address(&self) -> String {
        self.address.map(|address| address.to_string()).unwrap_or_default()
    }

    /// What counts as one place for limits: an IPv4 address, or the /64 of an IPv6 address, all of
    /// which one customer usually holds.
    pub fn network(&self) -> String {
        match self.address {
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            _ => self.address(),
        }
    }

    /// Notes a limit, for the answer's headers.
    pub fn met(&self, standing: Standing) {
        if let Ok(mut standings) = self.standings.lock() {
            standings.retain(|known| known.policy.name != standing.policy.name);
            standings.push(standing);
        }
    }

    /// The limits met so far.
    pub fn standings(&self) -> Vec<Standing> {
        self.standings.lock().map(|standings| standings.clone()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_customer_is_one_network() {
        let network = |address: &str| Caller::new(Some(address.parse().unwrap()), "", "").network();
        assert_eq!(network("192.0.2.7"), "192.0.2.7");
        assert_eq!(network("::ffff:192.0.2.7"), "192.0.2.7");
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
    }

    #[test]
    fn a_user_agent_is_one_short_line() {
        let caller = Caller::new(None, &format!("a\r\nb{}", "c".repeat(500)), "");
        assert!(caller.user_agent.starts_with("abc") && caller.user_agent.len() == USER_AGENT);
    }
}

//! The sender of a request, for rate limits and the audit log.

use std::net::IpAddr;
use std::sync::Mutex;

use crate::models::base::rate_policy::RateLimitStatus;

/// Maximum length of a stored user agent in characters; the rest is dropped.
const USER_AGENT: usize = 200;

/// Where a request comes from.
#[derive(Debug)]
pub struct Caller {
    /// The client's address, as reported by trusted proxies.
    address: Option<IpAddr>,
    pub user_agent: String,
    pub request_id: String,
    /// The rate limits that applied to this request.
    rate_limits: Mutex<Vec<RateLimitStatus>>,
    /// The kinds of audit events that this request caused.
    events: Mutex<Vec<&'static str>>,
}

impl Caller {
    pub fn new(address: Option<IpAddr>, user_agent: &str, request_id: &str) -> Caller {
        Caller {
            address: address.map(|address| address.to_canonical()),
            // No line breaks: it may appear in a log or an e-mail.
            user_agent: user_agent.chars().filter(|c| !c.is_control()).take(USER_AGENT).collect(),
            request_id: request_id.to_owned(),
            rate_limits: Mutex::default(),
            events: Mutex::default(),
        }
    }

    /// The operator at the command line.
    pub fn operator() -> Caller {
        Caller::new(None, "command line", "")
    }

    /// The address as text; empty when there is none.
    pub fn address(&self) -> String {
        self.address.map(|address| address.to_string()).unwrap_or_default()
    }

    /// What counts as one client for rate limits: an IPv4 address, or the /64 of an IPv6 address,
    /// which usually belongs to one customer.
    pub fn network(&self) -> String {
        match self.address {
            Some(IpAddr::V6(address)) => {
                let [a, b, c, d, ..] = address.segments();
                format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
            }
            _ => self.address(),
        }
    }

    /// Records a rate limit, for the response headers.
    pub fn record(&self, status: RateLimitStatus) {
        if let Ok(mut known) = self.rate_limits.lock() {
            known.retain(|other| other.policy.name != status.policy.name);
            known.push(status);
        }
    }

    /// Records that an audit event was written, for the metrics.
    pub fn record_event(&self, kind: &'static str) {
        if let Ok(mut events) = self.events.lock() {
            events.push(kind);
        }
    }

    /// The kinds of the events recorded so far.
    pub fn events(&self) -> Vec<&'static str> {
        self.events.lock().map(|events| events.clone()).unwrap_or_default()
    }

    /// The rate limits recorded so far.
    pub fn rate_limits(&self) -> Vec<RateLimitStatus> {
        self.rate_limits.lock().map(|known| known.clone()).unwrap_or_default()
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

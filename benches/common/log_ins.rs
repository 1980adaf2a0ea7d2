//! A hundred people who log in at once.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use serde_json::json;
use ureq::Agent;

use super::server::PASSWORD;

pub const PEOPLE: usize = 100;

/// Makes Postly believe the `X-Forwarded-For` of this machine: log-ins are counted by address.
pub const OPTIONS: &[(&str, &str)] = &[("POSTLY_TRUSTED_PROXIES", "127.0.0.1/32")];

/// Their names.
pub fn people() -> Vec<String> {
    (0..PEOPLE).map(|n| format!("storm{n}")).collect()
}

pub struct Storm {
    /// From the first request to the last answer.
    pub length: Duration,
    pub times: Vec<Duration>,
    /// How often each status came; 0 is no answer at all.
    pub answers: BTreeMap<u16, usize>,
}

/// Everybody logs in, each from an address of their own.
pub fn storm(url: &str, people: &[String]) -> Storm {
    let start = Barrier::new(people.len() + 1);
    let mut storm = Storm { length: Duration::ZERO, times: vec![], answers: BTreeMap::new() };
    std::thread::scope(|scope| {
        let log_ins: Vec<_> = people
            .iter()
            .enumerate()
            .map(|(number, name)| {
                let start = &start;
                scope.spawn(move || {
                    let agent: Agent =
                        Agent::config_builder().http_status_as_error(false).build().into();
                    let body = json!({"username": name, "password": PASSWORD});
                    start.wait();
                    let began = Instant::now();
                    let answer = agent
                        .post(format!("{url}/api/v1/auth/login"))
                        .header("X-Forwarded-For", format!("192.0.2.{}", number % 250 + 1))
                        .send_json(body);
                    (began.elapsed(), answer.map_or(0, |answer| answer.status().as_u16()))
                })
            })
            .collect();
        start.wait();
        let began = Instant::now();
        for log_in in log_ins {
            let (time, status) = log_in.join().unwrap();
            storm.times.push(time);
            *storm.answers.entry(status).or_default() += 1;
        }
        storm.length = began.elapsed();
    });
    storm
}

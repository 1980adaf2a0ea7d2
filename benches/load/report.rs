//! Running wrk, and reading and printing what it says.

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use crate::{Scenario, interrupt};

pub const HEAD: &str = "| request | Postly req/s | bare req/s | ratio | p50 | p99 | bare p50 | bare p99 |\n\
                        |---|--:|--:|--:|--:|--:|--:|--:|";

/// What one round found.
#[derive(Clone)]
pub struct Measurement {
    per_second: f64,
    p50: String,
    p99: String,
    /// Answers that were not 2xx or 3xx, and connections that failed.
    failures: u64,
}

impl Measurement {
    /// Loads `url` for `length`.
    pub fn take(url: &str, scenario: &Scenario, length: Duration) -> Measurement {
        // wrk takes the method and the body from a script alone.
        let mut script = tempfile::NamedTempFile::new().unwrap();
        writeln!(script, "wrk.method = {:?}", scenario.method).unwrap();
        for (name, value) in &scenario.headers {
            writeln!(script, "wrk.headers[{name:?}] = {value:?}").unwrap();
        }
        if let Some(body) = &scenario.body {
            writeln!(script, "wrk.body = {body:?}").unwrap();
        }
        let output = Command::new("wrk")
            .args(["-t1", "-c16", "--latency", "--timeout", "30s"])
            .arg(format!("-d{}s", length.as_secs()))
            .arg("-s")
            .arg(script.path())
            .arg(format!("{url}{}", scenario.path))
            .output()
            .unwrap();
        interrupt::check();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let after = |label: &str| {
            text.lines()
                .find_map(|line| line.trim().strip_prefix(label))
                .map(|rest| rest.trim().to_owned())
        };
        Measurement {
            per_second: after("Requests/sec:")
                .and_then(|n| n.parse().ok())
                .unwrap_or_else(|| panic!("wrk says: {text}")),
            p50: after("50%").unwrap_or_default(),
            p99: after("99%").unwrap_or_default(),
            failures: after("Non-2xx or 3xx responses:").map_or(0, |n| n.parse().unwrap())
                + after("Socket errors:").map_or(0, |counts| socket_errors(&counts)),
        }
    }
}

/// The sum of `connect 0, read 1, write 0, timeout 2`.
fn socket_errors(counts: &str) -> u64 {
    counts
        .split(',')
        .map(|count| count.split_whitespace().last().unwrap_or_default().parse::<u64>().unwrap())
        .sum()
}

/// The round in the middle, with the failures of all.
pub fn median(mut rounds: Vec<Measurement>) -> Measurement {
    rounds.sort_by(|a, b| a.per_second.total_cmp(&b.per_second));
    let failures = rounds.iter().map(|round| round.failures).sum();
    Measurement { failures, ..rounds[rounds.len() / 2].clone() }
}

pub fn row(name: &str, ours: Measurement, bare: Measurement) -> String {
    let failures = match ours.failures + bare.failures {
        0 => String::new(),
        n => format!(" ({n} failed)"),
    };
    format!(
        "| {name}{failures} | {:.0} | {:.0} | {:.3} | {} | {} | {} | {} |",
        ours.per_second,
        bare.per_second,
        ours.per_second / bare.per_second,
        ours.p50,
        ours.p99,
        bare.p50,
        bare.p99
    )
}

/// The time that so many of a hundred stay below, in milliseconds.
pub fn percentile(times: &mut [Duration], hundredth: usize) -> f64 {
    times.sort_unstable();
    let place = (times.len() * hundredth).div_ceil(100).saturating_sub(1);
    times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}

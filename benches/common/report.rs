//! Running wrk, and reading what it says.

use std::io::Write;
use std::process::Command;
use std::time::Duration;

use super::{Scenario, interrupt};

/// What one round found.
#[derive(Clone)]
pub struct Measurement {
    pub requests: u64,
    pub per_second: f64,
    /// Milliseconds.
    pub p50: f64,
    pub p99: f64,
    /// Answers that were not 2xx or 3xx.
    pub refused: u64,
    pub socket_errors: u64,
}

/// Puts another number into the body of each request.
const COUNT: &str = "local body, n = wrk.body, 0
request = function()
  n = n + 1
  return wrk.format(nil, nil, nil, (body:gsub(\"<n>\", n)))
end";

impl Measurement {
    /// Loads `url` for `length`, through so many connections.
    pub fn take(
        url: &str,
        scenario: &Scenario,
        connections: usize,
        length: Duration,
    ) -> Measurement {
        // wrk takes the method and the body from a script alone.
        let mut script = tempfile::NamedTempFile::new().unwrap();
        writeln!(script, "wrk.method = {:?}", scenario.method).unwrap();
        for (name, value) in &scenario.headers {
            writeln!(script, "wrk.headers[{name:?}] = {value:?}").unwrap();
        }
        if let Some(body) = &scenario.body {
            writeln!(script, "wrk.body = {body:?}").unwrap();
            if body.contains("<n>") {
                writeln!(script, "{COUNT}").unwrap();
            }
        }
        let output = Command::new("wrk")
            .args(["-t1", "--latency", "--timeout", "30s"])
            .arg(format!("-c{connections}"))
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
        let requests = text.lines().find_map(|line| line.split_once(" requests in "));
        let Some((requests, per_second)) = requests.zip(after("Requests/sec:")) else {
            panic!("wrk says: {text}{}", String::from_utf8_lossy(&output.stderr));
        };
        Measurement {
            requests: requests.0.trim().parse().unwrap(),
            per_second: per_second.parse().unwrap(),
            p50: after("50%").map_or(f64::NAN, |time| milliseconds(&time)),
            p99: after("99%").map_or(f64::NAN, |time| milliseconds(&time)),
            refused: after("Non-2xx or 3xx responses:").map_or(0, |n| n.parse().unwrap()),
            socket_errors: after("Socket errors:").map_or(0, |counts| socket_errors(&counts)),
        }
    }

    pub fn failures(&self) -> u64 {
        self.refused + self.socket_errors
    }
}

/// `950.00us`, `1.20ms`, `2.50s` or `1.10m`, as wrk writes times.
fn milliseconds(time: &str) -> f64 {
    let digits = time.trim_end_matches(char::is_alphabetic);
    let unit = match &time[digits.len()..] {
        "us" => 0.001,
        "ms" => 1.0,
        "s" => 1_000.0,
        "m" => 60_000.0,
        _ => panic!("wrk says: {time}"),
    };
    digits.parse::<f64>().unwrap() * unit
}

/// Ends this process with a sentence when there is no wrk.
pub fn need_wrk() {
    if Command::new("wrk").arg("--version").output().is_err() {
        eprintln!("wrk is missing: apt-get install wrk");
        std::process::exit(1);
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
    let refused = rounds.iter().map(|round| round.refused).sum();
    let socket_errors = rounds.iter().map(|round| round.socket_errors).sum();
    Measurement { refused, socket_errors, ..rounds[rounds.len() / 2].clone() }
}

/// The time that so many of a hundred stay below, in milliseconds.
pub fn percentile(times: &mut [Duration], hundredth: usize) -> f64 {
    times.sort_unstable();
    let place = (times.len() * hundredth).div_ceil(100).saturating_sub(1);
    times.get(place).map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}

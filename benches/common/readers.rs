//! People who read the feed all the while, and how long each of them waits.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use ureq::Agent;

use super::interrupt;
use super::report::percentile;

const READERS: usize = 4;

/// How long each reading took, and how many failed.
#[derive(Default)]
pub struct Readings {
    pub times: Vec<Duration>,
    pub failures: usize,
}

impl Readings {
    /// A row of a Markdown table.
    pub fn row(&mut self, what: &str) -> String {
        let (p50, p99) = (percentile(&mut self.times, 50), percentile(&mut self.times, 99));
        let most = percentile(&mut self.times, 100);
        let (count, failures) = (self.times.len(), self.failures);
        format!("| {what} | {count} | {failures} | {p50:.1} ms | {p99:.1} ms | {most:.1} ms |")
    }
}

pub const HEAD: &str =
    "| feed page | read | failed | p50 | p99 | most |\n|---|--:|--:|--:|--:|--:|";

/// Reads the feed at `url`, one request after the other in each of four connections, until
/// `meanwhile` is over; gives what that has found as well.
pub fn read_while<T>(url: &str, meanwhile: impl FnOnce() -> T) -> (Readings, T) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let readers: Vec<_> =
            (0..READERS).map(|_| scope.spawn(|| read_until(url, &over))).collect();
        let found = meanwhile();
        over.store(true, Ordering::SeqCst);
        let mut all = Readings::default();
        for reader in readers {
            let one = reader.join().unwrap();
            all.times.extend(one.times);
            all.failures += one.failures;
        }
        (all, found)
    })
}

/// Reads for so long.
pub fn read_for(url: &str, length: Duration) -> Readings {
    let (readings, ()) = read_while(url, || std::thread::sleep(length));
    interrupt::check();
    readings
}

fn read_until(url: &str, over: &AtomicBool) -> Readings {
    let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
    let mut readings = Readings::default();
    while !over.load(Ordering::SeqCst) {
        let start = Instant::now();
        let read = agent
            .get(url)
            .call()
            .and_then(|mut answer| answer.body_mut().read_to_vec().map(|_| answer.status() == 200));
        // A failure counts in the time as well: who fails fast must not look good.
        readings.times.push(start.elapsed());
        readings.failures += usize::from(!read.unwrap_or(false));
    }
    readings
}

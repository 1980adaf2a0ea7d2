//! The feed while a hundred people log in.

use std::time::{Duration, Instant};

use crate::common::log_ins::{OPTIONS, PEOPLE, people, storm};
use crate::common::readers::{read_for, read_while};
use crate::common::report::percentile;
use crate::common::server::{PASSWORD, Postly};
use crate::usage::Usage;
use crate::{Plan, table};

/// What Postly does with a password unless told otherwise.
const COST: u32 = 12;

pub fn run(plan: &Plan) {
    let people = people();
    let postly = Postly::with(None, 1_000, OPTIONS, &people);
    let page = format!("{}/", postly.url());
    let hash = one_hash();
    read_for(&page, Duration::from_secs(1)); // Warms up.
    let mut calm = read_for(&page, plan.length);
    let before = (Usage::of(postly.pid()).cpu, Usage::of(std::process::id()).cpu);
    let (mut readings, storm) = read_while(&page, || storm(postly.url(), &people));
    let server = Usage::of(postly.pid()).cpu - before.0;
    // The readers are threads of this process. Postly is its child, and counted there as well.
    let generator = Usage::of(std::process::id()).cpu - before.1 - server;

    let (quiet, busy) = (percentile(&mut calm.times, 99), percentile(&mut readings.times, 99));
    let failed = readings.failures + PEOPLE - storm.answers.get(&200).copied().unwrap_or_default();
    let what = format!(
        "feed page while {PEOPLE} log in: p99 {busy:.1} ms, quiet {quiet:.1} ms, {failed} failed"
    );
    table::figure(&what, "≤ 3 ×", busy <= 3.0 * quiet && failed == 0);

    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    #[allow(clippy::cast_precision_loss, reason = "small numbers")]
    let (cores, people) = (cores as f64, PEOPLE as f64);
    let hashing = people * hash.as_secs_f64();
    let left = cores * storm.length.as_secs_f64() - generator - (server - hashing).max(0.0);
    let ratio = hashing / left;
    let what = format!(
        "{:.1} log-ins a second: {ratio:.2} of the cores' raw bcrypt rate left to them",
        people / storm.length.as_secs_f64()
    );
    table::figure(&what, "≥ 0.9", ratio >= 0.9);
}

/// The shortest of five: what a core can do when nobody disturbs it.
fn one_hash() -> Duration {
    let once = |_| {
        let began = Instant::now();
        bcrypt::hash(PASSWORD, COST).unwrap();
        began.elapsed()
    };
    (0..5).map(once).min().unwrap()
}

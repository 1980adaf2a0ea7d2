//! Writing posts on SQLite, beside a loop of the same transactions on one connection.

use std::time::Duration;

use crate::common::Scenario;
use crate::common::fill::insert_for;
use crate::common::server::Postly;
use crate::measure::{Found, MANY, Side, in_turn, middle};
use crate::{Plan, table};

pub fn run(plan: &Plan, postly: &Postly) {
    let scenario = postly.scenario("writing a post");
    let [ours, raw] =
        beside_loop(plan, postly, scenario, |length| insert_for(&postly.file(), length));
    table::beside("writing a post, beside a loop of the same INSERT", &ours, &raw, Some(0.5));
}

/// Postly, and in turn with it a loop that gives its transactions per second, on the same file: the same
/// schema with its triggers, on the same disk.
pub fn beside_loop(
    plan: &Plan,
    postly: &Postly,
    scenario: Scenario,
    repeat: impl Fn(Duration) -> f64,
) -> [Found; 2] {
    let once = Plan { rounds: 1, ..*plan };
    let side = Side { url: postly.url().to_owned(), pids: vec![postly.pid()], scenario };
    let (mut ours, mut loops) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        ours.extend(in_turn(&once, MANY, std::slice::from_ref(&side)));
        loops.push(repeat(plan.length));
    }
    loops.sort_by(f64::total_cmp);
    let ours = middle(ours);
    let mut raw = Found { cpu: 0.0, memory: 0.0, ..ours.clone() };
    raw.load.per_second = loops[loops.len() / 2];
    (raw.load.refused, raw.load.socket_errors) = (0, 0);
    [ours, raw]
}

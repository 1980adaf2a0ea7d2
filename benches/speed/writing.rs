//! Writing posts on SQLite, beside a loop of the same transactions on one connection.

use crate::common::fill::insert_for;
use crate::common::server::Postly;
use crate::measure::{Found, MANY, Side, in_turn};
use crate::{Plan, table};

pub fn run(plan: &Plan, postly: &Postly) {
    let once = Plan { rounds: 1, ..*plan };
    let side = Side {
        url: postly.url().to_owned(),
        pids: vec![postly.pid()],
        scenario: postly.scenario("writing a post"),
    };
    let (mut ours, mut loops) = (Vec::new(), Vec::new());
    for _ in 0..plan.rounds {
        ours.extend(in_turn(&once, MANY, std::slice::from_ref(&side)));
        // The same file: the same schema with its triggers, on the same disk.
        loops.push(insert_for(&postly.file(), plan.length));
    }
    ours.sort_by(|a, b| a.load.per_second.total_cmp(&b.load.per_second));
    loops.sort_by(f64::total_cmp);
    let ours = &ours[ours.len() / 2];
    let mut raw = Found { cpu: 0.0, memory: 0.0, ..ours.clone() };
    raw.load.per_second = loops[loops.len() / 2];
    (raw.load.refused, raw.load.socket_errors) = (0, 0);
    table::beside("writing a post, beside a loop of the same INSERT", ours, &raw, Some(0.5));
}

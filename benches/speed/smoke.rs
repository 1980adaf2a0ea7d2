//! A very short run for `cargo test`: everything starts and answers. No time is looked at.

use std::time::Duration;

use crate::Plan;
use crate::bare::{compare, unchanged};
use crate::common::report::need_wrk;
use crate::common::server::Postly;
use crate::editing::Edited;

pub fn run() {
    need_wrk();
    let plan = Plan { rounds: 1, length: Duration::from_secs(1), quick: true };
    let postly = Postly::start(None, 30);
    let known = unchanged(&postly, "post JSON").expect("a post has an ETag");
    for scenario in [postly.scenario("feed page"), known, postly.scenario("writing a post")] {
        for found in compare(&plan, &postly, &scenario) {
            assert!(found.load.requests > 0, "{}: no answer", scenario.name);
            assert_eq!(found.load.failures(), 0, "{}: failures", scenario.name);
        }
    }
    let edited = Edited::new(&postly);
    for [ours, raw] in [edited.save(&plan, &postly), edited.keep(&plan, &postly)] {
        assert!(ours.load.requests > 0 && raw.load.per_second > 0.0, "no answer to an edit");
        assert_eq!(ours.load.failures(), 0, "failures of an edit");
    }
    assert!(edited.publish(&plan, &postly).iter().all(|rate| *rate > 0.0), "nothing was published");
    // As cargo's own tests end, so that it is counted with them.
    println!("\ntest result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out");
}

//! How fast Postly is: one table, in which Postly stands beside a bare Rocket route with the same
//! bytes and beside the same feed on other frameworks. docs/performance.md says what it means.
//!
//! `cargo bench --bench speed -- [--quick] [--only PART,PART]`. `cargo test` runs it as well, so
//! briefly that it shows nothing but that everything answers.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bare;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "each benchmark uses a part")]
mod common;
mod conversation;
mod editing;
mod footprint;
mod lists;
mod measure;
mod pair;
mod peers;
mod smoke;
mod storm;
mod table;
mod usage;
mod writing;

use std::time::Duration;

use common::interrupt;
use common::report::need_wrk;
use common::server::Postly;

/// How long and how often everything is measured.
pub struct Plan {
    pub rounds: usize,
    pub length: Duration,
    pub quick: bool,
}

const PARTS: &[&str] = &[
    "bare",
    "writing",
    "editing",
    "lists",
    "conversation",
    "storm",
    "footprint",
    "peers",
    "million",
    "pair",
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|mode| mode == "bare") {
        return common::bare::run();
    }
    interrupt::listen();
    // cargo bench says so; without it, cargo test runs this.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return smoke::run();
    }
    need_wrk();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let only = arguments.iter().position(|argument| argument == "--only");
    let parts: Vec<&str> = match only {
        Some(place) => arguments.get(place + 1).expect("--only needs parts").split(',').collect(),
        None => PARTS.to_vec(),
    };
    for part in &parts {
        assert!(PARTS.contains(part), "{part} is none of {PARTS:?}");
    }
    let plan = if quick {
        Plan { rounds: 3, length: Duration::from_secs(1), quick }
    } else {
        Plan { rounds: 5, length: Duration::from_secs(3), quick }
    };
    measure_all(&plan, |part| parts.contains(&part));
}

fn measure_all(plan: &Plan, wanted: impl Fn(&str) -> bool) {
    // What is to be installed comes first: it would disturb what is measured.
    let peers = wanted("peers").then(peers::Packages::install);
    println!("{}", table::head(plan));
    if ["bare", "writing", "editing", "peers"].into_iter().any(&wanted) {
        let postly = Postly::start(None, 1_000);
        if wanted("bare") {
            bare::run(plan, &postly);
        }
        if let Some(packages) = peers {
            peers::run(plan, &postly, &packages);
        }
        if wanted("writing") {
            writing::run(plan, &postly);
        }
        if wanted("editing") {
            editing::run(plan, &postly);
        }
    }
    if wanted("storm") {
        storm::run(plan);
    }
    if wanted("lists") || wanted("footprint") {
        let posts = if plan.quick { 10_000 } else { 100_000 };
        let mut postly = Postly::start(None, posts);
        if wanted("footprint") {
            footprint::run(plan, &mut postly, posts);
        }
        if wanted("lists") {
            lists::admin(plan, &postly, posts);
        }
    }
    if wanted("conversation") {
        conversation::run(plan);
    }
    if wanted("million") && !plan.quick {
        lists::million(plan);
    }
    if wanted("pair") && !plan.quick {
        pair::run(plan);
    }
}

//! Compares Postly with a bare Rocket route that returns the same bytes.
//!
//! `cargo bench --bench load -- [--seconds N] [--rounds N] [--engine sqlite|postgres|both]
//! [--posts N,N] [--only NAME]`. Both are loaded in turn by `wrk`, a process of its own, on the
//! same machine: the ratios tell something, the absolute figures little.
//!
//! `… -- storm [--seconds N] [--engine …] [--posts N,N]` reads the feed while a hundred people log
//! in at once; `… -- slow` does so beside a thousand slow connections, through nginx with the
//! configuration that is shipped. `… -- timing` compares how long refused log-ins take.

#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "each benchmark uses a part")]
mod common;
#[path = "../../tests/app/support/nginx.rs"]
mod nginx;
mod slow;
mod storm;
mod timing;

use std::time::Duration;

use common::bare::{self, Bare};
use common::report::{Measurement, median, need_wrk};
use common::server::Postly;
use common::{Scenario, interrupt, postgres};

const HEAD: &str = "| request | Postly req/s | bare req/s | ratio | p50 ms | p99 ms | bare p50 | bare p99 |\n\
                    |---|--:|--:|--:|--:|--:|--:|--:|";

pub struct Options {
    seconds: u64,
    rounds: usize,
    engines: Vec<&'static str>,
    posts: Vec<u64>,
    only: Option<String>,
}

fn main() {
    let mode = std::env::args().nth(1).unwrap_or_default();
    if mode == "bare" {
        return bare::run();
    }
    interrupt::listen();
    match mode.as_str() {
        "storm" => storm::run(&options(2)),
        "slow" => slow::run(&options(2)),
        "timing" => timing::run(&options(2)),
        _ => against_bare(&options(1)),
    }
}

fn against_bare(options: &Options) {
    need_wrk();
    println!(
        "Ratios of requests per second, Postly ÷ bare Rocket with the same bytes; medians of {} \
         rounds of {} s, 16 connections. Postly logs errors only.\n",
        options.rounds, options.seconds
    );
    for engine in &options.engines {
        let cluster = (*engine == "postgres").then(postgres::Cluster::start);
        for posts in &options.posts {
            let postly = Postly::start(cluster.as_ref(), *posts);
            println!("### {engine}, {posts} posts\n\n{}", HEAD);
            for scenario in postly.scenarios() {
                if options.only.as_ref().is_none_or(|only| scenario.name.contains(only.as_str())) {
                    println!("{}", compare(options, &postly, &scenario));
                }
            }
            println!();
        }
    }
}

fn compare(options: &Options, postly: &Postly, scenario: &Scenario) -> String {
    let bare = Bare::start(&postly.sample(scenario));
    let length = Duration::from_secs(options.seconds);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        theirs.push(Measurement::take(bare.url(), scenario, 16, length));
        ours.push(Measurement::take(postly.url(), scenario, 16, length));
    }
    row(scenario.name, &median(ours), &median(theirs))
}

fn row(name: &str, ours: &Measurement, bare: &Measurement) -> String {
    let failures = match ours.failures() + bare.failures() {
        0 => String::new(),
        n => format!(" ({n} failed)"),
    };
    format!(
        "| {name}{failures} | {:.0} | {:.0} | {:.3} | {:.2} | {:.2} | {:.2} | {:.2} |",
        ours.per_second,
        bare.per_second,
        ours.per_second / bare.per_second,
        ours.p50,
        ours.p99,
        bare.p50,
        bare.p99
    )
}

fn options(from: usize) -> Options {
    let mut options = Options {
        seconds: 3,
        rounds: 3,
        engines: vec!["sqlite", "postgres"],
        posts: vec![1_000, 100_000],
        only: None,
    };
    let mut arguments = std::env::args().skip(from);
    while let Some(flag) = arguments.next() {
        if flag == "--bench" {
            continue; // cargo passes it
        }
        let value = arguments.next().unwrap_or_else(|| panic!("{flag} needs a value"));
        match flag.as_str() {
            "--seconds" => options.seconds = value.parse().expect("a number of seconds"),
            "--rounds" => options.rounds = value.parse().expect("a number of rounds"),
            "--only" => options.only = Some(value),
            "--posts" => {
                options.posts = value.split(',').map(|n| n.parse().expect("a number")).collect();
            }
            "--engine" => match value.as_str() {
                "sqlite" => options.engines = vec!["sqlite"],
                "postgres" => options.engines = vec!["postgres"],
                "both" => {}
                other => panic!("--engine is sqlite, postgres or both, not {other}"),
            },
            other => panic!("{other} is not an option"),
        }
    }
    options
}

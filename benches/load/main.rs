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

mod interrupt;
#[path = "../../tests/app/support/nginx.rs"]
mod nginx;
mod postgres;
mod readers;
mod report;
mod server;
mod slow;
mod storm;
mod timing;

use std::time::Duration;

use report::{Measurement, median};
use server::{Bare, Postly};

pub struct Options {
    seconds: u64,
    rounds: usize,
    engines: Vec<&'static str>,
    posts: Vec<u64>,
    only: Option<String>,
}

/// One kind of request.
pub struct Scenario {
    pub name: &'static str,
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<String>,
}

fn main() {
    let mode = std::env::args().nth(1).unwrap_or_default();
    if mode == "bare" {
        return server::bare();
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
    if std::process::Command::new("wrk").arg("--version").output().is_err() {
        eprintln!("wrk is missing: apt-get install wrk");
        std::process::exit(1);
    }
    println!(
        "Ratios of requests per second, Postly ÷ bare Rocket with the same bytes; medians of {} \
         rounds of {} s, 16 connections. Postly logs errors only.\n",
        options.rounds, options.seconds
    );
    for engine in &options.engines {
        let cluster = (*engine == "postgres").then(postgres::Cluster::start);
        for posts in &options.posts {
            let postly = Postly::start(cluster.as_ref(), *posts);
            println!("### {engine}, {posts} posts\n\n{}", report::HEAD);
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
    let bare = Bare::start(postly.sample(scenario));
    let length = Duration::from_secs(options.seconds);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..options.rounds {
        theirs.push(Measurement::take(bare.url(), scenario, length));
        ours.push(Measurement::take(postly.url(), scenario, length));
    }
    report::row(scenario.name, median(ours), median(theirs))
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

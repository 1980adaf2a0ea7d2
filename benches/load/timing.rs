//! How long a refused log-in takes: for a name that is unknown, a password that is wrong, an account
//! that is disabled. The medians should be alike, or they would tell who is here.

use std::time::{Duration, Instant};

use serde_json::json;
use ureq::Agent;

use crate::Options;
use crate::common::report::percentile;
use crate::common::server::{PASSWORD, Postly};
use crate::common::{interrupt, postgres};

/// Log-ins of each kind.
const TRIES: usize = 200;

/// Makes Postly believe the `X-Forwarded-For` of this machine: log-ins are counted by address.
const OPTIONS: &[(&str, &str)] = &[("POSTLY_TRUSTED_PROXIES", "127.0.0.1/32")];

pub fn run(options: &Options) {
    // Each account takes five failures in five minutes.
    let people: Vec<String> = (0..TRIES / 2).map(|n| format!("timed{n}")).collect();
    let (there, disabled) = people.split_at(people.len() / 2);
    for engine in &options.engines {
        let cluster = (*engine == "postgres").then(postgres::Cluster::start);
        let postly = Postly::with(cluster.as_ref(), 10, OPTIONS, &people);
        for name in disabled {
            postly.command(&["user", "disable", name]);
        }
        println!("### {engine}, {TRIES} refused log-ins of each kind\n");
        println!("| kind | p50 ms | to unknown |\n|---|--:|--:|");
        let agent: Agent = Agent::config_builder().http_status_as_error(false).build().into();
        let mut times = [const { Vec::new() }; 3];
        // In turn, so that whatever else the machine does falls on all alike.
        for number in 0..TRIES {
            interrupt::check();
            let names = [
                format!("unknown{number}"),
                there[number % there.len()].clone(),
                disabled[number % disabled.len()].clone(),
            ];
            let passwords = ["wrong", "wrong", PASSWORD];
            for (kind, (name, password)) in names.iter().zip(passwords).enumerate() {
                let address = format!("198.51.{}.{}", number, kind + 1);
                let began = Instant::now();
                let answer = agent
                    .post(format!("{}/api/v1/auth/login", postly.url()))
                    .header("X-Forwarded-For", address)
                    .send_json(json!({"username": name, "password": password}));
                times[kind].push(began.elapsed());
                assert_eq!(answer.map(|answer| answer.status().as_u16()).unwrap_or(0), 401);
            }
        }
        let medians: Vec<f64> = times.iter_mut().map(|times| median(times)).collect();
        for (kind, median) in ["unknown", "wrong", "disabled"].iter().zip(&medians) {
            println!("| {kind} | {median:.1} | {:.3} |", median / medians[0]);
        }
        println!();
    }
}

fn median(times: &mut [Duration]) -> f64 {
    percentile(times, 50)
}

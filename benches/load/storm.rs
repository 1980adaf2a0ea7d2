//! A hundred people log in at once: what those who read the feed notice of it.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::time::{Duration, Instant};

use serde_json::json;
use ureq::Agent;

use crate::readers::{HEAD, read_for, read_while};
use crate::report::percentile;
use crate::server::{PASSWORD, Postly};
use crate::{Options, interrupt, postgres};

const PEOPLE: usize = 100;

/// Makes Postly believe the `X-Forwarded-For` of this machine: log-ins are counted by address.
const OPTIONS: &[(&str, &str)] = &[("POSTLY_TRUSTED_PROXIES", "127.0.0.1/32")];

pub fn run(options: &Options) {
    let people: Vec<String> = (0..PEOPLE).map(|n| format!("storm{n}")).collect();
    for engine in &options.engines {
        let cluster = (*engine == "postgres").then(postgres::Cluster::start);
        for posts in &options.posts {
            let postly = Postly::with(cluster.as_ref(), *posts, OPTIONS, &people);
            println!("### {engine}, {posts} posts, {PEOPLE} log-ins at once\n\n{HEAD}");
            let page = format!("{}/", postly.url());
            read_for(&page, Duration::from_secs(1)); // Warms up.
            let mut calm = read_for(&page, Duration::from_secs(options.seconds));
            println!("{}", calm.row("in the calm"));
            let (mut readings, mut storm) = read_while(&page, || storm(postly.url(), &people));
            println!("{}", readings.row("in the storm"));
            interrupt::check();
            println!(
                "\nAll log-ins took {:.2} s; one waited {:.2} s (p50), {:.2} s (longest). \
                 Answers: {:?}\n",
                storm.length.as_secs_f64(),
                percentile(&mut storm.times, 50) / 1000.0,
                percentile(&mut storm.times, 100) / 1000.0,
                storm.answers
            );
        }
    }
}

struct Storm {
    /// From the first request to the last answer.
    length: Duration,
    times: Vec<Duration>,
    /// How often each status came; 0 is no answer at all.
    answers: BTreeMap<u16, usize>,
}

/// Everybody logs in, each from an address of their own.
fn storm(url: &str, people: &[String]) -> Storm {
    let start = Barrier::new(people.len() + 1);
    let mut storm = Storm { length: Duration::ZERO, times: vec![], answers: BTreeMap::new() };
    std::thread::scope(|scope| {
        let log_ins: Vec<_> = people
            .iter()
            .enumerate()
            .map(|(number, name)| {
                let start = &start;
                scope.spawn(move || {
                    let agent: Agent =
                        Agent::config_builder().http_status_as_error(false).build().into();
                    let body = json!({"username": name, "password": PASSWORD});
                    start.wait();
                    let began = Instant::now();
                    let answer = agent
                        .post(format!("{url}/api/v1/auth/login"))
                        .header("X-Forwarded-For", format!("192.0.2.{}", number % 250 + 1))
                        .send_json(body);
                    (began.elapsed(), answer.map_or(0, |answer| answer.status().as_u16()))
                })
            })
            .collect();
        start.wait();
        let began = Instant::now();
        for log_in in log_ins {
            let (time, status) = log_in.join().unwrap();
            storm.times.push(time);
            *storm.answers.entry(status).or_default() += 1;
        }
        storm.length = began.elapsed();
    });
    storm
}

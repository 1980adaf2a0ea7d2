//! A hundred people log in at once: what those who read the feed notice of it.

use std::time::Duration;

use crate::Options;
use crate::common::log_ins::{OPTIONS, PEOPLE, people, storm};
use crate::common::readers::{HEAD, read_for, read_while};
use crate::common::report::percentile;
use crate::common::server::Postly;
use crate::common::{interrupt, postgres};

pub fn run(options: &Options) {
    let people = people();
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

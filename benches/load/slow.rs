//! A thousand slow connections through the shipped proxy configuration: what readers notice of them.

use std::time::{Duration, Instant};

use crate::Options;
use crate::common::readers::{HEAD, read_for, read_while};
use crate::common::server::Postly;
use crate::common::{interrupt, postgres};
use crate::nginx::{Nginx, SLOW, Slow, until_all_are_cut_off};

pub fn run(options: &Options) {
    for engine in &options.engines {
        let cluster = (*engine == "postgres").then(postgres::Cluster::start);
        for posts in &options.posts {
            let postly = Postly::start(cluster.as_ref(), *posts);
            let nginx = Nginx::start(postly.url().strip_prefix("http://").unwrap());
            println!("### {engine}, {posts} posts, {SLOW} slow connections\n\n{HEAD}");
            let page = format!("{}/", nginx.url());
            read_for(&page, Duration::from_secs(1)); // Warms up.
            let mut alone = read_for(&page, Duration::from_secs(options.seconds));
            println!("{}", alone.row("alone"));
            let slow = Slow::open(&nginx);
            let (mut readings, held) = read_while(&page, || {
                let start = Instant::now();
                until_all_are_cut_off(slow, || std::thread::sleep(Duration::from_millis(100)));
                start.elapsed()
            });
            interrupt::check();
            println!("{}", readings.row("beside the slow"));
            println!("\nAll slow connections were cut off after {:.1} s.\n", held.as_secs_f64());
        }
    }
}

//! Memory, the time of a start, and what a first visit transfers.

use crate::common::Scenario;
use crate::common::server::Postly;
use crate::measure::{MANY, Side, in_turn};
use crate::usage::Usage;
use crate::{Plan, table};

pub fn run(plan: &Plan, postly: &mut Postly, posts: u64) {
    let mut starts: Vec<f64> =
        (0..plan.rounds).map(|_| postly.restart().as_secs_f64() * 1_000.0).collect();
    starts.sort_by(f64::total_cmp);
    let median = starts[starts.len() / 2];
    let what = format!("start to the first feed page, {posts} posts: {median:.0} ms");
    table::figure(&what, "≤ 60 ms", median <= 60.0);

    let idle = Usage::of(postly.pid()).memory;
    table::figure(&format!("idle memory, {posts} posts: {idle:.0} MB"), "≤ 25 MB", idle <= 25.0);
    let mut most = idle;
    for name in ["feed page", "feed JSON, signed in", "post page", "feed page, signed in"] {
        let scenario = postly.scenario(name);
        let side = Side { url: postly.url().to_owned(), pids: vec![postly.pid()], scenario };
        most = most.max(in_turn(plan, MANY, &[side])[0].memory);
    }
    table::figure(
        &format!("memory under load, {posts} posts: {most:.0} MB"),
        "≤ 80 MB",
        most <= 80.0,
    );
    transfer(postly);
}

/// What a browser fetches for the feed when it has nothing yet.
fn transfer(postly: &Postly) {
    let plain = |path: &str| {
        String::from_utf8(postly.sample(&Scenario::get("", path, vec![])).body).unwrap()
    };
    let compressed = |path: &str| {
        let accepted = vec![("Accept-Encoding", "gzip, deflate, br".to_owned())];
        postly.sample(&Scenario::get("", path, accepted)).body.len()
    };
    let html = plain("/");
    let tags: Vec<&str> = html.split('<').collect();
    let sheets: Vec<&str> = tags
        .iter()
        .filter(|tag| tag.starts_with("link ") && attribute(tag, "rel") == Some("stylesheet"))
        .filter_map(|tag| attribute(tag, "href"))
        .collect();
    let scripts = tags
        .iter()
        .filter(|tag| tag.starts_with("script "))
        .filter_map(|tag| attribute(tag, "src"));
    // A browser fetches a font when a letter of the page needs it; the page asks for that one beforehand.
    let fonts = tags
        .iter()
        .filter(|tag| tag.starts_with("link ") && attribute(tag, "as") == Some("font"))
        .filter_map(|tag| attribute(tag, "href"));
    let text =
        compressed("/") + sheets.iter().copied().chain(scripts).map(compressed).sum::<usize>();
    let fonts: usize = fonts.map(compressed).sum();
    let what = format!("first visit, HTML, CSS and JS: {:.1} kB", kilobytes(text));
    table::figure(&what, "≤ 12 kB", text <= 12_000);
    let what = format!("first visit with fonts: {:.1} kB", kilobytes(text + fonts));
    table::figure(&what, "≤ 60 kB", text + fonts <= 60_000);
    let what = format!("render-blocking style sheets: {}", sheets.len());
    table::figure(&what, "≤ 1", sheets.len() <= 1);
}

fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
    tag.split_once(&format!(" {name}=\""))?.1.split('"').next()
}

#[allow(clippy::cast_precision_loss, reason = "small numbers")]
fn kilobytes(bytes: usize) -> f64 {
    bytes as f64 / 1_000.0
}

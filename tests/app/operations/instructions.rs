//! How many instructions requests take, as valgrind counts them: a figure that other programs on the
//! machine cannot change. The debug build is counted, as the tests have no other.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::support::binary::{Caller, Server, Site, Starting, eventually};

/// The counts that are known, in thousands of instructions for each request, on a busy machine: where
/// requests take longer, more work in the background falls between them.
const KNOWN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/instructions.txt");
/// Sets them anew.
const UPDATE: &str = "POSTLY_TEST_UPDATE_INSTRUCTIONS";
/// By how much they may grow, in percent.
const MARGIN: u64 = 10;
/// Requests that are counted together, and how often that is done: the least counts, since work in the
/// background is counted, too. Cheap requests need more, or that would outweigh them.
const CHEAP: (u64, usize) = (20, 5);
const EXPENSIVE: (u64, usize) = (4, 2);
/// How often it is done while even the least is too much: on a busy machine, more work in the background
/// may fall into all of the first rounds.
const MOST_ROUNDS: usize = 9;

fn is_too_much(count: u64, before: u64) -> bool {
    count * 100 > before * (100 + MARGIN)
}

struct Counter<'a> {
    site: &'a Site,
    server: &'a Server,
    dumps: usize,
}

impl Counter<'_> {
    fn control(&self, arguments: &[&str]) {
        let output = Command::new("callgrind_control")
            .args(arguments)
            .arg(self.server.id())
            .env("TMPDIR", self.site.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("valgrind is missing: apt-get install valgrind");
        assert!(output.status.success(), "{output:?}");
    }

    /// Thousands of instructions for one request; `ask` gets the number of the request. `before` is the
    /// count that is known, if there is one.
    fn count(
        &mut self,
        (together, rounds): (u64, usize),
        before: Option<u64>,
        mut ask: impl FnMut(u64),
    ) -> u64 {
        let (mut number, mut least, mut round) = (0, u64::MAX, 0);
        self.control(&["--instr=on"]);
        // What is done only once is not counted.
        for _ in 0..2 {
            ask(number);
            number += 1;
        }
        while round < rounds
            || round < MOST_ROUNDS && before.is_some_and(|before| is_too_much(least, before))
        {
            round += 1;
            self.control(&["--zero"]);
            for _ in 0..together {
                ask(number);
                number += 1;
            }
            self.control(&["--dump"]);
            self.dumps += 1;
            // The file is known by the number of the dump.
            let file = self.site.path(&format!("counted.{}", self.dumps));
            let total = || {
                let text = std::fs::read_to_string(&file).ok()?;
                text.lines().find_map(|line| line.strip_prefix("totals: "))?.trim().parse().ok()
            };
            let mut counted: Option<u64> = None;
            eventually("the counts are written", || {
                counted = total();
                counted.is_some()
            });
            least = least.min(counted.unwrap() / together / 1_000);
        }
        self.control(&["--instr=off"]);
        least
    }
}

fn start(site: &Site) -> Server {
    let mut command = site.command("valgrind");
    command
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .env("TMPDIR", site.folder.path())
        .env("ROCKET_WORKERS", "1")
        // The line of each request is counted, too.
        .env("RUST_LOG", "info")
        .args(["--tool=callgrind", "--instr-atstart=no", "--callgrind-out-file=counted"])
        .arg(env!("CARGO_BIN_EXE_postly"));
    Starting::logging_to(&mut command, &site.path("log")).ready()
}

/// Asks at the page door, as somebody who is logged in if there is a cookie.
fn read(server: &Server, path: &str, cookie: Option<&str>) {
    let request = ureq::get(format!("{}{path}", server.url));
    let request = match cookie {
        Some(cookie) => request.header("Cookie", format!("postly={cookie}")),
        None => request,
    };
    assert_eq!(request.call().unwrap().status(), 200, "{path}");
}

fn counts(site: &Site, known: &BTreeMap<&str, u64>) -> BTreeMap<&'static str, u64> {
    let server = start(site);
    let ann = server.newcomer("ann");
    let bob = server.newcomer("bob");
    for number in 0..40 {
        ann.posts(&format!("Notes on the tides, part {number}"));
    }
    let post_page = |number: u64| format!("/posts/{}/notes-on-the-tides-part-{number}", number + 1);
    let cookie = bob.cookie();
    let cookie = cookie.as_deref();
    let nobody = server.nobody();
    let ask = |caller: &Caller, path: &str| assert_eq!(caller.ask("GET", path, None).status, 200);
    let server = &server;
    let mut counter = Counter { site, server, dumps: 0 };
    let mut counts = BTreeMap::new();
    let mut count = |name: &'static str, ask: &mut dyn FnMut(u64)| {
        let is_cheap = name.starts_with("feed") || ["health", "post page"].contains(&name);
        let rounds = if is_cheap { CHEAP } else { EXPENSIVE };
        counts.insert(name, counter.count(rounds, known.get(name).copied(), ask));
    };
    count("health", &mut |_| read(server, "/healthz", None));
    count("feed page", &mut |_| read(server, "/", None));
    count("feed page, signed in", &mut |_| read(server, "/", cookie));
    count("feed JSON", &mut |_| ask(&nobody, "/posts"));
    count("feed JSON, signed in", &mut |_| ask(&bob, "/posts"));
    count("post page", &mut |_| read(server, &post_page(6), None));
    // Each for the first time: nothing is kept.
    count("new post page", &mut |number| read(server, &post_page(number), cookie));
    count("new feed page", &mut |number| {
        read(
            server,
            &format!("/?limit=20{}", "&".repeat(1 + usize::try_from(number).unwrap())),
            None,
        );
    });
    count("vote", &mut |number| {
        let path = format!("/posts/{}/vote", 1 + number / 2);
        let method = if number % 2 == 0 { "PUT" } else { "DELETE" };
        assert!(bob.ask(method, &path, Some(json!({}))).status < 300);
    });
    count("post written", &mut |number| {
        ann.posts(&format!("More, part {number}"));
    });
    counts
}

/// A request that takes more than a tenth more than before takes it on purpose, and says so by changing
/// the file.
#[test]
fn no_request_takes_many_more_instructions_than_before() {
    // Only what Postly itself computes is counted, which is the same on both engines.
    let site = Site::sqlite();
    if std::env::var("POSTLY_TEST_ENGINE").is_ok_and(|engine| engine == "postgres") {
        return;
    }
    let is_update = std::env::var_os(UPDATE).is_some();
    let known = if is_update { String::new() } else { std::fs::read_to_string(KNOWN).unwrap() };
    let known: BTreeMap<&str, u64> = known
        .lines()
        .map(|line| line.trim().split_once(' ').unwrap())
        .map(|(count, name)| (name, count.parse().unwrap()))
        .collect();
    let counts = counts(&site, &known);
    let text = counts.iter().fold(String::new(), |mut text, (name, count)| {
        let _ = writeln!(text, "{count:>6} {name}");
        text
    });
    if is_update {
        std::fs::write(KNOWN, text).unwrap();
        return;
    }
    assert!(known.keys().eq(counts.keys()), "{UPDATE}=1 sets what is counted anew:\n{text}");
    for (name, count) in &counts {
        let before = known[name];
        assert!(
            !is_too_much(*count, before),
            "{name}: {count} thousand instructions, {before} before. If that is meant, {UPDATE}=1 \
             sets the counts anew:\n{text}"
        );
    }
}

//! What readers ask for besides the newest posts, without the cache, at one connection: the orders of
//! the feed, a tag, a filter that no index serves, a search, a thread of 500 comments; and what authors ask
//! for: a history of 200 versions, and what has changed between two.

use serde_json::json;

use crate::common::Scenario;
use crate::common::postgres::Cluster;
use crate::common::server::Postly;
use crate::measure::{Side, in_turn};
use crate::{Plan, table};

/// Comments of the thread.
const COMMENTS: i64 = 500;
/// The post that has it.
const POST: i64 = 20;
/// Versions of the post with a history.
const VERSIONS: i64 = 200;

/// A page, and the longest time that half of its answers may take, in milliseconds.
fn pages() -> Vec<(Scenario, f64)> {
    let page = |name, path, limit| (Scenario::get(name, path, vec![]), limit);
    vec![
        page("hot posts", "/?sort=hot", 10.0),
        page("top posts of the year", "/?sort=top&period=year", 10.0),
        page("a tag", "/tags/sea", 10.0),
        page("a tag with many votes", "/?sort=hot&tag=sea&min_votes=3", 10.0),
        page("a search", "/search?q=harbour", 10.0),
        page("a search for two words", "/search?q=harbour+beginners", 10.0),
        page("a thread of 500", "/posts/20/comments", 20.0),
    ]
}

pub fn run(plan: &Plan) {
    let posts = if plan.quick { 10_000 } else { 100_000 };
    let cluster = Cluster::start();
    for (engine, cluster) in [("SQLite", None), ("PostgreSQL", Some(&cluster))] {
        let uncached = [("POSTLY_CACHE_MEGABYTES", "0")];
        let sites = [posts, 1_000].map(|posts| Postly::with(cluster, posts, &uncached, &[]));
        sites.iter().for_each(comment);
        let histories = sites.each_ref().map(edit);
        let side = |postly: &Postly, scenario: &Scenario| Side {
            url: postly.url().to_owned(),
            pids: vec![postly.pid()],
            scenario: scenario.clone(),
        };
        let same = |(scenario, limit): (Scenario, f64)| ([scenario.clone(), scenario], limit);
        let own = |name, query: &str| {
            let page = |at: usize| {
                let path = format!("{}/revisions{query}", histories[at]);
                Scenario { name, path, ..sites[at].scenario("feed page, signed in") }
            };
            ([page(0), page(1)], 10.0)
        };
        let histories = [
            own("a history of 200 versions", "?limit=100"),
            own("two of 200 versions, compared", "/100?compare=50"),
        ];
        for ([scenario, other], limit) in pages().into_iter().map(same).chain(histories) {
            let both = [side(&sites[0], &scenario), side(&sites[1], &other)];
            let found = in_turn(plan, 1, &both);
            let p50 = found[0].load.p50;
            let ratio = p50 / found[1].load.p50;
            let what = format!(
                "{}, {engine}, {posts} posts, no cache: p50 {ratio:.2} × that of 1000",
                scenario.name
            );
            table::alone(&what, &found[0], &format!("p50 ≤ {limit} ms"), p50 <= limit);
        }
    }
}

/// Writes the thread: each comment replies to the one before it, until it is eight levels deep.
fn comment(postly: &Postly) {
    let mut parent = None;
    for number in 0..COMMENTS {
        let input = json!({"content": "Well said, *indeed*.", "parent_id": parent});
        let id = postly.write(&format!("/api/v1/posts/{POST}/comments"), &input);
        parent = (number % 8 != 7).then_some(id);
    }
}

/// Writes a post and edits it; returns its path.
fn edit(postly: &Postly) -> String {
    let content = |number: i64| format!("The sea comes *twice* a day.\n\nVersion {number}.");
    let post = json!({"title": "A long history", "content": content(1)});
    let path = format!("/posts/{}", postly.write("/api/v1/posts", &post));
    for number in 2..=VERSIONS {
        postly.change(&format!("/api/v1{path}"), &json!({"content": content(number)}));
    }
    path
}

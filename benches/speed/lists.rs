//! Lists and posts of large sites, at one connection.

use crate::common::Scenario;
use crate::common::server::Postly;
use crate::measure::{Found, Side, in_turn};
use crate::{Plan, table};

fn admin_lists(postly: &Postly) -> Vec<Scenario> {
    let list = |name, path| Scenario::get(name, path, vec![postly.admin_cookie()]);
    vec![
        list("admin: posts", "/admin/posts"),
        list("admin: people", "/admin/users"),
        list("admin: audit log", "/admin/audit"),
    ]
}

fn side(postly: &Postly, scenario: &Scenario) -> Side {
    Side { url: postly.url().to_owned(), pids: vec![postly.pid()], scenario: scenario.clone() }
}

pub fn admin(plan: &Plan, postly: &Postly, posts: u64) {
    for scenario in admin_lists(postly) {
        let found: Vec<Found> = in_turn(plan, 1, &[side(postly, &scenario)]);
        let what = format!("{}, {posts} posts, one connection", scenario.name);
        table::alone(&what, &found[0], "p50 ≤ 10 ms", found[0].load.p50 <= 10.0);
    }
}

/// A site with a million posts beside one with a thousand.
pub fn million(plan: &Plan) {
    let (large, small) = (Postly::start(None, 1_000_000), Postly::start(None, 1_000));
    let of = |postly: &Postly| {
        let mut scenarios: Vec<Scenario> =
            ["feed page", "feed JSON", "post page", "post JSON", "feed page, signed in"]
                .map(|name| postly.scenario(name))
                .into();
        scenarios.extend(admin_lists(postly));
        scenarios
    };
    for (in_large, in_small) in of(&large).iter().zip(of(&small)) {
        let found = in_turn(plan, 1, &[side(&large, in_large), side(&small, &in_small)]);
        let ratio = found[0].load.p50 / found[1].load.p50;
        let what =
            format!("{}, a million posts: p50 {ratio:.2} × that of a thousand", in_large.name);
        table::alone(&what, &found[0], "≤ 1.25 ×", ratio <= 1.25);
    }
}

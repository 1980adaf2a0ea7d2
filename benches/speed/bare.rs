//! Reading, beside a bare Rocket route that answers with the same bytes and headers.

use crate::common::Scenario;
use crate::common::bare::Bare;
use crate::common::server::Postly;
use crate::measure::{Found, MANY, Side, in_turn};
use crate::{Plan, table};

pub fn run(plan: &Plan, postly: &Postly) {
    let named = |name: &str| postly.scenario(name);
    let compressed = Scenario {
        name: "feed page, compressed",
        headers: vec![("Accept-Encoding", "gzip, br".to_owned())],
        ..named("feed page")
    };
    let rows = [
        (named("feed page"), 0.85),
        (compressed, 0.85),
        (named("feed JSON"), 0.85),
        (named("post page"), 0.7),
        (named("post JSON"), 0.7),
        (named("feed page, signed in"), 0.3),
        (named("feed JSON, signed in"), 0.3),
    ];
    for (scenario, target) in &rows {
        let [ours, bare] = compare(plan, postly, scenario);
        table::beside(scenario.name, &ours, &bare, Some(*target));
    }
    for name in ["feed page", "feed JSON", "post page", "post JSON"] {
        let whole = postly.scenario(name);
        match unchanged(postly, name) {
            Some(known) => {
                // Postly's 304 beside the whole answer, and once beside a 304.
                let [ours, bare] = beside(plan, postly, &known, &whole);
                table::beside(&format!("{name}, 304"), &ours, &bare, Some(1.0));
                if name == "feed page" {
                    let [ours, bare] = compare(plan, postly, &known);
                    table::beside(&format!("{name}, 304 beside 304"), &ours, &bare, None);
                }
            }
            None => table::figure(&format!("{name}, 304: sends no ETag"), "≥ 1", false),
        }
    }
}

/// The same request by somebody who has the answer already.
pub fn unchanged(postly: &Postly, name: &str) -> Option<Scenario> {
    let mut scenario = postly.scenario(name);
    let tag = postly.sample(&scenario).header("etag")?.to_owned();
    scenario.headers.push(("If-None-Match", tag));
    (postly.sample(&scenario).status == 304).then_some(scenario)
}

/// Postly and the bare route.
pub fn compare(plan: &Plan, postly: &Postly, scenario: &Scenario) -> [Found; 2] {
    beside(plan, postly, scenario, scenario)
}

/// Postly, and the bare route with Postly's answer to another request.
fn beside(plan: &Plan, postly: &Postly, ours: &Scenario, bare: &Scenario) -> [Found; 2] {
    let answering = Bare::start(&postly.sample(bare));
    let (url, pids) = (postly.url().to_owned(), vec![postly.pid()]);
    let sides = [
        Side { url, pids, scenario: ours.clone() },
        Side {
            url: answering.url().to_owned(),
            pids: vec![answering.pid()],
            scenario: bare.clone(),
        },
    ];
    in_turn(plan, MANY, &sides).try_into().ok().unwrap()
}

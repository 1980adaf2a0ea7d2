//! The table that is printed.

use std::io::Write;

use crate::Plan;
use crate::measure::Found;

pub fn head(plan: &Plan) -> String {
    format!(
        "Medians of {} alternating rounds of {} s.\n\n\
         | what | Postly, req/s | beside it, req/s | ratio | p50 ms | p99 ms | CPU µs/req | resident MB \
         | non-2xx | socket errors | target | met |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|---|",
        plan.rounds,
        plan.length.as_secs()
    )
}

/// Two servers beside each other; the target, if there is one, is the least ratio.
pub fn beside(what: &str, ours: &Found, other: &Found, target: Option<f64>) {
    let ratio = ours.load.per_second / other.load.per_second;
    let cells = format!(
        "{:.0} | {:.0} | {ratio:.3} | {}",
        ours.load.per_second,
        other.load.per_second,
        costs(ours, other)
    );
    match target {
        Some(target) => print(what, &cells, &format!("≥ {target}"), ratio >= target),
        None => println!("| {what} | {cells} | | |"),
    }
}

/// A server alone; what was reached is `p50`.
pub fn alone(what: &str, found: &Found, target: &str, met: bool) {
    let cells = format!("{:.0} | | | {}", found.load.per_second, one_cost(found));
    print(what, &cells, target, met);
}

/// One figure, such as a size, in the name of the row.
pub fn figure(what: &str, target: &str, met: bool) {
    print(what, "| | | | | | | |", target, met);
}

fn one_cost(found: &Found) -> String {
    format!(
        "{:.2} | {:.2} | {:.0} | {:.0} | {} | {}",
        found.load.p50,
        found.load.p99,
        found.cpu,
        found.memory,
        found.load.refused,
        found.load.socket_errors
    )
}

/// Postly's costs, and the failures of both.
fn costs(ours: &Found, other: &Found) -> String {
    format!(
        "{:.2} | {:.2} | {:.0} | {:.0} | {} | {}",
        ours.load.p50,
        ours.load.p99,
        ours.cpu,
        ours.memory,
        ours.load.refused + other.load.refused,
        ours.load.socket_errors + other.load.socket_errors
    )
}

fn print(what: &str, cells: &str, target: &str, met: bool) {
    let met = if met { "yes" } else { "**no**" };
    println!("| {what} | {cells} | {target} | {met} |");
    // A pipe would show nothing until the end.
    std::io::stdout().flush().unwrap();
}

//! Loading servers in turn, so that whatever else the machine does falls on all alike.

use crate::Plan;
use crate::common::Scenario;
use crate::common::report::Measurement;
use crate::usage::Usage;

/// A server, and what is asked there.
pub struct Side {
    pub url: String,
    /// The processes whose use is counted.
    pub pids: Vec<u32>,
    pub scenario: Scenario,
}

/// What one server did in the round in the middle.
#[derive(Clone)]
pub struct Found {
    pub load: Measurement,
    /// Microseconds of CPU time a request.
    pub cpu: f64,
    /// Resident megabytes after the round.
    pub memory: f64,
}

/// The connections of most measurements.
pub const MANY: usize = 32;

/// One result for each server.
pub fn in_turn(plan: &Plan, connections: usize, sides: &[Side]) -> Vec<Found> {
    let mut rounds: Vec<Vec<Found>> = vec![vec![]; sides.len()];
    if plan.rounds > 1 {
        let warm = std::time::Duration::from_secs(1);
        for side in sides {
            Measurement::take(&side.url, &side.scenario, connections, warm);
        }
    }
    for _ in 0..plan.rounds {
        for (side, found) in sides.iter().zip(&mut rounds) {
            let before = used(&side.pids);
            let load = Measurement::take(&side.url, &side.scenario, connections, plan.length);
            let after = used(&side.pids);
            #[allow(clippy::cast_precision_loss, reason = "far fewer requests than 2^52")]
            let cpu = (after.cpu - before.cpu) * 1e6 / load.requests as f64;
            found.push(Found { load, cpu, memory: after.memory });
        }
    }
    rounds.into_iter().map(middle).collect()
}

/// The round in the middle, with the failures of all.
pub fn middle(mut rounds: Vec<Found>) -> Found {
    rounds.sort_by(|a, b| a.load.per_second.total_cmp(&b.load.per_second));
    let mut found = rounds[rounds.len() / 2].clone();
    found.load.refused = rounds.iter().map(|round| round.load.refused).sum();
    found.load.socket_errors = rounds.iter().map(|round| round.load.socket_errors).sum();
    found
}

fn used(pids: &[u32]) -> Usage {
    pids.iter().map(|pid| Usage::of(*pid)).fold(Usage::default(), |sum, one| Usage {
        cpu: sum.cpu + one.cpu,
        memory: sum.memory + one.memory,
    })
}

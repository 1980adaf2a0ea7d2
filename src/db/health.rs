//! What is wrong with the database at present. An outage is logged when it begins and when it ends,
//! not with every request that fails in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use strum::{EnumIter, IntoStaticStr};
use tokio::sync::watch;

use crate::error::{Fault, FaultKind};

/// How often it is checked whether an outage is over.
pub(super) const PROBE_INTERVAL: Duration = Duration::from_millis(500);

/// A database without space may still take small writes, so its outage ends only after none has
/// failed for this long.
const CALM: Duration = Duration::from_secs(5);

/// What `/readyz` reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Readiness {
    Ready,
    /// It answers, but all connections are in use.
    Busy,
    /// Reads work, writes do not.
    Full,
    /// Reads work, writes do not.
    ReadOnly,
    Gone,
    /// Reads may work, writes are refused.
    Damaged,
}

/// The state of one instance's database, shared by all clones.
#[derive(Clone, Default)]
pub struct Health(Arc<State>);

#[derive(Default)]
struct State {
    outage: watch::Sender<Option<Outage>>,
    failed_requests: AtomicU64,
}

/// Something that concerns more than one request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outage {
    pub kind: FaultKind,
    since: Instant,
    /// When a request last failed because of it.
    last: Instant,
}

impl Health {
    pub(super) fn watch(&self) -> watch::Receiver<Option<Outage>> {
        self.0.outage.subscribe()
    }

    pub(super) fn outage(&self) -> Option<FaultKind> {
        self.0.outage.borrow().map(|outage| outage.kind)
    }

    /// What to report when the database answers.
    pub(super) fn readiness(&self) -> Readiness {
        match self.outage() {
            Some(FaultKind::Gone) => Readiness::Gone,
            Some(FaultKind::Damaged) => Readiness::Damaged,
            Some(FaultKind::Full) => Readiness::Full,
            Some(FaultKind::ReadOnly) => Readiness::ReadOnly,
            _ => Readiness::Ready,
        }
    }

    /// Records a fault and marks it as known if an outage of its kind had already begun. Returns
    /// whether an outage begins with it; the caller then has to find out when it is over.
    pub(super) fn record(&self, fault: &mut Fault) -> bool {
        let mut begins = false;
        self.0.outage.send_if_modified(|outage| {
            let at = Instant::now();
            match outage {
                // Nothing can be said about the disk of a server that does not answer, and a
                // damaged file stays so.
                Some(current)
                    if current.kind == fault.kind
                        || matches!(current.kind, FaultKind::Gone | FaultKind::Damaged) =>
                {
                    current.last = at;
                    fault.known = current.kind == fault.kind;
                    return false;
                }
                _ => {}
            }
            self.0.failed_requests.store(0, Ordering::Relaxed);
            *outage = Some(Outage { kind: fault.kind, since: at, last: at });
            begins = true;
            true
        });
        if begins {
            let error = fault.words.as_str();
            match fault.kind {
                FaultKind::Full => tracing::error!(error, "the database has no space left"),
                FaultKind::ReadOnly => tracing::error!(error, "the database is read-only"),
                FaultKind::Damaged => tracing::error!(
                    error,
                    "the database is damaged; stop Postly and restore a backup"
                ),
                _ => tracing::error!(error, "the database is gone"),
            }
        }
        begins
    }

    /// Whether an outage that a probe no longer sees may be declared over.
    pub(super) fn is_calm(&self) -> bool {
        let outage = *self.0.outage.borrow();
        outage.is_none_or(|outage| outage.kind == FaultKind::Gone || outage.last.elapsed() >= CALM)
    }

    /// The outage is over, unless another one has taken its place.
    pub(super) fn end(&self, kind: FaultKind) {
        let mut ended = None;
        self.0.outage.send_if_modified(|outage| {
            ended = outage.take_if(|outage| outage.kind == kind);
            ended.is_some()
        });
        if let Some(outage) = ended {
            let seconds = outage.since.elapsed().as_secs();
            let failed_requests = self.0.failed_requests.swap(0, Ordering::Relaxed);
            let news = match kind {
                FaultKind::Full => "the database has space again",
                FaultKind::ReadOnly => "the database can be written again",
                _ => "the database is back",
            };
            tracing::warn!(seconds, failed_requests, "{news}");
        }
    }

    /// Counts a request that was answered with 503 because of an outage, for the log.
    pub fn count_failed_request(&self) {
        self.0.failed_requests.fetch_add(1, Ordering::Relaxed);
    }
}

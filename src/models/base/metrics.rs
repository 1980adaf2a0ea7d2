//! What the site counts for its operator, in the form of Prometheus. Each instance counts for
//! itself, since it started; `crate::web::metrics` adds what is read when it is asked for.

use std::sync::Arc;
use std::time::Duration;

use prometheus::{
    HistogramOpts, HistogramVec, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder,
};

use crate::db::PoolUse;
use crate::error::{Error, Fatal, Result};

/// Upper bounds in seconds. Most answers take less than a millisecond, log-ins some hundreds.
const LATENCIES: [f64; 12] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The counters of this instance. Cheap to clone.
#[derive(Clone)]
pub struct Metrics(Arc<Instruments>);

struct Instruments {
    registry: Registry,
    requests: IntCounterVec,
    durations: HistogramVec,
    in_flight: IntGauge,
    events: IntCounterVec,
    refusals: IntCounterVec,
    jobs: IntCounterVec,
    mails: IntCounterVec,
    database: IntGaugeVec,
    connections: IntGaugeVec,
    queue: IntGauge,
    queue_age: IntGauge,
    sessions: IntGauge,
}

/// One answered request.
#[derive(Debug, Clone, Copy)]
pub struct Answered<'a> {
    pub door: &'static str,
    pub method: &'a str,
    /// The pattern of the route, such as `/posts/<id>`; never a path that somebody typed.
    pub route: &'a str,
    pub status: u16,
    pub took: Duration,
}

/// What the database tells of the site.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Census {
    /// Jobs that are due, counted up to a bound.
    pub jobs_due: i64,
    /// How long the first of them has been due, in seconds.
    pub oldest_due: i64,
    /// Sessions used in the last 24 hours, counted up to a bound.
    pub sessions: i64,
}

impl Metrics {
    /// # Errors
    /// When the names of two instruments collide, which is a fault of the program.
    pub fn new(engine: &str) -> Result<Metrics, Fatal> {
        Self::registered(engine).map_err(|e| Fatal(format!("the metrics cannot be set up: {e}")))
    }

    fn registered(engine: &str) -> prometheus::Result<Metrics> {
        let registry = Registry::new();
        let counters = |name: &str, help: &str, labels: &[&str]| {
            let counters = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counters.clone())).map(|()| counters)
        };
        let gauges = |name: &str, help: &str, labels: &[&str]| {
            let gauges = IntGaugeVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(gauges.clone())).map(|()| gauges)
        };
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone())).map(|()| gauge)
        };
        let durations = HistogramVec::new(
            HistogramOpts::new(
                "postly_http_request_duration_seconds",
                "Time from the head of a request until its answer was ready to be sent.",
            )
            .buckets(LATENCIES.to_vec()),
            &["door", "method", "route"],
        )?;
        registry.register(Box::new(durations.clone()))?;
        #[cfg(target_os = "linux")]
        registry.register(Box::new(prometheus::process_collector::ProcessCollector::for_self()))?;
        let build = gauges(
            "postly_build_info",
            "Always 1; the labels name the version and the database engine.",
            &["version", "engine"],
        )?;
        build.with_label_values(&[env!("CARGO_PKG_VERSION"), engine]).set(1);
        let instruments = Instruments {
            requests: counters(
                "postly_http_requests_total",
                "Answered requests.",
                &["door", "method", "route", "status"],
            )?,
            durations,
            in_flight: gauge(
                "postly_http_requests_in_flight",
                "Requests that are being served, including answers that are still being sent.",
            )?,
            events: counters(
                "postly_audit_events_total",
                "Account activity caused by requests: log-ins (login), failed log-ins \
                 (login.failed) and so on.",
                &["kind"],
            )?,
            refusals: counters(
                "postly_rate_limit_refusals_total",
                "Requests that were refused because a limit was used up.",
                &["limit"],
            )?,
            jobs: counters(
                "postly_jobs_total",
                "Attempts at jobs of the queue: succeeded, retried (to be run again) or failed \
                 (given up).",
                &["kind", "outcome"],
            )?,
            mails: counters(
                "postly_mails_total",
                "Attempts to send an e-mail: accepted by the mail server, retried or refused.",
                &["template", "outcome"],
            )?,
            database: gauges(
                "postly_database_state",
                "1 for the present state of the database: ready, busy, full, read-only, gone (the \
                 circuit breaker is open) or damaged.",
                &["state"],
            )?,
            connections: gauges(
                "postly_database_connections",
                "Connections to the database: open, idle and the maximum of each pool.",
                &["pool", "state"],
            )?,
            queue: gauge("postly_jobs_due", "Jobs that are due, counted up to 10,000.")?,
            queue_age: gauge(
                "postly_jobs_oldest_due_seconds",
                "For how long the first of the jobs that are due has been due.",
            )?,
            sessions: gauge(
                "postly_sessions_active",
                "Sessions used in the last 24 hours, counted up to 100,000.",
            )?,
            registry,
        };
        Ok(Metrics(Arc::new(instruments)))
    }

    pub fn answered(&self, request: Answered<'_>) {
        let Answered { door, method, route, status, took } = request;
        let status = status.to_string();
        self.0.requests.with_label_values(&[door, method, route, &status]).inc();
        self.0.durations.with_label_values(&[door, method, route]).observe(took.as_secs_f64());
    }

    /// Counts a request as being served until the value is dropped.
    pub fn begin_request(&self) -> InFlight {
        self.0.in_flight.inc();
        InFlight(self.0.in_flight.clone())
    }

    /// An event of the audit log, by its kind.
    pub fn event(&self, kind: &str) {
        self.0.events.with_label_values(&[kind]).inc();
    }

    /// A request was refused because this limit was used up.
    pub fn refused(&self, limit: &str) {
        self.0.refusals.with_label_values(&[limit]).inc();
    }

    /// An attempt at a job.
    pub fn job(&self, kind: &str, outcome: &str) {
        self.0.jobs.with_label_values(&[kind, outcome]).inc();
    }

    /// An attempt to send an e-mail.
    pub fn mail(&self, template: &str, outcome: &str) {
        self.0.mails.with_label_values(&[template, outcome]).inc();
    }

    /// The present state of the database, one of `states`.
    pub fn database(&self, state: &str, states: &[&str], pools: &[PoolUse]) {
        for known in states {
            self.0.database.with_label_values(&[*known]).set(i64::from(*known == state));
        }
        for pool in pools {
            let set = |state: &str, count| {
                self.0.connections.with_label_values(&[pool.pool, state]).set(count);
            };
            set("open", pool.open);
            set("idle", pool.idle);
            set("max", pool.max);
        }
    }

    pub fn census(&self, census: Census) {
        self.0.queue.set(census.jobs_due);
        self.0.queue_age.set(census.oldest_due);
        self.0.sessions.set(census.sessions);
    }

    /// Everything, in the text format of Prometheus (version 0.0.4).
    ///
    /// # Errors
    /// `Internal` when an instrument cannot be encoded.
    pub fn text(&self) -> Result<String> {
        TextEncoder::new()
            .encode_to_string(&self.0.registry.gather())
            .map_err(|e| Error::Internal(format!("the metrics: {e}")))
    }
}

/// A request that is being served.
pub struct InFlight(IntGauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

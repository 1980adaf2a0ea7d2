//! The metrics of the real binary, as Prometheus reads them.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::house::root;
use crate::support::PASSWORD;
use crate::support::binary::{Server, Site, Starting, run};
use crate::support::database::is_postgres;

/// A server with metrics, and the text that they have at present.
struct Watched {
    site: Site,
    server: Server,
    metrics: String,
}

impl Watched {
    fn start(limits: &str) -> Watched {
        let site = Site::new();
        let log = site.path("log");
        let mut command = site.postly();
        command
            .env("RUST_LOG", "info")
            .env("POSTLY_LOG_FORMAT", "json")
            .env("POSTLY_LIMITS", limits)
            .env("POSTLY_METRICS_ADDRESS", "127.0.0.1:0");
        let server = Starting::logging_to(&mut command, &log).ready();
        let said = fs::read_to_string(&log).unwrap();
        let (_, url) = said.split_once("metrics are at ").expect("the log names the address");
        let metrics = url.split('"').next().unwrap().to_owned();
        Watched { site, server, metrics }
    }

    fn text(&self) -> String {
        let mut response = ureq::get(&self.metrics).call().unwrap();
        assert_eq!(response.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
        response.body_mut().read_to_string().unwrap()
    }

    /// The value of a series, written as `name{label="value"}`; labels in alphabetical order.
    fn value(&self, series: &str) -> Option<f64> {
        value(&self.text(), series)
    }
}

fn value(text: &str, series: &str) -> Option<f64> {
    let found = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    found.map(|number| number.parse().unwrap())
}

fn promtool(arguments: &[&str], input: &str) {
    let tool = root().join("target/tools/promtool");
    let tool = if tool.exists() { tool } else { "promtool".into() };
    let mut child = Command::new(tool)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool is missing: run ./test, or apt-get install prometheus");
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&said));
}

#[test]
fn requests_log_ins_and_refusals_are_counted() {
    let watched = Watched::start("posts=1/h");
    let ann = watched.server.newcomer("ann");
    let wrong = json!({"username": "ann", "password": "wrong"});
    assert_eq!(ann.ask("POST", "/auth/login", Some(wrong)).status, 401);
    let id = ann.posts("A post");
    let second = json!({"title": "Another", "content": "Another"});
    assert_eq!(ann.ask("POST", "/posts", Some(second)).status, 429);
    for path in [&format!("/posts/{id}/a-post"), "/posts/999999/a-post", "/nowhere/canary"] {
        ann.get(path).unwrap();
    }
    let text = watched.text();
    for (series, expected) in [
        (
            r#"postly_http_requests_total{door="api",method="POST",route="/api/v1/posts",status="201"}"#,
            1.0,
        ),
        (
            r#"postly_http_requests_total{door="page",method="GET",route="/posts/<id>/<slug>",status="200"}"#,
            1.0,
        ),
        (
            r#"postly_http_requests_total{door="page",method="GET",route="/posts/<id>/<slug>",status="404"}"#,
            1.0,
        ),
        (
            r#"postly_http_request_duration_seconds_count{door="page",method="GET",route="/posts/<id>/<slug>"}"#,
            2.0,
        ),
        // At both doors.
        (r#"postly_audit_events_total{kind="login"}"#, 2.0),
        (r#"postly_audit_events_total{kind="registered"}"#, 1.0),
        (r#"postly_audit_events_total{kind="login.failed"}"#, 1.0),
        (r#"postly_rate_limit_refusals_total{limit="posts"}"#, 1.0),
        (r#"postly_database_state{state="ready"}"#, 1.0),
        (r#"postly_database_state{state="gone"}"#, 0.0),
        ("postly_http_requests_in_flight", 0.0),
        ("postly_sessions_active", 2.0),
    ] {
        assert_eq!(value(&text, series), Some(expected), "{series} in\n{text}");
    }
    assert!(!text.contains("canary"), "no path that somebody typed: {text}");
    let engine = if is_postgres() { "postgresql" } else { "sqlite" };
    let build = format!(
        "postly_build_info{{engine=\"{engine}\",version=\"{}\"}}",
        env!("CARGO_PKG_VERSION")
    );
    assert_eq!(value(&text, &build), Some(1.0), "{text}");
    for positive in ["process_resident_memory_bytes", "process_open_fds", "process_max_fds"] {
        assert!(value(&text, positive).unwrap() > 0.0, "{positive} in {text}");
    }
    promtool(&["check", "metrics"], &text);
}

#[test]
fn mails_and_jobs_are_counted() {
    let watched = Watched::start("");
    let form = json!({"username": "ann", "email": "ann@mail.example", "password": PASSWORD});
    assert_eq!(watched.server.nobody().ask("POST", "/auth/register", Some(form)).status, 201);
    crate::support::binary::eventually("the mail is written", || {
        watched.value(r#"postly_mails_total{outcome="accepted",template="verify"}"#) == Some(1.0)
    });
    crate::support::binary::eventually("the job is done", || {
        watched.value(r#"postly_jobs_total{kind="mail",outcome="succeeded"}"#) == Some(1.0)
    });
}

/// Strangers find neither the metrics at the site nor the site at the metrics.
#[test]
fn metrics_have_a_port_of_their_own() {
    let watched = Watched::start("");
    assert_eq!(watched.server.nobody().get("/metrics").unwrap().status, 404);
    let site = watched.metrics.replace("/metrics", "/login");
    let agent = ureq::Agent::config_builder().http_status_as_error(false).build();
    let agent: ureq::Agent = agent.into();
    assert_eq!(agent.get(site).call().unwrap().status(), 404);

    let taken = watched.metrics.trim_start_matches("http://").trim_end_matches("/metrics");
    let mut second = watched.site.postly();
    let output = run(second.env("POSTLY_METRICS_ADDRESS", taken), "");
    assert!(!output.status.success(), "{}", output.text);
    let port = taken.rsplit(':').next().unwrap();
    assert!(
        output.text.contains(&format!("port {port} of 127.0.0.1 is taken by another program"))
            && output.text.contains("choose another port with POSTLY_METRICS_ADDRESS"),
        "{}",
        output.text
    );
}

/// The names of metrics in a text.
fn names(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("postly_") || word.starts_with("process_"))
        .map(|word| {
            let base = ["_bucket", "_sum", "_count"].iter().find_map(|end| word.strip_suffix(end));
            base.filter(|base| base.ends_with("_seconds")).unwrap_or(word).to_owned()
        })
        .collect()
}

#[test]
fn the_dashboard_and_the_alerts_name_metrics_that_exist() {
    let watched = Watched::start("");
    let source = fs::read_to_string(root().join("src/models/base/metrics.rs")).unwrap();
    let mut exist = names(&source);
    exist.extend(names(&watched.text()));
    for file in ["deploy/grafana-dashboard.json", "deploy/prometheus-alerts.yml"] {
        let text = fs::read_to_string(root().join(file)).unwrap();
        let used = names(&text);
        assert!(used.len() > 5, "{file}: {used:?}");
        assert!(used.is_subset(&exist), "{file}: {:?}", used.difference(&exist));
    }
    let dashboard = fs::read_to_string(root().join("deploy/grafana-dashboard.json")).unwrap();
    let _: Value = serde_json::from_str(&dashboard).unwrap();
}

/// Each alert has a case in which it fires, and one in which it does not.
#[test]
fn the_alerts_fire_when_they_should() {
    let folder = root().join("deploy");
    let rules = folder.join("prometheus-alerts.yml");
    promtool(&["check", "rules", rules.to_str().unwrap()], "");
    let cases = root().join("tests/fixtures/prometheus-alerts.test.yml");
    promtool(&["test", "rules", cases.to_str().unwrap()], "");
    let (rules, cases) = (read(&rules), read(&cases));
    let alerts = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: "));
    for alert in alerts {
        let named = cases.matches(&format!("alertname: {alert}\n")).count();
        assert!(named >= 2, "{alert} has no case in which it fires and one in which it does not");
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

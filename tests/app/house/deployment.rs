//! The files with which Postly is deployed fit the program: versions, options, times.

use std::collections::BTreeSet;
use std::fs;

use super::configuration::{named_in, options};
use super::root;

fn text(file: &str) -> String {
    fs::read_to_string(root().join(file)).unwrap()
}

/// What stands between these two, the first time.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before:?}")) + before.len();
    text[start..].split(after).next().unwrap()
}

#[test]
fn the_image_is_built_with_the_pinned_toolchain_and_bears_the_version() {
    let dockerfile = text("Dockerfile");
    let toolchain = text("rust-toolchain.toml");
    let pinned = between(&toolchain, "channel = \"", "\"");
    assert_eq!(between(&dockerfile, "FROM rust:", "-"), pinned);
    assert_eq!(between(&dockerfile, "ARG VERSION=", "\n"), env!("CARGO_PKG_VERSION"));
    // What the build needs is sent to it, and nothing else, such as data or secrets.
    let sent: BTreeSet<String> = text(".dockerignore")
        .lines()
        .filter_map(|line| line.strip_prefix('!').map(str::to_owned))
        .collect();
    for folder in ["src", "locales", "migrations", "static", "templates", "Cargo.lock"] {
        assert!(sent.contains(folder), "{folder} is missing in .dockerignore");
    }
    assert!(text(".dockerignore").lines().any(|line| line == "*"));
}

/// A mistyped option would end the process at its start.
#[test]
fn deployments_set_only_options_that_exist() {
    let mut known = options();
    // Not read by Postly: the tag of the image.
    known.insert("POSTLY_TAG".to_owned());
    for file in [
        "Dockerfile",
        "compose.yaml",
        "compose.sqlite.yaml",
        "deploy/compose/env.example",
        "deploy/postly.service",
        "deploy/postly@.service",
        "docs/deployment.md",
    ] {
        let unknown: Vec<_> = named_in(file).difference(&known).cloned().collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?}");
    }
    // A service link of Kubernetes, which Postly ignores.
    known.insert("POSTLY_PORT".to_owned());
    let unknown: Vec<_> = named_in("docs/kubernetes.md").difference(&known).cloned().collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

/// Whoever kills what does not stop in time must wait for draining and for Rocket's grace period.
#[test]
fn nobody_is_killed_while_draining() {
    let grace = 6;
    let seconds = |text: &str| text.trim_matches(['"', ' ', '}', 's']).parse::<u64>().unwrap();
    for (file, drain, limit) in [
        ("compose.yaml", "POSTLY_DRAIN_SECONDS: ", "stop_grace_period: "),
        ("docs/kubernetes.md", "POSTLY_DRAIN_SECONDS, value: ", "terminationGracePeriodSeconds: "),
        ("deploy/postly@.service", "POSTLY_DRAIN_SECONDS=", "TimeoutStopSec="),
    ] {
        let text = text(file);
        // In compose.yaml, the service of that name.
        let service = text.find("\n  postly:\n").map_or(&text[..], |start| &text[start..]);
        let (drain, limit) = (between(service, drain, "\n"), between(service, limit, "\n"));
        assert!(seconds(drain) + grace < seconds(limit), "{file}: {drain} and {limit}");
    }
    // Docker's own limit is ten seconds.
    let image = text("Dockerfile");
    assert!(seconds(between(&image, "POSTLY_DRAIN_SECONDS=", " ")) + grace < 10);
    // nginx closes idle connections before an instance does.
    let nginx = text("deploy/nginx.conf");
    let idle = seconds(between(&nginx, "        keepalive_timeout ", ";"));
    for (file, drain) in [
        ("compose.yaml", "POSTLY_DRAIN_SECONDS: "),
        ("deploy/postly@.service", "POSTLY_DRAIN_SECONDS="),
    ] {
        assert!(idle < seconds(between(&text(file), drain, "\n")), "{file}");
    }
}

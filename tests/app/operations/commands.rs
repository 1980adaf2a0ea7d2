//! The binary's commands, in an empty folder.

use std::os::unix::fs::PermissionsExt;

use crate::support::binary::{Site, Starting, run};
use crate::support::{PASSWORD, SECRET};

#[test]
fn it_runs_in_an_empty_folder_and_stops_when_told() {
    let site = Site::unconfigured();
    let mut server = site.start();
    let ready = ureq::get(format!("{}/readyz", server.url)).call().unwrap();
    assert_eq!(ready.status(), 200);
    let secret = site.path("data/secret.key").metadata().unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);
    assert!(site.path("data/postly.db").exists());
    server.signal("TERM");
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn people_are_managed_from_the_command_line() {
    let site = Site::unconfigured();
    let added = site.run(&["user", "add", "root", "--admin"], PASSWORD);
    assert!(added.status.success(), "{}", added.text);
    let weak = site.run(&["user", "add", "ann"], "short\n");
    assert!(!weak.status.success() && weak.text.contains("at least 10 characters"));
    assert!(
        site.run(&["user", "add", "ann", "--email", "ann@mail.example"], PASSWORD).status.success()
    );
    assert!(site.run(&["user", "add", "ANN"], PASSWORD).text.contains("taken"));
    assert!(site.run(&["user", "demote", "root"], "").text.contains("last admin"));
    assert!(site.run(&["user", "promote", "ann"], "").text.contains("ann now has the role admin"));
    assert!(site.run(&["user", "demote", "root"], "").status.success());
    assert!(
        site.run(&["user", "set-password", "root"], "another long set of words\n").status.success()
    );
    let list = site.run(&["user", "list"], "").text;
    assert!(
        list.contains("root\tuser\t-") && list.contains("ann\tadmin\tann@mail.example"),
        "{list}"
    );
    assert!(site.run(&["user", "unlock", "ann"], "").text.contains("ann is unlocked"));
    assert!(site.run(&["user", "delete", "root"], "").status.success());
    let missing = site.run(&["user", "promote", "zoe"], "");
    assert!(!missing.status.success() && missing.text.contains("there is no user named"));

    let server = site.start();
    let login = serde_json::json!({"username": "ann", "password": PASSWORD});
    let tokens = ureq::post(format!("{}/api/v1/auth/login", server.url)).send_json(login).unwrap();
    assert_eq!(tokens.status(), 200);
}

#[test]
fn the_demonstration_comes_to_any_site_and_goes_again() {
    let site = Site::unconfigured();
    let large = Site::unconfigured().run(&["demo", "--posts", "1001"], "");
    assert!(large.text.contains("1000 of 1001 posts"), "progress: {}", large.text);
    assert_eq!(large.stdout.lines().count(), 1, "{}", large.stdout);
    // The site has people already, one of whom has the name of a demonstrator.
    for arguments in [&["user", "add", "root", "--admin"][..], &["user", "add", "Mirela"]] {
        let added = site.run(arguments, PASSWORD);
        assert!(added.status.success(), "{}", added.text);
    }
    let filled = site.run(&["demo", "--posts", "45"], "");
    assert!(
        filled.status.success() && filled.text.contains("14 users and 45 posts"),
        "{}",
        filled.text
    );
    assert!(filled.stdout.contains("for example mirela-2,"), "{}", filled.stdout);
    let twice = site.run(&["demo"], "");
    assert!(!twice.status.success() && twice.text.contains("demo --remove"), "{}", twice.text);
    let server = site.start();
    let mut first = ureq::get(format!("{}/api/v1/posts?limit=100", server.url)).call().unwrap();
    let list: serde_json::Value = first.body_mut().read_json().unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 45);
    assert!(list["items"].as_array().unwrap().iter().any(|post| post["votes"] != 0));

    let removed = site.run(&["demo", "--remove"], "");
    assert!(removed.status.success(), "{}", removed.text);
    assert_eq!(removed.stdout.lines().count(), 1, "{}", removed.stdout);
    let mut feed = ureq::get(format!("{}/api/v1/posts", server.url)).call().unwrap();
    let list: serde_json::Value = feed.body_mut().read_json().unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 0);
    let left = site.run(&["user", "list"], "").stdout;
    let names: Vec<&str> = left.lines().filter_map(|line| line.split('\t').next()).collect();
    assert_eq!(names, ["root", "Mirela"], "people of the site stay");
    assert!(!site.run(&["demo", "--remove"], "").status.success(), "there is nothing to remove");
}

#[test]
fn a_wrong_configuration_is_told_in_one_sentence_before_anything_is_bound() {
    let site = Site::unconfigured();
    for (name, value, why) in [
        ("POSTLY_SECRET_KEY", "", "POSTLY_SECRET_KEY is too weak"),
        ("POSTLY_SECRET_KEY", "tooshort", "POSTLY_SECRET_KEY is too weak"),
        (
            "POSTLY_SECRET_KEY",
            "change-me-please-change-me-0123456789",
            "POSTLY_SECRET_KEY is too weak",
        ),
        ("DATABASE_URL", "mysql://x", "DATABASE_URL must begin with"),
        ("DATABASE_URL", "sqlite:/proc/nowhere/postly.db", "/proc/nowhere"),
        ("DATABASE_URL", "postgres://127.0.0.1:1/none", "POSTLY_SECRET_KEY must be set"),
        ("POSTLY_PUBLIC_URL", "posts.example", "must be an origin"),
        ("POSTLY_LIMITS", "posts=many", "POSTLY_LIMITS must have entries such as posts=60/h"),
        ("POSTLY_LIMITS", "pots=1/h", "POSTLY_LIMITS names an unknown limit"),
        ("POSTLY_PUBLIK_URL", "https://posts.example", "did you mean POSTLY_PUBLIC_URL?"),
        ("POSTLY_MAILURL", "smtp://host", "did you mean POSTLY_MAIL_URL?"),
        ("POSTLY_ZZZ", "1", "there is no setting POSTLY_ZZZ; README.md"),
        (
            "POSTLY_EMAIL_REQUIRED",
            "yes",
            "POSTLY_EMAIL_REQUIRED must be true or false, not \"yes\"",
        ),
        ("POSTLY_DRAIN_SECONDS", "soon", "POSTLY_DRAIN_SECONDS must be a whole number"),
        ("POSTLY_DRAIN_SECONDS", "-1", "POSTLY_DRAIN_SECONDS must be a whole number"),
        ("POSTLY_LOG_FORMAT", "xml", "POSTLY_LOG_FORMAT must be one of text, json, not \"xml\""),
        ("POSTLY_REQUIRE_TWO_FACTOR", "yes", "must be one of none, admins, everybody"),
        ("POSTLY_BCRYPT_COST", "40", "POSTLY_BCRYPT_COST must be"),
        ("POSTLY_SECURITY_CONTACT", "security@posts.example", "must be a URI"),
        ("ROCKET_PORT", "many", "ROCKET_PORT must be"),
    ] {
        let output = run(site.postly().env(name, value), "");
        assert_eq!(output.status.code(), Some(1), "{name}={value}: {}", output.text);
        assert!(output.text.contains(why), "{name}={value}: {}", output.text);
        assert!(output.text.contains(name) || name == "DATABASE_URL", "{}", output.text);
        assert_eq!(output.text.trim().lines().count(), 1, "{name}={value}: {}", output.text);
    }
    let mut command = site.postly();
    command.env("DATABASE_URL", "postgres://127.0.0.1:1/none").env("POSTLY_SECRET_KEY", SECRET);
    let unreachable = run(&mut command, "");
    assert!(unreachable.text.contains("cannot be reached"), "{}", unreachable.text);
    assert_eq!(unreachable.status.code(), Some(1));
}

#[test]
fn a_dotenv_file_configures_it() {
    let site = Site::unconfigured();
    std::fs::write(site.path(".env"), "DATABASE_URL=sqlite:elsewhere/site.db\n").unwrap();
    assert!(site.run(&["user", "add", "ann"], PASSWORD).status.success());
    assert!(site.path("elsewhere/site.db").exists());
    assert!(site.path("elsewhere/secret.key").exists());
}

#[test]
fn weak_secrets_end_it_before_it_binds() {
    let site = Site::unconfigured();
    for weak in ["", "short", "please-change-me-please-change-me-0123", &"ab".repeat(40)] {
        let output = run(site.postly().env("POSTLY_SECRET_KEY", weak), "");
        assert_eq!(output.status.code(), Some(1), "{weak:?}");
        assert!(output.text.contains("POSTLY_SECRET_KEY is too weak"), "{}", output.text);
        assert!(!output.text.contains("Postly is at"));
    }
}

#[test]
fn keys_rotate_and_the_audit_is_verified_from_the_command_line() {
    let site = Site::unconfigured();
    let add = site.run(&["user", "add", "ann"], PASSWORD);
    assert!(add.status.success(), "{}", add.text);
    let verified = site.run(&["audit", "verify"], "");
    assert!(verified.status.success() && verified.text.contains("1 events, none changed"));
    let end = verified.stdout.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(site.run(&["user", "disable", "ann"], "").status.success());
    let again = site.run(&["audit", "verify", "--expect", &end], "");
    assert!(again.status.success(), "{}", again.text);
    let wrong = site.run(&["audit", "verify", "--expect", "1:0000"], "");
    assert!(!wrong.status.success() && wrong.text.contains("event 1 does not match"));

    let rotated = site.run(&["keys", "rotate"], "");
    assert!(rotated.status.success() && rotated.text.contains("a new key and 1 older"));
    let keys = std::fs::read_to_string(site.path("data/secret.key")).unwrap();
    assert_eq!(keys.lines().count(), 2);
    let mut command = site.postly();
    command.env("POSTLY_SECRET_KEY", SECRET).args(["keys", "rotate"]);
    let configured = run(&mut command, "");
    assert!(!configured.status.success() && configured.text.contains("separated by a comma"));
}

/// A service named `postly` brings variables that look like settings.
#[test]
fn it_starts_in_kubernetes_beside_a_service_of_its_name() {
    let site = Site::unconfigured();
    let mut command = site.postly();
    for (name, value) in [
        ("POSTLY_SERVICE_HOST", "10.0.0.1"),
        ("POSTLY_SERVICE_PORT", "8000"),
        ("POSTLY_SERVICE_PORT_HTTP", "8000"),
        ("POSTLY_PORT", "tcp://10.0.0.1:8000"),
        ("POSTLY_PORT_8000_TCP", "tcp://10.0.0.1:8000"),
        ("POSTLY_PORT_8000_TCP_ADDR", "10.0.0.1"),
    ] {
        command.env(name, value);
    }
    Starting::of(&mut command).ready();
    let mistaken = run(command.env("POSTLY_PORT", "9000"), "");
    assert!(!mistaken.status.success());
    assert!(mistaken.text.contains("there is no setting POSTLY_PORT"), "{}", mistaken.text);
}

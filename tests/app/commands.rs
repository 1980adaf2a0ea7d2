//! The binary itself, alone in an empty folder.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::support::PASSWORD;

fn postly(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_postly"));
    command.current_dir(folder).env_clear().env("POSTLY_BCRYPT_COST", "4").stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let mut child = postly(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that needs no input may be gone before it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// A running server, ended with the test.
pub struct Server {
    child: Child,
    pub url: String,
}

impl Server {
    /// Starts the binary in `folder` on a free port and waits until it says where it is.
    pub fn start(folder: &Path) -> Server {
        Server::spawn(postly(folder).stderr(Stdio::null()))
    }

    /// Starts it with its log in a file, and its mails in files, since links in mails are secrets.
    pub fn logging_to(folder: &Path, log: &Path) -> Server {
        let log = std::fs::File::create(log).unwrap();
        Server::spawn(postly(folder).stderr(log).env("POSTLY_MAIL_URL", "file:mails"))
    }

    fn spawn(command: &mut Command) -> Server {
        // Held until just before the start, so that two tests do not pick the same.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut child =
            command.env("ROCKET_PORT", port.to_string()).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line.trim(), format!("Postly is at http://127.0.0.1:{port}"));
        Server { child, url: format!("http://127.0.0.1:{port}") }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn it_runs_in_an_empty_folder_and_stops_when_told() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path());
    let ready = ureq::get(format!("{}/readyz", server.url)).call().unwrap();
    assert_eq!(ready.status(), 200);
    let secret = folder.path().join("data/secret.key").metadata().unwrap();
    assert_eq!(secret.permissions().mode() & 0o777, 0o600);
    assert!(folder.path().join("data/postly.db").exists());
    let id = server.child.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
}

#[test]
fn people_are_managed_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let added = run(here, &["user", "add", "root", "--admin"], PASSWORD);
    assert!(added.status.success(), "{}", said(&added));
    let weak = run(here, &["user", "add", "ann"], "short\n");
    assert!(!weak.status.success() && said(&weak).contains("at least 10 characters"));
    assert!(
        run(here, &["user", "add", "ann", "--email", "ann@mail.example"], PASSWORD)
            .status
            .success()
    );
    assert!(said(&run(here, &["user", "add", "ANN"], PASSWORD)).contains("taken"));
    assert!(said(&run(here, &["user", "demote", "root"], "")).contains("last admin"));
    assert!(said(&run(here, &["user", "promote", "ann"], "")).contains("ann is admin now"));
    assert!(run(here, &["user", "demote", "root"], "").status.success());
    assert!(
        run(here, &["user", "set-password", "root"], "another long set of words\n")
            .status
            .success()
    );
    let list = said(&run(here, &["user", "list"], ""));
    assert!(
        list.contains("root\tuser\t-") && list.contains("ann\tadmin\tann@mail.example"),
        "{list}"
    );
    assert!(run(here, &["user", "delete", "root"], "").status.success());
    let missing = run(here, &["user", "promote", "zoe"], "");
    assert!(!missing.status.success() && said(&missing).contains("nobody is called"));

    let server = Server::start(here);
    let login = serde_json::json!({"username": "ann", "password": PASSWORD});
    let granted = ureq::post(format!("{}/api/v1/auth/login", server.url)).send_json(login).unwrap();
    assert_eq!(granted.status(), 200);
}

#[test]
fn the_demonstration_fills_an_empty_site_only() {
    let folder = tempfile::tempdir().unwrap();
    let filled = run(folder.path(), &["demo", "--posts", "45"], "");
    assert!(
        filled.status.success() && said(&filled).contains("14 people and 45 posts"),
        "{}",
        said(&filled)
    );
    assert!(said(&run(folder.path(), &["demo"], "")).contains("empty site"));
    let server = Server::start(folder.path());
    let mut first = ureq::get(format!("{}/api/v1/posts?limit=100", server.url)).call().unwrap();
    let list: serde_json::Value = first.body_mut().read_json().unwrap();
    assert_eq!(list["items"].as_array().unwrap().len(), 45);
    assert!(list["items"].as_array().unwrap().iter().any(|post| post["votes"] != 0));
}

#[test]
fn a_wrong_configuration_is_told_in_one_sentence_before_anything_is_bound() {
    let folder = tempfile::tempdir().unwrap();
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
        ("POSTLY_PUBLIK_URL", "https://posts.example", "unknown field"),
        ("POSTLY_BCRYPT_COST", "40", "POSTLY_BCRYPT_COST must lie"),
        ("ROCKET_PORT", "many", "the configuration is wrong"),
    ] {
        let output = postly(folder.path()).env(name, value).output().unwrap();
        let said = said(&output);
        assert_eq!(output.status.code(), Some(1), "{name}={value}: {said}");
        assert!(said.contains(why), "{name}={value}: {said}");
        assert_eq!(said.trim().lines().count(), 1, "{name}={value}: {said}");
    }
    let unreachable = postly(folder.path())
        .env("DATABASE_URL", "postgres://127.0.0.1:1/none")
        .env("POSTLY_SECRET_KEY", crate::support::SECRET)
        .output()
        .unwrap();
    assert!(said(&unreachable).contains("cannot be reached"), "{}", said(&unreachable));
    assert_eq!(unreachable.status.code(), Some(1));
}

#[test]
fn a_dotenv_file_configures_it() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(".env"), "DATABASE_URL=sqlite:elsewhere/site.db\n").unwrap();
    assert!(run(folder.path(), &["migrate"], "").status.success());
    assert!(folder.path().join("elsewhere/site.db").exists());
    assert!(folder.path().join("elsewhere/secret.key").exists());
}

#[test]
fn weak_secrets_end_it_before_it_binds() {
    let folder = tempfile::tempdir().unwrap();
    for weak in ["", "short", "please-change-me-please-change-me-0123", &"ab".repeat(40)] {
        let output = postly(folder.path())
            .env("POSTLY_SECRET_KEY", weak)
            .env("ROCKET_PORT", "0")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{weak:?}");
        assert!(said(&output).contains("POSTLY_SECRET_KEY is too weak"), "{}", said(&output));
        assert!(!said(&output).contains("Postly is at"));
    }
}

#[test]
fn keys_rotate_and_the_audit_is_verified_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let add = run(folder.path(), &["user", "add", "ann"], PASSWORD);
    assert!(add.status.success(), "{}", said(&add));
    let verified = run(folder.path(), &["audit", "verify"], "");
    assert!(verified.status.success() && said(&verified).contains("1 events, none changed"));
    let end = said(&verified).trim().rsplit(' ').next().unwrap().to_owned();
    assert!(run(folder.path(), &["user", "disable", "ann"], "").status.success());
    let again = run(folder.path(), &["audit", "verify", "--expect", &end], "");
    assert!(again.status.success(), "{}", said(&again));
    let wrong = run(folder.path(), &["audit", "verify", "--expect", "1:0000"], "");
    assert!(!wrong.status.success() && said(&wrong).contains("event 1 is no longer"));

    let rotated = run(folder.path(), &["keys", "rotate"], "");
    assert!(rotated.status.success() && said(&rotated).contains("a new key and 1 older"));
    let keys = std::fs::read_to_string(folder.path().join("data/secret.key")).unwrap();
    assert_eq!(keys.lines().count(), 2);
    let configured = postly(folder.path())
        .env("POSTLY_SECRET_KEY", "p7Jb1xkQ0vZr8mTn3wYc5uHd9sLf2aGe6")
        .args(["keys", "rotate"])
        .output()
        .unwrap();
    assert!(!configured.status.success() && said(&configured).contains("separated by a comma"));
}

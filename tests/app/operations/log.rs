//! The log of the real binary.

use std::fs;
use std::io::Write;
use std::sync::{Arc, Mutex};

use rocket::tokio::task::{LocalSet, spawn_local};
use serde_json::{Value, json};

use crate::support::App;
use crate::support::binary::{Server, Site, Starting, eventually, wait_for};
use crate::support::database::is_postgres;
use crate::support::internals::{self, sql};
use crate::support::postgres::Relay;

#[test]
fn nothing_secret_reaches_the_log() {
    let site = Site::unconfigured();
    let log = site.path("log");
    // E-mails go to files, since the links in them contain secrets.
    let server =
        Starting::logging_to(site.postly().env("POSTLY_MAIL_URL", "file:mails"), &log).ready();
    let api = format!("{}/api/v1", server.url);
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
    let mut secrets = vec!["canary-password-seven".to_owned(), "canary-typed-name".to_owned()];
    let password = "canary-password-seven otters";
    let post = |path: &str, body: Value| -> Value {
        let mut response = agent.post(format!("{api}{path}")).send_json(body).unwrap();
        response.body_mut().read_json().unwrap_or(Value::Null)
    };
    post(
        "/auth/register",
        json!({"username": "ann", "email": "ann@mail.example", "password": password}),
    );
    post("/auth/login", json!({"username": "canary-typed-name", "password": password}));
    let tokens = post("/auth/login", json!({"username": "ann", "password": password}));
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    let renewed = post("/auth/refresh", json!({"refresh_token": refresh}));
    let bearer = format!("Bearer {access}");
    let mut created = agent
        .post(format!("{api}/me/tokens"))
        .header("Authorization", &bearer)
        .send_json(json!({"name": "x", "scopes": "account"}))
        .unwrap();
    let personal: Value = created.body_mut().read_json().unwrap();
    let setup: Value = agent
        .post(format!("{api}/me/two-factor"))
        .header("Authorization", &bearer)
        .send_json(json!({}))
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap();
    for path in [
        "/verify-email?token=canary-link",
        "/posts?q=canary-query",
        "/login?next=canary-next",
        "/s/canary-share",
    ] {
        let _ = agent.get(format!("{}{path}", server.url)).call().unwrap();
    }
    secrets.extend([access, refresh]);
    for (of, field) in [(&renewed, "refresh_token"), (&personal, "token"), (&setup, "secret")] {
        secrets.push(of[field].as_str().unwrap_or_else(|| panic!("{field} in {of}")).to_owned());
    }
    secrets
        .extend(["canary-link", "canary-query", "canary-next", "canary-share"].map(str::to_owned));
    drop(server);
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.lines().count() >= 8, "requests are logged: {text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret:.30} in the log");
    }
}

fn lines(site: &Site) -> Vec<Value> {
    let text = fs::read_to_string(site.path("log")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}")))
        .collect()
}

fn with_message<'l>(lines: &'l [Value], message: &str) -> Vec<&'l Value> {
    lines.iter().map(|line| &line["fields"]).filter(|f| f["message"] == message).collect()
}

/// A server that writes JSON to the file `log`.
fn logging(site: &Site) -> Server {
    let mut command = site.postly();
    command.env("RUST_LOG", "info").env("POSTLY_LOG_FORMAT", "json");
    Starting::logging_to(&mut command, &site.path("log")).ready()
}

#[test]
fn the_start_says_what_runs_on_what() {
    let site = Site::empty();
    let log = site.path("log");
    let mut command = site.postly();
    command
        .env("RUST_LOG", "info")
        .env("POSTLY_LOG_FORMAT", "json")
        .env("POSTLY_MAIL_URL", "smtp://someone:canary@127.0.0.1:2525")
        .env("POSTLY_MAIL_FROM", "post@posts.example");
    let server = Starting::logging_to(&mut command, &log).ready();
    drop(server);
    let lines = lines(&site);
    assert_eq!(with_message(&lines, "the database was migrated").len(), 1, "{lines:?}");
    assert_eq!(
        with_message(
            &lines,
            "there is no admin yet; open the setup link, or create one with: postly user add NAME \
             --admin"
        )
        .len(),
        1
    );
    let start = with_message(&lines, "starting")[0];
    let engine = start["engine"].as_str().unwrap();
    assert!(engine.starts_with(if is_postgres() { "PostgreSQL " } else { "SQLite 3" }), "{engine}");
    let place = start["database"].as_str().unwrap();
    assert!(is_postgres() || place.ends_with("/postly.db"), "{place}");
    assert_eq!(start["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(start["mail"], "smtp://127.0.0.1:2525");
    assert_eq!(start["public_url"], "http://postly.test");
    assert!(!start["keys"].as_str().unwrap().is_empty());
    assert!(!fs::read_to_string(&log).unwrap().contains("canary"));
}

/// One line for each request tells what was asked and answered, and an ordinary refusal is no
/// warning.
#[test]
fn requests_have_a_line_each() {
    let site = Site::new();
    let server = logging(&site);
    let ann = server.newcomer("ann");
    let id = ann.posts("A post");
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let page = format!("{}/posts/{id}/a-post?canary=1", server.url);
    let body = agent.get(&page).call().unwrap().body_mut().read_to_string().unwrap();
    agent.head(&page).call().unwrap();
    ann.ask("GET", "/nowhere", None);
    ann.ask("DELETE", "/posts/999999", None);
    ann.ask("GET", "/admin/users", None);
    ann.ask("POST", "/posts", Some(json!({"title": ""})));
    server.nobody().ask("GET", "/me", None);
    server.nobody().ask("POST", "/auth/login", Some(json!({"username": "ann", "password": "x"})));
    server.nobody().page("/login", &[("username", "ann"), ("password", "x")]).unwrap();
    drop(server);
    let lines = lines(&site);
    let requests = with_message(&lines, "request");
    let of = |method: &str, route: &str| {
        let found = requests.iter().find(|r| r["method"] == method && r["route"] == route);
        found.unwrap_or_else(|| panic!("no {method} {route} in {requests:?}"))
    };
    let get = of("GET", "/posts/<id>/<slug>");
    assert_eq!(get["path"], format!("/posts/{id}/a-post"), "no query: {get}");
    assert_eq!((&get["status"], &get["bytes"]), (&json!(200), &json!(body.len())), "{get}");
    assert_eq!(get["address"], "127.0.0.1", "{get}");
    assert!(get["milliseconds"].as_f64().unwrap() > 0.0, "{get}");
    assert!(get["request_id"].as_str().unwrap().len() >= 8 && get["user"].is_null(), "{get}");
    assert_eq!(of("HEAD", "/posts/<id>/<slug>")["bytes"], 0);
    assert!(of("DELETE", "/api/v1/posts/<id>")["user"].is_i64());
    assert_eq!(of("GET", "none")["status"], 404);
    let served = lines.iter().skip_while(|line| line["fields"]["message"] != "request");
    let loud: Vec<_> = served.filter(|line| line["level"] != "INFO").collect();
    assert!(loud.is_empty(), "{loud:?}");
}

/// A failure has one line, with the id of the request and the words of the database.
#[test]
fn a_failure_is_explained_once_with_the_id_of_the_request() {
    let site = Site::new();
    let server = logging(&site);
    let ann = server.newcomer("ann");
    wait_for(async {
        let db = site.db().await;
        sql("ALTER TABLE sessions RENAME TO elsewhere").execute(db.writer()).await.unwrap();
    });
    // It fails when the person is identified.
    let failed = ann.ask("GET", "/me", None);
    assert!(failed.status >= 500, "{}", failed.json);
    drop(server);
    let id = &failed.json["request_id"];
    let lines = lines(&site);
    let explained: Vec<_> = lines
        .iter()
        .map(|line| &line["fields"])
        .filter(|fields| fields["message"] != "request" && &fields["request_id"] == id)
        .collect();
    assert_eq!(explained.len(), 1, "{lines:?}");
    assert!(explained[0]["error"].as_str().unwrap().contains("sessions"), "{explained:?}");
    assert!(
        !fs::read_to_string(site.path("log")).unwrap().contains("guard"),
        "Rocket says it again"
    );
}

#[test]
fn an_outage_is_logged_when_it_begins_and_when_it_ends() {
    if !is_postgres() {
        return; // `reliability::file` has the outages of SQLite.
    }
    let runtime = rocket::tokio::runtime::Runtime::new().unwrap();
    let relay = runtime.block_on(Relay::to_postgres());
    let site = Site::unconfigured();
    let log = site.path("log");
    let mut command = site.postly();
    command
        .env("DATABASE_URL", &relay.url)
        .env("POSTLY_SECRET_KEY", crate::support::SECRET)
        .env("POSTLY_PUBLIC_URL", crate::support::ORIGIN)
        .env("RUST_LOG", "info")
        .env("POSTLY_LOG_FORMAT", "json");
    let server = Starting::logging_to(&mut command, &log).ready();
    let ann = server.newcomer("ann");
    relay.close();
    eventually("it is gone", || ann.get("/readyz").unwrap().status == 503);
    eventually("this is logged", || {
        !with_message(&lines(&site), "the database is gone").is_empty()
    });
    let before = lines(&site).len();
    for _ in 0..50 {
        assert_eq!(ann.ask("GET", "/me", None).status, 503);
    }
    let during = lines(&site).split_off(before);
    let others: Vec<_> =
        during.iter().filter(|line| line["fields"]["message"] != "request").collect();
    assert!(others.len() <= 1, "no line for each request: {others:?}");
    relay.open();
    eventually("it is back", || ann.get("/readyz").unwrap().status == 200);
    eventually("this is logged", || {
        !with_message(&lines(&site), "the database is back").is_empty()
    });
    let lines = lines(&site);
    assert_eq!(with_message(&lines, "the database is gone").len(), 1);
    let back = with_message(&lines, "the database is back");
    assert_eq!(back.len(), 1);
    assert!(back[0]["failed_requests"].as_u64().unwrap() >= 50, "{back:?}");
    assert!(back[0]["seconds"].is_u64());
}

#[rocket::get("/panics")]
fn panics() -> &'static str {
    panic!("canary of\na panic")
}

/// In this process, since the binary has no route that panics.
#[test]
fn a_panic_is_logged_once_with_the_id_of_its_request() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let writer = {
        let log = log.clone();
        move || Lines(log.clone())
    };
    let subscriber = tracing_subscriber::fmt().json().with_writer(writer).finish();
    let response = wait_for(LocalSet::new().run_until(async {
        let site = App::new().await;
        let app = site.mounting(rocket::routes![panics]).await;
        let _here = tracing::subscriber::set_default(subscriber);
        let others = Arc::new(std::panic::take_hook());
        let before = others.clone();
        internals::panics::set_hook(move |info| others(info));
        // In a task of its own, like every request of the server.
        let asked = async move { app.nobody().api().get("/panics").await };
        let response = spawn_local(asked).await.unwrap();
        std::panic::set_hook(Box::new(move |info| before(info)));
        response
    }));
    assert_eq!(response.status, 500, "{}", response.body);
    let text = String::from_utf8(log.lock().unwrap().clone()).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let failures: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(failures.len(), 1, "{text}");
    let fields = &failures[0]["fields"];
    assert_eq!(fields["request_id"], response.json()["request_id"], "{text}");
    let error = fields["error"].as_str().unwrap();
    assert!(error.contains("log.rs:") && error.ends_with(": canary of a panic"), "{error}");
}

/// A log in memory.
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

//! Mail, with a real mail server: confirming, resetting, changing; and servers that misbehave.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::support::{Answer, App, ORIGIN, PASSWORD, Person, encode, send};
use postly::db::{now, sql};
use postly::models::outbox;
use rocket::futures::future::join_all;
use rocket::http::{ContentType, Header, Method};
use serde_json::{Value, json};

/// A mail server in a process of its own, ended with the test.
struct MailServer {
    process: Child,
    said: Arc<Mutex<Receiver<Value>>>,
    port: u16,
}

impl MailServer {
    /// `take` takes mails, `hang` never says a word, `drop` hangs up in the middle of each.
    async fn start(mode: &str, port: u16) -> MailServer {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/support/smtp.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .args([mode, &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is needed, with `npm ci` in tests/browser; ./test sees to both");
        let (sender, receiver) = channel();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let mut server = MailServer { process, said: Arc::new(Mutex::new(receiver)), port: 0 };
        server.port = server.next().await["port"].as_u64().unwrap() as u16;
        server
    }

    fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// What the server says next.
    async fn next(&self) -> Value {
        let said = self.said.clone();
        let wait = move || said.lock().unwrap().recv_timeout(Duration::from_secs(120));
        rocket::tokio::task::spawn_blocking(wait)
            .await
            .unwrap()
            .expect("the mail server says nothing; are its packages there? ./test installs them")
    }

    /// The next mail: whom to, and all of it.
    async fn mail(&self) -> (String, String) {
        let mail = self.next().await;
        (mail["to"][0].as_str().unwrap().to_owned(), mail["raw"].as_str().unwrap().to_owned())
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn site(server: &MailServer) -> App {
    site_with(server, &[]).await
}

async fn site_with(server: &MailServer, more: &[(&str, &str)]) -> App {
    let url = server.url();
    let mut options = vec![("mail_url", url.as_str()), ("mail_from", "Postly <post@postly.test>")];
    options.extend(more);
    App::with(&options).await
}

/// The secret in the link of a mail.
fn secret(mail: &str) -> String {
    let start = mail.find("?token=").unwrap_or_else(|| panic!("no link in {mail}")) + 7;
    mail[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
}

async fn register(app: &App, name: &str, email: &str) -> Answer {
    let form = json!({"username": name, "email": email, "password": PASSWORD});
    app.nobody().api().post("/auth/register", form).await
}

async fn ask_reset(app: &App, email: &str) -> Answer {
    app.nobody().api().post("/auth/password-reset", json!({"email": email})).await
}

const NEW: &str = "seven marble lanterns drift";

#[rocket::async_test]
async fn an_address_is_confirmed_through_its_mail() {
    let server = MailServer::start("take", 0).await;
    let app = site(&server).await;
    let made = register(&app, "ann", "ann@mail.example").await;
    assert_eq!(made.status, 201);
    let account = made.json();
    assert_eq!(account["pending_email"], "ann@mail.example");
    assert_eq!((&account["email"], &account["email_verified"]), (&json!(null), &json!(false)));
    let (to, mail) = server.mail().await;
    assert_eq!(to, "ann@mail.example");
    assert!(mail.contains("Subject: Confirm your e-mail address"), "{mail}");
    assert!(mail.contains("From: Postly <post@postly.test>") && mail.contains("Hello ann,"));
    assert!(mail.contains("Content-Type: text/plain") && mail.contains("Content-Type: text/html"));
    let token = secret(&mail);
    assert_eq!(token.len(), 43, "256 bits");
    assert!(mail.contains(&format!("{ORIGIN}/verify-email?token={token}")));
    let login = json!({"email": "ann@mail.example", "password": PASSWORD});
    let early = app.nobody().api().post("/auth/login", login.clone()).await;
    assert_eq!(early.status, 401, "an address counts once it is confirmed");

    // A browser opens the link, perhaps one without the session.
    let opened = app.nobody().page().get(&format!("/verify-email?token={token}")).await;
    assert_eq!((opened.status, opened.header("location")), (303, Some("/verify-email")));
    let cookie = opened.cookie("postly_link").unwrap();
    assert_eq!(cookie, token);
    let form = link_page(&app, Method::Get, "/verify-email", &cookie, &[]).await;
    assert!(form.status == 200 && !form.body.contains(&token));
    assert_eq!(
        app.log_in("ann").await.api().get("/me").await.json()["email_verified"],
        false,
        "opening it confirms nothing"
    );
    let done = link_page(&app, Method::Post, "/verify-email", &cookie, &[]).await;
    assert_eq!((done.status, done.cookie("postly_link").as_deref()), (303, Some("")));
    let me = app.log_in("ann").await.api().get("/me").await.json();
    assert_eq!((&me["email"], &me["email_verified"]), (&json!("ann@mail.example"), &json!(true)));
    assert_eq!(app.nobody().api().post("/auth/login", login).await.status, 200);
    let again = link_page(&app, Method::Post, "/verify-email", &cookie, &[]).await;
    assert_eq!(again.status, 422, "once");
    let used = app.nobody().api().post("/auth/verify-email", json!({"token": token})).await;
    assert_eq!(used.status, 401);
}

/// A page of somebody who opened a link.
async fn link_page(
    app: &App,
    method: Method,
    path: &str,
    link: &str,
    form: &[(&str, &str)],
) -> Answer {
    let headers = vec![
        Header::new("Origin", ORIGIN),
        Header::new("Cookie", format!("postly_link={link}")),
        ContentType::Form.into(),
    ];
    let body = (method == Method::Post).then(|| encode(form));
    send(app, method, path, headers, body).await
}

#[rocket::async_test]
async fn registering_with_a_taken_address_is_answered_alike_and_its_owner_is_mailed() {
    let server = MailServer::start("take", 0).await;
    let app = site_with(&server, &[("email_required", "true")]).await;
    let none = json!({"username": "ann", "password": PASSWORD});
    let refused = app.nobody().api().post("/auth/register", none).await;
    assert_eq!((refused.status, refused.complaints()), (422, vec!["email".to_owned()]));
    register(&app, "ann", "ann@mail.example").await;
    let token = secret(&server.mail().await.1);
    app.nobody().api().post("/auth/verify-email", json!({"token": token})).await;

    let taken = register(&app, "eve", "ANN@mail.example").await;
    let fresh = register(&app, "bob", "bob@mail.example").await;
    let strip = |answer: &Answer| {
        let mut account = answer.json();
        for field in ["id", "username", "pending_email", "created_at"] {
            account[field] = json!("");
        }
        (answer.status, account)
    };
    assert_eq!(strip(&taken), strip(&fresh));
    let (to, mail) = server.mail().await;
    assert_eq!(to, "ann@mail.example", "as it was confirmed, not as it was spelt");
    assert!(mail.contains("registered already") && !mail.contains("token="), "{mail}");
    assert!(mail.contains("Hello ann,") && !mail.contains("eve"), "{mail}");
    let (to, mail) = server.mail().await;
    assert!(to == "bob@mail.example" && mail.contains("Confirm"), "{mail}");
    let form = [("username", "eva"), ("email", "ann@mail.example"), ("password", PASSWORD)];
    let page = app.nobody().page().post("/register", &form).await;
    assert_eq!((page.status, page.header("location")), (303, Some("/")));
}

#[rocket::async_test]
async fn a_forgotten_password_is_reset_once_and_everything_ends() {
    let server = MailServer::start("take", 0).await;
    let app = site(&server).await;
    let ann = app.user("ann").await;
    let draft = json!({"name": "x", "scopes": "account"});
    let program = ann.api().post("/me/tokens", draft).await.json();
    let program = app.nobody().with_token(program["token"].as_str().unwrap());
    let form = [("email", "ann@mail.example")];
    let asked = app.nobody().page().post("/password-reset", &form).await;
    assert_eq!((asked.status, asked.header("location")), (303, Some("/login")));
    let (to, mail) = server.mail().await;
    assert!(to == "ann@mail.example" && mail.contains("Subject: Set a new password"));
    let token = secret(&mail);
    let opened = app.nobody().page().get(&format!("/password-reset/new?token={token}")).await;
    assert_eq!(opened.header("location"), Some("/password-reset/new"));
    for _ in 0..3 {
        let page = link_page(&app, Method::Get, "/password-reset/new", &token, &[]).await;
        assert!(page.status == 200 && !page.body.contains(&token), "opening uses nothing up");
    }
    let weak = [("password", "short")];
    let refused = link_page(&app, Method::Post, "/password-reset/new", &token, &weak).await;
    assert_eq!(refused.status, 422, "a refused password leaves the link as it is");
    assert_eq!(ann.page().get("/me").await.status, 200);
    let good = [("password", NEW)];
    let done = link_page(&app, Method::Post, "/password-reset/new", &token, &good).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/login")));
    assert_eq!(done.cookie("postly"), None, "nobody is logged in by it");
    assert_eq!(ann.page().get("/me").await.status, 303);
    assert_eq!(ann.api().get("/me").await.status, 401);
    assert_eq!(program.api().get("/me").await.status, 401);
    let login = |password: &str| json!({"username": "ann", "password": password});
    assert_eq!(app.nobody().api().post("/auth/login", login(PASSWORD)).await.status, 401);
    assert_eq!(app.nobody().api().post("/auth/login", login(NEW)).await.status, 200);
    assert!(server.mail().await.1.contains("Your password has changed"), "the owner is told");
    let again = json!({"token": token, "password": NEW});
    assert_eq!(app.nobody().api().post("/auth/password-reset/new", again).await.status, 401);
}

#[rocket::async_test]
async fn of_twenty_parallel_resets_one_works() {
    let server = MailServer::start("take", 0).await;
    let app = site(&server).await;
    app.user("ann").await;
    ask_reset(&app, "ann@mail.example").await;
    let token = secret(&server.mail().await.1);
    let all = join_all((0..20).map(|i| {
        let nobody = app.nobody().from(&format!("192.0.2.{i}"));
        let body = json!({"token": token, "password": format!("{NEW} {i}")});
        async move { nobody.api().post("/auth/password-reset/new", body).await.status }
    }))
    .await;
    let count = |status| all.iter().filter(|s| **s == status).count();
    assert_eq!((count(204), count(401)), (1, 19), "{all:?}");
}

#[rocket::async_test]
async fn a_newer_link_voids_the_older_and_time_voids_both() {
    let server = MailServer::start("take", 0).await;
    let app = site(&server).await;
    app.user("ann").await;
    ask_reset(&app, "ann@mail.example").await;
    let older = secret(&server.mail().await.1);
    ask_reset(&app, "ann@mail.example").await;
    let newer = secret(&server.mail().await.1);
    let reset = async |token: &str| {
        let body = json!({"token": token, "password": NEW});
        app.nobody().api().post("/auth/password-reset/new", body).await.status
    };
    assert_eq!(reset(&older).await, 401);
    let kept: Vec<(String,)> = sql("SELECT hash FROM link_tokens").all(&app.db).await.unwrap();
    assert_eq!(kept, [(postly::models::secret::hashed(&newer),)], "only the hash is kept");
    let verify = json!({"token": newer});
    let crossed = app.nobody().api().post("/auth/verify-email", verify).await;
    assert_eq!(crossed.status, 401, "a link is for one purpose");
    let as_access = app.nobody().with_token(&newer);
    assert_eq!(as_access.api().get("/me").await.status, 401, "and opens no door");
    sql("UPDATE link_tokens SET expires_at = $1")
        .bind(now())
        .execute(app.db.writer())
        .await
        .unwrap();
    assert_eq!(reset(&newer).await, 401);
    let access = app.log_in("ann").await.token.unwrap();
    assert_eq!(reset(&access).await, 401, "an access token is no link");
}

#[rocket::async_test]
async fn links_follow_the_configuration_not_the_request() {
    let server = MailServer::start("take", 0).await;
    let app = site(&server).await;
    app.user("ann").await;
    let headers = vec![
        ContentType::JSON.into(),
        Header::new("Host", "evil.example"),
        Header::new("X-Forwarded-Host", "evil.example"),
        Header::new("X-Forwarded-Proto", "https"),
    ];
    let body = json!({"email": "ann@mail.example"}).to_string();
    let path = "/api/v1/auth/password-reset";
    assert_eq!(send(&app, Method::Post, path, headers, Some(body)).await.status, 204);
    let (_, mail) = server.mail().await;
    assert!(
        mail.contains(&format!("{ORIGIN}/password-reset/new?token=")) && !mail.contains("evil")
    );
}

#[rocket::async_test]
async fn asking_for_a_reset_tells_nothing_about_who_is_here() {
    let server = MailServer::start("take", 0).await;
    let app = site(&server).await;
    app.user("ann").await;
    let strip = |answer: Answer| (answer.status, answer.body, answer.headers.len());
    let unknown = strip(ask_reset(&app, "zoe@mail.example").await);
    let known = strip(ask_reset(&app, "ann@mail.example").await);
    assert_eq!(unknown, known);
    assert_eq!(server.mail().await.0, "ann@mail.example", "the other got none");
    // Nobody's post box is filled either, and that looks alike too.
    for _ in 0..8 {
        assert_eq!(ask_reset(&app, "ann@mail.example").await.status, 204);
    }
    let (sent,): (i64,) = sql("SELECT count FROM throttles WHERE key LIKE 'mails:%' AND count > 5")
        .one(&app.db)
        .await
        .unwrap();
    assert_eq!(sent, 9);
    for bad in ["", "nowhere", "a@b\r\nBcc: x@mail.example"] {
        assert_eq!(ask_reset(&app, bad).await.status, 422, "{bad:?}");
    }
}

#[rocket::async_test]
async fn another_address_is_confirmed_first_and_the_old_one_is_told() {
    let server = MailServer::start("take", 0).await;
    let app = site(&server).await;
    let ann = app.user("ann").await;
    sql("UPDATE sessions SET proved_at = NULL").execute(app.db.writer()).await.unwrap();
    let new = json!({"email": "new@mail.example"});
    assert_eq!(ann.api().put("/me/email", new.clone()).await.status, 401, "the password first");
    ann.api().post("/auth/sudo", json!({"password": PASSWORD})).await;
    let asked = ann.api().put("/me/email", new).await;
    assert_eq!((asked.status, &asked.json()["pending_email"]), (200, &json!("new@mail.example")));
    assert_eq!(asked.json()["email"], "ann@mail.example", "until the new one is confirmed");
    let mut mails = [server.mail().await, server.mail().await];
    mails.sort();
    assert!(mails[0].0 == "ann@mail.example" && mails[0].1.contains("about to change"));
    assert!(mails[0].1.contains("new@mail.example") && !mails[0].1.contains("token="));
    assert_eq!(mails[1].0, "new@mail.example");
    let body = json!({"token": secret(&mails[1].1)});
    assert_eq!(app.nobody().api().post("/auth/verify-email", body).await.status, 204);
    assert_eq!(ann.api().get("/me").await.json()["email"], "new@mail.example");
    let (to, mail) = server.mail().await;
    assert!(to == "ann@mail.example" && mail.contains("has changed"), "{mail}");
}

#[rocket::async_test]
async fn posting_can_wait_for_a_confirmed_address() {
    let server = MailServer::start("take", 0).await;
    let app = site_with(&server, &[("posting_needs_verified_email", "true")]).await;
    register(&app, "ann", "ann@mail.example").await;
    let ann = app.log_in("ann").await;
    let draft = json!({"title": "T", "content": "C"});
    let early = ann.api().post("/posts", draft.clone()).await;
    assert_eq!(early.status, 403);
    assert!(early.body.contains("Confirm your e-mail address"));
    let page = ann.page().post("/posts", &[("title", "Typed"), ("content", "Long work")]).await;
    assert_eq!(page.status, 403);
    assert!(page.body.contains("Long work"), "nothing typed is lost");
    let token = secret(&server.mail().await.1);
    assert_eq!(ann.page().post("/me/email/verification", &[]).await.status, 303);
    let newer = secret(&server.mail().await.1);
    let verify = async |token: &str| {
        app.nobody().api().post("/auth/verify-email", json!({"token": token})).await.status
    };
    assert_eq!((verify(&token).await, verify(&newer).await), (401, 204));
    assert_eq!(ann.api().post("/posts", draft).await.status, 201);
    assert_eq!(ann.api().post("/me/email/verification", json!({})).await.status, 409);
}

#[rocket::async_test]
async fn a_server_that_hangs_or_hangs_up_delays_nobody_and_loses_nothing() {
    for mode in ["hang", "drop"] {
        let bad = MailServer::start(mode, 0).await;
        let app = site(&bad).await;
        app.user("ann").await;
        assert_eq!(ask_reset(&app, "ann@mail.example").await.status, 204);
        assert_eq!(register(&app, "bob", "bob@mail.example").await.status, 201);
        let told = bad.next().await;
        assert!(told["connected"] == true || told["dropped"] == true, "{told}");
        assert_eq!(ask_reset(&app, "ann@mail.example").await.status, 204, "nobody waits");
        assert_eq!(outbox::waiting(&app.db).await.unwrap(), 3, "{mode}: nothing is lost");
        let port = bad.port;
        drop(bad);
        let good = MailServer::start("take", port).await;
        // Not waiting for the next try: it is due now.
        let due = async || {
            sql("UPDATE outbox SET next_attempt_at = $1")
                .bind(now())
                .execute(app.db.writer())
                .await
                .unwrap();
        };
        let later = app.another().await;
        due().await;
        let mut to = Vec::new();
        for _ in 0..3 {
            to.push(good.mail().await.0);
        }
        to.sort();
        assert_eq!(to, ["ann@mail.example", "ann@mail.example", "bob@mail.example"], "{mode}");
        drop(later);
    }
}

#[rocket::async_test]
async fn without_a_server_mails_are_kept_in_files_and_the_pages_say_so() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let folder_of_mails = folder.path().join("outbox");
    let url = format!("file:{}", folder_of_mails.display());
    let app = App::with(&[("mail_url", &url)]).await;
    let ann = app.user("ann").await;
    for path in ["/password-reset", "/register", "/me/email"] {
        let page = ann.page().get(path).await;
        assert!(page.body.contains("This site sends no mail"), "{path}");
    }
    let taken = register(&app, "eve", "ann@mail.example").await;
    assert_eq!(taken.status, 409, "without mails, an address is taken as it is");
    ask_reset(&app, "ann@mail.example").await;
    while outbox::waiting(&app.db).await.unwrap() > 0 {
        rocket::tokio::task::yield_now().await;
    }
    let files: Vec<_> =
        std::fs::read_dir(&folder_of_mails).unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(files.len(), 1, "{files:?}");
    let reset = &files[0];
    let mail = std::fs::read_to_string(reset).unwrap();
    assert!(mail.contains("Subject: Set a new password") && mail.contains("To: ann@mail.example"));
    assert_eq!(reset.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let moved = ann.api().put("/me/email", json!({"email": "new@mail.example"})).await;
    assert_eq!((moved.status, &moved.json()["email"]), (200, &json!("new@mail.example")));
}

#[rocket::async_test]
async fn a_changed_password_needs_the_old_one_and_ends_the_other_sessions() {
    let server = MailServer::start("take", 0).await;
    let app = site(&server).await;
    let ann = app.user("ann").await;
    let other = app.log_in("ann").await;
    let change = |current: &str| json!({"current": current, "password": NEW});
    let wrong = ann.api().put("/me/password", change("wrong")).await;
    assert_eq!((wrong.status, wrong.complaints()), (422, vec!["current".to_owned()]));
    let none = ann.api().put("/me/password", json!({"password": NEW})).await;
    assert_eq!((none.status, none.complaints()), (422, vec!["current".to_owned()]));
    let weak = json!({"current": PASSWORD, "password": "password"});
    assert_eq!(ann.api().put("/me/password", weak).await.complaints(), ["password"]);
    let form = [("current", PASSWORD), ("password", NEW)];
    let done = ann.page().with("put", "/me/password", &form).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/me")));
    assert_eq!(ann.page().get("/me").await.status, 200, "this session goes on");
    assert_eq!(ann.api().get("/me").await.status, 401);
    assert_eq!(other.page().get("/me").await.status, 303);
    assert_eq!(other.api().get("/me").await.status, 401);
    let again = json!({"refresh_token": other.refresh_token.clone().unwrap()});
    assert_eq!(app.nobody().api().post("/auth/refresh", again).await.status, 401);
    let mail = server.mail().await;
    assert!(mail.0 == "ann@mail.example" && mail.1.contains("password has changed"), "{mail:?}");
    let login = json!({"username": "ann", "password": NEW});
    let token = app.nobody().api().post("/auth/login", login).await.json()["access_token"].clone();
    let ann = Person { token: token.as_str().map(str::to_owned), ..app.nobody() };
    assert_eq!(
        ann.api().put("/me/password", json!({"current": NEW, "password": PASSWORD})).await.status,
        204
    );
}

#[rocket::async_test]
async fn a_reset_goes_to_the_address_as_it_is_kept() {
    let server = MailServer::start("take", 0).await;
    let app = site(&server).await;
    app.user("ann").await;
    // Alike in our eyes, and perhaps somebody else's box.
    for spelt in ["ANN@Mail.example", "\u{ff41}nn@mail.example"] {
        assert_eq!(ask_reset(&app, spelt).await.status, 204);
        assert_eq!(server.mail().await.0, "ann@mail.example", "{spelt}");
    }
}

#[rocket::async_test]
async fn registering_fills_nobodys_post_box() {
    let server = MailServer::start("take", 0).await;
    let app = site(&server).await;
    for i in 0..8 {
        assert_eq!(register(&app, &format!("p{i}"), "victim@mail.example").await.status, 201);
    }
    ask_reset(&app, "victim@mail.example").await;
    register(&app, "last", "last@mail.example").await;
    let mut mails = 0;
    while server.mail().await.0 != "last@mail.example" {
        mails += 1;
    }
    assert_eq!(mails, 5);
}

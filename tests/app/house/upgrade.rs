//! A site that was filled on 21 November 2026 still has all its data after the current migrations.
//! tests/fixtures/README.md describes how the site was created and what it contains.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::internals::{BACKFILLS, Db, now};
use crate::support::{App, ORIGIN, PASSWORD, Person, Response, SECRET, database, encode, send};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use chrono::Utc;
use jsonwebtoken::{EncodingKey, decode_header, encode as sign};
use rocket::http::{ContentType, Header, Method};
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Connection, Executor};
use tempfile::TempDir;
use totp_rs::{Builder, Secret};

const SQLITE: &str = include_str!("../../fixtures/2026-11-21/sqlite.sql");
const POSTGRES: &str = include_str!("../../fixtures/2026-11-21/postgres.sql");
const SECRETS: &str = include_str!("../../fixtures/2026-11-21/secrets.json");

/// The posts, newest first: number, author, title, votes.
const FEED: [(i64, &str, &str, i64); 9] = [
    (9, "bob", "Written by a program", 0),
    (8, "Zoë", "Speaking softly", 0),
    (7, "finn", "Two locks on one door", 1),
    (6, "dave", "Dave was here", 0),
    (5, "bob", "The first draft", 0),
    (4, "bob", "A script for the backup", 0),
    (3, "Zoë", "Crème brûlée, 世界 and 🌊", 2),
    (2, "bob", "Tides of the week", 4),
    (1, "ann", "Welcome to this site", 2),
];

/// The old database, not migrated yet, and its secrets.
struct Old {
    url: String,
    secrets: Value,
    folder: TempDir,
}

impl Old {
    /// Loads the dump of the engine under test into a new database.
    async fn restore() -> Old {
        let folder = tempfile::tempdir().unwrap();
        let url = database::empty(folder.path()).await;
        let secrets: Value = serde_json::from_str(SECRETS).unwrap();
        // `App` signs and seals with this key, so it must be the one that the site had.
        assert_eq!(
            (&secrets["signing_key"], &secrets["password"]),
            (&json!(SECRET), &json!(PASSWORD))
        );
        let engine = if url.starts_with("sqlite:") {
            let file = format!("{url}?mode=rwc");
            fill(sqlx::SqliteConnection::connect(&file).await.unwrap(), SQLITE).await;
            "sqlite"
        } else {
            fill(sqlx::PgConnection::connect(&url).await.unwrap(), POSTGRES).await;
            "postgres"
        };
        Old { url, secrets: secrets[engine].clone(), folder }
    }

    /// Migrates the database and opens the site on it.
    async fn upgrade(&self) -> App {
        let db = Db::connect(&self.url, 2, Duration::from_secs(10)).await.unwrap();
        db.migrate(BACKFILLS).await.unwrap();
        db.close().await;
        App::on(&self.url).await
    }

    fn secret(&self, name: &str) -> &str {
        self.secrets[name].as_str().unwrap_or_else(|| panic!("no secret is called {name}"))
    }

    /// The current binary, configured to use this database.
    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_postly"));
        command
            .current_dir(&self.folder)
            .env_clear()
            .env("DATABASE_URL", &self.url)
            .env("POSTLY_SECRET_KEY", SECRET)
            .env("POSTLY_PUBLIC_URL", ORIGIN)
            .env("POSTLY_BCRYPT_COST", "4")
            .stdin(Stdio::null());
        command
    }
}

/// Loads the dump, then moves the expiry of what would have expired since, so that the tests do not
/// depend on the date. Both engines accept this format of timestamps.
async fn fill<C>(mut connection: C, dump: &'static str)
where
    C: Connection,
    for<'c> &'c mut C: Executor<'c, Database = C::Database>,
{
    (&mut connection).execute(sqlx::raw_sql(dump)).await.unwrap();
    let now = now();
    let past = (now - chrono::Duration::minutes(1)).to_rfc3339();
    let future = (now + chrono::Duration::hours(1)).to_rfc3339();
    // Within the window of every limit that a test looks at.
    let soon = (now + chrono::Duration::minutes(4)).to_rfc3339();
    let moved = format!(
        "UPDATE sessions SET last_used_at = '{past}', expires_at = '{future}';
         UPDATE refresh_tokens SET created_at = '{past}';
         UPDATE api_tokens SET expires_at = '{future}';
         UPDATE link_tokens SET expires_at = '{future}';
         UPDATE login_challenges SET expires_at = '{future}';
         UPDATE throttles SET ends_at = '{soon}';
         UPDATE outbox SET next_attempt_at = '{past}';
         UPDATE two_factors SET last_step = 0;"
    );
    (&mut connection).execute(sqlx::raw_sql(AssertSqlSafe(moved))).await.unwrap();
    connection.close().await.unwrap();
}

async fn log_in(app: &App, form: Value) -> Response {
    app.nobody().api().post("/auth/login", form).await
}

#[rocket::async_test]
async fn people_log_in_as_before_and_see_their_accounts() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let ann = app.log_in("ann").await;
    let me = ann.api().get("/me").await.json();
    assert_eq!(
        (&me["id"], &me["email"], &me["email_verified"], &me["role"], &me["posts"]),
        (&json!(1), &json!("ann@mail.example"), &json!(true), &json!("admin"), &json!(1))
    );
    assert!(ann.page().get("/me").await.body.contains("ann@mail.example"));
    let me = app.log_in("Zoë").await.api().get("/me").await.json();
    assert_eq!((&me["username"], &me["posts"]), (&json!("Zoë"), &json!(2)));
    let by_email = json!({"email": "zoe@mail.example", "password": PASSWORD});
    assert_eq!(log_in(&app, by_email).await.status, 200);

    let secrets: Value = serde_json::from_str(SECRETS).unwrap();
    let changed = json!({"username": "bob", "password": secrets["password_of_bob"]});
    assert_eq!(log_in(&app, changed).await.status, 200);
    let before = json!({"username": "bob", "password": PASSWORD});
    assert_eq!(log_in(&app, before).await.status, 401, "bob has changed it");

    let users = ann.api().get("/admin/users?limit=100").await.json();
    let seen: Vec<_> = users["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|user| {
            let text = |field: &str| user[field].as_str().unwrap_or("-").to_owned();
            (text("username"), text("email"), text("pending_email"), user["disabled_at"].is_null())
        })
        .collect();
    let expected = [
        ("erin", "-", "erin@mail.example", true),
        ("finn", "finn@mail.example", "finn@new.example", true),
        ("dave", "-", "-", false),
        ("Zoë", "zoe@mail.example", "-", true),
        ("bob", "bob@mail.example", "-", true),
        ("ann", "ann@mail.example", "-", true),
    ]
    .map(|(name, email, pending, open)| {
        (name.to_owned(), email.to_owned(), pending.to_owned(), open)
    });
    assert_eq!(seen, expected);
}

#[rocket::async_test]
async fn whoever_was_kept_out_stays_out() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let form = [("username", "dave"), ("password", PASSWORD)];
    let page = app.nobody().page().post("/login", &form).await;
    assert_eq!((page.status, page.cookie("postly")), (422, None));
    let dave = log_in(&app, json!({"username": "dave", "password": PASSWORD})).await;
    assert_eq!(dave.status, 401, "dave is locked out");
    let erin = log_in(&app, json!({"username": "erin", "password": PASSWORD})).await;
    assert_eq!(erin.status, 429, "somebody has just guessed at erin's password");
    assert_eq!(app.nobody().page().get("/users/gus").await.status, 404, "gus was deleted");
}

#[rocket::async_test]
async fn the_feed_has_the_old_posts_in_the_old_order_with_the_old_votes() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let read = async |path: &str| -> Vec<(i64, String, String, i64)> {
        let list = app.nobody().api().get(path).await.json();
        let items = list["items"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let number = |value: &Value| value.as_i64().unwrap();
        items
            .map(|post| {
                let author = text(&post["author"]["username"]);
                (number(&post["id"]), author, text(&post["title"]), number(&post["votes"]))
            })
            .collect()
    };
    let mut expected =
        FEED.map(|(id, author, title, votes)| (id, author.to_owned(), title.to_owned(), votes));
    assert_eq!(read("/posts?limit=100").await, expected);
    expected.sort_by_key(|(id, _, _, votes)| std::cmp::Reverse((*votes, *id)));
    assert_eq!(read("/posts?sort=top&limit=100").await, expected);

    let page = app.nobody().page().get("/").await.body;
    let places = FEED.map(|(id, ..)| page.find(&format!("href=\"/posts/{id}\"")).unwrap());
    assert!(places.is_sorted(), "{page}");

    let voters = app.nobody().api().get("/posts/2/votes").await.json();
    let voters = voters["items"].as_array().unwrap().iter().map(|vote| &vote["user"]["username"]);
    assert_eq!(voters.collect::<Vec<_>>(), ["finn", "dave", "Zoë", "ann"]);
    // The database counts, with its triggers.
    let ann = app.log_in("ann").await;
    assert_eq!(ann.api().get("/posts/2").await.json()["voted"], true);
    assert_eq!(ann.api().delete("/posts/2/vote").await.json()["votes"], 3);
    assert_eq!(ann.api().put("/posts/2/vote", json!({})).await.json()["votes"], 4);
}

#[rocket::async_test]
async fn old_posts_are_read_at_their_addresses_and_can_be_edited() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let tides = app.nobody().page().get("/posts/2").await;
    assert_eq!(tides.status, 200);
    for part in
        ["<h1>Tides of the week</h1>", "/users/bob", "<th>High water</th>", "<em>local</em>"]
    {
        assert!(tides.body.contains(part), "{part} in {}", tides.body);
    }
    assert!(!tides.body.contains("class=\"edited\""));
    let script = app.nobody().page().get("/posts/4").await.body;
    assert!(script.contains("<code>postly backup") && !script.contains("<script>alert"));
    let edited = app.nobody().page().get("/posts/5").await.body;
    assert!(edited.contains("class=\"edited\"") && edited.contains("It had a typing error."));
    let zoe = app.nobody().page().get("/users/Zo%C3%AB").await;
    assert_eq!(zoe.status, 200);
    assert!(zoe.body.contains("<h1>Zoë</h1>") && zoe.body.contains("Crème brûlée, 世界 and 🌊"));

    let draft = app.nobody().api().get("/posts/5").await;
    assert_eq!(
        (&draft.json()["version"], draft.json()["updated_at"].is_string()),
        (&json!(2), true)
    );
    let bob = app.nobody().with_token(old.secret("token_of_bob"));
    let stale = bob.api().put("/posts/5", json!({"title": "Third", "version": 1})).await;
    assert_eq!(stale.status, 412, "{}", stale.body);
    let third = bob.api().put("/posts/5", json!({"title": "Third", "version": 2})).await;
    assert_eq!((third.status, &third.json()["version"]), (200, &json!(3)), "{}", third.body);
}

#[rocket::async_test]
async fn numbers_go_on_after_the_old_ones_and_none_comes_twice() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    // The last post, the last person and the last token were deleted: 10, 7 and 4.
    assert_eq!(app.nobody().page().get("/posts/10").await.status, 404);
    assert_eq!(app.nobody().with_token(old.secret("token_of_bob")).posts("New").await, 11);
    let form = json!({"username": "gus", "password": PASSWORD});
    let gus = app.nobody().api().post("/auth/register", form).await;
    assert_eq!((gus.status, &gus.json()["id"]), (201, &json!(8)), "{}", gus.body);
    let draft = json!({"name": "new", "scopes": ["posts:read"]});
    let token = app.log_in("ann").await.api().post("/me/tokens", draft).await;
    assert_eq!((token.status, &token.json()["id"]), (201, &json!(5)), "{}", token.body);
}

/// The same cookie, issued now: it expires after a day, which is checked before its session.
fn renewed(cookie: &str) -> String {
    let header = decode_header(cookie).unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(cookie.split('.').nth(1).unwrap()).unwrap();
    let mut claims: Value = serde_json::from_slice(&claims).unwrap();
    let now = Utc::now().timestamp();
    (claims["iat"], claims["exp"]) = (json!(now), json!(now + 600));
    sign(&header, &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

#[rocket::async_test]
async fn nobody_is_logged_out() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let cookie = Some(renewed(old.secret("cookie_of_ann")));
    let browser = Person { cookie, ..app.nobody() };
    assert!(browser.page().get("/me").await.body.contains("ann@mail.example"));
    let sessions = browser.page().get("/me/sessions").await.body;
    assert!(sessions.contains("Firefox on Linux") && sessions.contains("curl"), "{sessions}");

    let refresh = async |token: &str| {
        app.nobody().api().post("/auth/refresh", json!({"refresh_token": token})).await
    };
    let granted = refresh(old.secret("refresh_token_of_ann")).await;
    assert_eq!(granted.status, 200, "{}", granted.body);
    let program = app.nobody().with_token(granted.json()["access_token"].as_str().unwrap());
    assert_eq!(program.api().get("/me").await.json()["username"], "ann");
    let listed = program.api().get("/me/sessions").await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
    // A token that was used before the upgrade still counts as used: its whole family is revoked.
    assert_eq!(refresh(old.secret("used_refresh_token_of_ann")).await.status, 401);
    assert_eq!(program.api().get("/me").await.status, 401);
    assert_eq!(refresh(old.secret("refresh_token_of_zoe")).await.status, 200);
}

#[rocket::async_test]
async fn personal_tokens_open_what_they_did() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let with = |name: &str| app.nobody().with_token(old.secret(name));
    let draft = || json!({"title": "By a program", "content": "Once more."});
    assert_eq!(with("token_of_bob").api().post("/posts", draft()).await.status, 201);
    assert_eq!(with("token_of_bob").api().get("/me").await.status, 403);
    assert_eq!(with("reading_token_of_bob").api().get("/posts").await.status, 200);
    assert_eq!(with("reading_token_of_bob").api().post("/posts", draft()).await.status, 403);
    assert_eq!(with("revoked_token_of_bob").api().post("/posts", draft()).await.status, 401);
    assert_eq!(with("token_of_ann").api().get("/admin/users").await.status, 200);
    assert_eq!(with("token_of_ann").api().get("/me").await.json()["username"], "ann");
}

#[rocket::async_test]
async fn two_factors_are_asked_for_and_taken() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let finn = async |code: Option<&str>| {
        log_in(&app, json!({"username": "finn", "password": PASSWORD, "code": code})).await
    };
    let half = finn(None).await;
    assert_eq!((half.status, half.field_errors()), (401, vec!["code".to_owned()]));
    assert_eq!(finn(Some(old.secret("used_recovery_code_of_finn"))).await.status, 401);
    let codes = &old.secrets["recovery_codes_of_finn"];
    let entered = finn(codes[0].as_str()).await;
    assert_eq!(entered.status, 200, "{}", entered.body);
    let program = app.nobody().with_token(entered.json()["access_token"].as_str().unwrap());
    assert_eq!(program.api().get("/me/two-factor").await.json()["recovery_codes"], 8);

    // The secret is stored sealed: it must still open with the old key.
    let secret = Secret::try_from_base32(old.secret("totp_secret_of_finn")).unwrap();
    let phone = Builder::new().with_secret(secret).build().unwrap();
    let code = phone.generate(Utc::now().timestamp() as u64).to_string();
    assert_eq!(finn(Some(&code)).await.status, 200);

    // A user had entered the password, but not yet the code, when the site was upgraded.
    let headers = vec![
        Header::new("Origin", ORIGIN),
        Header::new("Cookie", format!("postly_login={}", old.secret("challenge_of_finn"))),
        ContentType::Form.into(),
    ];
    let form = encode(&[("code", codes[1].as_str().unwrap())]);
    let entered = send(&app, Method::Post, "/login/code", headers, Some(form)).await;
    assert_eq!(entered.status, 303, "{}", entered.body);
    let browser = Person { cookie: entered.cookie("postly"), ..app.nobody() };
    assert!(browser.page().get("/me").await.body.contains("finn@mail.example"));
}

#[rocket::async_test]
async fn a_link_that_was_mailed_before_still_works_once() {
    let old = Old::restore().await;
    let app = old.upgrade().await;
    let fresh = "quiet amber turbines hum";
    let reset = json!({"token": old.secret("reset_link_of_zoe"), "password": fresh});
    let set = app.nobody().api().post("/auth/password-reset/new", reset.clone()).await;
    assert_eq!(set.status, 204, "{}", set.body);
    assert_eq!(log_in(&app, json!({"username": "Zoë", "password": fresh})).await.status, 200);
    let again = app.nobody().api().post("/auth/password-reset/new", reset).await;
    assert_eq!(again.status, 401);
}

#[rocket::async_test]
async fn the_audit_is_unbroken_and_still_holds_the_end_that_was_noted() {
    let old = Old::restore().await;
    let end = old.secret("audit_end");
    let run = |arguments: &[&str]| old.command().args(arguments).output().unwrap();
    let refused = run(&["audit", "verify", "--expect", end]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("run `postly migrate`"), "{said}");
    assert!(run(&["migrate"]).status.success());
    let verify = || {
        let done = run(&["audit", "verify", "--expect", end]);
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{said}{}", String::from_utf8_lossy(&done.stderr));
        said
    };
    assert!(verify().starts_with("44 events, none changed or missing."), "{}", verify());
    let app = old.upgrade().await;
    let ann = app.log_in("ann").await;
    assert!(verify().starts_with("46 events"), "two log-ins were added: {}", verify());
    let about_gus = ann.api().get("/admin/audit?q=gus").await.json();
    let kinds = about_gus["items"].as_array().unwrap().iter().map(|event| &event["kind"]);
    assert_eq!(kinds.collect::<Vec<_>>(), ["user.deleted", "login", "registered"]);
    let own = ann.api().get("/me/events").await.json();
    let first = own["items"].as_array().unwrap().last().unwrap();
    assert_eq!((&first["kind"], &first["id"]), (&json!("registered"), &json!(1)));
}

/// A server that is killed at the end of the test.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Checks the e-mails that are sent rather than the table where they wait, which may change.
#[rocket::async_test]
async fn mails_that_waited_are_sent() {
    let old = Old::restore().await;
    let mails = old.folder.path().join("mails");
    let serving = old
        .command()
        .env("ROCKET_PORT", "0")
        .env("POSTLY_MAIL_URL", format!("file:{}", mails.display()))
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    let mut server = Server(serving.unwrap());
    let log = BufReader::new(server.0.stderr.take().unwrap());
    let (said, lines) = channel();
    std::thread::spawn(move || {
        for line in log.lines().map_while(Result::ok) {
            let _ = said.send(line);
        }
    });
    let sent = || -> Vec<String> {
        let files = std::fs::read_dir(&mails).into_iter().flatten();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    };
    // It logs a line for each e-mail that it has written, so the log shows when to look again.
    while sent().len() < 5 {
        lines.recv_timeout(Duration::from_secs(60)).expect("all five waiting e-mails are sent");
    }
    drop(server);
    let mut seen: Vec<(String, &str)> = sent()
        .iter()
        .map(|mail| {
            let to = mail.lines().find_map(|line| line.strip_prefix("To: ")).unwrap();
            let links = ["/password-reset/new?token=", "/verify-email?token="];
            let link = links.into_iter().find(|link| mail.contains(&format!("{ORIGIN}{link}")));
            (to.to_owned(), link.unwrap_or_default())
        })
        .collect();
    seen.sort();
    let expected = [
        ("ann@mail.example", "/password-reset/new?token="),
        ("bob@mail.example", ""),
        ("erin@mail.example", "/verify-email?token="),
        ("finn@mail.example", ""),
        ("finn@new.example", "/verify-email?token="),
    ];
    assert_eq!(seen, expected.map(|(to, link)| (to.to_owned(), link)));
}

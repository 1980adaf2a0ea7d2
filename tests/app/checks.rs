//! Checks of the security list that belong to no single noun.

use crate::commands::Server;
use crate::support::{App, ORIGIN, PASSWORD, SECRET, encode, send};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use jsonwebtoken::{Algorithm, EncodingKey, Header as JwtHeader, encode as sign};
use postly::db::sql;
use postly::models::password::Hasher;
use postly::models::token::key_id;
use rocket::http::{ContentType, Header, Method};
use serde_json::{Value, json};

#[rocket::async_test]
async fn every_byte_of_a_long_password_counts_at_both_doors() {
    let app = App::new().await;
    // 72 bytes, which is as far as bcrypt alone reads.
    let start = "violet otter paddles upstream, slowly, past seven marble lanterns afloat";
    assert_eq!(start.len(), 72);
    let umlauts = format!("{}otter-lanterns", "é".repeat(64));
    for (name, password) in [("ann", format!("{start}, east")), ("bob", umlauts)] {
        let form = json!({"username": name, "password": password});
        assert_eq!(app.nobody().api().post("/auth/register", form.clone()).await.status, 201);
        assert_eq!(app.nobody().api().post("/auth/login", form).await.status, 200);
        let cut: String = password.chars().take(password.chars().count() - 1).collect();
        let login = json!({"username": name, "password": cut});
        assert_eq!(app.nobody().api().post("/auth/login", login).await.status, 401);
        let page = [("username", name), ("password", cut.as_str())];
        assert_eq!(app.nobody().page().post("/login", &page).await.status, 422);
        let page = [("username", name), ("password", password.as_str())];
        assert_eq!(app.nobody().page().post("/login", &page).await.status, 303);
    }
}

#[rocket::async_test]
async fn an_endless_password_is_refused_without_hashing() {
    let app = App::new().await;
    let endless = "x".repeat(1 << 20);
    let form = json!({"username": "ann", "password": endless});
    let runs = || app.client.rocket().state::<Hasher>().unwrap().runs();
    let before = runs();
    assert_eq!(app.nobody().api().post("/auth/register", form).await.status, 422);
    let page = [("username", "ann"), ("password", endless.as_str())];
    assert_eq!(app.nobody().page().post("/register", &page).await.status, 422);
    assert_eq!(runs(), before);
}

/// A token like ours, with changes.
fn forged(aud: &str, user: i64, sid: &str, change: impl Fn(&mut JwtHeader, &mut Value)) -> String {
    let now = chrono::Utc::now().timestamp();
    let mut header = JwtHeader::new(Algorithm::HS256);
    header.kid = Some(key_id(SECRET));
    let mut claims = json!({"iss": ORIGIN, "aud": aud, "sub": user.to_string(), "sid": sid,
        "typ": "access", "iat": now, "exp": now + 60});
    change(&mut header, &mut claims);
    sign(&header, &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

#[rocket::async_test]
async fn forged_tokens_open_neither_door() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let sid = |token: &Option<String>| -> String {
        let claims = token.as_ref().unwrap().split('.').nth(1).unwrap().to_owned();
        let claims: Value =
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        claims["sid"].as_str().unwrap().to_owned()
    };
    let now = chrono::Utc::now().timestamp();
    type Change = Box<dyn Fn(&mut JwtHeader, &mut Value)>;
    let mut changes: Vec<(String, Change)> = vec![
        ("HS512".into(), Box::new(|h, _| h.alg = Algorithm::HS512)),
        ("jku".into(), Box::new(|h, _| h.jku = Some("http://127.0.0.1:1/".into()))),
        ("x5u".into(), Box::new(|h, _| h.x5u = Some("http://127.0.0.1:1/".into()))),
        ("no kid".into(), Box::new(|h, _| h.kid = None)),
        ("expired".into(), Box::new(move |_, c| c["exp"] = json!(now - 6))),
        ("exp in text".into(), Box::new(move |_, c| c["exp"] = json!((now + 60).to_string()))),
        ("not yet".into(), Box::new(move |_, c| c["nbf"] = json!(now + 60))),
        ("of tomorrow".into(), Box::new(move |_, c| c["iat"] = json!(now + 60))),
        ("refresh".into(), Box::new(|_, c| c["typ"] = json!("refresh"))),
        ("elsewhere".into(), Box::new(|_, c| c["iss"] = json!("http://evil.example"))),
        ("somebody else".into(), Box::new(|_, c| c["sub"] = json!("99"))),
        ("no number".into(), Box::new(|_, c| c["sub"] = json!("1 OR 1=1"))),
        ("no session".into(), Box::new(|_, c| c["sid"] = json!("0"))),
        ("NUL".into(), Box::new(|_, c| c["sid"] = json!("\u{0}"))),
    ];
    for claim in ["iss", "aud", "sub", "sid", "typ", "iat", "exp"] {
        changes.push((
            format!("without {claim}"),
            Box::new(move |_, c| drop(c.as_object_mut().unwrap().remove(claim))),
        ));
    }
    for kid in ["../../../etc/passwd", "' OR 1=1 --", "unknown", &"k".repeat(10_240)] {
        let kid = kid.to_owned();
        changes.push((format!("kid {kid:.20}"), Box::new(move |h, _| h.kid = Some(kid.clone()))));
    }
    let ask = async |door: &str, token: &str| {
        let (path, header) = if door == "page" {
            ("/me", Header::new("Cookie", format!("postly={token}")))
        } else {
            ("/api/v1/me", Header::new("Authorization", format!("Bearer {token}")))
        };
        send(&app, Method::Get, path, vec![header], None::<&str>).await.status
    };
    for (door, aud, token, closed) in
        [("page", "postly:page", &ann.cookie, 303), ("api", "postly:api", &ann.token, 401)]
    {
        let sid = sid(token);
        let good = forged(aud, ann.id, &sid, |_, _| {});
        assert_eq!(ask(door, &good).await, 200, "the untouched one opens");
        for (what, change) in &changes {
            let token = forged(aud, ann.id, &sid, change);
            assert_eq!(ask(door, &token).await, closed, "{what} at the {door} door");
        }
        let (head, rest) = good.split_once('.').unwrap();
        let (body, signature) = rest.split_once('.').unwrap();
        let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let rs256 = BASE64_URL_SAFE_NO_PAD
            .encode(format!(r#"{{"alg":"RS256","kid":"{}"}}"#, key_id(SECRET)));
        for token in [
            format!("{head}.{body}."),
            format!("{head}.{body}"),
            format!("{none}.{body}."),
            format!("{none}.{body}.{signature}"),
            format!("{rs256}.{body}.{signature}"),
            format!("{head}.{body}.{}A", &signature[..signature.len() - 1].replace('A', "B")),
        ] {
            assert_eq!(ask(door, &token).await, closed, "{token} at the {door} door");
        }
    }
}

#[rocket::async_test]
async fn a_dropped_key_logs_its_tokens_out_and_a_kept_one_does_not() {
    const SECOND: &str = "Zq8Wn3vKc6Rt1yUj5oPx9aSd2fGh4mLe7";
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (cookie, token) = (ann.cookie.clone(), ann.token.clone().unwrap());
    for (keys, lives) in [(format!("{SECOND},{SECRET}"), true), (SECOND.to_owned(), false)] {
        let other = app.another_with(&[("secret_key", &keys)]).await;
        let api = other.nobody().with_token(&token).api().get("/me").await.status;
        assert_eq!(api, if lives { 200 } else { 401 });
        let browser = crate::support::Person { cookie: cookie.clone(), ..other.nobody() };
        assert_eq!(browser.page().get("/me").await.status, if lives { 200 } else { 303 });
    }
}

#[rocket::async_test]
async fn log_out_holds_on_every_instance() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let other = app.another().await;
    let there = crate::support::Person {
        cookie: ann.cookie.clone(),
        token: ann.token.clone(),
        ..other.nobody()
    };
    assert_eq!(there.api().get("/me").await.status, 200);
    ann.api().post("/auth/logout", json!({})).await;
    assert_eq!(there.api().get("/me").await.status, 401);
    ann.page().post("/logout", &[]).await;
    assert_eq!(there.page().get("/me").await.status, 303);
}

#[rocket::async_test]
async fn what_a_signed_in_person_sees_is_kept_nowhere() {
    let app = App::new().await;
    let root = app.admin("root").await;
    root.posts("Tides").await;
    for path in
        ["/", "/posts/1", "/me", "/dashboard", "/me/sessions", "/admin/users", "/nowhere", "/login"]
    {
        let page = root.page().get(path).await;
        assert_eq!(page.header("cache-control"), Some("no-store"), "{path}");
        assert!(!page.body.contains("eyJ"), "no token in {path}");
    }
    assert_eq!(root.api().get("/me").await.header("cache-control"), Some("no-store"));
}

#[rocket::async_test]
async fn reading_changes_nothing_and_method_fields_reach_nothing_extra() {
    let app = App::new().await;
    let root = app.admin("root").await;
    root.posts("Tides").await;
    let count = async || -> Vec<i64> {
        let (a, b, c, d, e): (i64, i64, i64, i64, i64) = sql("SELECT \
             (SELECT count(*) FROM users), (SELECT count(*) FROM posts), \
             (SELECT count(*) FROM sessions), (SELECT count(*) FROM audit_events), \
             (SELECT count(*) FROM api_tokens) + (SELECT count(*) FROM two_factors) \
             + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM link_tokens)")
        .one(&app.db)
        .await
        .unwrap();
        vec![a, b, c, d, e]
    };
    let before = count().await;
    let routes: Vec<_> = app.client.rocket().routes().cloned().collect();
    for route in routes.iter().filter(|route| route.method == Method::Get) {
        let path = route.uri.path().replace("<id>", "1").replace("<username>", "root");
        let path = path.replace("<path..>", "css/base.css");
        for method in [Method::Get, Method::Head] {
            let mut headers =
                vec![Header::new("Cookie", format!("postly={}", root.cookie.clone().unwrap()))];
            if path.starts_with("/api") {
                let token = root.token.clone().unwrap();
                headers.push(Header::new("Authorization", format!("Bearer {token}")));
            }
            let query = format!("{path}?_method=delete&token=x");
            let told = send(&app, method, &query, headers, None::<&str>).await;
            assert!(told.status < 500, "{method} {query}: {}", told.status);
        }
    }
    assert_eq!(count().await, before);
    for odd in ["get", "trace", "connect", "options", "head", "", "post;delete", "DELETE /"] {
        let told = root.page().with(odd, "/posts/1/edit", &[("title", "x")]).await;
        // Reading the form is as good as asking for it.
        let reads = matches!(odd, "get" | "head") && told.status == 200;
        assert!(reads || (400..500).contains(&told.status), "{odd}: {}", told.status);
    }
    assert_eq!(count().await, before);
}

#[rocket::async_test]
async fn answers_carry_the_listed_fields_only() {
    let app = App::new().await;
    let root = app.admin("root").await;
    root.posts("Tides").await;
    let keys = |value: &Value| -> String {
        let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        keys.join(" ")
    };
    let account =
        "created_at disabled_at email email_verified id pending_email posts role username";
    assert_eq!(keys(&root.api().get("/me").await.json()), account);
    assert_eq!(keys(&root.api().get("/admin/users").await.json()["items"][0]), account);
    let person = root.api().get("/users/root").await.json();
    assert_eq!(keys(&person["user"]), "created_at id role username");
    let post = root.api().get("/posts/1").await.json();
    assert_eq!(keys(&post["author"]), "id username");
    let session = root.api().get("/me/sessions").await.json()["items"][0].clone();
    let seen = "address created_at current device door expires_at id last_used_at user_agent";
    assert_eq!(keys(&session), seen);
    root.api().post("/me/tokens", json!({"name": "x", "scopes": "account"})).await;
    let token = root.api().get("/me/tokens").await.json()["items"][0].clone();
    let listed = "created_at expires_at id last_address last_used_at name scopes";
    assert_eq!(keys(&token), listed);
    let event = root.api().get("/admin/audit").await.json()["items"][0].clone();
    assert_eq!(keys(&event), "actor address at detail id kind request_id subject user_agent");
}

#[rocket::get("/panics")]
fn panics() -> &'static str {
    panic!("canary of a panic")
}

#[rocket::async_test]
async fn a_panic_is_an_answer_and_the_process_lives() {
    let site = App::new().await;
    let app = site.mounting(rocket::routes![panics]).await;
    for path in ["/panics", "/api/v1/panics"] {
        let told = app.nobody().page().get(path).await;
        assert_eq!(told.status, 500, "{path}");
        assert!(!told.body.contains("canary") && told.body.contains("on our side"));
    }
    assert_eq!(app.nobody().page().get("/").await.status, 200);
}

#[rocket::async_test]
async fn a_database_that_was_gone_is_noticed_and_found_again() {
    if !std::env::var("POSTLY_TEST_ENGINE").is_ok_and(|engine| engine == "postgres") {
        // SQLite has no server to be gone; its full disk and its writers have tests of their own.
        return;
    }
    let door = crate::relay::Relay::to_postgres().await;
    let app = App::on(&door.url).await;
    let ann = app.user("ann").await;
    door.close();
    for path in ["/me", "/", "/readyz"] {
        assert_eq!(ann.page().get(path).await.status, 503, "{path}");
    }
    let told = ann.api().get("/me").await;
    assert_eq!((told.status, told.header("retry-after")), (503, Some("5")));
    let login = json!({"username": "ann", "password": PASSWORD});
    assert_eq!(app.nobody().api().post("/auth/login", login).await.status, 503);
    assert_eq!(app.nobody().page().get("/healthz").await.status, 200);
    door.open();
    while app.nobody().page().get("/readyz").await.status != 200 {
        rocket::tokio::task::yield_now().await;
    }
    assert_eq!(ann.page().get("/me").await.status, 200, "without a restart");
}

#[test]
fn nothing_secret_reaches_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let server = Server::logging_to(folder.path(), &log);
    let api = format!("{}/api/v1", server.url);
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
    let mut secrets = vec!["canary-password-seven".to_owned(), "canary-typed-name".to_owned()];
    let password = "canary-password-seven otters";
    let post = |path: &str, body: Value| -> Value {
        let mut told = agent.post(format!("{api}{path}")).send_json(body).unwrap();
        told.body_mut().read_json().unwrap_or(Value::Null)
    };
    post(
        "/auth/register",
        json!({"username": "ann", "email": "ann@mail.example", "password": password}),
    );
    post("/auth/login", json!({"username": "canary-typed-name", "password": password}));
    let granted = post("/auth/login", json!({"username": "ann", "password": password}));
    let access = granted["access_token"].as_str().unwrap().to_owned();
    let refresh = granted["refresh_token"].as_str().unwrap().to_owned();
    let renewed = post("/auth/refresh", json!({"refresh_token": refresh}));
    let bearer = format!("Bearer {access}");
    let mut made = agent
        .post(format!("{api}/me/tokens"))
        .header("Authorization", &bearer)
        .send_json(json!({"name": "x", "scopes": "account"}))
        .unwrap();
    let personal: Value = made.body_mut().read_json().unwrap();
    let setup: Value = agent
        .post(format!("{api}/me/two-factor"))
        .header("Authorization", &bearer)
        .send_json(json!({}))
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap();
    for path in
        ["/verify-email?token=canary-link", "/posts?q=canary-query", "/login?next=canary-next"]
    {
        let _ = agent.get(format!("{}{path}", server.url)).call().unwrap();
    }
    secrets.extend([access, refresh]);
    for (of, field) in [(&renewed, "refresh_token"), (&personal, "token"), (&setup, "secret")] {
        secrets.push(of[field].as_str().unwrap_or_else(|| panic!("{field} in {of}")).to_owned());
    }
    secrets.extend(["canary-link", "canary-query", "canary-next"].map(str::to_owned));
    drop(server);
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.lines().count() >= 8, "requests are logged: {text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret:.30} in the log");
    }
}

#[rocket::async_test]
async fn an_empty_site_has_no_account_to_log_in_to() {
    let app = App::new().await;
    let (people,): (i64,) = sql("SELECT count(*) FROM users").one(&app.db).await.unwrap();
    assert_eq!(people, 0);
    for name in ["admin", "root", "postly"] {
        for password in ["admin", "password", "postly"] {
            let login = encode(&[("username", name), ("password", password)]);
            let headers = vec![Header::new("Origin", ORIGIN), ContentType::Form.into()];
            let told = send(&app, Method::Post, "/login", headers, Some(login)).await;
            assert!(matches!(told.status, 422 | 429), "{name}");
        }
    }
}

#[rocket::async_test]
async fn a_path_in_disguise_is_the_same_door() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for path in ["//api/v1/me", "/%61pi/v1/me", "/api//v1/me"] {
        let cookie = Header::new("Cookie", format!("postly={}", ann.cookie.clone().unwrap()));
        let told = send(&app, Method::Get, path, vec![cookie], None::<&str>).await;
        assert_eq!(told.status, 401, "{path} takes no cookie");
    }
}

#[rocket::async_test]
async fn pages_for_admins_do_not_show_themselves() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for who in [&app.nobody(), &ann] {
        let there = who.page().post("/admin/audit", &[]).await;
        let nothing = who.page().post("/admin/nothing", &[]).await;
        assert_eq!((there.status, nothing.status), (404, 404));
        assert_eq!(there.header("allow"), None);
    }
}

#[rocket::async_test]
async fn an_answer_that_sets_a_cookie_is_kept_nowhere() {
    let app = App::new().await;
    for path in ["/verify-email?token=x", "/password-reset/new?token=x"] {
        let opened = app.nobody().page().get(path).await;
        assert_eq!((opened.status, opened.header("cache-control")), (303, Some("no-store")));
    }
}

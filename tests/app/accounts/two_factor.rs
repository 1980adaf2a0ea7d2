//! Two-factor authentication, at both doors.

use rocket::futures::future::join_all;
use rocket::http::Method::{Delete, Get, Post, Put};
use serde_json::{Value, json};

use crate::support::database::is_postgres;
use crate::support::internals::sql;
use crate::support::permission::{
    MEMBERS, MEMBERS_CREATE, MEMBERS_NOT_FOUND, Permission, both, page_only,
};
use crate::support::{App, PASSWORD, Person, Phone, Response, SECRET};

pub fn permissions() -> Vec<Permission> {
    vec![
        both(Get, "/me/two-factor", MEMBERS),
        both(Post, "/me/two-factor", MEMBERS_CREATE),
        // Two-factor authentication is neither on nor being set up for them.
        both(Put, "/me/two-factor", MEMBERS_NOT_FOUND),
        both(Delete, "/me/two-factor", MEMBERS_NOT_FOUND),
        both(Post, "/me/two-factor/recovery-codes", MEMBERS_NOT_FOUND),
        // No log-in waits for a code.
        page_only(Get, "/login/code", [404; 4]),
        page_only(Post, "/login/code", [422; 4]),
    ]
}

async fn log_in(app: &App, code: Option<&str>) -> Response {
    let login = json!({"username": "ann", "password": PASSWORD, "code": code});
    app.nobody().api().post("/auth/login", login).await
}

/// These tests enter many wrong codes; rate limits have their own tests.
async fn forget_failures(app: &App) {
    sql("DELETE FROM throttles").execute(app.db.writer()).await.unwrap();
}

#[rocket::async_test]
async fn an_authenticator_is_set_up_and_asked_for_at_the_api_door() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    assert_eq!(ann.api().get("/me/two-factor").await.json()["enabled"], false);
    let setup = ann.api().post("/me/two-factor", json!({})).await.json();
    assert!(setup["uri"].as_str().unwrap().starts_with("otpauth://totp/"));
    assert!(setup["uri"].as_str().unwrap().contains("ann"));
    assert!(setup["qr"].as_str().unwrap().trim_start().starts_with("<svg"));
    let wrong = ann.api().put("/me/two-factor", json!({"code": "000000"})).await;
    assert_eq!((wrong.status, wrong.field_errors()), (422, vec!["code".to_owned()]));
    assert_eq!(log_in(&app, None).await.status, 200, "it is off until a code is entered");
    let (phone, codes) = Phone::set_up(&ann).await;
    assert_eq!(codes.len(), 10);
    let standing = ann.api().get("/me/two-factor").await.json();
    assert_eq!((&standing["enabled"], &standing["recovery_codes"]), (&json!(true), &json!(10)));
    assert_eq!(ann.api().post("/me/two-factor", json!({})).await.status, 409, "it is already on");

    let half = log_in(&app, None).await;
    assert_eq!((half.status, half.field_errors()), (401, vec!["code".to_owned()]));
    let unknown = json!({"username": "ann", "password": "wrong", "code": phone.code(0)});
    let unknown = app.nobody().api().post("/auth/login", unknown).await;
    assert_eq!(unknown.status, 401);
    assert!(
        unknown.json()["code"] == "login.failed" && unknown.json()["errors"].is_null(),
        "only the right password reveals that a code is needed"
    );
    assert_eq!(log_in(&app, Some("000000")).await.status, 401);
    let code = phone.code(0);
    assert_eq!(log_in(&app, Some(&code)).await.status, 200);
    assert_eq!(log_in(&app, Some(&code)).await.status, 401, "a code cannot be replayed");
    assert_eq!(log_in(&app, Some(&phone.code(-1))).await.status, 401, "nor an older one");
    forget_failures(&app).await;
    let next = phone.code(1);
    let spaced = format!("{} {}", &next[..3], &next[3..]);
    assert_eq!(log_in(&app, Some(&spaced)).await.status, 200);
}

#[rocket::async_test]
async fn of_many_who_come_with_one_code_one_gets_in() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, codes) = Phone::set_up(&ann).await;
    for code in [phone.code(0), codes[0].clone()] {
        let all = join_all((0..4).map(|_| log_in(&app, Some(&code)))).await;
        let logged_in = all.iter().filter(|response| response.status == 200).count();
        assert_eq!(logged_in, 1, "{code}");
        forget_failures(&app).await;
    }
}

#[rocket::async_test]
async fn a_recovery_code_works_once() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (_, codes) = Phone::set_up(&ann).await;
    assert_eq!(codes[0].len(), 29, "24 characters of 5 bits each: {}", codes[0]);
    let half = format!("{}-aaaa-aaaa-aaaa", &codes[0][..14]);
    assert_eq!(log_in(&app, Some(&half)).await.status, 401, "every character counts");
    let typed = codes[0].replace('-', " ").to_uppercase();
    assert_eq!(log_in(&app, Some(&typed)).await.status, 200);
    assert_eq!(log_in(&app, Some(&codes[0])).await.status, 401);
    assert_eq!(ann.api().get("/me/two-factor").await.json()["recovery_codes"], 9);
    let renewed = json!({"code": codes[1]});
    let renewed = ann.api().post("/me/two-factor/recovery-codes", renewed).await;
    assert_eq!(renewed.status, 201);
    assert_eq!(log_in(&app, Some(&codes[2])).await.status, 401, "the old ones are invalid");
    let new = renewed.json()["recovery_codes"][0].as_str().unwrap().to_owned();
    assert_eq!(log_in(&app, Some(&new)).await.status, 200);
    let events = ann.api().get("/me/events").await.body;
    assert!(events.contains("recovery-code.used") && !events.contains(&new));
}

#[rocket::async_test]
async fn a_browser_is_asked_after_the_password() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let begun = ann.page().post("/me/two-factor", &[]).await;
    let begun = ann.page().get(begun.header("location").unwrap()).await;
    assert!(begun.body.contains("<svg"));
    let key = Phone::key_on(&begun.body);
    let phone = Phone::new(&key);
    let wrong = ann.page().put("/me/two-factor", &[("code", "1")]).await;
    assert_eq!(wrong.status, 422);
    assert_eq!(Phone::key_on(&wrong.body), key, "the same key again");
    let send = async |code: String| ann.page().put("/me/two-factor", &[("code", &code)]).await;
    let on = phone.turn_on(send).await;
    let on = ann.shown_once(&on).await;
    assert_eq!(on.body.matches("<li><code>").count(), 10);

    let form = [("username", "ann"), ("password", PASSWORD), ("next", "/posts/new")];
    let half = app.nobody().page().post("/login", &form).await;
    assert_eq!(half.status, 303);
    assert_eq!(half.header("location"), Some("/login/code?next=%2Fposts%2Fnew"));
    assert_eq!(half.cookie("postly"), None, "nobody is logged in yet");
    let cookie = half.cookie("postly_login").unwrap();
    let as_session = Person { cookie: Some(cookie.clone()), ..app.nobody() };
    assert_eq!(as_session.page().get("/me").await.status, 303);
    let fields = |code: &'static str| [("code", code), ("next", "/posts/new")];
    let wrong = app
        .nobody()
        .with_cookie("postly_login", &cookie)
        .page()
        .post("/login/code", &fields("000000"))
        .await;
    assert_eq!(wrong.status, 422);
    let code = phone.code(0);
    let right = [("code", code.as_str()), ("next", "/posts/new")];
    let logged_in =
        app.nobody().with_cookie("postly_login", &cookie).page().post("/login/code", &right).await;
    assert_eq!((logged_in.status, logged_in.header("location")), (303, Some("/posts/new")));
    let ann = Person { cookie: logged_in.cookie("postly"), ..app.nobody() };
    assert_eq!(ann.page().get("/me").await.status, 200);
    let code = phone.code(1);
    let again = app
        .nobody()
        .with_cookie("postly_login", &cookie)
        .page()
        .post("/login/code", &[("code", &code)])
        .await;
    assert_eq!(again.status, 422, "the challenge is consumed");
}

#[rocket::async_test]
async fn a_changed_password_ends_what_waits_for_a_code() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, _) = Phone::set_up(&ann).await;
    let form = [("username", "ann"), ("password", PASSWORD)];
    let half = app.nobody().page().post("/login", &form).await;
    let cookie = half.cookie("postly_login").unwrap();
    let change = json!({"current": PASSWORD, "password": "seven marble lanterns drift"});
    assert_eq!(ann.api().put("/me/password", change).await.status, 204);
    let code = phone.code(0);
    let late = app
        .nobody()
        .with_cookie("postly_login", &cookie)
        .page()
        .post("/login/code", &[("code", &code)])
        .await;
    assert_eq!((late.status, late.cookie("postly")), (422, None));
}

#[rocket::async_test]
async fn guessing_codes_is_bounded() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, codes) = Phone::set_up(&ann).await;
    for _ in 0..5 {
        assert_eq!(log_in(&app, Some("000000")).await.status, 401);
    }
    assert_eq!(log_in(&app, Some(&phone.code(0))).await.status, 429);
    let code = Some(json!({"code": codes[0]}));
    let off = ann.api().send(Delete, "/me/two-factor", code, &[]).await;
    assert_eq!(off.status, 204, "strangers cannot keep a logged-in owner from it");
    Phone::set_up(&ann).await;
    for _ in 0..5 {
        let wrong = Some(json!({"code": "000000"}));
        let off = ann.api().send(Delete, "/me/two-factor", wrong, &[]).await;
        assert_eq!(off.status, 422);
    }
    let wrong = Some(json!({"code": "000000"}));
    let off = ann.api().send(Delete, "/me/two-factor", wrong, &[]).await;
    assert_eq!(off.status, 429, "limited here too, separately");
}

#[rocket::async_test]
async fn turning_it_off_needs_a_code() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, _) = Phone::set_up(&ann).await;
    let off =
        async |body: Value| ann.api().send(Delete, "/me/two-factor", Some(body), &[]).await.status;
    assert_eq!(off(json!({})).await, 422);
    assert_eq!(off(json!({"code": "000000"})).await, 422);
    assert_eq!(log_in(&app, None).await.status, 401);
    assert_eq!(off(json!({"code": phone.code(0)})).await, 204);
    assert_eq!(log_in(&app, None).await.status, 200);
    let (phone, _) = Phone::set_up(&ann).await;
    let form = [("code", phone.code(0))];
    let form: Vec<_> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(ann.page().delete("/me/two-factor", &form).await.status, 303);
    assert_eq!(log_in(&app, None).await.status, 200);
}

#[rocket::async_test]
async fn the_secret_is_sealed_and_survives_a_new_key() {
    const SECOND: &str = "Zq8Wn3vKc6Rt1yUj5oPx9aSd2fGh4mLe7";
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, codes) = Phone::set_up(&ann).await;
    let secret = phone.0.secret().to_base32();
    let (kept,): (String,) = sql("SELECT secret FROM two_factors").one(&app.db).await.unwrap();
    assert!(!kept.contains(&secret), "{kept}");
    let hashes: Vec<(String,)> = sql("SELECT hash FROM recovery_codes").all(&app.db).await.unwrap();
    assert!(hashes.iter().all(|(hash,)| hash.len() == 64 && !codes.contains(hash)));
    let both = app.another_with(&[("secret_key", &format!("{SECOND},{SECRET}"))]).await;
    assert_eq!(log_in(&both, Some(&phone.code(0))).await.status, 200);
    // That sealed it with the new key, so the old one can be dropped.
    let only = app.another_with(&[("secret_key", SECOND)]).await;
    assert_eq!(log_in(&only, Some(&phone.code(1))).await.status, 200);
    // If the key is lost, the recovery codes still work.
    assert_eq!(log_in(&app, Some(&codes[0])).await.status, 200);
}

#[rocket::async_test]
async fn a_site_can_require_two_factors_of_admins_or_of_everybody() {
    for (policy, free) in
        [("none", ["ann", "root"].as_slice()), ("admins", &["ann"]), ("everybody", &[])]
    {
        let app = App::with(&[("require_two_factor", policy)]).await;
        for person in [app.user("ann").await, app.admin("root").await] {
            let name = person.name.as_str();
            let draft = json!({"title": "Tides", "content": "High"});
            let posted = person.api().post("/posts", draft).await;
            if free.contains(&name) {
                assert_eq!(posted.status, 201, "{policy} {name}");
                assert_eq!(person.page().get("/dashboard").await.status, 200);
                continue;
            }
            assert_eq!(posted.status, 403, "{policy} {name}");
            for path in ["/me", "/dashboard", "/me/sessions", "/me/events"] {
                let refused = person.api().get(path).await;
                assert_eq!(refused.status, 403, "{policy} {path}");
                assert_eq!(refused.json()["code"], "two_factor.required");
                let led = person.page().get(path).await;
                assert_eq!((led.status, led.header("location")), (303, Some("/me/two-factor")));
            }
            let led = person.page().get("/admin/users").await;
            if name == "root" {
                assert_eq!(person.api().get("/admin/users").await.status, 403);
                assert_eq!(led.header("location"), Some("/me/two-factor"));
            } else {
                assert_eq!(led.status, 404, "there are no admin pages for others");
            }
            assert_eq!(person.api().get("/posts").await.status, 200, "public");
            assert_eq!(person.page().get("/").await.status, 200);
            assert_eq!(person.page().get("/sudo").await.status, 200);
            let page = person.page().get("/me/two-factor").await;
            assert!(page.status == 200 && page.body.contains("requires two-factor log-in"));
            assert_eq!(person.api().get("/me/two-factor").await.json()["required"], true);
            let other = app.log_in(name).await;
            assert_eq!(other.api().post("/auth/logout", json!({})).await.status, 204);
            assert_eq!(other.page().post("/logout", &[]).await.status, 303);
            let events = "SELECT count(*) FROM audit_events WHERE kind = 'denied' \
                 AND detail NOT LIKE '%/admin/users'";
            let (denied,): (i64,) = sql(events).one(&app.db).await.unwrap();
            assert_eq!(denied, 0, "having to set it up is no trespass");
            Phone::set_up(&person).await;
            assert_eq!(person.api().get("/me").await.status, 200);
            assert_eq!(person.page().get("/dashboard").await.status, 200);
            let draft = json!({"name": "x", "scopes": ["posts:read", "account"]});
            let token = person.api().post("/me/tokens", draft).await.json()["token"].clone();
            let program = app.nobody().with_token(token.as_str().unwrap());
            assert_eq!(program.api().get("/me").await.status, 200);
            sql("DELETE FROM two_factors").execute(app.db.writer()).await.unwrap();
            assert_eq!(program.api().get("/me").await.status, 403, "a token is not enough either");
            assert_eq!(program.api().get("/posts").await.status, 200, "public");
        }
    }
}

/// The clocks of instances differ; the database has one.
#[rocket::async_test]
async fn codes_and_refreshes_follow_the_clock_of_the_database() {
    use sqlx::Connection;
    if !is_postgres() {
        return; // All instances on an SQLite file share the clock of its machine.
    }
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, _) = Phone::set_up(&ann).await;
    let url = app.database_url();
    let mut connection = sqlx::PgConnection::connect(&url).await.unwrap();
    let name = url.rsplit_once('/').unwrap().1;
    let shift = format!(
        "CREATE SCHEMA shifted; CREATE FUNCTION shifted.clock_timestamp() RETURNS timestamptz \
         LANGUAGE sql VOLATILE AS $$ SELECT pg_catalog.clock_timestamp() + interval '300 s' $$; \
         ALTER DATABASE {name} SET search_path = shifted, pg_catalog, public"
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(shift)).execute(&mut connection).await.unwrap();
    let late = app.another().await;
    assert_eq!(log_in(&late, Some(&phone.code(0))).await.status, 401, "five minutes ago");
    let tokens = log_in(&late, Some(&phone.code(10))).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let refresh = json!({"refresh_token": tokens.json()["refresh_token"]});
    let first = late.nobody().api().post("/auth/refresh", refresh.clone()).await;
    let second = late.nobody().api().post("/auth/refresh", refresh).await;
    assert_eq!((first.status, second.status), (200, 200), "within the grace period");
    assert_eq!(first.json()["refresh_token"], second.json()["refresh_token"]);
}

//! Requests that a program repeats with an Idempotency-Key.

use rocket::futures::future::join_all;
use rocket::http::{ContentType, Header, Method};
use serde_json::{Value, json};

use crate::support::database::contents;
use crate::support::internals::idempotency::{self, Begun, KeyedRequest};
use crate::support::internals::{Caller, Job, Sweep, claimed_job, fenced, sql, worker};
use crate::support::{App, Person, Response, send};

const TIDES: &str = r#"{"title": "On tides", "content": "Twice a day."}"#;

async fn post(person: &Person<'_>, path: &str, key: &str, body: &str) -> Response {
    post_at(person.app, person.token.as_deref(), path, key, body).await
}

async fn post_at(app: &App, token: Option<&str>, path: &str, key: &str, body: &str) -> Response {
    let mut headers =
        vec![ContentType::JSON.into(), Header::new("Idempotency-Key", key.to_owned())];
    headers.extend(token.map(|t| Header::new("Authorization", format!("Bearer {t}"))));
    send(app, Method::Post, &format!("/api/v1{path}"), headers, Some(body)).await
}

fn code(response: &Response) -> (u16, Value) {
    (response.status, response.json()["code"].clone())
}

fn is_replay(response: &Response) -> bool {
    response.header("idempotency-replayed") == Some("true")
}

async fn posts(app: &App) -> i64 {
    sql("SELECT count(*) FROM posts").scalar(&app.db).await.unwrap()
}

async fn change(app: &App, statement: &'static str) {
    assert_eq!(sql(statement).execute(app.db.writer()).await.unwrap(), 1, "{statement}");
}

#[rocket::async_test]
async fn a_post_that_is_repeated_is_published_once() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let first = post(&ann, "/posts", "\"8e03978e\"", TIDES).await;
    assert_eq!((first.status, is_replay(&first)), (201, false), "{}", first.body);
    // Quoted or bare, it is the same key.
    let again = post(&ann, "/posts", "8e03978e", TIDES).await;
    assert!(is_replay(&again), "{again:?}");
    assert_eq!((again.status, &again.body), (201, &first.body));
    for name in ["location", "etag", "content-type"] {
        assert!(again.header(name).is_some() && again.header(name) == first.header(name), "{name}");
    }
    assert_ne!(again.header("x-request-id"), first.header("x-request-id"));
    assert_eq!(posts(&app).await, 1);
    // The key is part of nothing at the page door, nor of other methods.
    let edit = Some(json!({"title": "Ebb"}));
    let key = [("Idempotency-Key", "8e03978e")];
    for _ in 0..2 {
        let edited = ann.api().send(Method::Put, "/posts/1", edit.clone(), &key).await;
        assert_eq!((edited.status, is_replay(&edited)), (200, false));
    }
    let mut headers = vec![Header::new("Origin", crate::support::ORIGIN), ContentType::Form.into()];
    headers.push(Header::new("Cookie", format!("postly={}", ann.cookie.as_ref().unwrap())));
    headers.push(Header::new("Idempotency-Key", "not a key"));
    let by_form = send(&app, Method::Post, "/posts", headers, Some("title=a&content=b")).await;
    assert_eq!(by_form.status, 303);
}

#[rocket::async_test]
async fn fifty_at_once_through_two_instances_publish_one_post() {
    let app = App::new().await;
    let second = app.another().await;
    let ann = app.user("ann").await;
    let token = ann.token.as_deref();
    let requests = (0..50).map(|n| {
        let instance = if n % 2 == 0 { &app } else { &second };
        async move {
            loop {
                let response = post_at(instance, token, "/posts", "one", TIDES).await;
                // With so many at once, the site may also be busy.
                match response.status {
                    503 => continue,
                    409 => {}
                    _ => return response,
                }
                assert_eq!(code(&response).1, json!("idempotency_key.in_use"));
                assert!(response.header("retry-after").is_some());
            }
        }
    });
    let responses = join_all(requests).await;
    assert_eq!(posts(&app).await, 1);
    for response in &responses {
        assert_eq!((response.status, &response.body), (201, &responses[0].body));
    }
    assert_eq!(responses.iter().filter(|response| !is_replay(response)).count(), 1);
}

#[rocket::async_test]
async fn a_key_is_for_one_request_of_one_person() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    assert_eq!(post(&ann, "/posts", "k", TIDES).await.status, 201);
    let reused = (422, json!("idempotency_key.reused"));
    let other = TIDES.replace("tides", "tidal");
    assert_eq!(code(&post(&ann, "/posts", "k", &other).await), reused);
    assert_eq!(code(&post(&ann, "/posts/preview", "k", TIDES).await), reused);
    assert_eq!(code(&post(&ann, "/posts?x=1", "k", TIDES).await), reused);
    let theirs = post(&bob, "/posts", "k", TIDES).await;
    assert_eq!((theirs.status, is_replay(&theirs)), (201, false));
    // Without an account, it is for one network.
    let account = json!({"username": "eve", "password": crate::support::PASSWORD}).to_string();
    let registered = post_at(&app, None, "/auth/register", "k", &account).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    assert!(is_replay(&post_at(&app, None, "/auth/register", "k", &account).await));
    let headers = vec![ContentType::JSON.into(), Header::new("Idempotency-Key", "k")];
    let elsewhere = crate::support::send_from(
        &app,
        [192, 0, 2, 9].into(),
        Method::Post,
        "/api/v1/auth/register",
        headers,
        Some(account),
    )
    .await;
    assert_eq!(elsewhere.status, 409, "{}", elsewhere.body);
    assert_eq!(elsewhere.json()["code"], json!("already_taken"));
}

#[rocket::async_test]
async fn a_request_that_was_refused_can_be_corrected() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for wrong in [r#"{"title": ""}"#, "[", r#"{"title": 1}"#] {
        let refused = post(&ann, "/posts", "k", wrong).await;
        assert!([400, 422].contains(&refused.status), "{refused:?}");
    }
    let nobody = post_at(&app, None, "/posts", "k", TIDES).await;
    assert_eq!(nobody.status, 401);
    assert_eq!(idempotency::count(&app.db).await.unwrap(), 0);
    assert_eq!(post(&ann, "/posts", "k", TIDES).await.status, 201);
    for wrong in ["", "\"\"", "a b", "é", "\"open", &"x".repeat(256)] {
        let refused = post(&ann, "/posts", wrong, TIDES).await;
        assert_eq!(code(&refused), (400, json!("idempotency_key.invalid")), "{wrong:?}");
    }
}

/// A replay needs the permission of the request.
#[rocket::async_test]
async fn a_key_opens_nothing_that_is_closed() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let input = r#"{"name": "script", "scopes": ["posts:read"]}"#;
    let made = post(&ann, "/me/tokens", "k", input).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let secret = made.json()["token"].as_str().unwrap_or_default().to_owned();
    let weak = post_at(&app, Some(&secret), "/me/tokens", "k", input).await;
    assert_eq!((weak.status, is_replay(&weak)), (403, false), "{}", weak.body);
    change(&app, "UPDATE sessions SET proved_at = NULL WHERE client = 'api'").await;
    let late = post(&ann, "/me/tokens", "k", input).await;
    assert_eq!(code(&late), (401, json!("reauthentication_required")));
}

/// Neither the key nor the answer can be read from the database.
#[rocket::async_test]
async fn what_is_kept_for_a_retry_is_sealed() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let login = json!({"username": "ann", "password": crate::support::PASSWORD}).to_string();
    let first = post_at(&app, None, "/auth/login", "a-long-and-random-key", &login).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let input = r#"{"name": "script", "scopes": ["posts:read"]}"#;
    assert_eq!(post(&ann, "/me/tokens", "a-long-and-random-key", input).await.status, 201);
    assert_eq!(idempotency::count(&app.db).await.unwrap(), 2);
    let rows = contents(&app.database_url()).await["idempotency_keys"].join("\n");
    for secret in ["a-long-and-random-key", "access_token", "pst_", "prt_", "Bearer"] {
        assert!(!rows.contains(secret), "{secret} in {rows}");
    }
    let again = post_at(&app, None, "/auth/login", "a-long-and-random-key", &login).await;
    assert_eq!((is_replay(&again), &again.body), (true, &first.body));
}

#[rocket::async_test]
async fn a_claim_ends_by_itself_and_what_was_written_is_not_written_again() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let again = async || code(&post(&ann, "/posts", "k", TIDES).await);
    assert_eq!(post(&ann, "/posts", "k", TIDES).await.status, 201);
    // As a process leaves it that is killed before it has stored the answer.
    change(&app, "UPDATE idempotency_keys SET answer = NULL").await;
    assert_eq!(again().await, (409, json!("idempotency_key.in_use")));
    change(&app, "UPDATE idempotency_keys SET leased_until = '2001-01-01T00:00:00.000000Z'").await;
    assert_eq!(again().await, (409, json!("idempotency_key.answer_lost")));
    assert_eq!(posts(&app).await, 1);
    // As one leaves it that is killed before it has committed anything.
    change(&app, "UPDATE idempotency_keys SET has_written = FALSE").await;
    assert_eq!(post(&ann, "/posts", "k", TIDES).await.status, 201);
    assert_eq!(posts(&app).await, 2);
    // After a day, the key is forgotten, with or without a sweep.
    change(&app, "UPDATE idempotency_keys SET expires_at = '2001-01-01T00:00:00.000000Z'").await;
    assert!(!is_replay(&post(&ann, "/posts", "k", TIDES).await));
    change(&app, "UPDATE idempotency_keys SET expires_at = '2001-01-01T00:00:00.000000Z'").await;
    assert_eq!(post(&ann, "/posts", "fresh", TIDES).await.status, 201);
    let folder = tempfile::tempdir().unwrap();
    Sweep.run(worker(app.site(), folder.path()), claimed_job()).await.unwrap();
    assert_eq!(idempotency::count(&app.db).await.unwrap(), 1);
    assert!(is_replay(&post(&ann, "/posts", "fresh", TIDES).await));
}

/// The mark is in the same commit as the change, and a request that has lost its key changes nothing.
#[rocket::async_test]
async fn a_transaction_marks_its_key_or_is_rolled_back() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (site, caller) = (app.site(), Caller::operator());
    let begin = async || {
        let content = b"content";
        let request = KeyedRequest { user_id: Some(ann.id), caller: &caller, key: "k", content };
        idempotency::begin(site, &request).await.unwrap()
    };
    let write = async || {
        let mut tx = app.db.begin().await.unwrap();
        sql("INSERT INTO demo_users (user_id) VALUES ($1)")
            .bind(ann.id)
            .execute(&mut tx)
            .await
            .unwrap();
        tx.commit().await
    };
    let written =
        async || -> i64 { sql("SELECT count(*) FROM demo_users").scalar(&app.db).await.unwrap() };
    fenced(async {
        assert!(matches!(begin().await, Begun::Claimed(_)));
        // Somebody else took it over.
        change(&app, "DELETE FROM idempotency_keys").await;
        assert!(write().await.is_err());
    })
    .await;
    assert_eq!(written().await, 0);
    fenced(async {
        assert!(matches!(begin().await, Begun::Claimed(_)));
        write().await.unwrap();
    })
    .await;
    assert_eq!(written().await, 1);
    let marked: bool =
        sql("SELECT has_written FROM idempotency_keys").scalar(&app.db).await.unwrap();
    assert!(marked);
    assert!(matches!(begin().await, Begun::Running(1..=60)));
}

#[rocket::async_test]
async fn nobody_can_store_any_number_of_keys() {
    let app = App::with(&[("limits", "idempotency-keys=2/d")]).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    for key in ["a", "b"] {
        assert_eq!(post(&ann, "/posts", key, TIDES).await.status, 201);
    }
    let refused = post(&ann, "/posts", "c", TIDES).await;
    assert_eq!(code(&refused), (429, json!("too_many_requests")));
    assert!(refused.header("retry-after").is_some());
    assert!(is_replay(&post(&ann, "/posts", "a", TIDES).await));
    assert_eq!(post(&bob, "/posts", "c", TIDES).await.status, 201);
    assert_eq!(posts(&app).await, 3);
}

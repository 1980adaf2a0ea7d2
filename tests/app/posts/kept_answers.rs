//! What is kept in memory is made once, for those whom it is meant for, and sent as they like it.

use std::io::{Read as _, Write as _};
use std::time::Instant;

use flate2::read::GzDecoder;
use rocket::futures::future::join_all;
use rocket::http::Header;
use serde_json::json;

use super::cache::{DEADLINE, read, read_as};
use crate::support::internals::{recording, sql};
use crate::support::{App, Response};

/// How many statements these requests need, all at the same time.
async fn statements(app: &App, paths: &[&str]) -> usize {
    statements_of(paths.iter().map(|path| read(app, path))).await
}

async fn statements_of(requests: impl Iterator<Item = impl Future<Output = Response>>) -> usize {
    let answers = async {
        for answer in join_all(requests).await {
            assert_eq!(answer.status, 200, "{}", answer.body);
        }
    };
    recording(answers).await.1.iter().filter(|(text, _)| text.contains("FROM posts")).count()
}

#[rocket::async_test]
async fn an_answer_is_made_once_for_everybody_until_something_changes() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.posts("Tides").await;
    ann.api().put("/posts/1", json!({"slug": "kept"})).await;
    for path in ["/", "/posts/1/kept", "/users/ann", "/api/v1/posts", "/api/v1/posts/1"] {
        let once = statements(&app.another().await, &[path]).await;
        assert_ne!(once, 0, "{path}");
        assert_eq!(statements(&app, &[path; 200]).await, once, "{path}, 200 times when it is new");
        assert_eq!(statements(&app, &[path]).await, 0, "{path}, known");
        ann.api().put("/posts/1", json!({"title": format!("After {path}")})).await;
        assert_eq!(statements(&app, &[path]).await, once, "{path}, changed");
    }
    // What is written often and is not for everybody changes nothing.
    let kept = statements(&app, &["/"]).await;
    ann.page().get("/me").await;
    app.log_in("ann").await;
    assert_eq!((kept, statements(&app, &["/"]).await), (1, 0));
}

/// Their session is looked up each time; what they read is made again when something changes.
#[rocket::async_test]
async fn a_reader_s_own_answer_is_made_once_until_something_changes() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    ann.posts("Tides").await;
    ann.api().put("/posts/1", json!({"slug": "kept"})).await;
    for path in ["/", "/posts/1/kept", "/users/ann", "/api/v1/posts", "/api/v1/posts/1"] {
        let of_bob = async |count| {
            let requests = (0..count).map(|_| read_as(&app, &bob, path));
            statements_of(requests).await
        };
        let once = of_bob(1).await;
        assert_ne!(once, 0, "{path}");
        assert_eq!(of_bob(100).await, 0, "{path}, known");
        ann.api().put("/posts/1", json!({"title": format!("After {path}")})).await;
        assert_eq!(of_bob(100).await, once, "{path}, changed");
    }
    // A personal token reads as its owner, if it may read at all.
    let token = async |scope: &str| {
        let wanted = json!({"name": scope, "scopes": [scope], "expires_in_days": 7});
        let created = bob.api().post("/me/tokens", wanted).await;
        created.json()["token"].as_str().unwrap().to_owned()
    };
    bob.api().put("/posts/1/vote", json!({})).await;
    for (scope, is_known) in [("posts:read", true), ("account", false)] {
        let program = app.nobody().with_token(&token(scope).await);
        for _ in 0..2 {
            let post = program.api().get("/posts/1").await.json();
            assert_eq!(post["voted"], json!(is_known), "{scope}");
        }
        let again = statements_of([read_as(&app, &program, "/api/v1/posts/1")].into_iter()).await;
        assert_eq!(again == 0, is_known, "{scope}");
    }
    bob.page().post("/logout", &[]).await;
    assert!(!bob.page().get("/").await.body.contains("href=\"/me\""), "the session has ended");
}

#[rocket::async_test]
async fn what_only_one_person_may_see_is_shown_to_nobody_else() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    ann.posts("Tides").await;
    bob.api().put("/posts/1/vote", json!({})).await;
    let nobody = app.nobody();
    for _ in 0..2 {
        assert!(ann.page().get("/").await.body.contains("href=\"/me\""));
        assert!(!nobody.page().get("/").await.body.contains("href=\"/me\""));
        assert_eq!(bob.api().get("/posts/1").await.json()["voted"], json!(true));
        assert_eq!(nobody.api().get("/posts/1").await.json()["voted"], json!(false));
        let told = app.nobody().with_cookie("postly_flash", "logged-out").page().get("/").await;
        assert!(told.body.contains("role=\"status\""), "{}", told.body);
        let dark = app.nobody().with_cookie("postly_theme", "dark").page().get("/").await;
        assert!(dark.body.contains("data-theme=\"dark\""));
        let plain = nobody.page().get("/").await.body;
        assert!(!plain.contains("role=\"status\"") && !plain.contains("data-theme"), "{plain}");
    }
    let wrong = app.nobody().with_token("wrong");
    assert_eq!(wrong.api().get("/posts").await.status, 401, "also when it is kept for others");
}

#[rocket::async_test]
async fn what_does_not_exist_is_asked_for_again() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let missing = join_all((0..50).map(|_| read(&app, "/posts/1"))).await;
    assert!(missing.iter().all(|answer| answer.status == 404));
    ann.posts("Tides").await;
    assert_eq!(read(&app, "/posts/1").await.status, 200);
    assert_eq!(
        read(&app, "/posts?limit=0").await.status,
        read(&app, "/posts?limit=0").await.status
    );
}

/// The headers and the body, as they were sent.
async fn raw(
    app: &App,
    path: &str,
    headers: &[(&'static str, &str)],
) -> (u16, Vec<String>, Vec<u8>) {
    let mut request = app.client.get(path.to_owned()).header(Header::new("Host", "postly.test"));
    for (name, value) in headers {
        request = request.header(Header::new(*name, (*value).to_owned()));
    }
    let response = request.dispatch().await;
    let header = |name| response.headers().get(name).collect::<Vec<_>>().join(", ");
    let found = ["Content-Encoding", "ETag", "Vary"].map(header);
    (response.status().code, found.to_vec(), response.into_bytes().await.unwrap_or_default())
}

#[rocket::async_test]
async fn an_answer_is_compressed_as_the_client_likes_it_and_known_by_one_tag() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.posts(&"Tides and gulls ".repeat(5)).await;
    for (path, differs_by) in [("/", "Cookie"), ("/api/v1/posts?include=content", "Authorization")]
    {
        let (status, headers, plain) = raw(&app, path, &[]).await;
        let tag = headers[1].clone();
        assert_eq!((status, headers[0].as_str()), (200, ""));
        assert!(headers[2].starts_with(&format!("{differs_by}, Accept-Encoding")), "{headers:?}");
        if path == "/" {
            for (accepted, coding) in [("gzip, deflate, br", "br"), ("gzip;q=0.5", "gzip")] {
                let (status, headers, body) =
                    raw(&app, path, &[("Accept-Encoding", accepted)]).await;
                assert_eq!((status, headers[0].as_str()), (200, coding));
                assert_eq!(headers[1], format!("W/{tag}"));
                assert!(body.len() * 2 < plain.len(), "{} of {}", body.len(), plain.len());
                let mut decoded = Vec::new();
                match coding {
                    "gzip" => drop(GzDecoder::new(&body[..]).read_to_end(&mut decoded).unwrap()),
                    _ => brotli::DecompressorWriter::new(&mut decoded, 4096)
                        .write_all(&body)
                        .unwrap(),
                }
                assert_eq!(decoded, plain);
            }
        }
        for known in [&tag, &format!("W/{tag}"), &format!("\"other\", {tag}")] {
            let sent = [("If-None-Match", known.as_str()), ("Accept-Encoding", "br")];
            let (status, headers, body) = raw(&app, path, &sent).await;
            assert_eq!((status, headers[0].as_str(), body.len()), (304, "", 0), "{known}");
        }
        ann.api().put("/posts/1", json!({"title": format!("After {differs_by}")})).await;
        assert_eq!(raw(&app, path, &[("If-None-Match", &tag)]).await.0, 200, "no longer current");
    }
}

/// Rows of connections that have ended are put together, and no change goes unnoticed meanwhile.
#[rocket::async_test]
async fn many_connections_leave_few_rows() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.posts("Tides").await;
    // More than any process has.
    let many = "INSERT INTO content_versions (slot, number) WITH RECURSIVE slots (slot) AS \
        (SELECT CAST(90000000 AS BIGINT) UNION ALL SELECT slot + 1 FROM slots WHERE slot < 90000599) \
        SELECT slot, 2 FROM slots";
    let version = app.db.content_version().await.unwrap();
    sql(many).execute(app.db.writer()).await.unwrap();
    let start = Instant::now();
    let rows = async || -> i64 {
        sql("SELECT count(*) FROM content_versions").scalar(&app.db).await.unwrap()
    };
    let expected = if app.database_url().starts_with("postgres") { 50 } else { 601 };
    loop {
        assert_eq!(app.db.content_version().await.unwrap(), version + 1_200);
        if rows().await <= expected {
            break;
        }
        assert!(start.elapsed() < DEADLINE, "{} rows", rows().await);
        // Asks the database again.
        sql("UPDATE content_versions SET number = number WHERE slot = 0")
            .execute(app.db.writer())
            .await
            .unwrap();
    }
    ann.api().put("/posts/1", json!({"title": "Ebb"})).await;
    assert!(app.db.content_version().await.unwrap() > version + 1_200);
}

//! Kept answers, of whoever is not logged in and of each reader: never older than what they show.

use std::io::{Read as _, Write as _};
use std::time::{Duration, Instant};

use flate2::read::GzDecoder;
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use rocket::futures::future::join_all;
use rocket::http::{Header, Method};
use serde_json::json;

use crate::support::internals::{move_tagged_posts, now, recording, schedule, sql};
use crate::support::{App, FORM_ID, Person, Response, repetitions, send};

/// Longer than this, another instance may not show what is no longer true. A busy machine is slow.
const DEADLINE: Duration = Duration::from_secs(20);

/// Every kind of kept answer, of the posts that `Scene` begins with.
const REPRESENTATIONS: [&str; 33] = [
    "/",
    "/?sort=top",
    "/?author=ann",
    "/posts/1",
    "/posts/2",
    "/posts/3",
    "/posts/4",
    "/users/ann",
    "/users/bob",
    "/users/cat",
    "/users/ann?limit=1",
    "/api/v1/posts",
    "/api/v1/posts?sort=top&limit=2",
    "/api/v1/posts?include=content",
    "/api/v1/posts?author=bob",
    "/api/v1/posts/1",
    "/api/v1/posts/2",
    "/api/v1/posts/3",
    "/api/v1/users/ann",
    "/posts/1/comments",
    "/comments/1",
    "/api/v1/posts/1/comments?sort=best",
    "/api/v1/comments/1",
    "/?sort=hot&tag=sea",
    "/?sort=top&period=week",
    "/tags",
    "/tags/sea",
    "/api/v1/tags/ocean",
    "/api/v1/posts?tag=ocean&min_votes=1",
    "/users/bob/comments",
    "/feed.atom",
    "/tags/sea/feed.json",
    "/posts/1/comments.rss",
];

/// Those that are compared for readers who are logged in.
const PERSONAL: [&str; 8] = [
    "/tags/sea",
    "/posts/1/comments",
    "/",
    "/posts/1",
    "/posts/3",
    "/users/bob",
    "/api/v1/posts?sort=top",
    "/api/v1/posts/1",
];

/// Everything that changes what anybody may read.
#[derive(Debug, Clone, Copy)]
enum Change {
    Publish,
    PublishByForm,
    Edit,
    Vote,
    VoteByForm,
    Withdraw,
    Delete,
    DeleteSeveral,
    DeletePerson,
    Comment,
    CommentByForm,
    EditComment,
    CommentVote,
    DeleteComment,
    CloseComments,
    Unpublish,
    PublishAgain,
    Hide,
    Schedule,
    Tag,
    DescribeTag,
    /// The job follows.
    MergeTag,
    Promote,
    Rename,
    Setting,
    Document,
    /// By a program that knows nothing of this instance.
    Statement,
}

const CHANGES: [Change; 27] = [
    Change::Publish,
    Change::PublishByForm,
    Change::Edit,
    Change::Vote,
    Change::VoteByForm,
    Change::Withdraw,
    Change::Delete,
    Change::DeleteSeveral,
    Change::DeletePerson,
    Change::Comment,
    Change::CommentByForm,
    Change::EditComment,
    Change::CommentVote,
    Change::DeleteComment,
    Change::CloseComments,
    Change::Unpublish,
    Change::PublishAgain,
    Change::Hide,
    Change::Schedule,
    Change::Tag,
    Change::DescribeTag,
    Change::MergeTag,
    Change::Promote,
    Change::Rename,
    Change::Setting,
    Change::Document,
    Change::Statement,
];

/// People who change something at one instance.
struct Scene<'a> {
    ann: Person<'a>,
    bob: Person<'a>,
    root: Person<'a>,
}

impl Scene<'_> {
    async fn of(app: &App) -> Scene<'_> {
        let (ann, bob, cat) = (app.user("ann").await, app.user("bob").await, app.user("cat").await);
        for (person, title) in [(&ann, "Tides"), (&ann, "Sand"), (&bob, "Gulls"), (&cat, "Clouds")]
        {
            person.posts(title).await;
        }
        Scene { ann, bob, root: app.admin("root").await }
    }

    /// An author, a voter who is an admin at times, an admin.
    fn readers(&self) -> [&Person<'_>; 3] {
        [&self.ann, &self.bob, &self.root]
    }

    /// Whether it can be done depends on what was done before; if not, nothing may change either.
    async fn make(&self, change: Change, number: usize) {
        let (ann, bob, root) = (&self.ann, &self.bob, &self.root);
        let title = format!("Number {number}");
        let status = match change {
            Change::Publish => {
                let post = json!({"title": title, "content": "New."});
                bob.api().post("/posts", post).await.status
            }
            Change::PublishByForm => {
                ann.page().post("/posts", &[("title", &title), ("content", "New.")]).await.status
            }
            Change::Edit => ann.api().put("/posts/1", json!({"title": title})).await.status,
            Change::Vote => bob.api().put("/posts/1/vote", json!({})).await.status,
            Change::VoteByForm => ann.page().put("/posts/3/vote", &[]).await.status,
            Change::Withdraw => bob.api().delete("/posts/1/vote").await.status,
            Change::Delete => ann.api().delete("/posts/2").await.status,
            Change::DeleteSeveral => {
                let selection = [("action", "delete"), ("ids", "3")];
                root.page().post("/admin/posts/bulk", &selection).await.status
            }
            Change::DeletePerson => root.api().delete("/admin/users/cat").await.status,
            Change::Comment => {
                let comment = json!({"content": title});
                bob.api().post("/posts/1/comments", comment).await.status
            }
            Change::CommentByForm => {
                ann.page().post("/posts/1/comments", &[("content", &title)]).await.status
            }
            Change::EditComment => {
                root.api().put("/comments/1", json!({"content": title})).await.status
            }
            Change::CommentVote => root.api().put("/comments/1/vote", json!({})).await.status,
            Change::DeleteComment => root.api().delete("/comments/1").await.status,
            Change::CloseComments => {
                ann.api().put("/posts/1/comments/closed", json!({})).await.status
            }
            Change::Unpublish => ann.api().delete("/posts/1/publication").await.status,
            Change::PublishAgain => ann.page().put("/posts/1/publication", &[]).await.status,
            Change::Hide => {
                let visibility = ["unlisted", "members", "private", "public"][number % 4];
                ann.api().patch("/posts/1", json!({"visibility": visibility})).await.status
            }
            // The job publishes it at once.
            Change::Schedule => {
                let later = json!({"published_at": now() + chrono::Duration::days(1)});
                let planned = bob.api().put("/posts/3", later).await.status;
                let due = sql("UPDATE posts SET publish_at = created_at WHERE state = 'scheduled'");
                due.execute(bob.app.db.writer()).await.unwrap();
                schedule::publish_due(bob.app.site()).await.unwrap();
                planned
            }
            Change::Tag => {
                let tags = if number.is_multiple_of(2) { "sea, rain" } else { "sea, ocean" };
                ann.api().patch("/posts/1", json!({"tags": tags})).await.status
            }
            Change::DescribeTag => {
                root.api().patch("/tags/sea", json!({"description": title})).await.status
            }
            Change::MergeTag => {
                let merged = root.api().put("/tags/ocean/merge", json!({"into": "sea"})).await;
                while move_tagged_posts(&ann.app.db).await.unwrap() {}
                merged.status
            }
            Change::Promote => {
                let role = if number.is_multiple_of(2) { "admin" } else { "user" };
                root.api().patch("/admin/users/bob", json!({"role": role})).await.status
            }
            Change::Rename => {
                let name = if number.is_multiple_of(2) { "robert" } else { "bob" };
                let renamed = sql("UPDATE users SET username = ").push_bind("", name);
                let renamed = renamed.push_bind(" WHERE id = ", bob.id);
                renamed.execute(bob.app.db.writer()).await.unwrap();
                200
            }
            Change::Setting => {
                let banner = json!({"banner": title});
                root.api().patch("/admin/settings", banner).await.status
            }
            Change::Document => {
                let rules = json!({"rules": title});
                root.api().patch("/admin/settings", rules).await.status
            }
            Change::Statement => {
                let cut = sql("UPDATE posts SET title = ").push_bind("", title);
                let cut = cut.push(" WHERE id = 1");
                cut.execute(ann.app.db.writer()).await.unwrap();
                200
            }
        };
        assert!(
            [200, 201, 204, 303, 401, 403, 404, 409, 422].contains(&status),
            "{change:?}: {status}"
        );
    }
}

/// What can be compared between instances.
fn shown(answer: &Response) -> (u16, Option<&str>, [&str; 2]) {
    // The page of an error names its request.
    let body = if answer.status == 200 { answer.body.as_str() } else { "" };
    match body.split_once(FORM_ID) {
        // Another one each time.
        Some((before, after)) => (answer.status, None, [before, &after[32..]]),
        None => (answer.status, answer.header("etag"), [body, ""]),
    }
}

async fn read(app: &App, path: &str) -> Response {
    let ask = async |path: &str| send(app, Method::Get, path, Vec::new(), None::<&[u8]>).await;
    let response = ask(path).await;
    match response.header("location").filter(|_| response.status == 308) {
        Some(address) => ask(address).await,
        None => response,
    }
}

/// `read`, by somebody who is logged in.
async fn read_as(app: &App, reader: &Person<'_>, path: &str) -> Response {
    let (cookie, token) = (reader.cookie.clone(), reader.token.clone());
    let reader = Person { cookie, token, ..Person::nobody(app) };
    match path.strip_prefix("/api/v1") {
        Some(path) => reader.api().get(path).await,
        None => reader.page().get(path).await,
    }
}

/// Asks twice: the second answer is one that was kept.
async fn compare_for_readers(scene: &Scene<'_>, uncached: &App, instance: &App, after: &str) {
    for reader in scene.readers() {
        for path in PERSONAL {
            let truth = read_as(uncached, reader, path).await;
            for _ in 0..2 {
                let found = read_as(instance, reader, path).await;
                assert!(
                    shown(&found) == shown(&truth),
                    "{path} for {} {after}: {} for {}",
                    reader.name,
                    found.body,
                    truth.body
                );
            }
        }
    }
}

/// Writes of all kinds, in any order, between reads of all representations: the instance that wrote
/// shows nothing older at once, another one soon. Who is logged in sees the latest everywhere at once,
/// but for settings.
#[rocket::async_test]
async fn nothing_kept_is_older_than_what_was_written() {
    let mut runner = TestRunner::default();
    for _ in 0..repetitions() {
        let order = Just(CHANGES.to_vec()).prop_shuffle().new_tree(&mut runner).unwrap().current();
        let app = App::new().await;
        let other = app.another().await;
        let uncached = app.another_with(&[("cache_megabytes", "0")]).await;
        let scene = Scene::of(&app).await;
        for (number, change) in order.iter().enumerate() {
            scene.make(*change, number).await;
            // The settings alone are in its memory.
            uncached.site().settings.refresh(&uncached.db).await.unwrap();
            let after = format!("after {change:?} of {order:?}");
            // Each instance has the settings in its memory, and learns of others' changes later.
            let is_setting = matches!(change, Change::Setting | Change::Document);
            if !is_setting {
                compare_for_readers(&scene, &uncached, &other, &after).await;
            }
            compare_for_readers(&scene, &uncached, &app, &after).await;
            let start = Instant::now();
            for path in REPRESENTATIONS {
                let truth = read(&uncached, path).await;
                for _ in 0..2 {
                    let own = read(&app, path).await;
                    let is_true = shown(&own) == shown(&truth);
                    assert!(is_true, "{path} {after}: {} for {}", own.body, truth.body);
                }
                while shown(&read(&other, path).await) != shown(&truth) {
                    let late = start.elapsed();
                    assert!(late < DEADLINE, "{path} {after}, elsewhere");
                }
            }
        }
    }
}

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

//! Kept answers, of whoever is not logged in and of each reader: never older than what they show.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use rocket::http::Method;
use serde_json::json;

use crate::support::internals::{move_tagged_posts, now, schedule, sql};
use crate::support::{App, FORM_ID, Person, Response, repetitions, send};

/// Longer than this, another instance may not show what is no longer true. A busy machine is slow.
pub const DEADLINE: Duration = Duration::from_secs(20);

/// Every kind of kept answer, of the posts that `Scene` begins with.
const REPRESENTATIONS: [&str; 37] = [
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
    "/series/1",
    "/api/v1/series/1",
    "/api/v1/series/1/posts",
    "/users/ann/series",
];

/// Those that are compared for readers who are logged in.
const PERSONAL: [&str; 10] = [
    "/tags/sea",
    "/posts/1/comments",
    "/",
    "/posts/1",
    "/posts/3",
    "/users/bob",
    "/api/v1/posts?sort=top",
    "/api/v1/posts/1",
    "/series/1",
    "/users/ann/series",
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
    Move,
    RenameSeries,
    DeleteSeries,
    Promote,
    Rename,
    Setting,
    Document,
    /// By a program that knows nothing of this instance.
    Statement,
}

const CHANGES: [Change; 30] = [
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
    Change::Move,
    Change::RenameSeries,
    Change::DeleteSeries,
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
        for post in ["/posts/1", "/posts/2"] {
            let series = json!({"series": "Coast"});
            assert_eq!(ann.api().patch(post, series).await.status, 200);
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
            // Into another series, or into none.
            Change::Move => {
                let series = if number.is_multiple_of(2) { "Inland" } else { "" };
                ann.api().patch("/posts/1", json!({"series": series})).await.status
            }
            Change::RenameSeries => {
                root.page().put("/series/1", &[("title", title.as_str())]).await.status
            }
            Change::DeleteSeries => ann.api().delete("/series/1").await.status,
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

pub async fn read(app: &App, path: &str) -> Response {
    let ask = async |path: &str| send(app, Method::Get, path, Vec::new(), None::<&[u8]>).await;
    let response = ask(path).await;
    match response.header("location").filter(|_| response.status == 308) {
        Some(address) => ask(address).await,
        None => response,
    }
}

/// `read`, by somebody who is logged in.
pub async fn read_as(app: &App, reader: &Person<'_>, path: &str) -> Response {
    let (cookie, token) = (reader.cookie.clone(), reader.token.clone());
    let reader = Person { cookie, token, ..Person::nobody(app) };
    match path.strip_prefix("/api/v1") {
        Some(path) => reader.api().get(path).await,
        None => reader.page().get(path).await,
    }
}

/// Asks each instance twice: the second answer is one that was kept.
async fn compare_for_readers(scene: &Scene<'_>, uncached: &App, instances: &[&App], after: &str) {
    for reader in scene.readers() {
        for path in PERSONAL {
            let truth = read_as(uncached, reader, path).await;
            for instance in instances.iter().flat_map(|instance| [instance; 2]) {
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
            let instances = if is_setting { &[&app][..] } else { &[&other, &app] };
            compare_for_readers(&scene, &uncached, instances, &after).await;
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

//! The work that the database does for each list, on a large site on which nearly all posts have no
//! votes and one person wrote most.

use std::time::Duration;

use chrono::{DateTime, Utc};
use rocket::tokio::sync::OnceCell;
use serde_json::json;

use super::meter::{Meter, cursor, lasting, measure, measure_page, most_work};
use crate::support::database::Snapshot;
use crate::support::internals::{Db, Wanted, census, job, now, recording, schedule, sql};
use crate::support::{App, database, repetitions};

/// Posts of the site, and events, votes of one post, jobs; a million with `./test slow`.
pub fn size() -> i64 {
    if repetitions() > 1 { 1_000_000 } else { 30_000 }
}

/// The same text for both engines; `i` counts from 1.
const FILL: [&str; 21] = [
    "INSERT INTO users (username, username_key, password_hash, role, created_at) \
     SELECT 'u' || i, 'u' || i, '', 'user', $2 FROM n",
    "INSERT INTO posts (user_id, title, content, content_html, excerpt, rendering, votes, \
     created_at, published_at) \
     SELECT CASE WHEN i % 3 = 0 THEN (SELECT id FROM users WHERE username = 'u1') \
         ELSE (SELECT id FROM users WHERE username = 'heavy') END, \
     'Tides', 'x', 'x', 'x', 1, CASE WHEN i % 1000 = 0 THEN i % 7 ELSE 0 END, $2, $2 FROM n",
    // Heavy also has drafts, every tenth of them scheduled, among those of another author.
    "INSERT INTO posts (user_id, title, content, content_html, excerpt, rendering, created_at, state, \
     publish_at) SELECT (SELECT id FROM users WHERE username = CASE WHEN i % 2 = 0 THEN 'heavy' ELSE 'u1' END), \
     'Draft', 'x', 'x', 'x', 1, $2, CASE WHEN i % 10 = 0 THEN 'scheduled' ELSE 'draft' END, \
     CASE WHEN i % 10 = 0 THEN $2 END FROM n WHERE i <= $1 / 4",
    "INSERT INTO tags (name, created_at) SELECT 't' || i, $2 FROM n",
    "INSERT INTO post_tags (post_id, tag_id, position, published_at) SELECT p.id, 1, 1, p.published_at \
     FROM posts p WHERE $1 > 0 AND $2 = $2",
    "INSERT INTO post_tags (post_id, tag_id, position, published_at) SELECT p.id, 2, 2, p.published_at \
     FROM posts p WHERE $1 > 0 AND $2 = $2 AND p.id % 3 = 0",
    "INSERT INTO post_tags (post_id, tag_id, position, published_at) SELECT p.id, 3, 3, p.published_at \
     FROM posts p WHERE $1 > 0 AND $2 = $2 AND p.id IN (5, 50, 500, 5000)",
    "INSERT INTO post_search (id, text) SELECT p.id, \
     CASE p.id WHEN 5 THEN 'the only quartz zq\nheavy' ELSE 'about tides ' || p.id || '\nheavy' END FROM posts p \
     WHERE $1 > 0 AND $2 = $2 AND p.title = 'Tides'",
    "INSERT INTO user_search (id, text) SELECT id, username FROM users \
     WHERE $1 > 0 AND $2 = $2 AND username LIKE 'u%'",
    "INSERT INTO votes (post_id, user_id, created_at) SELECT 3, u.id, $2 FROM users u \
     WHERE $1 > 0 AND u.username LIKE 'u%' AND u.username <> 'u1'",
    "INSERT INTO audit_events (id, at, kind, subject_id, subject, address, user_agent, \
     request_id, detail, hash) SELECT 1000 + i, $2, 'login', \
     (SELECT id FROM users WHERE username = 'heavy'), 'heavy', '', '', '', '', '' FROM n",
    "INSERT INTO jobs (kind, payload, created_at, run_at, finished_at) \
     SELECT 'mail', 'null', $2, $2, $2 FROM n",
    "INSERT INTO documents (name, version, content, content_html, created_at) \
     SELECT 'rules', i, 'x', 'x', $2 FROM n",
    "INSERT INTO comments (post_id, depth, position, user_id, content, content_html, rendering, \
     votes, created_at) SELECT 5, 0, 0, (SELECT id FROM users WHERE username = 'heavy'), 'x', 'x', \
     2, CASE WHEN i % 1000 = 0 THEN i % 7 ELSE 0 END, $2 FROM n",
    "UPDATE comments SET root_id = id WHERE $1 > 0 AND $2 = $2",
    // All of them reply to the first one.
    "INSERT INTO comments (post_id, parent_id, depth, root_id, position, user_id, content, \
     content_html, rendering, votes, created_at) \
     SELECT 5, 1, 1, 1, i, (SELECT id FROM users WHERE username = 'heavy'), 'x', 'x', \
     2, CASE WHEN i % 1000 = 0 THEN i % 7 ELSE 0 END, $2 FROM n",
    // One post and one comment with a long history, longer than any that is kept.
    "INSERT INTO post_revisions (post_id, number, title, content, tags, editor_id, written_at) \
     SELECT 5, i, 'Tides', 'x', '', (SELECT id FROM users WHERE username = 'heavy'), $2 FROM n",
    "INSERT INTO comment_revisions (comment_id, version, content, written_at) \
     SELECT 1, i, 'x', $2 FROM n",
    // As many as one person can have, of which one has as many parts as it can; the others have none.
    "INSERT INTO series (user_id, title, title_key, created_at) \
     SELECT (SELECT id FROM users WHERE username = 'heavy'), 's' || i, 's' || i, $2 FROM n WHERE i <= 200",
    "INSERT INTO series (user_id, title, title_key, created_at) SELECT id, 's', 's', $2 FROM users \
     WHERE $1 > 0 AND $2 = $2 AND username LIKE 'u%'",
    "UPDATE posts SET series_id = 1 WHERE $1 > 0 AND $2 = $2 AND id BETWEEN 101 AND 600",
];

/// A copy of the large site, and the moment of everything on it. `root` is an admin; `heavy` has written
/// most, and `light` nothing.
pub async fn large_site() -> (App, DateTime<Utc>) {
    static PREPARED: OnceCell<(Snapshot, DateTime<Utc>)> = OnceCell::const_new();
    let prepare = async || {
        let app = App::new().await;
        app.admin("root").await;
        app.user("heavy").await.posts("A recent one").await;
        app.user("light").await;
        let at = now();
        fill(&app, at).await;
        (app.into_snapshot().await, at)
    };
    let (snapshot, at) = PREPARED.get_or_init(prepare).await;
    (App::copy_of(snapshot).await, *at)
}

async fn fill(app: &App, at: DateTime<Utc>) {
    // The site's own connections have a time limit, which filling exceeds on a busy machine.
    let db = Db::connect(&app.database_url(), 2, Duration::from_secs(60)).await.unwrap();
    if database::is_postgres() {
        // In one transaction, PostgreSQL keeps every version of the one row that the trigger changes
        // for each event, and looks for the latest among all of them.
        let off = "ALTER TABLE audit_events DISABLE TRIGGER audit_head_follows";
        sql(off).execute(db.writer()).await.unwrap();
        // The same for the number of comments of one post.
        let off = "ALTER TABLE comments DISABLE TRIGGER comments_added";
        sql(off).execute(db.writer()).await.unwrap();
    }
    for statement in FILL {
        let text = format!(
            "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL \
             SELECT i + 1 FROM n WHERE i < $1) {statement}"
        );
        // The recursion of an unused `n` never runs.
        sql(String::leak(text)).bind(size()).bind(at).execute(db.writer()).await.unwrap();
    }
    sql("ANALYZE").execute(db.writer()).await.unwrap();
    db.close().await;
}

#[rocket::async_test]
async fn no_list_reads_or_sorts_more_than_its_page() {
    let (app, at) = large_site().await;
    let root = app.log_in("root").await;
    let root = lasting(root, json!(["posts:read", "account", "admin"])).await;
    let heavy = lasting(app.log_in("heavy").await, json!(["posts:read", "account"])).await;
    let mut meter = Meter::new(&app.database_url()).await;
    let (middle, micros) = (size() / 2, at.timestamp_micros());
    let (by_time, by_votes) = (cursor(&[micros, middle]), cursor(&[0, middle]));
    let (by_id, by_drafts) = (cursor(&[middle]), cursor(&[size() + size() / 8]));
    let ways = |path: &str, cursor: &str| {
        let join = if path.contains('?') { '&' } else { '?' };
        [
            path.to_owned(),
            format!("{path}{join}before={cursor}"),
            format!("{path}{join}after={cursor}"),
        ]
    };
    for thread in ["", "&parent=1"] {
        for (sort, cursor) in [("oldest", &by_id), ("newest", &by_id), ("best", &by_votes)] {
            for path in ways(&format!("/posts/5/comments?sort={sort}{thread}"), cursor) {
                let (list, _) = measure(&mut meter, &root, &path).await;
                let shown = list["items"].as_array().unwrap().len();
                // A bound may lie before the first of them.
                assert!(
                    shown <= 521
                        && (shown >= 20 || path.contains("&before=") || path.contains("&after=")),
                    "{path}: {shown}"
                );
            }
        }
    }
    for author in ["", "&author=heavy", "&author=light"] {
        for (sort, cursor) in [("new", &by_time), ("top", &by_votes)] {
            for path in ways(&format!("/posts?sort={sort}{author}"), cursor) {
                let (list, _) = measure(&mut meter, &app.nobody(), &path).await;
                let expected = if author.contains("light") { 0 } else { 20 };
                assert_eq!(list["items"].as_array().unwrap().len(), expected, "{path}");
            }
        }
    }
    for (path, cursor) in [
        ("/users/heavy", &by_time),
        ("/dashboard", &by_time),
        ("/posts/3/votes", &by_id),
        ("/drafts", &by_drafts),
    ] {
        for path in ways(path, cursor) {
            let (list, _) = measure(&mut meter, &heavy, &path).await;
            assert_eq!(list["items"].as_array().unwrap().len(), 20, "{path}");
        }
    }
    for path in ["/posts/5/revisions", "/comments/1/revisions"] {
        for way in ways(path, &by_id) {
            let (list, _) = measure(&mut meter, &root, &way).await;
            assert_eq!(list["items"].as_array().unwrap().len(), 20, "{way}");
        }
        measure(&mut meter, &root, &format!("{path}/{middle}")).await;
        let changes = format!("{path}/{middle}?compare=");
        measure_page(&mut meter, &app.log_in("root").await, &changes, most_work("")).await;
    }
    for (path, found) in
        [("/dashboard?q=tides", 20), ("/dashboard?q=quartz", 0), ("/dashboard?q=ti", 20)]
    {
        for path in ways(path, &by_time) {
            let (list, _) = measure(&mut meter, &heavy, &path).await;
            assert_eq!(list["items"].as_array().unwrap().len(), found, "{path}");
        }
    }
    for (feed, entries) in [
        ("/feed", 20),
        ("/users/heavy/feed", 20),
        ("/users/light/feed", 0),
        ("/posts/5/comments", 20),
        ("/posts/1/comments", 0),
    ] {
        let path = format!("{feed}.json");
        let list = measure_page(&mut meter, &app.nobody(), &path, most_work("")).await;
        assert_eq!(list.json()["items"].as_array().unwrap().len(), entries, "{path}");
    }
    // The index, and a file of 2,000 posts.
    measure_page(&mut meter, &app.nobody(), "/sitemap.xml", most_work("")).await;
    let most = if database::is_postgres() { 6_000 } else { 60_000 };
    let part = measure_page(&mut meter, &app.nobody(), "/sitemaps/2.xml", most).await;
    assert_eq!(part.body.matches("<loc>").count(), 2_000);
    // With the neighbours of a post: in the middle, where all were published in the same moment.
    for id in [1, middle, size()] {
        let path = format!("/posts/{id}");
        let page = measure_page(&mut meter, &app.nobody(), &path, most_work("")).await;
        assert!(page.body.contains("aria-label=\"Other posts\""), "{}", page.body);
    }
    for path in ["/me", "/me/sessions", "/me/tokens"] {
        measure(&mut meter, &app.log_in("heavy").await, path).await;
    }
    for path in ways("/me/events", &by_id) {
        measure(&mut meter, &heavy, &path).await;
    }
    for (path, cursor) in [
        ("/admin/posts", &by_time),
        ("/admin/posts?author=heavy", &by_time),
        ("/admin/posts?author=heavy&q=tides", &by_time),
        ("/admin/users", &by_id),
        ("/admin/comments", &by_id),
        ("/users/heavy/comments", &by_id),
        ("/users/u7/comments", &by_id),
        ("/admin/audit", &by_id),
        ("/admin/audit?kind=login", &by_id),
        ("/admin/audit?person=heavy", &by_id),
        ("/admin/audit?kind=registered&person=heavy", &by_id),
    ] {
        for path in ways(path, cursor) {
            measure(&mut meter, &root, &path).await;
        }
    }
    for (path, found) in [
        ("/admin/posts?q=tides", 20),
        ("/admin/posts?q=about+tides+1", 20),
        ("/admin/posts?q=quartz", 1),
        ("/admin/posts?q=zzzz", 0),
        ("/admin/posts?q=tides+about", 0),
        ("/admin/posts?q=ti", 20),
        ("/admin/users?q=u12", 20),
        ("/admin/users?q=zzzz", 0),
        // Too short for the index, and in the last names of either size.
        ("/admin/users?q=00", 20),
    ] {
        let (list, _) = measure(&mut meter, &root, path).await;
        assert_eq!(list["items"].as_array().unwrap().len(), found, "{path}");
        for path in &ways(path, &by_id)[1..] {
            measure(&mut meter, &root, path).await;
        }
    }
    let (_, due) = recording(schedule::due(app.site())).await;
    let wanted = [Wanted { kind: "mail", lease: job::LEASE }];
    let (_, statements) = recording(job::claim(&app.db, &wanted, &[])).await;
    let (_, last) = recording(root.api().patch("/admin/users/root", json!({"role": "user"}))).await;
    for path in ways("/rules/versions", &by_id) {
        let (list, _) = measure(&mut meter, &app.nobody(), &path).await;
        assert_eq!(list["items"].as_array().unwrap().len(), 20, "{path}");
    }
    measure(&mut meter, &app.nobody(), "/rules").await;
    sql("UPDATE settings_version SET number = number + 1").execute(app.db.writer()).await.unwrap();
    let (_, followed) = recording(app.site().settings.refresh(&app.db)).await;
    assert!(followed.len() <= 3, "{followed:?}");
    let (_, counted) = recording(census::take(&app.db)).await;
    assert_eq!(counted.len(), 3);
    for (text, values) in
        statements.into_iter().chain(due).chain(last).chain(counted).chain(followed)
    {
        if text.starts_with("SELECT") {
            let (work, plan) = meter.work(&text, values).await;
            assert!(work <= most_work(""), "{work} for {text}\n{plan}");
        }
    }
}

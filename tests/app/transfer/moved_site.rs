//! The site that was moved is the same one.

use serde_json::{Value, json};

use super::{login, on_sqlite, relocate, tables, target};
use crate::support::PASSWORD;
use crate::support::binary::{Caller, Server, Site, wait_for};
use crate::support::database;
use crate::support::internals::sql;

/// Reads a list page by page.
fn walk(caller: &Caller, path: &str) -> Vec<i64> {
    let (mut ids, mut before) = (Vec::new(), String::new());
    loop {
        let page = caller.ask("GET", &format!("{path}{before}"), None).json;
        let items = page["items"].as_array().unwrap_or_else(|| panic!("{path}: {page}"));
        ids.extend(items.iter().map(|item| item["id"].as_i64().unwrap()));
        match page["next"]
            .as_str()
            .map(str::to_owned)
            .or(page["next"].as_i64().map(|n| n.to_string()))
        {
            Some(next) => before = format!("&before={next}"),
            None => return ids,
        }
    }
}

fn votes(caller: &Caller, post: i64) -> Value {
    caller.ask("GET", &format!("/posts/{post}"), None).json["votes"].clone()
}

/// Users, posts and votes by the front door; returns ann and the posts that there are.
fn fill(site: &Site, server: &Server) -> (Caller, Vec<i64>) {
    assert!(site.run(&["user", "add", "root", "--admin"], PASSWORD).status.success());
    let (ann, bob) = (server.newcomer("ann"), server.newcomer("bob"));
    let mut posts: Vec<i64> = (0..45).map(|n| ann.posts(&format!("Tides {n}"))).collect();
    for post in &posts[..3] {
        assert_eq!(bob.ask("PUT", &format!("/posts/{post}/vote"), None).status, 200);
    }
    // Deleted: its number must not come back.
    let last = posts.pop().unwrap();
    assert_eq!(ann.ask("DELETE", &format!("/posts/{last}"), None).status, 204);
    assert_eq!(bob.ask("DELETE", &format!("/posts/{}/vote", posts[2]), None).status, 200);
    (ann, posts)
}

/// What people see of the site, and that counts, numbers and the search go on.
fn look(site: &Site, server: &Server, ann: &Caller, posts: &[i64]) {
    let latest: Vec<i64> = posts.iter().rev().copied().collect();
    let ann = ann.at(server);
    assert_eq!(walk(&ann, "/posts?limit=20"), latest, "her token is valid, and the pages follow");
    assert_eq!((votes(&ann, posts[0]), votes(&ann, posts[2])), (json!(1), json!(0)));

    let mut root = server.nobody();
    root.log_in(login("root"));
    let found = walk(&root, "/admin/posts?limit=20&q=tides%204");
    let expected: Vec<i64> = [4].into_iter().chain(40..44).rev().map(|n: usize| posts[n]).collect();
    assert_eq!(found, expected, "the search knows old posts");
    let people = root.ask("GET", "/admin/users?q=bob", None).json;
    assert_eq!(people["items"].as_array().unwrap().len(), 1, "{people}");

    let mut bob = server.nobody();
    bob.log_in(login("bob"));
    bob.ask("PUT", &format!("/posts/{}/vote", posts[2]), None);
    bob.ask("DELETE", &format!("/posts/{}/vote", posts[0]), None);
    assert_eq!((votes(&bob, posts[0]), votes(&bob, posts[2])), (json!(0), json!(1)));
    let new = bob.posts("Zephyr");
    assert_eq!(new, posts.last().unwrap() + 2, "the number of the deleted post is not used again");
    assert_eq!(walk(&root, "/admin/posts?limit=20&q=zephyr"), [new]);

    wait_for(async {
        let db = site.db().await;
        let wrong: Vec<(i64,)> =
            sql("SELECT u.id FROM users AS u LEFT JOIN user_counts AS c ON c.user_id = u.id \
             WHERE c.posts IS NULL OR c.posts <> (SELECT count(*) FROM posts AS p \
                 WHERE p.user_id = u.id AND p.published_at IS NOT NULL) \
             OR c.votes <> (SELECT count(*) FROM votes AS v JOIN posts AS p ON p.id = v.post_id \
                 WHERE p.user_id = u.id)")
            .all(&db)
            .await
            .unwrap();
        assert_eq!(wrong, [], "the counts are exact");
        let wrong: Vec<(i64,)> = sql("SELECT id FROM posts WHERE votes <> \
             (SELECT count(*) FROM votes WHERE post_id = posts.id)")
        .all(&db)
        .await
        .unwrap();
        assert_eq!(wrong, []);
        // The log still refuses to be changed.
        assert!(sql("DELETE FROM audit_events").execute(db.writer()).await.is_err());
        assert!(sql("UPDATE audit_events SET kind = 'x'").execute(db.writer()).await.is_err());
        db.close().await;
    });
    let verified = site.run(&["audit", "verify"], "");
    assert!(verified.status.success(), "{}", verified.text);
}

#[test]
fn a_moved_site_is_the_same_site() {
    let site = on_sqlite();
    let server = site.start();
    let (ann, posts) = fill(&site, &server);
    drop(server);
    let end = site.run(&["audit", "verify"], "");
    let end = end.stdout.trim().rsplit(' ').next().unwrap().to_owned();

    let to = target(&site);
    let moved = relocate(&site, &to, &[]);
    assert!(tables(&moved).iter().any(|(name, rows, _)| name == "posts" && *rows == 44));
    let there = Site::on(to);
    let same_end = there.run(&["audit", "verify", "--expect", &end], "");
    assert!(same_end.status.success(), "{}", same_end.text);
    // On to another database, and back: each is looked at.
    let second = Site::sqlite();
    tables(&relocate(&there, second.url(), &[]));
    look(&there, &there.start(), &ann, &posts);
    look(&second, &second.start(), &ann, &posts);
    look(&site, &site.start(), &ann, &posts);
}

/// The signing keys, with which second factors are sealed, are not in the database.
#[test]
fn the_operator_is_told_to_keep_the_keys() {
    let site = Site::unconfigured();
    assert!(site.run(&["user", "add", "ann"], PASSWORD).status.success());
    let moved = relocate(&site, "sqlite:other/postly.db", &[]);
    assert!(moved.text.contains("Set POSTLY_SECRET_KEY to the lines of data/secret.key"));
    if database::is_postgres() {
        let url = wait_for(database::empty_postgres());
        let moved = relocate(&site, &url, &[]);
        assert!(moved.status.success(), "{}", moved.text);
        assert!(moved.text.contains("secret.key"), "{}", moved.text);
    }
}

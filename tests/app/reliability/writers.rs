//! Many concurrent writers: all are served, and no edit is silently lost.

use std::sync::Barrier;

use serde_json::json;

use crate::support::binary::{Site, wait_for};
use crate::support::internals::sql;

const WRITERS: usize = 32;

#[test]
fn thirty_two_writers_are_all_served() {
    let site = Site::new();
    let server = site.start();
    let (ann, bob) = (server.newcomer("ann"), server.newcomer("bob"));
    let start = Barrier::new(WRITERS);
    std::thread::scope(|scope| {
        for writer in 0..WRITERS {
            let (ann, bob, start) = (&ann, &bob, &start);
            scope.spawn(move || {
                start.wait();
                for n in 0..5 {
                    let id = ann.posts(&format!("{writer}-{n}"));
                    let path = format!("/posts/{id}");
                    let edit = Some(json!({"content": "edited"}));
                    let form = [("title", "by a form"), ("content", "edited")];
                    for (what, status, expected) in [
                        ("vote", bob.ask("PUT", &format!("{path}/vote"), None).status, 200),
                        ("edit", ann.ask("PUT", &path, edit).status, 200),
                        ("form", bob.page("/posts", &form).unwrap().status, 303),
                    ] {
                        assert_eq!(status, expected, "{what} of {path}");
                    }
                    if n % 2 == 1 {
                        assert_eq!(ann.ask("DELETE", &path, None).status, 204);
                    }
                }
            });
        }
    });
    wait_for(async {
        let db = site.db().await;
        let found =
            sql("SELECT count(*), CAST(sum(votes) AS BIGINT) FROM posts WHERE content = $1")
                .bind("edited")
                .one::<(i64, i64)>(&db)
                .await
                .unwrap();
        // Of five that each writer published as ann, two are deleted; bob's five stay.
        assert_eq!(found, (WRITERS as i64 * (3 + 5), WRITERS as i64 * 3));
    });
}

/// Half of them through the API, half with the form: one saves, the others get a conflict.
#[test]
fn of_many_edits_of_one_version_one_is_saved_and_the_others_are_told() {
    let site = Site::new();
    let server = site.start();
    let ann = server.newcomer("ann");
    let id = ann.posts("original");
    let start = Barrier::new(WRITERS);
    let responses: Vec<(bool, u16, String)> = std::thread::scope(|scope| {
        let editors: Vec<_> = (0..WRITERS)
            .map(|editor| {
                let (ann, start) = (&ann, &start);
                scope.spawn(move || {
                    let by_form = editor % 2 == 0;
                    let text = format!("by {editor}");
                    start.wait();
                    let status = if by_form {
                        let fields = [
                            ("_method", "PUT"),
                            ("title", text.as_str()),
                            ("content", text.as_str()),
                            ("version", "1"),
                        ];
                        ann.page(&format!("/posts/{id}"), &fields).unwrap().status
                    } else {
                        let edit = json!({"title": text, "content": text, "version": 1});
                        ann.ask("PUT", &format!("/posts/{id}"), Some(edit)).status
                    };
                    (by_form, status, text)
                })
            })
            .collect();
        editors.into_iter().map(|editor| editor.join().unwrap()).collect()
    });
    let (saved, refused): (Vec<_>, Vec<_>) =
        responses.into_iter().partition(|(_, status, _)| matches!(status, 200 | 303));
    assert_eq!(saved.len(), 1, "{saved:?}");
    for (by_form, status, text) in refused {
        assert_eq!(status, if by_form { 409 } else { 412 }, "{text}");
    }
    let post = ann.ask("GET", &format!("/posts/{id}"), None).json;
    assert_eq!((&post["title"], &post["content"]), (&json!(saved[0].2), &json!(saved[0].2)));
    assert_eq!(post["version"], 2);
}

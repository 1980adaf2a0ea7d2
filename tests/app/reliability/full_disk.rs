//! A full disk: writes fail, reads still work, and freeing space is enough to recover.

use std::path::Path;
use std::process::Command;

use serde_json::json;

use crate::support::binary::{Server, Site, Starting, wait_for};
use crate::support::internals::{Db, sql};
use crate::support::{App, PASSWORD};

/// The binary on a full disk: no file can grow, which SQLite sees as an I/O error.
#[test]
fn while_no_file_can_grow_writing_is_503_and_reading_goes_on() {
    let site = Site::new();
    if !site.is_sqlite() {
        return; // The files belong to PostgreSQL; the next test covers its error.
    }
    // Growing beyond the limit raises a signal that would end the server; if the shell ignores it,
    // so does the program that it executes.
    let mut command = site.command("/bin/sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\"", env!("CARGO_BIN_EXE_postly")]);
    let server = Starting::of(&mut command).ready();
    let ann = server.newcomer("ann");
    let before = ann.posts("while there is space");

    let bob = json!({"username": "bob", "password": PASSWORD});
    let log = site.folder.path().join("postly.db-wal");
    let size = log.metadata().expect("a write-ahead log").len();
    limit(&server, &format!("{size}:unlimited"));
    for n in 0..3 {
        let draft = json!({"title": format!("too much {n}"), "content": "x".repeat(10_000)});
        let response = ann.ask("POST", "/posts", Some(draft));
        assert_eq!(response.status, 503, "{}", response.json);
        assert!(
            response.json["detail"].as_str().unwrap().contains("try again"),
            "{}",
            response.json
        );
        let form = [("title", "too much"), ("content", "to say")];
        assert_eq!(ann.page("/posts", &form).unwrap().status, 503);
        let edit = Some(json!({"title": "edited", "content": "edited"}));
        assert_eq!(ann.ask("PUT", &format!("/posts/{before}"), edit).status, 503);
        assert_eq!(server.nobody().ask("POST", "/auth/register", Some(bob.clone())).status, 503);

        let post = ann.ask("GET", &format!("/posts/{before}"), None);
        assert_eq!((post.status, &post.json["title"]), (200, &json!("while there is space")));
        assert_eq!(ann.ask("GET", "/posts", None).json["items"].as_array().unwrap().len(), 1);
        for page in ["/", &format!("/posts/{before}/while-there-is-space"), "/healthz"] {
            assert_eq!(server.nobody().get(page).unwrap().status, 200, "{page}");
        }
    }

    limit(&server, "unlimited");
    ann.posts("space again");
    let edit = Some(json!({"title": "edited", "content": "edited"}));
    assert_eq!(ann.ask("PUT", &format!("/posts/{before}"), edit).status, 200);
    assert_eq!(server.nobody().ask("POST", "/auth/register", Some(bob)).status, 201);
    // Nothing from the refused requests was stored.
    assert_eq!(ann.ask("GET", "/posts", None).json["items"].as_array().unwrap().len(), 2);
    wait_for(async {
        let db = site.db().await;
        let (verdict,) = sql("PRAGMA integrity_check").one::<(String,)>(&db).await.unwrap();
        assert_eq!(verdict, "ok");
    });
}

/// Limits the size of the server's files from now on.
fn limit(server: &Server, bytes: &str) {
    assert!(
        Path::new("/usr/bin/prlimit").exists(),
        "prlimit is missing: apt-get install util-linux"
    );
    let status = Command::new("/usr/bin/prlimit")
        .args(["--pid", &server.id(), &format!("--fsize={bytes}")])
        .status()
        .unwrap();
    assert!(status.success(), "the limit cannot be set");
}

/// The engine itself reports a full disk: SQLITE_FULL, or PostgreSQL's 53100.
#[rocket::async_test]
async fn a_full_database_is_503_at_both_doors_until_there_is_space() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let before = ann.posts("while there is space").await;
    let served = &app.db;

    fill(served).await;
    let draft = json!({"title": "Too much", "content": "x".repeat(50_000)});
    let refused = ann.api().post("/posts", draft.clone()).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    let content = "x".repeat(50_000);
    let form = [("title", "Too much"), ("content", content.as_str())];
    let refused = ann.page().post("/posts", &form).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.body.contains("try again"), "{}", refused.body);
    for path in [format!("/posts/{before}"), "/posts".to_owned()] {
        assert_eq!(ann.api().get(&path).await.status, 200, "{path}");
    }
    assert_eq!(ann.page().get("/").await.status, 200);

    make_space(served).await;
    assert_eq!(ann.api().post("/posts", draft).await.status, 201);
    assert_eq!(ann.page().post("/posts", &form).await.status, 303);
}

async fn fill(db: &Db) {
    match db {
        Db::Sqlite { writer, .. } => {
            sqlx::query("PRAGMA max_page_count = 1").execute(writer).await.unwrap();
        }
        // The error of PostgreSQL when it cannot extend a file, without filling a disk.
        Db::Postgres { pool, .. } => {
            let text = "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                 RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$; \
                 CREATE TRIGGER full_disk BEFORE INSERT ON posts EXECUTE FUNCTION full_disk()";
            sqlx::raw_sql(text).execute(pool).await.unwrap();
        }
    }
}

async fn make_space(db: &Db) {
    match db {
        Db::Sqlite { writer, .. } => {
            sqlx::query("PRAGMA max_page_count = 1000000").execute(writer).await.unwrap();
        }
        Db::Postgres { pool, .. } => {
            sqlx::raw_sql("DROP TRIGGER full_disk ON posts").execute(pool).await.unwrap();
        }
    }
}

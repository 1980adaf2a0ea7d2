//! What a move does not do.

use std::os::unix::fs::PermissionsExt;

use super::{on_sqlite, refused, relocate, tables, target};
use crate::support::PASSWORD;
use crate::support::binary::{Site, run, wait_for};
use crate::support::database;
use crate::support::internals::sql;

#[test]
fn a_target_that_is_not_empty_stays_as_it_is() {
    let site = on_sqlite();
    let used = Site::new();
    assert!(used.run(&["user", "add", "zoe"], PASSWORD).status.success());
    refused(&relocate(&site, used.url(), &[]), "is not empty");
    assert!(used.run(&["user", "list"], "").stdout.contains("zoe"));
    refused(&relocate(&site, site.url(), &[]), "is not empty");

    let foreign = Site::empty();
    wait_for(async {
        let db = foreign.db().await;
        sql("CREATE TABLE invoices (id INTEGER)").execute(db.writer()).await.unwrap();
        db.close().await;
    });
    let output = relocate(&site, foreign.url(), &[]);
    assert!(!output.status.success(), "{}", output.text);
    wait_for(async {
        let db = foreign.db().await;
        let count: i64 = sql("SELECT count(*) FROM invoices").scalar(&db).await.unwrap();
        assert_eq!(count, 0);
        assert!(sql("SELECT 1 FROM _sqlx_migrations").execute(&db).await.is_err(), "nothing came");
        db.close().await;
    });
}

#[test]
fn a_mistaken_target_is_told_of_by_its_option() {
    let site = on_sqlite();
    for (to, why) in [
        ("mysql://x", "--to must begin with sqlite: or postgres://"),
        ("sqlite::memory:", "--to must name a file"),
        ("postgres://ann:canary@127.0.0.1:1/none", "127.0.0.1:1/none cannot be reached"),
        ("postgres://127.0.0.1:1/none?pasword=canary", "--to has an unknown parameter"),
    ] {
        let output = relocate(&site, to, &[]);
        refused(&output, why);
        assert!(!output.text.contains("canary"), "{}", output.text);
    }
    let missing = Site::sqlite();
    refused(&relocate(&missing, "sqlite:there.db", &[]), "there is no database at");
    assert!(!missing.path("there.db").exists() && !missing.path("site.db").exists());
}

#[test]
fn while_a_server_runs_only_a_trial_is_moved() {
    let site = Site::new();
    let server = site.start();
    let ann = server.newcomer("ann");
    ann.posts("Tides");
    let to = target(&site);
    refused(&relocate(&site, &to, &[]), "stop it first, or try a move with --online");
    assert!(!site.path("moved").exists());
    let moved = relocate(&site, &to, &["--online"]);
    assert!(tables(&moved).contains(&(
        "posts".to_owned(),
        1,
        tables(&moved).into_iter().find(|(name, ..)| name == "posts").unwrap().2
    )));
    ann.posts("Still here");
    drop(server);
    // Nobody keeps the connections of the server that was killed.
    assert!(Site::on(to).run(&["audit", "verify"], "").status.success());
}

#[test]
fn what_postgres_cannot_store_is_named() {
    if !database::is_postgres() {
        return;
    }
    let site = on_sqlite();
    assert!(site.run(&["user", "add", "ann"], PASSWORD).status.success());
    wait_for(async {
        let db = site.db().await;
        sql("UPDATE users SET pending_email = 'a' || char(0) || 'b'")
            .execute(db.writer())
            .await
            .unwrap();
        db.close().await;
    });
    let to = wait_for(database::empty_postgres());
    let output = relocate(&site, &to, &[]);
    refused(&output, "the column users.pending_email of the row with id 1 has the character NUL");
    refused(&Site::on(to.clone()).refuses_to_serve(), "was not filled completely");
    wait_for(async {
        let db = site.db().await;
        sql("UPDATE users SET pending_email = NULL").execute(db.writer()).await.unwrap();
        db.close().await;
    });
    tables(&relocate(&site, &to, &[]));
    assert!(Site::on(to).run(&["user", "list"], "").stdout.contains("ann"));
}

#[test]
fn the_file_of_a_move_is_its_owners() {
    let site = Site::new();
    let mut command = site.command("/bin/sh");
    command.args(["-c", "umask 000; exec \"$0\" move --to sqlite:moved/postly.db"]);
    let moved = run(command.arg(env!("CARGO_BIN_EXE_postly")), "");
    assert!(moved.status.success(), "{}", moved.text);
    let mode = |name: &str| site.path(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("moved"), mode("moved/postly.db")), (0o700, 0o600));
    let names: Vec<_> = site.path("moved").read_dir().unwrap().map(|e| e.unwrap().path()).collect();
    assert_eq!(names.len(), 2, "the database and the file of its lock: {names:?}");
}

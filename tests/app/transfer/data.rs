//! Every table and every column goes from SQLite to PostgreSQL and back, whatever stands in it.

use std::collections::BTreeSet;

use sqlx::{Connection, Executor, SqliteConnection};

use super::{relocate, tables};
use crate::support::binary::{Site, wait_for};
use crate::support::database::{self, sqlite_contents};
use crate::support::internals::moved_columns;

const OLD: &str = include_str!("../../fixtures/2026-11-21/sqlite.sql");

/// What the old site has nothing of. A new table or column belongs here.
const MORE: &str = "
    INSERT INTO settings (name, value) VALUES ('name', 'Harbour Lights');
    INSERT INTO demo_users (user_id) VALUES (3);
    INSERT INTO checkups (one, requested_at, finished_at, findings) VALUES
        (1, '2026-11-28T10:00:00+00:00', '2026-11-28T10:00:01+00:00', '[]');
    INSERT INTO logo (one, media_type, fingerprint, content) VALUES (1, 'image/png', 'f', x'00ff0a5c');
    INSERT INTO documents (name, version, content, content_html, created_at) VALUES
        ('rules', 1, '', '', '2026-11-28T10:00:00+00:00'),
        ('rules', 2, 'Be *kind*.', '<p>Be <em>kind</em>.</p>', '2026-11-28T10:00:00.5+00:00');
    INSERT INTO audit_events (id, at, kind, address, user_agent, request_id, detail, actor_digest,
        subject_digest, hash) VALUES (45, '2026-11-28T10:00:00.000001+00:00', 'x', '', '', '', '',
        'digest', 'digest', 'hash');
    INSERT INTO audit_people (event_id, part, user_id, salt, name, address, user_agent) VALUES
        (45, 'actor', 1, 'salt', 'ann', '192.0.2.1', 'curl'), (45, 'subject', 2, '', NULL, NULL, NULL);
    INSERT INTO audit_seals (event_id, hash, sealed_at, key_id, signature)
        SELECT id, hash, '2026-11-28T10:00:00+00:00', 'key', 'signature'
        FROM audit_events WHERE id = 7;
    INSERT INTO jobs (kind, unique_key, payload, created_at, run_at, last_error, claimed_until,
        finished_at, failed, lane) VALUES ('mail', 'key', '{}', '2026-11-28T10:00:00+00:00',
        '2026-11-28T10:00:00+00:00', 'no', '2026-11-28T10:00:00+00:00',
        '2026-11-28T10:00:00+00:00', TRUE, 'lane');
    INSERT INTO idempotency_keys (digest, user_id, request, leased_until, expires_at, has_written,
        answer) VALUES ('digest', 1, 'key.code', '2026-11-28T10:00:00+00:00',
        '2026-11-29T10:00:00+00:00', TRUE, 'key.sealed'), ('other', NULL, 'key.code',
        '2026-11-28T10:00:00+00:00', '2026-11-29T10:00:00+00:00', FALSE, NULL);
    UPDATE users SET mail_failed_to = 'x@mail.example', mail_failed_reason = '550',
        mail_failed_at = '2026-11-28T10:00:00+00:00' WHERE id = 2;
    UPDATE refresh_tokens SET family = 'family' WHERE id = 1;
    UPDATE link_tokens SET job_id = 1, ended_at = '2026-11-28T10:00:00+00:00' WHERE user_id = 1;
    INSERT INTO applications (user_id, client_id, secret_hash, name, redirect_uris, created_at) VALUES
        (1, 'public', NULL, 'Tide Tables', 'http://127.0.0.1/ com.example.tides:/',
        '2026-11-28T10:00:00+00:00'),
        (2, 'confidential', 'hash', 'Log Book', 'https://log.example/', '2026-11-28T10:00:00+00:00');
    UPDATE sessions SET scopes = 'posts:read', application_id = 1
        WHERE id = (SELECT max(session_id) FROM refresh_tokens);
    INSERT INTO authorization_codes (hash, application_id, user_id, stamp, redirect_uri, challenge,
        scopes, expires_at, session_id) VALUES
        ('one', 1, 2, 'stamp', 'http://127.0.0.1:5000/', 'challenge', 'posts:read account',
        '2026-11-28T10:01:00+00:00', (SELECT max(session_id) FROM refresh_tokens)),
        ('two', 2, 1, 'stamp', 'https://log.example/', 'challenge', 'account',
        '2026-11-28T10:01:00.5+00:00', NULL);
    INSERT INTO kept_forms (session_id, path, fields, expires_at) VALUES
        ((SELECT max(session_id) FROM refresh_tokens), '/posts/new', 'key.sealed',
        '2026-11-28T11:00:00+00:00');
    INSERT INTO comments (post_id, parent_id, depth, root_id, position, user_id, content,
        content_html, rendering, created_at, updated_at, deleted_at) VALUES
        (1, NULL, 0, 1, 0, 1, 'First', '<p>First</p>', 3, '2026-11-28T10:00:00+00:00',
        '2026-11-28T10:01:00+00:00', NULL),
        (1, 1, 1, 1, 1, NULL, '', '', 3, '2026-11-28T10:02:00+00:00', NULL,
        '2026-11-28T10:03:00+00:00');
    INSERT INTO comment_revisions (comment_id, version, content, written_at) VALUES
        (1, 1, 'Before', '2026-11-28T10:00:00+00:00');
    INSERT INTO post_revisions (post_id, number, title, content, tags, editor_id, written_at, summary,
        visibility) VALUES
        (1, 1, 'First', 'Before', 'sea ocean', 2, '2026-11-28T10:00:00+00:00', 'In short', 'members'),
        (1, 2, '', '', '', NULL, '2026-11-28T10:00:00.5+00:00', NULL, NULL);
    INSERT INTO comment_votes (comment_id, user_id, created_at) VALUES
        (1, 2, '2026-11-28T10:00:00+00:00');
    INSERT INTO tags (name, description, created_at) VALUES
        ('sea', 'Tides and ships', '2026-11-28T10:00:00+00:00'), ('ocean', '', '2026-11-28T10:00:00+00:00');
    UPDATE tags SET alias_of = 1 WHERE name = 'ocean';
    INSERT INTO post_tags (post_id, tag_id, position, published_at) VALUES
        (1, 1, 0, '2026-11-28T10:00:00+00:00'), (2, 1, 0, NULL);
    INSERT INTO comment_words (id, version, stemming, text) VALUES
        (1, 1, 'english-1', '＊ ＠1\n\n\nann\nfirst 世 界');
    UPDATE posts SET comments_closed_at = '2026-11-28T10:00:00+00:00' WHERE id = 3;
    INSERT INTO share_links (post_id, token, created_at, expires_at)
        VALUES (3, 'token', '2026-11-28T10:00:00+00:00', '2027-11-28T10:00:00+00:00');
    INSERT INTO post_drafts (post_id, version, title, content, summary, tags, series, saved_at)
        VALUES (3, 1, 'Next', 'Next', 'Short', 'sea, !?', 'Coa', '2026-11-28T10:00:00+00:00');
    INSERT INTO series (user_id, title, title_key, created_at, unused_since) VALUES
        (1, 'Coast', 'coast', '2026-11-28T10:00:00+00:00', NULL),
        (1, 'Dunes', 'dunes', '2026-11-28T10:00:00+00:00', '2026-11-29T10:00:00+00:00');
    UPDATE posts SET series_id = 1 WHERE user_id = 1;
    UPDATE posts SET slug = 'chosen', published_at = NULL, publish_at = '2027-06-01T12:00:00+00:00', state = 'scheduled',
        visibility = 'members', summary = 'Why the sea rises' WHERE id = 2;
    -- Texts that a format could mistake for something else.
    UPDATE posts SET content = 'tab\tcr\r lf\n back\\slash \\N \\. \"quotes\" ''single'' {a,b} NULL' WHERE id = 3;
    UPDATE posts SET content = '\\N', excerpt = '' WHERE id = 4;
    UPDATE posts SET title = 'Zoë 𝄞 👩‍👩‍👧‍👦 \u{feff}\u{202e}\u{1}\u{7f}\u{fffd}' WHERE id = 5;
    UPDATE posts SET votes = 9223372036854775807, version = -9223372036854775808 WHERE id = 1;
    UPDATE posts SET created_at = '1969-12-31T23:59:59.999999+00:00',
        updated_at = '9999-12-31T23:59:59.999999+00:00' WHERE id = 6;
    UPDATE posts SET created_at = '0001-01-01T00:00:00+00:00' WHERE id = 7;
";

/// The old site after an upgrade, with something in every column.
fn site() -> Site {
    let site = Site::sqlite();
    let file = site.path("site.db").display().to_string();
    let execute = async |text: String| {
        let mut connection =
            SqliteConnection::connect(&format!("sqlite:{file}?mode=rwc")).await.unwrap();
        connection.execute(sqlx::raw_sql(sqlx::AssertSqlSafe(text))).await.unwrap();
        connection.close().await.unwrap();
    };
    wait_for(execute(OLD.to_owned()));
    let migrated = site.run(&["migrate"], "");
    assert!(migrated.status.success(), "{}", migrated.text);
    wait_for(execute(MORE.to_owned()));
    site
}

/// Asks a SQLite file for words, one a row.
async fn words(file: &str, text: &'static str) -> BTreeSet<String> {
    let mut connection = SqliteConnection::connect(file).await.unwrap();
    let words: Vec<String> = sqlx::query_scalar(text).fetch_all(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    words.into_iter().collect()
}

#[test]
fn every_column_is_moved_there_and_back() {
    let site = site();
    let file = site.path("site.db").display().to_string();
    wait_for(async {
        for column in moved_columns(&format!("sqlite:{file}")).await.unwrap() {
            let Some((table, name)) = column.split(' ').next().unwrap().split_once('.') else {
                continue; // A sequence.
            };
            let mut connection = SqliteConnection::connect(&file).await.unwrap();
            let text = sqlx::AssertSqlSafe(format!("SELECT count({name}) FROM {table}"));
            let count: i64 = sqlx::query_scalar(text).fetch_one(&mut connection).await.unwrap();
            assert_ne!(count, 0, "this test has nothing in {table}.{name}: add it to MORE");
        }
    });
    let before = wait_for(sqlite_contents(&file));
    let schema = "SELECT coalesce(sql, name) FROM sqlite_schema";

    let there = if database::is_postgres() {
        wait_for(database::empty_postgres())
    } else {
        format!("sqlite:{}", site.path("there.db").display())
    };
    let forth = relocate(&site, &there, &[]);
    let moved = tables(&forth);
    // The seal and the event that the test has added.
    assert!(forth.text.contains("audit log is as broken as it was"), "{}", forth.text);
    let back = site.path("back.db").display().to_string();
    let returned = relocate(&Site::on(there), &format!("sqlite:{back}"), &[]);
    assert_eq!(tables(&returned), moved, "the same numbers of rows and hashes");

    let mut after = wait_for(sqlite_contents(&back));
    assert_eq!(wait_for(words(&back, schema)), wait_for(words(&file, schema)));
    let mut before = before;
    for contents in [&mut before, &mut after] {
        // When each database was migrated.
        contents.remove("_sqlx_migrations");
        // The index of the search, which is made anew, and told from its table below.
        contents.retain(|table, _| !table.contains("_index"));
        // Each time is written anew: the same moment may have had fewer digits.
        for row in contents.values_mut().flatten() {
            *row = row.replace(".5+00:00", ".500+00:00");
        }
        contents.values_mut().for_each(|rows| rows.sort());
    }
    assert_eq!(after.keys().collect::<Vec<_>>(), before.keys().collect::<Vec<_>>());
    for (table, rows) in &before {
        assert_eq!(&after[table], rows, "{table}");
    }
    let checks = words(&back, "PRAGMA integrity_check");
    assert_eq!(wait_for(checks), BTreeSet::from(["ok".to_owned()]));
}

/// Both engines have the same tables and columns, all of kinds that a move knows.
#[test]
fn a_move_knows_every_table_and_column_of_both_engines() {
    let site = super::on_sqlite();
    let on_sqlite = wait_for(moved_columns(site.url())).unwrap();
    assert!(on_sqlite.contains(&"posts.published_at Time".to_owned()), "{on_sqlite:?}");
    assert!(on_sqlite.contains(&"posts has a sequence".to_owned()), "{on_sqlite:?}");
    assert!(!on_sqlite.iter().any(|column| column.contains("_index")), "{on_sqlite:?}");
    let here = Site::new();
    assert_eq!(wait_for(moved_columns(here.url())).unwrap(), on_sqlite);
}

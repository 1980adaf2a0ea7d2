//! Filling an SQLite database with more posts than anybody wants to write.

use std::path::Path;
use std::time::{Duration, Instant};

use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};

/// All columns of a post but its id.
const COLUMNS: &str = "user_id, title, content, content_html, excerpt, reading_minutes, rendering, votes, version, \
                       created_at, updated_at, published_at";

/// Runs what needs a connection, with the settings that Postly's own writer has.
pub fn with_connection<T>(file: &Path, work: impl AsyncFnOnce(&mut SqliteConnection) -> T) -> T {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    rocket::tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(
        async {
            let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
            let result = work(&mut connection).await;
            connection.close().await.unwrap();
            result
        },
    )
}

/// Copies what is there, each time some years older, until there are so many.
pub fn copy_posts(file: &Path, posts: u64) {
    // The time in the format in which Postly writes it.
    let shifted = COLUMNS.replace(
        "created_at, updated_at, published_at",
        "strftime('%Y-%m-%dT%H:%M:%f000+00:00', created_at, shift), updated_at, \
         strftime('%Y-%m-%dT%H:%M:%f000+00:00', published_at, shift)",
    );
    let copy = format!(
        "INSERT INTO posts ({COLUMNS}) WITH RECURSIVE copies (n) AS \
             (SELECT 1 UNION ALL SELECT n + 1 FROM copies WHERE n < ?1) \
         SELECT {shifted} FROM (SELECT n, '-' || (n * 100) || ' days' AS shift FROM copies) \
         CROSS JOIN (SELECT * FROM posts WHERE published_at IS NOT NULL) \
         ORDER BY n DESC LIMIT ?2"
    );
    with_connection(file, async |connection| {
        let there: i64 = sqlx::query_scalar("SELECT count(*) FROM posts")
            .fetch_one(&mut *connection)
            .await
            .unwrap();
        let missing = i64::try_from(posts).unwrap() - there;
        sqlx::query(sqlx::AssertSqlSafe(copy))
            .bind(missing / there + 1)
            .bind(missing)
            .execute(&mut *connection)
            .await
            .unwrap();
        // Some of the tags that there are.
        sqlx::query(
            "INSERT INTO post_tags (post_id, tag_id, position, published_at) \
             SELECT p.id, 1 + p.id % (SELECT count(*) FROM tags), 0, p.published_at FROM posts p \
             WHERE NOT EXISTS (SELECT 1 FROM post_tags t WHERE t.post_id = p.id)",
        )
        .execute(&mut *connection)
        .await
        .unwrap();
    });
}

/// Copies the newest post in a transaction of its own, again and again, for so long; gives the
/// transactions per second.
pub fn insert_for(file: &Path, length: Duration) -> f64 {
    let newest: i64 = with_connection(file, async |connection| {
        sqlx::query_scalar("SELECT max(id) FROM posts").fetch_one(&mut *connection).await.unwrap()
    });
    let copy = format!(
        "INSERT INTO posts ({COLUMNS}) SELECT {COLUMNS} FROM posts WHERE id = {newest} RETURNING id"
    );
    repeat_for(file, length, &[copy])
}

/// Carries out these statements in a transaction of their own, again and again, for so long; gives the
/// transactions per second. Their `?1` is another number each time.
pub fn repeat_for(file: &Path, length: Duration, statements: &[String]) -> f64 {
    with_connection(file, async |connection| {
        let (began, mut done) = (Instant::now(), 0u32);
        while began.elapsed() < length {
            let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.unwrap();
            for statement in statements {
                let query = sqlx::query(sqlx::AssertSqlSafe(statement.as_str()));
                // Those without a `?1` take no value.
                let query = if statement.contains("?1") { query.bind(done) } else { query };
                query.execute(&mut *transaction).await.unwrap();
            }
            transaction.commit().await.unwrap();
            done += 1;
        }
        f64::from(done) / began.elapsed().as_secs_f64()
    })
}

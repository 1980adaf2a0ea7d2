//! The work that the database does for a list. What is counted is work, not time: rows on PostgreSQL,
//! steps of its virtual machine on SQLite.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::{Value as Json, json};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, SqliteConnection};

use crate::support::internals::{Value, recording};
use crate::support::{Person, Response, database};

/// Reading all rows would be at least 30,000 rows, and 150,000 steps. A search may look at some
/// blocks of rows; the steps of a list include reading the schema. A thread has up to 520 comments,
/// each of which is joined with its author.
pub fn most_work(path: &str) -> i64 {
    if path.contains("/comments") && !path.contains("/revisions") {
        return if database::is_postgres() { 8_000 } else { 80_000 };
    }
    // A filter that no index serves looks at 2,000 posts, a few of which it joins with their tags.
    if ["tag=", "min_votes=", "since=", "until="].iter().any(|name| path.contains(name)) {
        return if database::is_postgres() { 24_000 } else { 160_000 };
    }
    match (database::is_postgres(), path.contains("q=")) {
        (true, true) => 12_000,
        (true, false) => 2_000,
        (false, true) => 30_000,
        (false, false) => 15_000,
    }
}

/// Carries out one recorded statement and measures the work.
pub enum Meter {
    Sqlite(SqliteConnection, Arc<AtomicI64>),
    Postgres(PgConnection),
}

macro_rules! bind_all {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                Value::Bool(v) => query.bind(v),
                Value::Int(v) => query.bind(v),
                Value::Text(v) => query.bind(v),
                Value::Bytes(v) => query.bind(v),
                Value::Time(v) => query.bind(v),
            };
        }
        query
    }};
}

impl Meter {
    pub async fn new(url: &str) -> Meter {
        if database::is_postgres() {
            return Meter::Postgres(PgConnection::connect(url).await.unwrap());
        }
        let mut connection = SqliteConnection::connect(url).await.unwrap();
        // Reads the schema, which is no work of a list.
        sqlx::query("SELECT 1 FROM posts LIMIT 1").fetch_all(&mut connection).await.unwrap();
        let steps = Arc::new(AtomicI64::new(0));
        let count = steps.clone();
        connection.lock_handle().await.unwrap().set_progress_handler(10, move || {
            count.fetch_add(10, Ordering::Relaxed);
            true
        });
        Meter::Sqlite(connection, steps)
    }

    pub async fn work(&mut self, text: &str, values: Vec<Value>) -> (i64, String) {
        match self {
            Meter::Sqlite(connection, steps) => {
                steps.store(0, Ordering::Relaxed);
                let query = sqlx::query(AssertSqlSafe(text.to_owned()));
                bind_all!(query, values).fetch_all(&mut *connection).await.unwrap();
                (steps.load(Ordering::Relaxed), String::new())
            }
            Meter::Postgres(connection) => {
                let text = format!("EXPLAIN (ANALYZE, FORMAT JSON) {text}");
                let query = sqlx::query(AssertSqlSafe(text));
                let row = bind_all!(query, values).fetch_one(&mut *connection).await.unwrap();
                let plan: String = row.get_unchecked(0);
                let plan: Json = serde_json::from_str(&plan).unwrap();
                (rows(&plan[0]["Plan"]), format!("{plan:#}"))
            }
        }
    }
}

/// The rows that all nodes of a plan produced or dropped.
fn rows(node: &Json) -> i64 {
    let number = |name: &str| node[name].as_f64().unwrap_or_default();
    let own = number("Actual Rows")
        + number("Rows Removed by Filter")
        + number("Rows Removed by Index Recheck");
    #[allow(clippy::cast_possible_truncation)]
    let own = (own * number("Actual Loops")) as i64;
    own + node["Plans"].as_array().into_iter().flatten().map(rows).sum::<i64>()
}

pub fn cursor(keys: &[i64]) -> String {
    let keys: Vec<_> = keys.iter().map(i64::to_string).collect();
    BASE64_URL_SAFE_NO_PAD.encode(keys.join("."))
}

/// Reads a list and measures each of its statements. The second value is the largest work.
pub async fn measure(meter: &mut Meter, person: &Person<'_>, path: &str) -> (Json, i64) {
    let (response, statements) = recording(person.api().get(path)).await;
    assert_eq!(response.status, 200, "{path}: {}", response.body);
    assert!(!statements.is_empty(), "nothing was recorded for {path}");
    let mut largest = 0;
    for (text, values) in statements {
        if !text.starts_with("SELECT") && !text.starts_with("WITH") {
            continue;
        }
        let (work, plan) = meter.work(&text, values).await;
        assert!(work <= most_work(path), "{path}: {work} for {text}\n{plan}");
        largest = largest.max(work);
    }
    println!("{largest:>8} {path}");
    (response.json(), largest)
}

/// Opens a page and measures each of its statements.
pub async fn measure_page(
    meter: &mut Meter,
    person: &Person<'_>,
    path: &str,
    most: i64,
) -> Response {
    let (response, statements) = recording(person.page().get(path)).await;
    assert_eq!(response.status, 200, "{path}: {}", response.body);
    let mut largest = 0;
    for (text, values) in statements.into_iter().filter(|(text, _)| text.starts_with("SELECT")) {
        let (work, plan) = meter.work(&text, values).await;
        assert!(work <= most, "{path}: {work} for {text}\n{plan}");
        largest = largest.max(work);
    }
    assert!(largest > 0, "nothing was recorded for {path}");
    println!("{largest:>8} {path}");
    response
}

/// The person with a token that outlasts the test, on a busy machine too.
pub async fn lasting<'a>(person: Person<'a>, scopes: Json) -> Person<'a> {
    let new = json!({"name": "test", "scopes": scopes});
    let created = person.api().post("/me/tokens", new).await.json();
    person.with_token(created["token"].as_str().unwrap())
}

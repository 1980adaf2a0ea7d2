//! What authors do with a post that is there, on SQLite: saving it, keeping its next version while they write,
//! and what is published because its time has come; each beside a loop of the same statements on one connection.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sqlx::SqliteConnection;

use crate::common::Scenario;
use crate::common::fill::{repeat_for, with_connection};
use crate::common::server::Postly;
use crate::measure::Found;
use crate::writing::beside_loop;
use crate::{Plan, table};

/// A post that is edited.
pub struct Edited {
    id: i64,
    /// At the API door.
    path: String,
}

/// What is typed; `<n>` is another number in each request.
fn text() -> Value {
    json!({"title": "A measured post", "content": "Some *words*.\n\nAnd more: <n>."})
}

pub fn run(plan: &Plan, postly: &Postly) {
    let edited = Edited::new(postly);
    let [ours, raw] = edited.save(plan, postly);
    table::beside("saving a post, beside a loop of the same statements", &ours, &raw, Some(0.5));
    let [ours, raw] = edited.keep(plan, postly);
    let what = "keeping the next version of a post, beside a loop of the same statement";
    table::beside(what, &ours, &raw, Some(0.5));
    let [ours, raw] = edited.publish(plan, postly);
    let ratio = ours / raw;
    let what = format!(
        "publishing what is due: {ours:.0} posts a second, {ratio:.2} × a loop of the same statements"
    );
    table::figure(&what, "≥ 0.5", ratio >= 0.5);
}

impl Edited {
    pub fn new(postly: &Postly) -> Edited {
        let id = postly.write("/api/v1/posts", &text());
        Edited { id, path: format!("/api/v1/posts/{id}") }
    }

    fn scenario(&self, postly: &Postly, name: &'static str, below: &str) -> Scenario {
        let path = format!("{}{below}", self.path);
        let body = Some(text().to_string());
        Scenario { name, method: "PUT", path, body, ..postly.scenario("writing a post") }
    }

    pub fn save(&self, plan: &Plan, postly: &Postly) -> [Found; 2] {
        let id = self.id;
        let update = format!(
            "UPDATE posts SET content = 'And more: ' || ?1, content_html = '<p>And more: ' || ?1 || '</p>', \
             updated_at = '2026-11-30T12:00:00.000000+00:00', version = version + 1 WHERE id = {id}"
        );
        let statements = [vec![update], self.keep_revision()].concat();
        let scenario = self.scenario(postly, "saving a post", "");
        beside_loop(plan, postly, scenario, |time| repeat_for(&postly.file(), time, &statements))
    }

    pub fn keep(&self, plan: &Plan, postly: &Postly) -> [Found; 2] {
        let upsert = format!(
            "INSERT INTO post_drafts (post_id, version, title, content, summary, tags, saved_at) \
             VALUES ({}, 1, 'A measured post', 'And more: ' || ?1, '', '', '2026-11-30T12:00:00.000000+00:00') \
             ON CONFLICT (post_id) DO UPDATE SET content = excluded.content, saved_at = excluded.saved_at",
            self.id
        );
        let scenario = self.scenario(postly, "keeping the next version", "/draft");
        beside_loop(plan, postly, scenario, |time| {
            repeat_for(&postly.file(), time, std::slice::from_ref(&upsert))
        })
    }

    /// The medians of posts per second: of the job, and of the loop.
    pub fn publish(&self, plan: &Plan, postly: &Postly) -> [f64; 2] {
        let update = format!(
            "UPDATE posts SET state = 'published', version = version + 1, updated_at = NULL, \
             published_at = publish_at WHERE id = {}",
            self.id
        );
        let statements = [vec![update], self.keep_revision()].concat();
        let (mut ours, mut loops) = (Vec::new(), Vec::new());
        for _ in 0..plan.rounds {
            ours.push(self.publish_due(postly, if plan.quick { 20 } else { 500 }));
            loops.push(repeat_for(&postly.file(), plan.length, &statements));
        }
        [ours, loops].map(|mut rounds| {
            rounds.sort_by(f64::total_cmp);
            rounds[rounds.len() / 2]
        })
    }

    /// Keeps the version that was written in this transaction, and drops the oldest ones.
    fn keep_revision(&self) -> Vec<String> {
        let id = self.id;
        let keep = format!(
            "INSERT INTO post_revisions (post_id, number, title, content, tags, written_at) \
             SELECT id, version, title, content, '', created_at FROM posts WHERE id = {id}"
        );
        let drop = format!(
            "DELETE FROM post_revisions WHERE post_id = {id} \
             AND number <= (SELECT version FROM posts WHERE id = {id}) - 500"
        );
        vec![keep, drop]
    }

    /// Makes so many posts due, and gives how many the job publishes a second, from the first to the last.
    fn publish_due(&self, postly: &Postly, posts: i64) -> f64 {
        with_connection(&postly.file(), async |connection| {
            let due = format!(
                "UPDATE posts SET state = 'scheduled', publish_at = created_at, published_at = NULL \
                 WHERE id IN (SELECT id FROM posts WHERE published_at IS NOT NULL AND id <> {} \
                 ORDER BY published_at DESC LIMIT {posts})",
                self.id
            );
            let at_once = "UPDATE jobs SET run_at = created_at \
                 WHERE kind = 'scheduled-posts' AND finished_at IS NULL";
            for statement in [due.as_str(), at_once] {
                let query = sqlx::query(sqlx::AssertSqlSafe(statement));
                query.execute(&mut *connection).await.unwrap();
            }
            // Whatever is written wakes the worker.
            postly.change(&format!("{}/draft", self.path), &text());
            let mut began = None;
            loop {
                let left = waiting(connection).await;
                if left < posts && began.is_none() {
                    began = Some((Instant::now(), left));
                }
                if left == 0 {
                    break;
                }
                std::thread::sleep(Duration::from_micros(200));
            }
            let (began, first) = began.unwrap();
            #[allow(clippy::cast_precision_loss, reason = "some hundred posts")]
            let published = first as f64;
            published / began.elapsed().as_secs_f64()
        })
    }
}

/// How many posts wait for being published.
async fn waiting(connection: &mut SqliteConnection) -> i64 {
    let count = "SELECT count(*) FROM posts WHERE state = 'scheduled'";
    sqlx::query_scalar(count).fetch_one(connection).await.unwrap()
}

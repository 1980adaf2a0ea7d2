//! kill -9 while people write: what was saved for the next version is kept, what was published says exactly
//! what was published, and what was planned is published once.

use std::sync::mpsc::Sender;
use std::time::Instant;

use serde_json::{Value, json};

use super::kill::kill_while;
use crate::support::binary::{Caller, DEADLINE, Server, Site, wait_for};
use crate::support::internals::{now, sql};
use crate::support::{PASSWORD, repetitions};

/// What its author knows of a post.
#[derive(Debug, Clone, PartialEq)]
struct Writing {
    stage: Stage,
    version: i64,
    /// Its title and its content.
    text: String,
    /// The title and the content of its next version, if something is kept.
    next: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Stage {
    Draft,
    /// Or published since.
    Scheduled,
    Published,
}

/// A post as acknowledged, and what the last request would have made of it, if the server was killed
/// before it responded.
#[derive(Debug)]
struct Known {
    id: i64,
    acknowledged: Writing,
    requested: Option<Writing>,
}

/// What an author does. The editor sends what it has kept for the next version.
#[derive(Debug, Clone, Copy)]
enum Step {
    Keep,
    Save,
    Publish,
    Schedule,
    /// With the button of the post's page, which sends no text.
    Release,
    Unpublish,
}

const WAYS: [&[Step]; 3] = [
    &[Step::Keep, Step::Keep, Step::Publish, Step::Keep, Step::Save, Step::Keep],
    &[Step::Keep, Step::Schedule, Step::Keep, Step::Keep],
    &[Step::Keep, Step::Release, Step::Keep, Step::Unpublish, Step::Publish],
];

impl Step {
    /// What it makes of a post; `words` are those that are being typed.
    fn after(self, writing: &Writing, words: String) -> Writing {
        let Writing { stage, version, text, next } = writing.clone();
        let saved = |stage| Writing {
            stage,
            version: version + 1,
            text: next.clone().unwrap_or_else(|| text.clone()),
            next: None,
        };
        match self {
            Step::Keep => Writing { next: Some(words), ..writing.clone() },
            Step::Save => saved(stage),
            Step::Publish => saved(Stage::Published),
            Step::Schedule => saved(Stage::Scheduled),
            Step::Release => {
                Writing { stage: Stage::Published, version: version + 1, ..writing.clone() }
            }
            Step::Unpublish => {
                Writing { stage: Stage::Draft, version: version + 1, ..writing.clone() }
            }
        }
    }

    /// The request that makes `after` of the version `version`.
    fn request(self, path: &str, version: i64, after: &Writing) -> (&'static str, String, Value) {
        let fields = |text: &str| json!({"title": text, "content": text, "version": version});
        let mut saved = fields(&after.text);
        match self {
            Step::Keep => {
                let next = after.next.as_deref().unwrap_or_default();
                return ("PUT", format!("{path}/draft"), fields(next));
            }
            Step::Save => {}
            Step::Publish => saved["state"] = json!("published"),
            Step::Schedule => {
                saved["state"] = json!("published");
                saved["published_at"] = json!(now() + chrono::Duration::milliseconds(400));
            }
            Step::Release => return ("PUT", format!("{path}/publication"), json!({})),
            Step::Unpublish => return ("DELETE", format!("{path}/publication"), json!({})),
        }
        ("PUT", path.to_owned(), saved)
    }
}

#[test]
fn killed_between_saving_and_publishing_it_loses_no_text_and_publishes_no_other() {
    let site = Site::new();
    let mut server = site.start();
    let mut ann = server.newcomer("ann");
    let mut everything = Vec::new();
    for round in 0..12 * repetitions() as usize {
        let author = ann.at(&server);
        let known = kill_while(&mut server, round, |writer, acknowledge| {
            write(&author, round, writer, &acknowledge)
        });
        server = site.start();
        // Tokens last ten minutes, and many rounds take longer.
        ann = ann.at(&server);
        ann.log_in(json!({"username": "ann", "password": PASSWORD}));
        compare(&server, &ann, &known);
        everything.extend(known);
    }
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    wait_for(end_claims(&site));
    let server = site.start();
    let ann = ann.at(&server);
    wait_for(published_by_plan(&site));
    // What was acknowledged in early rounds has survived the later ones too.
    compare(&server, &ann, &everything);
    for known in everything.iter().filter(|known| known.acknowledged.stage == Stage::Scheduled) {
        let post = server.nobody().ask("GET", &format!("/posts/{}", known.id), None);
        assert_eq!((post.status, &post.json["content"]), (200, &json!(known.acknowledged.text)));
    }
    wait_for(nothing_is_half_done(&site));
    let findings = site.run(&["doctor"], "").stdout;
    for sentence in [
        "ok       The database is intact.",
        "ok       The numbers of posts and votes are right.",
        "ok       The search finds all posts, comments and people.",
        "ok       No event of the audit log was changed or removed.",
    ] {
        assert!(findings.contains(sentence), "{sentence}\nis not in\n{findings}");
    }
}

/// Writes one text after the other until the server is killed: by forms or through the API.
fn write(ann: &Caller, round: usize, writer: usize, acknowledge: &Sender<()>) -> Vec<Known> {
    let mut posts: Vec<Known> = Vec::new();
    for n in 0.. {
        let text = format!("{round}-{writer}-{n}");
        let draft = json!({"title": text, "content": text, "state": "draft"});
        let Ok(created) = ann.api("POST", "/posts", Some(draft)) else { break };
        assert_eq!(created.status, 201, "{}", created.json);
        let _ = acknowledge.send(());
        let id = created.json["id"].as_i64().unwrap();
        let acknowledged =
            Writing { stage: Stage::Draft, version: 1, text: text.clone(), next: None };
        posts.push(Known { id, acknowledged, requested: None });
        let known = posts.last_mut().unwrap();
        let way = WAYS[(round + writer + n) % WAYS.len()];
        for (k, step) in way.iter().enumerate() {
            let after = step.after(&known.acknowledged, format!("{text} {k}"));
            let (method, path, fields) =
                step.request(&format!("/posts/{id}"), known.acknowledged.version, &after);
            known.requested = Some(after);
            let (status, expected) = match writer % 2 {
                0 => (by_form(ann, method, &path, &fields), 303),
                _ => (ann.api(method, &path, Some(fields)).map(|answer| answer.status).ok(), 200),
            };
            let Some(status) = status else { return posts };
            assert_eq!(status, expected, "{step:?} of {known:?}");
            known.acknowledged = known.requested.take().unwrap();
            let _ = acknowledge.send(());
        }
    }
    posts
}

/// The status of the answer, if there is one.
fn by_form(ann: &Caller, method: &str, path: &str, fields: &Value) -> Option<u16> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    // The method comes first, as in every form.
    let mut form = vec![("_method", method.to_lowercase())];
    form.extend(fields.as_object().unwrap().iter().map(|(k, v)| (k.as_str(), text(v))));
    let form: Vec<(&str, &str)> =
        form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    ann.page(path, &form).map(|answer| answer.status).ok()
}

/// Each post is as acknowledged or as last requested, for its author and for everybody else.
fn compare(server: &Server, ann: &Caller, posts: &[Known]) {
    for known in posts {
        let path = format!("/posts/{}", known.id);
        // First, since a post may be published this moment.
        let by_others = server.nobody().ask("GET", &path, None);
        let found = read(ann, &path);
        let possible = || std::iter::once(&known.acknowledged).chain(&known.requested);
        assert!(possible().any(|writing| agrees(writing, &found)), "{found:?}, but {known:?}");
        let is_planned = possible().any(|writing| writing.stage == Stage::Scheduled);
        match by_others.status {
            200 => assert_eq!(
                (found.stage, &by_others.json["content"]),
                (Stage::Published, &json!(found.text))
            ),
            404 => assert!(is_planned || found.stage != Stage::Published, "hidden: {found:?}"),
            status => panic!("{status} for others: {found:?}"),
        }
    }
}

fn read(ann: &Caller, path: &str) -> Writing {
    let post = ann.ask("GET", path, None);
    assert_eq!(post.status, 200, "{path}: {}", post.json);
    let whole = |json: &Value| {
        assert_eq!(json["title"], json["content"], "{path} is half saved");
        json["title"].as_str().unwrap().to_owned()
    };
    let draft = ann.ask("GET", &format!("{path}/draft"), None);
    let stage = match post.json["state"].as_str().unwrap() {
        "draft" => Stage::Draft,
        "scheduled" => Stage::Scheduled,
        _ => Stage::Published,
    };
    Writing {
        stage,
        version: post.json["version"].as_i64().unwrap(),
        text: whole(&post.json),
        next: (draft.status == 200).then(|| whole(&draft.json)),
    }
}

/// Whether a post is what its author knows. What was planned may have been published since, once; or at
/// once, if its time came while it was saved.
fn agrees(known: &Writing, found: &Writing) -> bool {
    if known.stage == Stage::Scheduled && found.stage == Stage::Published {
        let published = [known.version, known.version + 1].contains(&found.version);
        return published && (&known.text, &known.next) == (&found.text, &found.next);
    }
    known == found
}

/// As when their time is over: nobody runs what a worker had claimed that was killed.
async fn end_claims(site: &Site) {
    let db = site.db().await;
    let over = "UPDATE jobs SET claimed_until = created_at WHERE claimed_until IS NOT NULL";
    sql(over).execute(db.writer()).await.unwrap();
    db.close().await;
}

/// Waits until everything is published that was planned.
async fn published_by_plan(site: &Site) {
    let db = site.db().await;
    let start = Instant::now();
    let waiting = async || -> i64 {
        let waiting = "SELECT count(*) FROM posts WHERE state = 'scheduled'";
        sql(waiting).scalar(&db).await.unwrap()
    };
    while waiting().await > 0 {
        assert!(start.elapsed() < DEADLINE, "what was planned is never published");
    }
    db.close().await;
}

/// What was never acknowledged is whole, too.
async fn nothing_is_half_done(site: &Site) {
    let db = site.db().await;
    for wrong in [
        "SELECT id FROM posts WHERE title <> content OR content_html = ''",
        "SELECT post_id FROM post_drafts WHERE title <> content",
        // What was saved is not kept for the next version as well.
        "SELECT d.post_id FROM post_drafts d JOIN posts p ON p.id = d.post_id \
         WHERE d.content = p.content",
        "SELECT id FROM posts WHERE (state = 'published') <> (published_at IS NOT NULL)",
        // The history has what is published.
        "SELECT p.id FROM posts p WHERE p.state = 'published' AND p.version > 1 AND NOT EXISTS \
         (SELECT 1 FROM post_revisions r WHERE r.post_id = p.id AND r.number = p.version \
         AND r.content = p.content)",
    ] {
        let found: Vec<(i64,)> = sql(wrong).all(&db).await.unwrap();
        assert_eq!(found, [], "{wrong}");
    }
    db.close().await;
}

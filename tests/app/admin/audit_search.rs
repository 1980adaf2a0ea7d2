//! The search of the audit log finds what it should, by indexes alone.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::database::is_postgres;
use crate::support::internals::{
    AuditEvent, AuditFilter, Caller, Db, EventKind, Keyset, PageParams, audit_query, now, sql,
};
use crate::support::{App, PASSWORD, encode, event_kinds};

#[rocket::async_test]
async fn events_are_found_by_person_kind_address_and_request() {
    let app = App::new().await;
    let (root, zoe) = (app.admin("root").await, app.user("Zoë").await);
    let wrong = json!({"username": "Zoë", "password": "wrong"});
    app.nobody().from("2001:db8::7").api().post("/auth/login", wrong).await;
    root.api().patch("/admin/users/Zo%C3%AB", json!({"role": "admin"})).await;
    let find = async |q: &str| -> Value {
        let found = root.api().get(&format!("/admin/audit?{}", encode(&[("q", q)]))).await;
        assert_eq!(found.status, 200, "{}", found.body);
        found.json()
    };
    let by_name = ["user.role", "login.failed", "login", "login", "registered"];
    for q in ["Zoë", " ZOË ", &zoe.id.to_string(), &format!("user {}", zoe.id)] {
        assert_eq!(event_kinds(&find(q).await), by_name, "{q}");
    }
    assert_eq!(event_kinds(&find("login.failed").await), ["login.failed"]);
    assert_eq!(event_kinds(&find("login").await).len(), 5, "with login.failed");
    assert_eq!(event_kinds(&find("2001:DB8:0::7").await), ["login.failed"]);
    let request = find("login.failed").await["items"][0]["request_id"].clone();
    assert_eq!(event_kinds(&find(request.as_str().unwrap()).await), ["login.failed"]);
    for nothing in ["log", "zo", "%", "_", "2001:db8::8", "-1", "99999999999999999999"] {
        assert_eq!(event_kinds(&find(nothing).await), Vec::<String>::new(), "{nothing}");
    }
    assert_eq!(event_kinds(&find("  ").await).len(), 8, "blank: everything");
    let page = root.page().get("/admin/audit?q=login.failed").await.body;
    assert!(page.contains("2001:db8::7") && !page.contains("<td class=\"main-cell\">Role changed"));
    let none = root.page().get("/admin/audit?q=%3Cb%3E").await.body;
    assert!(none.contains("No events match “&lt;b&gt;”"), "{none}");
}

#[rocket::async_test]
async fn events_are_filtered_by_kind_and_person() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    app.user("bob").await;
    root.api().patch("/admin/users/ann", json!({"role": "admin"})).await;
    ann.api().patch("/admin/users/bob", json!({"role": "admin"})).await;
    let find = async |query: &str| {
        let found = root.api().get(&format!("/admin/audit?{query}")).await;
        assert_eq!(found.status, 200, "{}", found.body);
        event_kinds(&found.json())
    };
    assert_eq!(find("kind=user.role").await.len(), 2);
    assert_eq!(find("kind=user").await.len(), 0, "exactly");
    assert_eq!(find("person=bob").await, ["user.role", "login", "login", "registered"]);
    assert_eq!(find("kind=user.role&person=ANN").await.len(), 2, "as the actor and otherwise");
    assert_eq!(find("kind=user.role&person=bob").await.len(), 1);
    assert_eq!(find(&format!("kind=login&person={}", ann.id)).await, ["login", "login"]);
    assert_eq!(find("kind=login&person=nobody").await.len(), 0);
    assert_eq!(find("kind=&person=&q=").await.len(), 11);
    let both = root.api().get("/admin/audit?kind=login&q=ann").await;
    assert_eq!((both.status, both.field_errors()), (422, vec!["q".to_owned()]));

    let page = root.page().get("/admin/audit?kind=login&person=ann&limit=1").await.body;
    assert!(page.contains("<option value=\"login\" selected>Logged in</option>"), "{page}");
    assert!(page.contains("<option value=\"user.role\">Role changed</option>"), "{page}");
    assert!(page.contains("name=\"person\" type=\"text\" value=\"ann\""), "{page}");
    assert!(page.contains("&amp;kind=login&amp;person=ann\">Older"), "{page}");
    assert!(page.contains("href=\"/admin/audit?person=ann\">ann</a>"), "{page}");
    root.api().delete("/admin/users/ann").await;
    let page = root.page().get("/admin/audit?kind=user.deleted").await.body;
    let deleted = format!("href=\"/admin/audit?person={}\">user {} (deleted)</a>", ann.id, ann.id);
    assert!(page.contains(&deleted), "{page}");
    let kinds = root.api().get("/admin/audit").await.json()["kinds"].clone();
    let known = json!({"kind": "user.role", "name": "Role changed"});
    assert!(kinds.as_array().unwrap().contains(&known), "{kinds}");
}

#[rocket::async_test]
async fn what_was_found_is_read_page_by_page() {
    let app = App::new().await;
    let root = app.admin("root").await;
    app.user("ann").await;
    for _ in 0..4 {
        let login = json!({"username": "ann", "password": PASSWORD});
        app.nobody().api().post("/auth/login", login).await;
    }
    let whole = root.api().get("/admin/audit?q=ann&limit=100").await.json();
    let whole = event_kinds(&whole);
    assert_eq!(whole.len(), 7);
    let (mut seen, mut path) = (Vec::new(), "/admin/audit?q=ann&limit=2".to_owned());
    loop {
        let page = root.api().get(&path).await.json();
        seen.extend(event_kinds(&page));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/admin/audit?q=ann&limit=2&before={next}");
    }
    assert_eq!(seen, whole);
    let back = root.api().get(&path).await.json();
    let back = format!("/admin/audit?q=ann&limit=2&after={}", back["previous"].as_str().unwrap());
    assert_eq!(event_kinds(&root.api().get(&back).await.json()), whole[4..6]);
}

/// The plan of the search in a log of many events, most of them alike.
#[rocket::async_test]
async fn every_search_reads_indexes_and_never_the_whole_log() {
    let app = App::new().await;
    app.user("ann").await;
    let fill = "WITH RECURSIVE n (i) AS (SELECT 4 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
         INSERT INTO audit_events (id, at, kind, actor_id, subject_id, address, user_agent, \
         request_id, detail, actor_digest, hash) \
         SELECT i, $1, 'login', 1, 1, '', '', '', '', 'x', 'x' FROM n";
    // The site's own connections have a time limit, which filling exceeds on a busy machine.
    let db = Db::connect(&app.database_url(), 2, Duration::from_secs(60)).await.unwrap();
    sql(fill).bind(now()).execute(db.writer()).await.unwrap();
    sql("INSERT INTO audit_people (event_id, part, user_id, salt, name, address, user_agent) \
         SELECT id, 'actor', 1, 'x', 'ann', '192.0.2.7', '' FROM audit_events WHERE id > 3")
    .execute(db.writer())
    .await
    .unwrap();
    sql("ANALYZE").execute(db.writer()).await.unwrap();
    db.close().await;
    // One rare event, at the very beginning.
    AuditEvent::new(EventKind::DENIED)
        .record(&app.db, &Caller::new("192.0.2.8".parse().ok(), "", "f"))
        .await
        .unwrap();
    let search = |q| AuditFilter { q: Some(q), ..AuditFilter::default() };
    let searches = ["ann", "login", "denied", "192.0.2.7", "192.0.2.8", "f", "none", "1"];
    let exact = [
        (Some("login"), None),
        (None, Some("ann")),
        (Some("denied"), Some("ann")),
        (Some("login"), Some("ann")),
        (Some("login"), Some("nobody")),
    ];
    let exact = exact.map(|(kind, person)| AuditFilter { q: None, kind, person });
    for filter in searches.map(search).into_iter().chain(exact) {
        let explain = if is_postgres() { "EXPLAIN " } else { "EXPLAIN QUERY PLAN " };
        let keyset = Keyset::new(&PageParams::default()).unwrap();
        let query = audit_query(&app.db, &filter, &keyset).await.unwrap().prepend(explain);
        let plan = match is_postgres() {
            true => {
                let lines: Vec<(String,)> = query.all(&app.db).await.unwrap();
                lines.into_iter().map(|(line,)| line).collect::<Vec<_>>()
            }
            false => {
                let lines: Vec<(i64, i64, i64, String)> = query.all(&app.db).await.unwrap();
                lines.into_iter().map(|(_, _, _, line)| line).collect()
            }
        };
        let whole = plan.join("\n");
        for table in ["audit_events", "audit_people"] {
            for scan in [format!("Seq Scan on {table}"), format!("SCAN {table}")] {
                assert!(!whole.contains(&scan), "{filter:?}:\n{whole}");
            }
        }
        assert!(!whole.contains("SCAN e") && !whole.contains("SCAN a"), "{filter:?}:\n{whole}");
    }
}

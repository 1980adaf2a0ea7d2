//! Every action that has a rate limit says so: in the API document, and in the headers of its
//! refusals at both doors.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use rocket::http::Method;
use serde_json::{Value, json};

use super::permissions::{self, Credentials, send_row};
use crate::support::database::Snapshot;
use crate::support::internals::RateLimits;
use crate::support::permission::Permission;
use crate::support::{App, Phone, Response};

/// A site with post 1 and its author, an admin, who may do everything.
async fn fixture(has_second_factor: bool) -> (Snapshot, Credentials) {
    let app = App::new().await;
    let credentials = {
        let owner = app.admin("aa").await;
        crate::posts::prepare(&owner).await;
        crate::accounts::applications::prepare(&owner).await;
        if has_second_factor {
            Phone::set_up(&owner).await;
        } else {
            owner.api().post("/me/two-factor", json!({})).await;
        }
        (owner.cookie, owner.token)
    };
    (app.into_snapshot().await, credentials)
}

/// A copy of the site on which all limits are used up.
async fn exhausted(snapshot: &Snapshot) -> App {
    let limits: Vec<String> =
        RateLimits::default().all().iter().map(|limit| format!("{}=0/h", limit.name)).collect();
    App::copy_with(snapshot, &[("limits", &limits.join(","))]).await
}

fn is_refused(response: &Response) -> bool {
    if response.status != 429 {
        return false;
    }
    for header in ["retry-after", "ratelimit", "ratelimit-policy"] {
        assert!(response.header(header).is_some(), "no {header}: {response:?}");
    }
    true
}

/// The actions of the API door that are refused when all limits are used up.
async fn refused(rows: &[Permission]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    // Some actions need a second factor, others that there is none yet.
    for has_second_factor in [false, true] {
        let (snapshot, credentials) = fixture(has_second_factor).await;
        let mut app = exhausted(&snapshot).await;
        let here = Ipv4Addr::LOCALHOST.into();
        for row in rows.iter().filter(|row| row.api.is_some() && row.method != Method::Get) {
            if has_second_factor && !row.path.starts_with("/me/two-factor") {
                continue;
            }
            let api = send_row(&app, here, &credentials, row, true).await;
            let mut changed = api.status < 400;
            if row.page.is_some() {
                let page = send_row(&app, here, &credentials, row, false).await;
                let at_both = (is_refused(&api), is_refused(&page));
                assert_eq!(at_both.0, at_both.1, "{} {}: {page:?}", row.method, row.path);
                changed |= page.status < 400;
            }
            if is_refused(&api) {
                let path = row.path.replace('<', "{").replace('>', "}");
                found.insert(format!("{} {path}", row.method.as_str().to_lowercase()));
            }
            if changed {
                app = exhausted(&snapshot).await;
            }
        }
    }
    // The reads that have a limit.
    let app = exhausted(&fixture(false).await.0).await;
    for (api, page) in [("/search", "/search"), ("/posts", "/")] {
        let answer = app.nobody().api().get(&format!("{api}?q=x")).await;
        let shown = app.nobody().page().get(&format!("{page}?q=x")).await;
        assert!(is_refused(&answer) && is_refused(&shown), "{shown:?}");
        found.insert(format!("get {api}"));
    }
    found
}

/// The operations whose description says that they can answer 429, with its headers.
fn documented(document: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let responses = operation["responses"].as_object().unwrap();
            let Some(refusal) = responses.get("429") else { continue };
            let pointer = refusal["$ref"].as_str().unwrap().trim_start_matches('#');
            let refusal = document.pointer(pointer).unwrap();
            let name = format!("{method} {path}");
            for header in ["Retry-After", "RateLimit", "RateLimit-Policy"] {
                assert!(refusal["headers"][header].is_object(), "{name} has no {header}");
            }
            let success = responses.iter().find(|(status, _)| status.starts_with('2')).unwrap().1;
            assert!(success["headers"]["RateLimit"].is_object(), "{name}: {success}");
            found.insert(name);
        }
    }
    found
}

#[rocket::async_test]
async fn every_action_with_a_limit_documents_its_refusal() {
    let document = App::new().await.nobody().api().get("/openapi.json").await.json();
    let refused = refused(&permissions::all()).await;
    assert!(refused.contains("post /posts") && refused.len() > 15, "{refused:?}");
    let documented = documented(&document);
    let undocumented: Vec<_> = refused.difference(&documented).collect();
    assert!(undocumented.is_empty(), "{undocumented:?}");
    // How many Idempotency-Keys a person may use is limited for every POST.
    let never = documented.difference(&refused).filter(|name| !name.starts_with("post "));
    assert_eq!(never.collect::<Vec<_>>(), Vec::<&String>::new(), "they are never refused");
}

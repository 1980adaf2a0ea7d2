//! The examples of the guide at `/docs/guide`, against a real server.

use std::process::Command;

use serde_json::json;

use crate::support::binary::Site;
use crate::support::{App, PASSWORD};

#[path = "../../../examples/guide.rs"]
#[allow(dead_code)]
mod rust;

/// What an example needs, and what to install if it is missing.
const TOOLS: [(&str, &str); 4] = [
    ("curl", "curl 7.82 or newer (Debian: curl)"),
    ("jq", "jq (Debian: jq)"),
    ("python3", "Python 3 (Debian: python3)"),
    ("node", "Node.js 20 or newer (Debian: nodejs)"),
];

#[test]
fn every_example_of_the_guide_works() {
    for (tool, package) in TOOLS {
        let found = Command::new(tool).arg("--version").output();
        assert!(found.is_ok_and(|output| output.status.success()), "install {package}");
    }
    let site = Site::new();
    let server = site.start();
    server.newcomer("writer").posts("first");
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/examples");
    let mut posts = 1;
    for (program, file) in
        [("sh", "guide.sh"), ("python3", "guide.py"), ("node", "guide.mjs"), ("rust", "")]
    {
        let name = format!("{program}er");
        server.newcomer(&name);
        let url = server.url.clone();
        let said = if program == "rust" {
            rust::journey(&url, &name, PASSWORD).unwrap().join("\n")
        } else {
            let output = Command::new(program)
                .arg(format!("{folder}/{file}"))
                .env("POSTLY_URL", &url)
                .env("POSTLY_USER", &name)
                .env("POSTLY_PASSWORD", PASSWORD)
                .output()
                .unwrap();
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            assert!(output.status.success(), "{file}: {}", text(&output.stderr));
            text(&output.stdout)
        };
        for line in [
            &format!("user {name}"),
            &format!("posts {posts}"),
            "title On tides",
            "edit 200",
            "stale 412",
            "tagged On tides",
            "found On tides",
            "hit comes",
            "depth 0: Twice?",
            "depth 1: *Twice.*",
            "once true",
            "left \"previews\";r=",
            "code invalid_input",
            "title: ",
        ] {
            assert!(said.contains(line), "{program} does not say {line:?}:\n{said}");
        }
        posts += 2;
    }
}

#[rocket::async_test]
async fn the_guide_is_a_page_of_the_site() {
    let app = App::new().await;
    let page = app.nobody().page().get("/docs/guide").await;
    assert_eq!(page.status, 200);
    assert!(page.body.len() < 60_000, "{} bytes", page.body.len());
    for link in ["/docs/errors", "/docs", "/redoc", "/me/tokens"] {
        assert!(page.body.contains(&format!("href=\"{link}\"")), "{link}");
    }
    // Each link of the table of contents leads to a heading.
    let targets = page.body.split("href=\"#").skip(1).filter_map(|rest| rest.split('"').next());
    for target in targets.filter(|target| *target != "main") {
        assert!(page.body.contains(&format!("<h2 id=\"{target}\"")), "{target}");
    }
    // Every code that it names exists.
    let errors = app.nobody().page().get("/docs/errors").await.body;
    for code in ["in_use", "answer_lost", "reused"].map(|end| format!("idempotency_key.{end}")) {
        assert!(errors.contains(&format!("id=\"{code}\"")), "{code}");
    }
    assert!(errors.contains("id=\"comments.closed\""));
    assert_eq!(app.nobody().api().get("/docs/guide").await.json()["code"], json!("not_found"));
}

//! Style sheets, scripts, fonts and the icon.

use chrono::{DateTime, Utc};
use rocket::http::Header;
use rocket::http::Method::Get;

use crate::support::permission::{Permission, page_only};
use crate::support::{App, send};

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/static/<path..>", [200; 4]),
        // Not configured.
        page_only(Get, "/.well-known/security.txt", [404; 4]),
    ]
}

#[rocket::async_test]
async fn static_files_are_kept_by_browsers_and_known_by_their_contents() {
    let app = App::new().await;
    let home = app.nobody().page().get("/").await.body;
    let start = home.find("/static/css/site.css?v=").unwrap();
    let path = home[start..].split('"').next().unwrap();
    let file = app.nobody().page().get(path).await;
    assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(file.header("content-type"), Some("text/css; charset=utf-8"));
    let tag = Header::new("If-None-Match", file.header("etag").unwrap().to_owned());
    assert_eq!(send(&app, Get, path, vec![tag], None::<&str>).await.status, 304);
    assert_eq!(
        app.nobody().page().get("/static/css/site.css").await.header("cache-control"),
        Some("no-cache")
    );
}

/// Large files are compressed beforehand: what a browser loads for the API explorer stays small.
#[rocket::async_test]
async fn large_files_are_sent_compressed_to_whoever_can_read_that() {
    let app = App::new().await;
    let accepting = |text: &'static str| vec![Header::new("Accept-Encoding", text)];
    let bundle = "/static/vendor/swagger-ui/swagger-ui-bundle.js";
    for (accepted, encoding) in [
        ("gzip, deflate, br, zstd", Some("br")),
        ("br;q=0.5", Some("br")),
        ("gzip", None),
        ("br;q=0, gzip", None),
        ("brx", None),
    ] {
        let file = send(&app, Get, bundle, accepting(accepted), None::<&str>).await;
        assert_eq!((file.status, file.header("content-encoding")), (200, encoding), "{accepted}");
        assert_eq!(file.header("vary"), Some("Accept-Encoding"));
        assert_eq!(file.header("content-type"), Some("text/javascript"));
        let tag = Header::new("If-None-Match", file.header("etag").unwrap().to_owned());
        let known = [accepting(accepted), vec![tag.clone()]].concat();
        assert_eq!(send(&app, Get, bundle, known, None::<&str>).await.status, 304);
        let other = if encoding.is_some() { "gzip" } else { "br" };
        let other = [accepting(other), vec![tag]].concat();
        assert_eq!(send(&app, Get, bundle, other, None::<&str>).await.status, 200);
    }
    for reader in ["/docs", "/redoc"] {
        let page = app.nobody().page().get(reader).await.body;
        let mut sum = page.len();
        let mut addresses: Vec<&str> =
            page.split('"').filter(|part| part.starts_with("/static/")).collect();
        addresses.push("/api/v1/openapi.json");
        for address in addresses {
            let file = send(&app, Get, address, accepting("br"), None::<&str>).await;
            assert_eq!(file.status, 200, "{address}");
            sum += match file.header("content-encoding") {
                Some("br") => {
                    let path = address.split('?').next().unwrap();
                    let file = format!("{}{path}.br", env!("CARGO_MANIFEST_DIR"));
                    std::fs::metadata(file).unwrap().len() as usize
                }
                _ => file.body.len(),
            };
        }
        assert!((300_000..600_000).contains(&sum), "{sum} bytes for {reader}");
    }
}

/// `node` decompresses them, as a browser does.
#[test]
fn compressed_files_are_the_same_as_their_originals() {
    let mut found = 0;
    for folder in ["swagger-ui", "redoc"] {
        let folder = format!("{}/static/vendor/{folder}", env!("CARGO_MANIFEST_DIR"));
        for file in std::fs::read_dir(folder).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_none_or(|extension| extension != "br") {
                continue;
            }
            let script = "process.stdout.write(require('zlib').brotliDecompressSync(\
                require('fs').readFileSync(process.argv[1])))";
            let node = std::process::Command::new("node").args(["-e", script]).arg(&path).output();
            let content = node.expect("install Node.js (Debian: nodejs)").stdout;
            let original = std::fs::read(path.with_extension("")).unwrap();
            assert!(content == original, "compress {} again", path.display());
            found += 1;
        }
    }
    assert_eq!(found, 3);
}

#[rocket::async_test]
async fn security_txt_names_the_contact_if_there_is_one() {
    let path = "/.well-known/security.txt";
    assert_eq!(App::new().await.nobody().page().get(path).await.status, 404);
    let app = App::with(&[("security_contact", "mailto:security@posts.example")]).await;
    let file = app.nobody().page().get(path).await;
    assert_eq!(
        (file.status, file.header("content-type")),
        (200, Some("text/plain; charset=utf-8"))
    );
    let fields: Vec<_> = file.body.lines().map(|line| line.split_once(": ").unwrap()).collect();
    let value = |name: &str| {
        let values: Vec<_> = fields.iter().filter(|field| field.0 == name).collect();
        assert_eq!(values.len(), 1, "{name} in {}", file.body);
        values[0].1
    };
    assert_eq!(value("Contact"), "mailto:security@posts.example");
    assert_eq!(value("Canonical"), "http://postly.test/.well-known/security.txt");
    let days = (value("Expires").parse::<DateTime<Utc>>().unwrap() - Utc::now()).num_days();
    assert!((30..365).contains(&days), "RFC 9116 recommends less than a year: {days}");
}

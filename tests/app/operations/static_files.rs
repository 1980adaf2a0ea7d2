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
        ("gzip", Some("gzip")),
        ("br;q=0, gzip", Some("gzip")),
        ("brx", None),
    ] {
        let file = send(&app, Get, bundle, accepting(accepted), None::<&str>).await;
        assert_eq!((file.status, file.header("content-encoding")), (200, encoding), "{accepted}");
        assert_eq!(file.header("vary"), Some("Accept-Encoding"));
        assert_eq!(file.header("content-type"), Some("text/javascript"));
        let tag = Header::new("If-None-Match", file.header("etag").unwrap().to_owned());
        let known = [accepting(accepted), vec![tag.clone()]].concat();
        assert_eq!(send(&app, Get, bundle, known, None::<&str>).await.status, 304);
        let other = if encoding == Some("br") { "gzip" } else { "br" };
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
            sum += transferred(&app, address, "br").await.1.len();
        }
        assert!((200_000..600_000).contains(&sum), "{sum} bytes for {reader}");
    }
}

/// Style sheets and scripts are sent without comments, which are found line by line.
#[rocket::async_test]
async fn comments_are_not_sent() {
    let app = App::new().await;
    let mut found = 0;
    for folder in ["css", "js"] {
        let path = format!("{}/static/{folder}", env!("CARGO_MANIFEST_DIR"));
        for file in std::fs::read_dir(path).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            let sent = transferred(&app, &format!("/static/{folder}/{name}"), "").await.1;
            let sent = String::from_utf8(sent).unwrap();
            assert!(!sent.contains("/*") && !sent.contains("\n//"), "{name}: {sent}");
            for line in text.lines().map(str::trim).filter(|line| line.contains("/*")) {
                assert!(line.starts_with("/*"), "{name}: a comment must begin with a line: {line}");
            }
            for line in text.lines().map(str::trim).filter(|line| line.contains("*/")) {
                assert!(line.ends_with("*/"), "{name}: a comment must end with a line: {line}");
                found += 1;
            }
            // Nothing else is missing.
            assert_eq!(sent.matches('{').count(), text.matches('{').count(), "{name}");
        }
    }
    assert!(found >= 10);
}

/// `Content-Encoding`, and the body as it is sent to whoever accepts this coding.
async fn transferred(app: &App, path: &str, coding: &'static str) -> (String, Vec<u8>) {
    let request = app.client.get(path.to_owned()).header(Header::new("Host", "postly.test"));
    let response = request.header(Header::new("Accept-Encoding", coding)).dispatch().await;
    assert_eq!(response.status().code, 200, "{path}");
    let encoding = response.headers().get_one("Content-Encoding").unwrap_or_default().to_owned();
    (encoding, response.into_bytes().await.unwrap())
}

/// What a browser reads when it comes for the first time, apart from fonts, without the headers.
#[rocket::async_test]
async fn a_first_visit_costs_few_bytes() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for number in 0..20 {
        ann.posts(&format!("Notes on the tides, part {number}")).await;
    }
    let length = async |path: &str, coding: &'static str| {
        let (encoding, body) = transferred(&app, path, coding).await;
        assert_eq!(encoding, coding, "{path}");
        body
    };
    let home = app.nobody().page().get("/").await.body;
    let mut sum = length("/", "br").await.len();
    let assets = home.split('"').filter(|part| part.starts_with("/static/"));
    let assets: Vec<&str> =
        assets.filter(|path| path.contains(".css?") || path.contains(".js?")).collect();
    assert!(assets.len() >= 3, "{assets:?}");
    for path in assets {
        let (plain, gzip) = (length(path, "").await, length(path, "gzip").await);
        let mut decoded = Vec::new();
        std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*gzip), &mut decoded)
            .unwrap();
        assert!(decoded == plain, "{path}");
        let brotli = length(path, "br").await;
        let mut decoded = Vec::new();
        let mut decoder = brotli::DecompressorWriter::new(&mut decoded, 4096);
        std::io::Write::write_all(&mut decoder, &brotli).unwrap();
        drop(decoder);
        assert!(decoded == plain, "{path}");
        assert!(brotli.len() <= gzip.len() && gzip.len() * 2 < plain.len() + 500, "{path}");
        sum += brotli.len();
    }
    // A release build compresses better.
    assert!(sum < 12_000, "{sum} bytes");
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

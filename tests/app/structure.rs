//! The shape of the house: imports, migrations, doors, permissions, documents.

use std::collections::{BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{App, Person, encode, send};
use postly::routes::docs::Document;
use postly::web::door::API;
use rocket::http::{ContentType, Header, Method};
use utoipa::OpenApi;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|e| e == extension) {
            found.push(path);
        }
    }
    assert!(!found.is_empty(), "no .{extension} below {}", folder.display());
    found
}

#[test]
fn imports_point_one_way() {
    let forbidden: [(&str, &[&str]); 5] = [
        ("src/error.rs", &["crate::db", "crate::models", "crate::web", "crate::routes", "rocket"]),
        ("src/db", &["crate::models", "crate::web", "crate::routes", "rocket::"]),
        ("src/models", &["crate::web", "crate::routes", "crate::config", "rocket"]),
        ("src/web", &["crate::routes", "sqlx::", "sql("]),
        (
            "src/routes",
            &[
                "sqlx::",
                "super::posts",
                "super::users",
                "super::votes",
                "super::accounts",
                "super::admin",
            ],
        ),
    ];
    for (place, words) in forbidden {
        let path = root().join(place);
        for file in if path.is_dir() { files(&path, "rs") } else { vec![path] } {
            let text = fs::read_to_string(&file).unwrap();
            for line in text.lines().map(str::trim_start).filter(|line| !line.starts_with("//")) {
                // rocket_db_pools' trait is what db.rs is for, and docs.rs names every handler.
                if line.contains("rocket_db_pools") || file.ends_with("routes/docs.rs") {
                    continue;
                }
                for word in words {
                    assert!(!line.contains(word), "{}: {line}", file.display());
                }
            }
        }
    }
    // Children know their parents, never the reverse.
    for (parent, children) in
        [("user.rs", &["models::post", "models::vote"][..]), ("post/mod.rs", &["models::vote"])]
    {
        let text = fs::read_to_string(root().join("src/models").join(parent)).unwrap();
        assert!(children.iter().all(|child| !text.contains(child)), "{parent}");
    }
}

#[test]
fn both_engines_have_the_same_migrations() {
    let names = |engine: &str| -> BTreeSet<String> {
        files(&root().join("migrations").join(engine), "sql")
            .iter()
            .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
            .collect()
    };
    assert_eq!(names("sqlite"), names("postgres"));
}

#[test]
fn unescaped_html_stands_only_where_it_was_reviewed() {
    // Rendered Markdown, and a QR code that we draw ourselves.
    let reviewed = ["view.content_html | safe", "preview | safe", "view.qr | safe"];
    for file in files(&root().join("templates"), "html") {
        let text = fs::read_to_string(&file).unwrap();
        for line in text.lines().filter(|line| line.contains("| safe") || line.contains("|safe")) {
            assert!(
                reviewed.iter().any(|known| line.contains(known)),
                "{}: {line}",
                file.display()
            );
        }
        assert!(!text.contains("<script>") && !text.contains("style=\""), "{}", file.display());
        assert!(!text.contains("autoescape false"), "{}", file.display());
    }
}

/// Methods and paths, without the door.
type Actions = HashSet<(Method, String)>;

/// Every mounted action: those of the page door, those of the API door.
fn actions(app: &App) -> (Actions, Actions) {
    let (mut page, mut api) = (HashSet::new(), HashSet::new());
    for route in app.client.rocket().routes() {
        if route.name.as_deref() == Some("cross-origin check") {
            continue;
        }
        let path = route.uri.path().to_owned();
        match path.strip_prefix(API) {
            Some(rest) => api.insert((route.method, rest.to_owned())),
            None => page.insert((route.method, path)),
        };
    }
    (page, api)
}

/// Forms, readers and operations, which programs need not have.
const PAGE_ONLY: [(Method, &str); 25] = [
    (Method::Get, "/"),
    (Method::Get, "/posts/new"),
    (Method::Get, "/posts/<id>/edit"),
    (Method::Get, "/register"),
    (Method::Get, "/login"),
    (Method::Post, "/register"),
    (Method::Post, "/login"),
    (Method::Post, "/logout"),
    (Method::Get, "/login/code"),
    (Method::Post, "/login/code"),
    (Method::Get, "/sudo"),
    (Method::Get, "/me/password"),
    (Method::Get, "/me/email"),
    (Method::Get, "/password-reset"),
    (Method::Post, "/password-reset"),
    (Method::Get, "/password-reset/new"),
    (Method::Post, "/password-reset/new"),
    (Method::Get, "/verify-email"),
    (Method::Post, "/verify-email"),
    (Method::Post, "/sudo"),
    (Method::Get, "/docs"),
    (Method::Get, "/redoc"),
    (Method::Get, "/static/<path..>"),
    (Method::Get, "/favicon.ico"),
    (Method::Get, "/healthz"),
];

/// The twins of pages under another path, and what only programs need.
const API_ONLY: [(Method, &str); 12] = [
    (Method::Get, "/posts"),
    (Method::Post, "/auth/register"),
    (Method::Post, "/auth/login"),
    (Method::Post, "/auth/logout"),
    (Method::Post, "/auth/token"),
    (Method::Post, "/auth/refresh"),
    (Method::Post, "/auth/revoke"),
    (Method::Post, "/auth/sudo"),
    (Method::Post, "/auth/password-reset"),
    (Method::Post, "/auth/password-reset/new"),
    (Method::Post, "/auth/verify-email"),
    (Method::Get, "/openapi.json"),
];

#[rocket::async_test]
async fn every_action_stands_at_both_doors_or_on_the_list() {
    let app = App::new().await;
    let (page, api) = actions(&app);
    let list = |list: &[(Method, &str)]| -> HashSet<(Method, String)> {
        list.iter().map(|(method, path)| (*method, (*path).to_owned())).collect()
    };
    let mut page_only = list(&PAGE_ONLY);
    page_only.insert((Method::Get, "/readyz".to_owned()));
    assert_eq!(page.difference(&api).cloned().collect::<HashSet<_>>(), page_only);
    assert_eq!(api.difference(&page).cloned().collect::<HashSet<_>>(), list(&API_ONLY));
}

#[rocket::async_test]
async fn every_api_route_is_in_the_document_and_nothing_else() {
    let app = App::new().await;
    let mounted: BTreeSet<String> = actions(&app)
        .1
        .iter()
        .map(|(method, path)| {
            let path = path.replace('<', "{").replace('>', "}");
            format!("{} {path}", method.as_str().to_lowercase())
        })
        .collect();
    let document = serde_json::to_value(Document::openapi()).unwrap();
    let mut described = BTreeSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for method in operations.as_object().unwrap().keys() {
            described.insert(format!("{method} {path}"));
        }
    }
    assert_eq!(mounted, described);
    let schemas = &document["components"]["schemas"];
    for (schema, field) in [("Login", "password"), ("Registration", "password"), ("Post", "votes")]
    {
        assert!(schemas[schema]["properties"][field].is_object(), "{schema}.{field}");
    }
}

/// Who asks: nobody, a stranger (B), the owner (A), an admin; and what each is told at the page
/// door and at the API door. `A` owns post 1; paths are filled in by `concrete`.
type Told = [(u16, u16); 4];

const PUBLIC: Told = [(200, 200); 4];
const MEMBERS: Told = [(303, 401), (200, 200), (200, 200), (200, 200)];
const MEMBERS_DELETE: Told = [(303, 401), (303, 204), (303, 204), (303, 204)];
const ADMINS: Told = [(404, 401), (404, 403), (404, 403), (200, 200)];
const ADMINS_CHANGE: Told = [(404, 401), (404, 403), (404, 403), (303, 200)];

/// 0 where the action does not stand at that door.
fn expected(method: Method, path: &str) -> Option<Told> {
    let page = |told: Told| told.map(|(page, _)| (page, 0));
    let api = |told: Told| told.map(|(_, api)| (0, api));
    Some(match (method, path) {
        (
            Method::Get,
            "/" | "/login" | "/register" | "/docs" | "/redoc" | "/healthz" | "/readyz"
            | "/static/<path..>",
        ) => page(PUBLIC),
        (Method::Get, "/favicon.ico") => [(308, 0); 4],
        (Method::Get, "/openapi.json" | "/posts") => api(PUBLIC),
        (Method::Get, "/posts/<id>" | "/posts/<id>/votes" | "/users/<username>") => PUBLIC,
        (Method::Get, "/posts/new") => page(MEMBERS),
        (
            Method::Get,
            "/me" | "/dashboard" | "/me/sessions" | "/me/tokens" | "/me/events" | "/me/two-factor",
        ) => MEMBERS,
        (Method::Get, "/sudo" | "/me/password" | "/me/email") => page(MEMBERS),
        (Method::Post, "/me/two-factor") => [(303, 401), (201, 201), (201, 201), (201, 201)],
        // Theirs are off, and not being set up.
        (Method::Put | Method::Delete, "/me/two-factor")
        | (Method::Post, "/me/two-factor/recovery-codes") => {
            [(303, 401), (404, 404), (404, 404), (404, 404)]
        }
        (Method::Get, "/login/code") => page(PUBLIC),
        (Method::Post, "/login/code") => [(422, 0); 4],
        (Method::Get, "/password-reset" | "/password-reset/new" | "/verify-email") => page(PUBLIC),
        (Method::Put, "/me/password") => [(303, 401), (303, 204), (303, 204), (303, 204)],
        (Method::Put, "/me/email") => [(303, 401), (303, 200), (303, 200), (303, 200)],
        // Theirs are confirmed already.
        (Method::Post, "/me/email/verification") => {
            [(303, 401), (409, 409), (409, 409), (409, 409)]
        }
        (Method::Post, "/password-reset") => [(303, 0); 4],
        (Method::Post, "/auth/password-reset") => [(0, 204); 4],
        // Nobody has the link.
        (Method::Post, "/password-reset/new" | "/verify-email") => [(422, 0); 4],
        (Method::Post, "/auth/password-reset/new" | "/auth/verify-email") => [(0, 401); 4],
        (Method::Post, "/sudo") => [(303, 0); 4],
        (Method::Post, "/auth/sudo") => [(0, 401), (0, 204), (0, 204), (0, 204)],
        (Method::Delete, "/me/sessions") => MEMBERS_DELETE,
        // Nobody has the session or the token that the path names.
        (Method::Delete, "/me/sessions/<sid>" | "/me/tokens/<id>") => {
            [(303, 401), (404, 404), (404, 404), (404, 404)]
        }
        (Method::Post, "/me/tokens") => [(303, 401), (201, 201), (201, 201), (201, 201)],
        (Method::Post, "/auth/refresh") => [(0, 401); 4],
        (Method::Post, "/auth/revoke") => [(0, 200); 4],
        (Method::Get, "/posts/<id>/edit") => [(303, 0), (403, 0), (200, 0), (200, 0)],
        (Method::Post, "/posts") => [(303, 401), (303, 201), (303, 201), (303, 201)],
        (Method::Post, "/posts/preview") => MEMBERS,
        (Method::Put, "/posts/<id>/preview") => [(303, 401), (403, 403), (200, 200), (200, 200)],
        (Method::Put, "/posts/<id>") => [(303, 401), (403, 403), (303, 200), (303, 200)],
        (Method::Delete, "/posts/<id>") => [(303, 401), (403, 403), (303, 204), (303, 204)],
        (Method::Put, "/posts/<id>/vote") => [(303, 401), (303, 200), (403, 403), (303, 200)],
        (Method::Delete, "/posts/<id>/vote") => [(303, 401), (303, 200), (303, 200), (303, 200)],
        (
            Method::Get,
            "/admin/posts" | "/admin/users" | "/admin/audit" | "/admin/users/<username>/sessions",
        ) => ADMINS,
        (Method::Delete, "/admin/users/<username>/sessions/<sid>") => {
            [(404, 401), (404, 403), (404, 403), (404, 404)]
        }
        (Method::Patch, "/admin/users/<username>") => ADMINS_CHANGE,
        (Method::Delete, "/admin/users/<username>" | "/admin/users/<username>/sessions") => {
            [(404, 401), (404, 403), (404, 403), (303, 204)]
        }
        (Method::Post, "/login") => [(303, 0); 4],
        (Method::Post, "/auth/login") => [(0, 200); 4],
        (Method::Post, "/auth/token") => [(0, 200); 4],
        (Method::Post, "/register") => [(303, 0); 4],
        (Method::Post, "/auth/register") => [(0, 201); 4],
        (Method::Post, "/logout") => [(303, 0); 4],
        (Method::Post, "/auth/logout") => [(0, 401), (0, 204), (0, 204), (0, 204)],
        _ => return None,
    })
}

/// The fields that make the action valid for whoever may do it.
fn fields(path: &str, who: usize) -> Vec<(&'static str, String)> {
    let password = || ("password", crate::support::PASSWORD.to_owned());
    match path {
        "/posts" | "/posts/<id>" | "/posts/preview" | "/posts/<id>/preview" => {
            vec![("title", "Changed".to_owned()), ("content", "Changed".to_owned())]
        }
        "/login" | "/auth/login" | "/auth/token" => {
            vec![("grant_type", "password".to_owned()), ("username", "aa".to_owned()), password()]
        }
        "/register" | "/auth/register" => vec![("username", format!("newcomer{who}")), password()],
        "/admin/users/<username>" => vec![("role", "user".to_owned())],
        "/sudo" | "/auth/sudo" => vec![password()],
        "/me/password" => {
            vec![("current", crate::support::PASSWORD.to_owned()), password()]
        }
        "/me/email" | "/password-reset" | "/auth/password-reset" => {
            vec![("email", format!("new{who}@mail.example"))]
        }
        "/password-reset/new" | "/auth/password-reset/new" => {
            vec![("token", "unknown".to_owned()), password()]
        }
        "/auth/refresh" => vec![("refresh_token", "prt_unknown".to_owned())],
        "/auth/revoke" => vec![("token", "prt_unknown".to_owned())],
        "/me/tokens" => vec![("name", "x".to_owned()), ("scopes", "posts:read".to_owned())],
        _ => vec![],
    }
}

fn concrete(path: &str) -> String {
    path.replace("<id>", "1")
        .replace("<sid>", "0")
        .replace("<username>", "aa")
        .replace("<path..>", "css/base.css")
}

/// A site with an owner of post 1, a stranger and an admin: their cookies and tokens.
struct Cast {
    app: App,
    /// Of nobody, the stranger, the owner, the admin.
    credentials: [(Option<String>, Option<String>); 4],
}

impl Cast {
    async fn new() -> Cast {
        let app = App::new().await;
        let credentials = {
            let (owner, stranger, admin) =
                (app.user("aa").await, app.user("bb").await, app.admin("root").await);
            assert_eq!(owner.posts("Untouched").await, 1);
            [app.nobody(), stranger, owner, admin].map(|who| (who.cookie, who.token))
        };
        Cast { app, credentials }
    }

    async fn ask(&self, number: usize, method: Method, path: &str, at_api: bool) -> u16 {
        let (cookie, token) = self.credentials[number].clone();
        let who = Person { cookie, token, ..self.app.nobody() };
        ask(&self.app, &who, method, path, at_api, number).await
    }
}

async fn ask(
    app: &App,
    who: &Person<'_>,
    method: Method,
    path: &str,
    at_api: bool,
    number: usize,
) -> u16 {
    let fields = fields(path, number);
    let pairs: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (*k, v.as_str())).collect();
    let mut headers = Vec::new();
    if !at_api {
        headers.push(Header::new("Origin", crate::support::ORIGIN));
        if let Some(cookie) = &who.cookie {
            headers.push(Header::new("Cookie", format!("postly={cookie}")));
        }
    } else if let Some(token) = &who.token {
        headers.push(Header::new("Authorization", format!("Bearer {token}")));
    }
    let form = !at_api || matches!(path, "/auth/token" | "/auth/revoke");
    let safe = method == Method::Get;
    let body = if form {
        encode(&pairs)
    } else {
        serde_json::json!(pairs.into_iter().collect::<std::collections::BTreeMap<_, _>>())
            .to_string()
    };
    if !safe {
        headers.push(if form { ContentType::Form } else { ContentType::JSON }.into());
    }
    let door = if at_api { API } else { "" };
    let body = (!safe).then_some(body);
    send(app, method, &format!("{door}{}", concrete(path)), headers, body).await.status
}

#[rocket::async_test]
async fn nobody_strangers_owners_and_admins_are_told_what_the_matrix_says() {
    let shared = Cast::new().await;
    let (page, api) = actions(&shared.app);
    let all: HashSet<_> = page.union(&api).cloned().collect();
    for (method, path) in all {
        let told = expected(method, &path)
            .unwrap_or_else(|| panic!("{method} {path} is missing from the authorization matrix"));
        for (number, (at_page, at_api)) in told.into_iter().enumerate() {
            for (expected, at_api) in [(at_page, false), (at_api, true)] {
                let door = if at_api { &api } else { &page };
                assert_eq!(
                    expected != 0,
                    door.contains(&(method, path.clone())),
                    "{method} {path}"
                );
                if expected == 0 {
                    continue;
                }
                // A site of its own for each question whose answer may change it.
                let fresh = if method == Method::Get { None } else { Some(Cast::new().await) };
                let cast = fresh.as_ref().unwrap_or(&shared);
                let status = cast.ask(number, method, &path, at_api).await;
                assert_eq!(status, expected, "{method} {path} by {number}, API {at_api}");
                if matches!(status, 401 | 403 | 404) {
                    let post = cast.app.nobody().api().get("/posts/1").await.json();
                    assert_eq!((&post["title"], &post["votes"]), (&"Untouched".into(), &0.into()));
                }
            }
        }
    }
}

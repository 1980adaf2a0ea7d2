//! A site of its own for each test, and clients named by who they are.

use postly::config::Config;
use postly::db::Db;
use postly::models::account::{self, Registration};
use postly::models::password::Hasher;
use postly::models::user::Role;
use rocket::http::{ContentType, Header, Method};
use rocket::local::asynchronous::Client;
use serde_json::Value;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;

/// Where the site under test believes to be.
pub const ORIGIN: &str = "http://postly.test";
pub const SECRET: &str = "p7Jb1xkQ0vZr8mTn3wYc5uHd9sLf2aGe6";
pub const PASSWORD: &str = "violet otter paddles upstream";

/// A whole site with a database of its own.
pub struct App {
    pub client: Client,
    pub db: Db,
    _folder: TempDir,
}

impl App {
    pub async fn new() -> App {
        App::at(ORIGIN).await
    }

    /// A site with another public origin.
    pub async fn at(origin: &str) -> App {
        let folder = tempfile::tempdir().unwrap();
        let url = database(&folder).await;
        let figment = Config::defaults()
            .merge(("databases.postly.url", &url))
            .merge(("databases.postly.max_connections", 8))
            .merge(("log_level", "off"))
            .merge(("postly.public_url", origin))
            .merge(("postly.secret_key", SECRET))
            .merge(("postly.bcrypt_cost", 4));
        let config = Config::from_figment(figment).unwrap();
        let db = Db::connect(&url, 4, Duration::from_secs(10)).await.unwrap();
        db.migrate().await.unwrap();
        let client = Client::untracked(postly::rocket(config).unwrap()).await.unwrap();
        App { client, db, _folder: folder }
    }

    /// Somebody without an account.
    pub fn nobody(&self) -> Person<'_> {
        Person { app: self, name: String::new(), id: 0, cookie: None, token: None }
    }

    /// A person, registered and logged in at both doors.
    pub async fn user(&self, name: &str) -> Person<'_> {
        self.person(name, Role::User).await
    }

    pub async fn admin(&self, name: &str) -> Person<'_> {
        self.person(name, Role::Admin).await
    }

    async fn person(&self, name: &str, role: Role) -> Person<'_> {
        let form = Registration {
            username: Some(name.to_owned()),
            email: Some(format!("{name}@mail.example")),
            password: Some(PASSWORD.to_owned()),
        };
        let user = account::operator_create(&self.db, &Hasher::new(4).unwrap(), &form, role)
            .await
            .unwrap();
        let login = [("username", name), ("password", PASSWORD)];
        let entered = self.nobody().page().post("/login", &login).await;
        assert_eq!(entered.status, 303, "{}", entered.body);
        let tokens = serde_json::json!({"username": name, "password": PASSWORD});
        let granted = self.nobody().api().post("/auth/login", tokens).await;
        Person {
            app: self,
            name: name.to_owned(),
            id: user.id,
            cookie: entered.cookie("postly"),
            token: granted.json()["access_token"].as_str().map(str::to_owned),
        }
    }
}

/// A fresh database on the engine under test.
pub async fn database(folder: &TempDir) -> String {
    match std::env::var("POSTLY_TEST_ENGINE").as_deref() {
        Err(_) | Ok("sqlite") => format!("sqlite:{}/postly.db", folder.path().display()),
        Ok("postgres") => {
            use sqlx::{AssertSqlSafe, Connection};
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let server = std::env::var("POSTLY_TEST_DATABASE_URL").expect(
                "POSTLY_TEST_DATABASE_URL must name a PostgreSQL server for tests; ./test starts one",
            );
            let name = format!("t{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(format!("CREATE DATABASE {name}")))
                .execute(&mut connection)
                .await
                .unwrap();
            let (base, _) = server.rsplit_once('/').unwrap();
            format!("{base}/{name}")
        }
        Ok(other) => panic!("POSTLY_TEST_ENGINE is sqlite or postgres, not {other}"),
    }
}

/// Somebody, at either door.
pub struct Person<'a> {
    pub app: &'a App,
    pub name: String,
    pub id: i64,
    /// The session cookie, at the page door.
    pub cookie: Option<String>,
    /// The access token, at the API door.
    pub token: Option<String>,
}

impl Person<'_> {
    pub fn page(&self) -> Page<'_> {
        Page(self)
    }

    pub fn api(&self) -> Api<'_> {
        Api(self)
    }

    /// Publishes a post; gives its id.
    pub async fn posts(&self, title: &str) -> i64 {
        let draft = serde_json::json!({"title": title, "content": format!("About *{title}*.")});
        let made = self.api().post("/posts", draft).await;
        assert_eq!(made.status, 201, "{}", made.body);
        made.json()["id"].as_i64().unwrap()
    }
}

/// The page door, as a browser uses it.
pub struct Page<'a>(&'a Person<'a>);

impl Page<'_> {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::Get, path, None).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.send(Method::Post, path, Some(encode(form))).await
    }

    /// A form with another verb: `_method` comes first.
    pub async fn with(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Answer {
        let mut fields = vec![("_method", method)];
        fields.extend(form);
        self.post(path, &fields).await
    }

    async fn send(&self, method: Method, path: &str, form: Option<String>) -> Answer {
        let mut headers = vec![Header::new("Origin", ORIGIN)];
        if let Some(cookie) = &self.0.cookie {
            headers.push(Header::new("Cookie", format!("postly={cookie}")));
        }
        if form.is_some() {
            headers.push(ContentType::Form.into());
        }
        send(self.0.app, method, path, headers, form).await
    }
}

/// The API door, as a program uses it; paths are below `/api/v1`.
pub struct Api<'a>(&'a Person<'a>);

impl Api<'_> {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::Get, path, None, &[]).await
    }

    pub async fn post(&self, path: &str, json: Value) -> Answer {
        self.send(Method::Post, path, Some(json), &[]).await
    }

    pub async fn put(&self, path: &str, json: Value) -> Answer {
        self.send(Method::Put, path, Some(json), &[]).await
    }

    pub async fn patch(&self, path: &str, json: Value) -> Answer {
        self.send(Method::Patch, path, Some(json), &[]).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::Delete, path, None, &[]).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        json: Option<Value>,
        more: &[(&'static str, &str)],
    ) -> Answer {
        let mut headers: Vec<Header<'static>> =
            more.iter().map(|(name, value)| Header::new(*name, (*value).to_owned())).collect();
        if let Some(token) = &self.0.token {
            headers.push(Header::new("Authorization", format!("Bearer {token}")));
        }
        if json.is_some() {
            headers.push(ContentType::JSON.into());
        }
        let path = format!("/api/v1{path}");
        send(self.0.app, method, &path, headers, json.map(|json| json.to_string())).await
    }
}

/// Sends anything at all.
pub async fn send(
    app: &App,
    method: Method,
    path: &str,
    headers: Vec<Header<'static>>,
    body: Option<impl AsRef<[u8]>>,
) -> Answer {
    let mut request = app.client.req(method, path.to_owned());
    for header in headers {
        // The local client, unlike a server, does not read cookies out of the header.
        if header.name() == "Cookie" {
            for cookie in rocket::http::Cookie::split_parse(header.value().to_owned()) {
                request = request.cookie(cookie.unwrap());
            }
        }
        request.add_header(header);
    }
    if let Some(body) = body {
        request.set_body(body);
    }
    let response = request.dispatch().await;
    Answer {
        status: response.status().code,
        headers: response
            .headers()
            .iter()
            .map(|h| (h.name().as_str().to_lowercase(), h.value().to_owned()))
            .collect(),
        body: response.into_string().await.unwrap_or_default(),
    }
}

pub fn encode(form: &[(&str, &str)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(form);
    text.finish()
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e} in {}", self.body))
    }

    /// The value that a cookie is set to.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.headers
            .iter()
            .filter(|(key, _)| key == "set-cookie")
            .find_map(|(_, cookie)| cookie.strip_prefix(&format!("{name}=")))
            .map(|rest| rest.split(';').next().unwrap_or_default().to_owned())
    }

    /// The fields that are complained about, of a problem.
    pub fn complaints(&self) -> Vec<String> {
        self.json()["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("no complaints in {}", self.body))
            .iter()
            .map(|complaint| complaint["field"].as_str().unwrap().to_owned())
            .collect()
    }
}

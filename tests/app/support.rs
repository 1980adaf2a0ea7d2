//! A site of its own for each test, and clients named by who they are.

use postly::config::Config;
use postly::db::Db;
use postly::models::account::{self, Registration};
use postly::models::password::Hasher;
use postly::models::user::Role;
use rocket::figment::Figment;
use rocket::http::{ContentType, Header, Method};
use rocket::local::asynchronous::Client;
use serde_json::Value;
use std::net::{IpAddr, Ipv4Addr};
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
    figment: Figment,
    _folder: Option<TempDir>,
}

impl App {
    pub async fn new() -> App {
        App::at(ORIGIN).await
    }

    /// A site with another public origin.
    pub async fn at(origin: &str) -> App {
        App::with(&[("public_url", origin)]).await
    }

    /// A site with options of its own: names and values of the table `postly`.
    pub async fn with(options: &[(&str, &str)]) -> App {
        let folder = tempfile::tempdir().unwrap();
        let url = database(&folder).await;
        App::build(&url, options, Some(folder)).await
    }

    /// A site on a database of the caller's.
    pub async fn on(url: &str) -> App {
        App::build(url, &[], None).await
    }

    async fn build(url: &str, options: &[(&str, &str)], _folder: Option<TempDir>) -> App {
        let figment = Config::defaults()
            .merge(("databases.postly.url", url))
            .merge(("databases.postly.max_connections", 8))
            .merge(("log_level", "off"))
            .merge(("postly.public_url", ORIGIN))
            .merge(("postly.secret_key", SECRET))
            .merge(("postly.bcrypt_cost", 4));
        let figment = merge(figment, options);
        let db = Db::connect(url, 4, Duration::from_secs(10)).await.unwrap();
        db.migrate().await.unwrap();
        App { client: launch(&figment).await, db, figment, _folder }
    }

    /// Another instance with routes of a test's own, at both doors.
    pub async fn mounting(&self, routes: Vec<rocket::Route>) -> App {
        let config = Config::from_figment(self.figment.clone()).unwrap();
        let rocket = postly::rocket(config).unwrap();
        let rocket = rocket.mount("/", routes.clone()).mount("/api/v1", routes);
        let client = Client::untracked(rocket).await.unwrap();
        App { client, db: self.db.clone(), figment: self.figment.clone(), _folder: None }
    }

    /// Another instance of the same site, on the same database.
    pub async fn another(&self) -> App {
        self.another_with(&[]).await
    }

    /// Another instance, configured otherwise.
    pub async fn another_with(&self, options: &[(&str, &str)]) -> App {
        let figment = merge(self.figment.clone(), options);
        App { client: launch(&figment).await, db: self.db.clone(), figment, _folder: None }
    }

    /// Somebody without an account.
    pub fn nobody(&self) -> Person<'_> {
        Person {
            app: self,
            name: String::new(),
            id: 0,
            cookie: None,
            token: None,
            refresh_token: None,
            address: Ipv4Addr::LOCALHOST.into(),
        }
    }

    /// Logs somebody in at both doors who is registered already.
    pub async fn log_in(&self, name: &str) -> Person<'_> {
        let login = [("username", name), ("password", PASSWORD)];
        let entered = self.nobody().page().post("/login", &login).await;
        assert_eq!(entered.status, 303, "{}", entered.body);
        let tokens = serde_json::json!({"username": name, "password": PASSWORD});
        let granted = self.nobody().api().post("/auth/login", tokens).await.json();
        let text = |field: &str| granted[field].as_str().map(str::to_owned);
        Person {
            name: name.to_owned(),
            cookie: entered.cookie("postly"),
            token: text("access_token"),
            refresh_token: text("refresh_token"),
            ..self.nobody()
        }
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
        Person { id: user.id, ..self.log_in(name).await }
    }
}

/// Adds options of the table `postly`.
fn merge(figment: Figment, options: &[(&str, &str)]) -> Figment {
    options.iter().fold(figment, |figment, (name, value)| {
        let name = format!("postly.{name}");
        match value.parse::<bool>() {
            Ok(flag) => figment.merge((name, flag)),
            Err(_) => figment.merge((name, *value)),
        }
    })
}

impl Drop for App {
    /// Ends what runs beside requests, with its connections.
    fn drop(&mut self) {
        self.client.rocket().shutdown().notify();
    }
}

async fn launch(figment: &Figment) -> Client {
    let config = Config::from_figment(figment.clone()).unwrap();
    Client::untracked(postly::rocket(config).unwrap()).await.unwrap()
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
    pub refresh_token: Option<String>,
    /// Where they send their requests from.
    pub address: IpAddr,
}

impl Person<'_> {
    pub fn page(&self) -> Page<'_> {
        Page(self)
    }

    pub fn api(&self) -> Api<'_> {
        Api(self)
    }

    /// The same person elsewhere.
    pub fn from(mut self, address: &str) -> Self {
        self.address = address.parse().unwrap();
        self
    }

    /// The same person with another bearer token.
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
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
        send_from(self.0.app, self.0.address, method, path, headers, form).await
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
        let body = json.map(|json| json.to_string());
        send_from(self.0.app, self.0.address, method, &path, headers, body).await
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
    send_from(app, Ipv4Addr::LOCALHOST.into(), method, path, headers, body).await
}

/// Sends anything from anywhere.
pub async fn send_from(
    app: &App,
    address: IpAddr,
    method: Method,
    path: &str,
    headers: Vec<Header<'static>>,
    body: Option<impl AsRef<[u8]>>,
) -> Answer {
    let mut request = app.client.req(method, path.to_owned()).remote((address, 40_000).into());
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

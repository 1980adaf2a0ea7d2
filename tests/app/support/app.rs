//! A separate site for each test.

use rocket::figment::Figment;
use rocket::local::asynchronous::Client;
use tempfile::TempDir;

use super::database::{self, Snapshot};
use super::internals::{Admin, Config, Db, Registration, Role, Site, create_user};
use super::{Person, internals};

/// The public origin of the site under test.
pub const ORIGIN: &str = "http://postly.test";
pub const SECRET: &str = "p7Jb1xkQ0vZr8mTn3wYc5uHd9sLf2aGe6";
pub const PASSWORD: &str = "violet otter paddles upstream";

/// A whole site with its own database.
pub struct App {
    pub client: Client,
    pub db: Db,
    figment: Figment,
    _folder: Option<TempDir>,
}

impl App {
    pub async fn new() -> App {
        App::with(&[]).await
    }

    /// A site with another public origin.
    pub async fn at(origin: &str) -> App {
        App::with(&[("public_url", origin)]).await
    }

    /// A site with other options: names and values of the table `postly`.
    pub async fn with(options: &[(&str, &str)]) -> App {
        let folder = tempfile::tempdir().unwrap();
        let url = database::migrated(folder.path()).await;
        App::build(&url, options, Some(folder)).await
    }

    /// A site on the caller's database.
    pub async fn on(url: &str) -> App {
        App::build(url, &[], None).await
    }

    /// A site on a copy of a database.
    pub async fn copy_of(snapshot: &Snapshot) -> App {
        App::copy_with(snapshot, &[]).await
    }

    /// A site on a copy of a database, with other options.
    pub async fn copy_with(snapshot: &Snapshot, options: &[(&str, &str)]) -> App {
        let folder = tempfile::tempdir().unwrap();
        let url = snapshot.copy(folder.path()).await;
        App::build(&url, options, Some(folder)).await
    }

    async fn build(url: &str, options: &[(&str, &str)], folder: Option<TempDir>) -> App {
        let figment = Config::defaults()
            .merge(("databases.postly.url", url))
            .merge(("databases.postly.max_connections", 8))
            .merge(("log_level", "off"))
            .merge(("postly.public_url", ORIGIN))
            .merge(("postly.secret_key", SECRET))
            .merge(("postly.bcrypt_cost", 4));
        App::launch(merge(figment, options), Vec::new(), folder).await
    }

    async fn launch(figment: Figment, routes: Vec<rocket::Route>, folder: Option<TempDir>) -> App {
        let config = Config::from_figment(figment.clone()).unwrap();
        let rocket = internals::rocket(config).unwrap();
        let rocket = rocket.mount("/", routes.clone()).mount("/api/v1", routes);
        let client = Client::untracked(rocket).await.unwrap();
        let db = internals::site(client.rocket()).db.clone();
        App { client, db, figment, _folder: folder }
    }

    /// Another instance of the same site, with additional routes of a test at both doors.
    pub async fn mounting(&self, routes: Vec<rocket::Route>) -> App {
        App::launch(self.figment.clone(), routes, None).await
    }

    /// Another instance of the same site, on the same database.
    pub async fn another(&self) -> App {
        self.another_with(&[]).await
    }

    /// Another instance, with another configuration.
    pub async fn another_with(&self, options: &[(&str, &str)]) -> App {
        App::launch(merge(self.figment.clone(), options), Vec::new(), None).await
    }

    /// The URL of the database.
    pub fn database_url(&self) -> String {
        self.figment.extract_inner("databases.postly.url").unwrap()
    }

    /// Stops the site and keeps the contents of its database.
    pub async fn into_snapshot(self) -> Snapshot {
        self.client.rocket().shutdown().notify();
        self.db.close().await;
        Snapshot::of(&self.database_url())
    }

    pub fn site(&self) -> &Site {
        internals::site(self.client.rocket())
    }

    /// A person without an account.
    pub fn nobody(&self) -> Person<'_> {
        Person::nobody(self)
    }

    /// Logs in an existing user at both doors.
    pub async fn log_in(&self, name: &str) -> Person<'_> {
        let login = [("username", name), ("password", PASSWORD)];
        let by_form = self.nobody().page().post("/login", &login).await;
        assert_eq!(by_form.status, 303, "{}", by_form.body);
        let login = serde_json::json!({"username": name, "password": PASSWORD});
        let tokens = self.nobody().api().post("/auth/login", login).await.json();
        let text = |field: &str| tokens[field].as_str().map(str::to_owned);
        Person {
            name: name.to_owned(),
            cookie: by_form.cookie("postly"),
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
        let user = create_user(self.site(), &Admin::operator(), &form, role).await.unwrap();
        Person { id: user.id, ..self.log_in(name).await }
    }
}

/// Adds options of the table `postly`.
fn merge(figment: Figment, options: &[(&str, &str)]) -> Figment {
    options.iter().fold(figment, |figment, (name, value)| {
        let name = format!("postly.{name}");
        match (value.parse::<bool>(), value.parse::<i64>()) {
            (Ok(flag), _) => figment.merge((name, flag)),
            (_, Ok(number)) => figment.merge((name, number)),
            _ => figment.merge((name, *value)),
        }
    })
}

impl Drop for App {
    /// Stops background tasks, which use connections.
    fn drop(&mut self) {
        self.client.rocket().shutdown().notify();
    }
}

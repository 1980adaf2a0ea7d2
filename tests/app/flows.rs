//! The flows of the five services that Postly unites, as plain HTTP against the real binary.

use crate::commands::Server;
use crate::support::PASSWORD;
use serde_json::{Value, json};
use ureq::http::Response;
use ureq::{Agent, Body};

struct Caller {
    agent: Agent,
    base: String,
    token: Option<String>,
}

impl Caller {
    fn new(server: &Server) -> Caller {
        let agent = Agent::config_builder().http_status_as_error(false).build().into();
        Caller { agent, base: format!("{}/api/v1", server.url), token: None }
    }

    fn call(&self, method: &str, path: &str, json: Option<Value>) -> (u16, Value) {
        let mut request =
            ureq::http::Request::builder().method(method).uri(format!("{}{path}", self.base));
        if let Some(token) = &self.token {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        let response = match json {
            Some(json) => {
                let request = request.header("Content-Type", "application/json");
                self.agent.run(request.body(json.to_string()).unwrap())
            }
            None => self.agent.run(request.body(()).unwrap()),
        };
        read(response.unwrap())
    }

    fn log_in(&mut self, login: Value) {
        let (status, granted) = self.call("POST", "/auth/login", Some(login));
        assert_eq!(status, 200, "{granted}");
        self.token = granted["access_token"].as_str().map(str::to_owned);
    }
}

fn read(mut response: Response<Body>) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.body_mut().read_to_string().unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

#[test]
fn by_username_register_log_in_dashboard_log_out() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut caller = Caller::new(&server);
    let account = json!({"username": "ann", "password": PASSWORD});
    assert_eq!(caller.call("POST", "/auth/register", Some(account.clone())).0, 201);
    assert_eq!(caller.call("POST", "/auth/register", Some(account.clone())).0, 409);
    assert_eq!(caller.call("GET", "/dashboard", None).0, 401);
    let wrong = json!({"username": "ann", "password": "not the right words"});
    assert_eq!(caller.call("POST", "/auth/login", Some(wrong)).0, 401);
    caller.log_in(account);
    assert_eq!(caller.call("GET", "/me", None).1["username"], "ann");
    let (status, dashboard) = caller.call("GET", "/dashboard", None);
    assert_eq!(
        (status, &dashboard["message"]),
        (200, &json!("Welcome ann, this is your dashboard"))
    );
    assert_eq!(caller.call("POST", "/auth/logout", None).0, 204);
    assert_eq!(caller.call("GET", "/me", None).0, 401);
}

#[test]
fn by_e_mail_posts_of_ones_own_and_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let (mut ann, mut bob) = (Caller::new(&server), Caller::new(&server));
    for (caller, name) in [(&mut ann, "ann"), (&mut bob, "bob")] {
        let email = format!("{name}@mail.example");
        let account = json!({"username": name, "email": email, "password": PASSWORD});
        assert_eq!(caller.call("POST", "/auth/register", Some(account)).0, 201);
        caller.log_in(json!({"email": email, "password": PASSWORD}));
    }
    let (status, post) =
        ann.call("POST", "/posts", Some(json!({"title": "First", "content": "Words"})));
    assert_eq!((status, &post["title"]), (201, &json!("First")));
    ann.call("POST", "/posts", Some(json!({"title": "Second", "content": "More"})));
    let (status, list) = Caller::new(&server).call("GET", "/posts", None);
    assert_eq!((status, &list["items"][0]["title"]), (200, &json!("Second")));
    let path = format!("/posts/{}", post["id"]);
    assert_eq!(bob.call("GET", &path, None).0, 200);
    let (status, edited) = ann.call("PUT", &path, Some(json!({"content": "Better words"})));
    assert_eq!(
        (status, &edited["title"], &edited["content"]),
        (200, &json!("First"), &json!("Better words"))
    );
    assert!(edited["updated_at"].is_string());
    assert_eq!(bob.call("PUT", &path, Some(json!({"title": "Mine now"}))).0, 403);
    assert_eq!(bob.call("DELETE", &path, None).0, 403);
    assert_eq!(bob.call("PUT", &format!("{path}/vote"), None).1["votes"], 1);
    assert_eq!(ann.call("DELETE", &path, None).0, 204);
    assert_eq!(ann.call("GET", &path, None).0, 404);
}

#[test]
fn with_the_oauth2_password_form_and_the_api_documents() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut caller = Caller::new(&server);
    caller.call("POST", "/auth/register", Some(json!({"username": "ann", "password": PASSWORD})));
    let form = [("grant_type", "password"), ("username", "ann"), ("password", PASSWORD)];
    let granted = caller.agent.post(format!("{}/auth/token", caller.base)).send_form(form);
    let (status, granted) = read(granted.unwrap());
    assert_eq!((status, &granted["token_type"]), (200, &json!("Bearer")));
    caller.token = granted["access_token"].as_str().map(str::to_owned);
    assert_eq!(caller.call("GET", "/me", None).0, 200);
    let (status, document) = caller.call("GET", "/openapi.json", None);
    assert_eq!((status, &document["openapi"]), (200, &json!("3.1.0")));
    for page in ["/docs", "/redoc"] {
        assert_eq!(ureq::get(format!("{}{page}", server.url)).call().unwrap().status(), 200);
    }
}

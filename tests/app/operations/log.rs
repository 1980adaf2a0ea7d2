//! The log of the real binary.

use serde_json::{Value, json};

use crate::support::binary::{Site, Starting};

#[test]
fn nothing_secret_reaches_the_log() {
    let site = Site::unconfigured();
    let log = site.path("log");
    // E-mails go to files, since the links in them contain secrets.
    let server =
        Starting::logging_to(site.postly().env("POSTLY_MAIL_URL", "file:mails"), &log).ready();
    let api = format!("{}/api/v1", server.url);
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).build().into();
    let mut secrets = vec!["canary-password-seven".to_owned(), "canary-typed-name".to_owned()];
    let password = "canary-password-seven otters";
    let post = |path: &str, body: Value| -> Value {
        let mut response = agent.post(format!("{api}{path}")).send_json(body).unwrap();
        response.body_mut().read_json().unwrap_or(Value::Null)
    };
    post(
        "/auth/register",
        json!({"username": "ann", "email": "ann@mail.example", "password": password}),
    );
    post("/auth/login", json!({"username": "canary-typed-name", "password": password}));
    let tokens = post("/auth/login", json!({"username": "ann", "password": password}));
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    let refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
    let renewed = post("/auth/refresh", json!({"refresh_token": refresh}));
    let bearer = format!("Bearer {access}");
    let mut created = agent
        .post(format!("{api}/me/tokens"))
        .header("Authorization", &bearer)
        .send_json(json!({"name": "x", "scopes": "account"}))
        .unwrap();
    let personal: Value = created.body_mut().read_json().unwrap();
    let setup: Value = agent
        .post(format!("{api}/me/two-factor"))
        .header("Authorization", &bearer)
        .send_json(json!({}))
        .unwrap()
        .body_mut()
        .read_json()
        .unwrap();
    for path in
        ["/verify-email?token=canary-link", "/posts?q=canary-query", "/login?next=canary-next"]
    {
        let _ = agent.get(format!("{}{path}", server.url)).call().unwrap();
    }
    secrets.extend([access, refresh]);
    for (of, field) in [(&renewed, "refresh_token"), (&personal, "token"), (&setup, "secret")] {
        secrets.push(of[field].as_str().unwrap_or_else(|| panic!("{field} in {of}")).to_owned());
    }
    secrets.extend(["canary-link", "canary-query", "canary-next"].map(str::to_owned));
    drop(server);
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.lines().count() >= 8, "requests are logged: {text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "{secret:.30} in the log");
    }
}

//! The guide's examples, with ureq. They read POSTLY_URL, POSTLY_USER and POSTLY_PASSWORD.

use std::time::Duration;
use std::{env, thread};

use serde_json::{Value, json};
use ureq::http::{Request, Response};
use ureq::{Agent, Body};

type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Result {
    let var = |name| env::var(name);
    let (site, user) = (var("POSTLY_URL")?, var("POSTLY_USER")?);
    for line in journey(&site, &user, &var("POSTLY_PASSWORD")?)? {
        println!("{line}");
    }
    Ok(())
}

#[rustfmt::skip]
pub fn journey(site: &str, user: &str, password: &str) -> Result<Vec<String>> {
    let mut said = Vec::new();

    // == log-in ==
    let agent = Agent::config_builder().http_status_as_error(false).build().new_agent();
    let ask = |token: &str, method: &str, path: &str, headers: &[(&str, &str)], body: Value| {
        let mut request = Request::builder().method(method).uri(format!("{site}/api/v1{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if !token.is_empty() {
            request = request.header("Authorization", format!("Bearer {token}"));
        }
        if body.is_null() {
            return agent.run(request.body(())?);
        }
        let request = request.header("Content-Type", "application/json");
        agent.run(request.body(body.to_string())?)
    };
    let json = |answer: &mut Response<Body>| answer.body_mut().read_json::<Value>();

    let login = json!({"username": user, "password": password});
    let tokens = json(&mut ask("", "POST", "/auth/login", &[], login)?)?;
    let token = tokens["access_token"].as_str().ok_or("no token")?;
    let me = json(&mut ask(token, "GET", "/me", &[], Value::Null)?)?;
    said.push(format!("user {}", me["username"].as_str().unwrap_or_default()));

    // == lists ==
    let mut count = 0;
    let mut path = Some("/posts?limit=2".to_owned());
    while let Some(address) = path {
        let page = json(&mut ask("", "GET", &address, &[], Value::Null)?)?;
        count += page["items"].as_array().map_or(0, Vec::len);
        path = page["next"].as_str().map(|next| format!("/posts?limit=2&before={next}"));
    }
    said.push(format!("posts {count}"));

    // == write ==
    let post = json!({
        "title": "On tides", "content": "The sea comes *twice* a day.", "tags": ["sea"],
    });
    let written = json(&mut ask(token, "POST", "/posts", &[], post.clone())?)?;
    said.push(format!("title {}", written["title"].as_str().unwrap_or_default()));

    // == edit ==
    let path = format!("/posts/{}", written["id"]);
    let shown = ask("", "GET", &path, &[], Value::Null)?;
    let tag = [("If-Match", shown.headers()["ETag"].to_str()?)];
    let edit = |content: &str| ask(token, "PUT", &path, &tag, json!({"content": content}));
    said.push(format!("edit {}", edit("The sea comes and goes.")?.status().as_u16()));
    // The tag is that of the first version: somebody could have saved another one.
    said.push(format!("stale {}", edit("The sea goes.")?.status().as_u16()));

    // == find ==
    let filter = format!("/posts?sort=top&period=week&tag=sea&author={user}");
    let top = json(&mut ask("", "GET", &filter, &[], Value::Null)?)?;
    said.push(format!("tagged {}", top["items"][0]["title"].as_str().unwrap_or_default()));
    // A name with other letters has to be percent-encoded.
    let search = format!("/search?q=comes%20tag:sea%20author:{user}");
    let found = json(&mut ask("", "GET", &search, &[], Value::Null)?)?;
    for (name, parts) in [("found", &found["items"][0]["title"]), ("hit", &found["items"][0]["excerpt"])] {
        for part in parts.as_array().into_iter().flatten() {
            if name == "found" || part["hit"] == true {
                said.push(format!("{name} {}", part["text"].as_str().unwrap_or_default()));
            }
        }
    }

    // == discuss ==
    let comments = format!("{path}/comments");
    let first = json(&mut ask(token, "POST", &comments, &[], json!({"content": "Twice?"}))?)?;
    let reply = json!({"content": "*Twice.*", "parent_id": first["id"]});
    ask(token, "POST", &comments, &[], reply)?;
    let thread = json(&mut ask("", "GET", &comments, &[], Value::Null)?)?;
    for comment in thread["items"].as_array().into_iter().flatten() {
        let text = comment["content"].as_str().unwrap_or_default();
        said.push(format!("depth {}: {text}", comment["depth"]));
    }

    // == retry ==
    let publish = |key: &str| -> Result<Value> {
        loop {
            let key = [("Idempotency-Key", key)];
            let Ok(mut answer) = ask(token, "POST", "/posts", &key, post.clone()) else {
                thread::sleep(Duration::from_secs(1)); // Nobody knows whether it arrived.
                continue;
            };
            let answered = json(&mut answer)?;
            let is_running = answered["code"] == "idempotency_key.in_use";
            if !is_running && ![429, 503].contains(&answer.status().as_u16()) {
                return Ok(answered);
            }
            let wait = answer.headers()["Retry-After"].to_str()?.parse()?;
            thread::sleep(Duration::from_secs(wait));
        }
    };
    // A random value, for instance from the crate uuid.
    let key = format!("{user}-{}", std::process::id());
    said.push(format!("once {}", publish(&key)? == publish(&key)?));

    // == limits ==
    let preview = ask(token, "POST", "/posts/preview", &[], post.clone())?;
    said.push(format!("left {}", preview.headers()["RateLimit"].to_str()?));

    // == errors ==
    let problem = json(&mut ask(token, "POST", "/posts", &[], json!({"title": ""}))?)?;
    said.push(format!("code {}", problem["code"].as_str().unwrap_or_default()));
    for error in problem["errors"].as_array().into_iter().flatten() {
        let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        said.push(format!("{}: {}", text("field"), text("message")));
    }

    // == end ==
    Ok(said)
}

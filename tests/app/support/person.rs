//! People, and the two doors that they use.

use std::net::{IpAddr, Ipv4Addr};

use rocket::http::{ContentType, Header, Method};
use serde_json::Value;

use super::{App, ORIGIN, contract};

/// A person, at either door.
pub struct Person<'a> {
    pub app: &'a App,
    pub name: String,
    pub id: i64,
    /// The session cookie, at the page door.
    pub cookie: Option<String>,
    /// Another cookie, by name and value.
    pub other_cookie: Option<(&'static str, String)>,
    /// The access token, at the API door.
    pub token: Option<String>,
    pub refresh_token: Option<String>,
    /// The address that their requests come from.
    pub address: IpAddr,
}

impl<'a> Person<'a> {
    /// A person without an account.
    pub fn nobody(app: &'a App) -> Person<'a> {
        Person {
            app,
            name: String::new(),
            id: 0,
            cookie: None,
            other_cookie: None,
            token: None,
            refresh_token: None,
            address: Ipv4Addr::LOCALHOST.into(),
        }
    }

    pub fn page(&self) -> Page<'_> {
        Page(self)
    }

    pub fn api(&self) -> Api<'_> {
        Api(self)
    }

    /// The same person at another address.
    pub fn from(mut self, address: &str) -> Self {
        self.address = address.parse().unwrap();
        self
    }

    /// The same person with another bearer token.
    pub fn with_token(mut self, token: &str) -> Self {
        self.token = Some(token.to_owned());
        self
    }

    /// The same person with another cookie in addition to the session's.
    pub fn with_cookie(mut self, name: &'static str, value: &str) -> Self {
        self.other_cookie = Some((name, value.to_owned()));
        self
    }

    /// What a form has created and shows once, on the page to which it leads.
    pub async fn shown_once(&self, answer: &Response) -> Response {
        assert_eq!(answer.status, 303, "{}", answer.body);
        let cookie = answer.cookie("postly_shown").unwrap();
        let person = Person { cookie: self.cookie.clone(), ..self.app.nobody() };
        let person = person.with_cookie("postly_shown", &cookie);
        person.page().get(answer.header("location").unwrap()).await
    }

    /// Publishes a post and returns its id.
    pub async fn posts(&self, title: &str) -> i64 {
        let draft = serde_json::json!({"title": title, "content": format!("About *{title}*.")});
        let created = self.api().post("/posts", draft).await;
        assert_eq!(created.status, 201, "{}", created.body);
        created.json()["id"].as_i64().unwrap()
    }
}

/// The page door, used like a browser.
pub struct Page<'a>(&'a Person<'a>);

impl Page<'_> {
    /// Follows a page to its address, as from `/posts/1` to `/posts/1/on-tides`.
    pub async fn get(&self, path: &str) -> Response {
        let response = self.get_exactly(path).await;
        match response.header("location").filter(|_| response.status == 308) {
            Some(address) => self.get_exactly(address).await,
            None => response,
        }
    }

    pub async fn get_exactly(&self, path: &str) -> Response {
        self.send(Method::Get, path, None).await
    }

    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.send(Method::Post, path, Some(encode(form))).await
    }

    /// A form with another method: `_method` comes first.
    pub async fn with(&self, method: &str, path: &str, form: &[(&str, &str)]) -> Response {
        let mut fields = vec![("_method", method)];
        fields.extend(form);
        self.post(path, &fields).await
    }

    pub async fn put(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.with("put", path, form).await
    }

    pub async fn patch(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.with("patch", path, form).await
    }

    pub async fn delete(&self, path: &str, form: &[(&str, &str)]) -> Response {
        self.with("delete", path, form).await
    }

    async fn send(&self, method: Method, path: &str, form: Option<String>) -> Response {
        let mut headers = vec![Header::new("Origin", ORIGIN)];
        if let Some(cookie) = &self.0.cookie {
            headers.push(Header::new("Cookie", format!("postly={cookie}")));
        }
        if let Some((name, value)) = &self.0.other_cookie {
            headers.push(Header::new("Cookie", format!("{name}={value}")));
        }
        if form.is_some() {
            headers.push(ContentType::Form.into());
        }
        send_from(self.0.app, self.0.address, method, path, headers, form).await
    }
}

/// The API door, used like an API client; paths are below `/api/v1`.
pub struct Api<'a>(&'a Person<'a>);

impl Api<'_> {
    pub async fn get(&self, path: &str) -> Response {
        self.send(Method::Get, path, None, &[]).await
    }

    pub async fn post(&self, path: &str, json: Value) -> Response {
        self.send(Method::Post, path, Some(json), &[]).await
    }

    pub async fn put(&self, path: &str, json: Value) -> Response {
        self.send(Method::Put, path, Some(json), &[]).await
    }

    pub async fn patch(&self, path: &str, json: Value) -> Response {
        self.send(Method::Patch, path, Some(json), &[]).await
    }

    pub async fn delete(&self, path: &str) -> Response {
        self.send(Method::Delete, path, None, &[]).await
    }

    pub async fn send(
        &self,
        method: Method,
        path: &str,
        json: Option<Value>,
        more: &[(&'static str, &str)],
    ) -> Response {
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

/// Sends any request.
pub async fn send(
    app: &App,
    method: Method,
    path: &str,
    headers: Vec<Header<'static>>,
    body: Option<impl AsRef<[u8]>>,
) -> Response {
    send_from(app, Ipv4Addr::LOCALHOST.into(), method, path, headers, body).await
}

/// Sends any request from any address.
pub async fn send_from(
    app: &App,
    address: IpAddr,
    method: Method,
    path: &str,
    headers: Vec<Header<'static>>,
    body: Option<impl AsRef<[u8]>>,
) -> Response {
    let mut request = app.client.req(method, path.to_owned()).remote((address, 40_000).into());
    if !headers.iter().any(|header| header.name() == "Host") {
        request.add_header(Header::new("Host", "postly.test"));
    }
    for header in headers {
        // The local client, unlike a server, does not parse cookies from the header.
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
    let response = Response {
        status: response.status().code,
        headers: response
            .headers()
            .iter()
            .map(|h| (h.name().as_str().to_lowercase(), h.value().to_owned()))
            .collect(),
        body: response.into_string().await.unwrap_or_default(),
    };
    if let Some(below) = path.strip_prefix("/api/v1/") {
        contract::check(app, method, &format!("/{below}"), &response);
    }
    response
}

pub fn encode(form: &[(&str, &str)]) -> String {
    let mut text = url::form_urlencoded::Serializer::new(String::new());
    text.extend_pairs(form);
    text.finish()
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Response {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e} in {}", self.body))
    }

    /// The id of the form on a page.
    pub fn form_id(&self) -> &str {
        let (_, rest) = self.body.split_once(FORM_ID).unwrap_or_else(|| panic!("{}", self.body));
        &rest[..32]
    }

    /// The value that a cookie is set to.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.headers
            .iter()
            .filter(|(key, _)| key == "set-cookie")
            .find_map(|(_, cookie)| cookie.strip_prefix(&format!("{name}=")))
            .map(|rest| rest.split(';').next().unwrap_or_default().to_owned())
    }

    /// The fields with errors in a problem response.
    pub fn field_errors(&self) -> Vec<String> {
        self.json()["errors"]
            .as_array()
            .unwrap_or_else(|| panic!("no field errors in {}", self.body))
            .iter()
            .map(|error| error["field"].as_str().unwrap().to_owned())
            .collect()
    }
}

/// What stands before the id of a form on a page.
pub const FORM_ID: &str = "name=\"form_id\" value=\"";

/// A small image.
pub const IMAGE: &[u8] = include_bytes!("../../fixtures/logo.png");

/// The content type and the body of an upload: a form at the page door, the image itself at the API
/// door.
pub fn upload(image: &[u8], is_api: bool) -> (Header<'static>, Vec<u8>) {
    let kind = |text: &'static str| Header::new("Content-Type", text);
    if is_api {
        return (kind("image/png"), image.to_vec());
    }
    let head =
        b"--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"logo.png\"\r\n\
        Content-Type: image/png\r\n\r\n";
    let body = [head, image, b"\r\n--edge--\r\n"].concat();
    (kind("multipart/form-data; boundary=edge"), body)
}

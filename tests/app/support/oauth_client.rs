//! A program of a third party, as it uses OAuth: registered by somebody, given access by others.

use aws_lc_rs::digest;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD, Engine};
use rocket::http::Method::Post;
use rocket::http::{ContentType, Header};
use serde_json::{Value, json};

use super::{App, Person, Response, encode, send};

pub const REDIRECT_URI: &str = "https://tides.example/callback";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk-x";

/// How a program proves who it is.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Proof {
    Basic,
    Post,
    None,
}

/// A registered application.
#[derive(Clone)]
pub struct OAuthClient {
    pub id: i64,
    pub client_id: String,
    pub secret: Option<String>,
    pub proof: Proof,
    pub redirect_uri: String,
}

impl OAuthClient {
    pub async fn register(owner: &Person<'_>, proof: Proof) -> OAuthClient {
        let confidential = proof != Proof::None;
        let input = json!({"name": "Tide Tables", "redirect_uris": [REDIRECT_URI,
            "http://127.0.0.1/callback", "com.example.tides:/done"], "confidential": confidential});
        let created = owner.api().post("/me/applications", input).await;
        assert_eq!(created.status, 201, "{}", created.body);
        let created = created.json();
        OAuthClient {
            id: created["id"].as_i64().unwrap(),
            client_id: created["client_id"].as_str().unwrap().to_owned(),
            secret: created["client_secret"].as_str().map(str::to_owned),
            proof,
            redirect_uri: REDIRECT_URI.to_owned(),
        }
    }

    /// The parameters of an authorization request.
    pub fn request(&self, scope: &str) -> Vec<(&'static str, String)> {
        vec![
            ("response_type", "code".to_owned()),
            ("client_id", self.client_id.clone()),
            ("redirect_uri", self.redirect_uri.clone()),
            ("scope", scope.to_owned()),
            ("state", "a state & more".to_owned()),
            ("code_challenge", challenge(VERIFIER)),
            ("code_challenge_method", "S256".to_owned()),
        ]
    }

    /// Lets a person decide about the request on the consent page; returns what the program is told.
    pub async fn ask(&self, person: &Person<'_>, scope: &str, decision: &str) -> Answer {
        let mut form = self.request(scope);
        form.push(("decision", decision.to_owned()));
        let form: Vec<(&str, &str)> = form.iter().map(|(k, v)| (*k, v.as_str())).collect();
        Answer::of(&person.page().post("/oauth/authorize", &form).await)
    }

    /// The code after a consent.
    pub async fn code(&self, person: &Person<'_>, scope: &str) -> String {
        self.ask(person, scope, "allow").await.get("code").unwrap()
    }

    /// Sends a request to an endpoint of OAuth, with the proof of this program.
    pub async fn send(&self, app: &App, path: &str, fields: &[(&str, &str)]) -> Response {
        let mut headers: Vec<Header<'static>> = vec![ContentType::Form.into()];
        let mut fields = fields.to_vec();
        let secret = self.secret.clone().unwrap_or_default();
        match self.proof {
            Proof::Basic => {
                let pair = format!("{}:{secret}", self.client_id);
                let pair = format!("Basic {}", BASE64_STANDARD.encode(pair));
                headers.push(Header::new("Authorization", pair));
            }
            Proof::Post => {
                fields.extend([("client_id", self.client_id.as_str()), ("client_secret", &secret)])
            }
            Proof::None => fields.push(("client_id", self.client_id.as_str())),
        }
        send(app, Post, &format!("/api/v1/auth/{path}"), headers, Some(encode(&fields))).await
    }

    pub async fn exchange(&self, app: &App, code: &str) -> Response {
        self.exchange_with(app, code, &self.redirect_uri, VERIFIER).await
    }

    pub async fn exchange_with(
        &self,
        app: &App,
        code: &str,
        redirect_uri: &str,
        verifier: &str,
    ) -> Response {
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        self.send(app, "token", &fields).await
    }

    pub async fn refresh(&self, app: &App, token: &str) -> Response {
        self.send(app, "token", &[("grant_type", "refresh_token"), ("refresh_token", token)]).await
    }

    /// The whole way: the tokens of a person who allows these scopes.
    pub async fn connect(&self, person: &Person<'_>, scope: &str) -> Value {
        let code = self.code(person, scope).await;
        let tokens = self.exchange(person.app, &code).await;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        tokens.json()
    }
}

/// What a redirect tells a program.
#[derive(Debug)]
pub struct Answer {
    pub to: String,
    parameters: Vec<(String, String)>,
}

impl Answer {
    pub fn of(response: &Response) -> Answer {
        assert_eq!(response.status, 303, "{}", response.body);
        let location = response.header("location").unwrap();
        let (to, query) = location.split_once('?').unwrap_or((location, ""));
        let parameters = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        Answer { to: to.to_owned(), parameters }
    }

    pub fn get(&self, name: &str) -> Option<String> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone())
    }
}

pub fn challenge(verifier: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

//! Forged, foreign and expired access tokens.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use jsonwebtoken::{Algorithm, EncodingKey, Header as JwtHeader, encode};
use rocket::http::{Header, Method};
use serde_json::{Value, json};

use crate::support::internals::{Audience, Keys, key_id, sign, verify_token};
use crate::support::{App, ORIGIN, Person, SECRET, send};

/// A token like a genuine one, with changes.
fn forged(aud: &str, user: i64, sid: &str, change: impl Fn(&mut JwtHeader, &mut Value)) -> String {
    let now = chrono::Utc::now().timestamp();
    let mut header = JwtHeader::new(Algorithm::HS256);
    header.kid = Some(key_id(SECRET));
    let mut claims = json!({"iss": ORIGIN, "aud": aud, "sub": user.to_string(), "sid": sid,
        "typ": "access", "iat": now, "exp": now + 60});
    change(&mut header, &mut claims);
    encode(&header, &claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
}

#[rocket::async_test]
async fn forged_tokens_open_neither_door() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let sid = |token: &Option<String>| -> String {
        let claims = token.as_ref().unwrap().split('.').nth(1).unwrap().to_owned();
        let claims: Value =
            serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        claims["sid"].as_str().unwrap().to_owned()
    };
    let now = chrono::Utc::now().timestamp();
    type Change = Box<dyn Fn(&mut JwtHeader, &mut Value)>;
    let mut changes: Vec<(String, Change)> = vec![
        ("HS512".into(), Box::new(|h, _| h.alg = Algorithm::HS512)),
        ("jku".into(), Box::new(|h, _| h.jku = Some("http://127.0.0.1:1/".into()))),
        ("x5u".into(), Box::new(|h, _| h.x5u = Some("http://127.0.0.1:1/".into()))),
        ("no kid".into(), Box::new(|h, _| h.kid = None)),
        ("expired".into(), Box::new(move |_, c| c["exp"] = json!(now - 6))),
        ("exp in text".into(), Box::new(move |_, c| c["exp"] = json!((now + 60).to_string()))),
        ("not yet".into(), Box::new(move |_, c| c["nbf"] = json!(now + 60))),
        ("of tomorrow".into(), Box::new(move |_, c| c["iat"] = json!(now + 86_400))),
        ("refresh".into(), Box::new(|_, c| c["typ"] = json!("refresh"))),
        ("elsewhere".into(), Box::new(|_, c| c["iss"] = json!("http://evil.example"))),
        ("somebody else".into(), Box::new(|_, c| c["sub"] = json!("99"))),
        ("no number".into(), Box::new(|_, c| c["sub"] = json!("1 OR 1=1"))),
        ("no session".into(), Box::new(|_, c| c["sid"] = json!("0"))),
        ("NUL".into(), Box::new(|_, c| c["sid"] = json!("\u{0}"))),
    ];
    for claim in ["iss", "aud", "sub", "sid", "typ", "iat", "exp"] {
        changes.push((
            format!("without {claim}"),
            Box::new(move |_, c| drop(c.as_object_mut().unwrap().remove(claim))),
        ));
    }
    for kid in ["../../../etc/passwd", "' OR 1=1 --", "unknown", &"k".repeat(10_240)] {
        let kid = kid.to_owned();
        changes.push((format!("kid {kid:.20}"), Box::new(move |h, _| h.kid = Some(kid.clone()))));
    }
    let ask = async |door: &str, token: &str| {
        let (path, header) = if door == "page" {
            ("/me", Header::new("Cookie", format!("postly={token}")))
        } else {
            ("/api/v1/me", Header::new("Authorization", format!("Bearer {token}")))
        };
        send(&app, Method::Get, path, vec![header], None::<&str>).await.status
    };
    for (door, aud, token, closed) in
        [("page", "postly:page", &ann.cookie, 303), ("api", "postly:api", &ann.token, 401)]
    {
        let sid = sid(token);
        let good = forged(aud, ann.id, &sid, |_, _| {});
        assert_eq!(ask(door, &good).await, 200, "the unchanged one is accepted");
        for (what, change) in &changes {
            let token = forged(aud, ann.id, &sid, change);
            assert_eq!(ask(door, &token).await, closed, "{what} at the {door} door");
        }
        let (head, rest) = good.split_once('.').unwrap();
        let (body, signature) = rest.split_once('.').unwrap();
        let changed = if signature.starts_with('A') { 'B' } else { 'A' };
        let none = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        let rs256 = BASE64_URL_SAFE_NO_PAD
            .encode(format!(r#"{{"alg":"RS256","kid":"{}"}}"#, key_id(SECRET)));
        for token in [
            format!("{head}.{body}."),
            format!("{head}.{body}"),
            format!("{none}.{body}."),
            format!("{none}.{body}.{signature}"),
            format!("{rs256}.{body}.{signature}"),
            format!("{head}.{body}.{changed}{}", &signature[1..]),
        ] {
            assert_eq!(ask(door, &token).await, closed, "{token} at the {door} door");
        }
    }
}

#[rocket::async_test]
async fn a_token_from_the_future_costs_neither_session_nor_cookie() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let keys = Keys::new(SECRET, &[], ORIGIN);
    for (audience, name, token) in
        [(Audience::Page, "postly:page", &ann.cookie), (Audience::Api, "postly:api", &ann.token)]
    {
        let sid = verify_token(&keys, audience, token.as_deref().unwrap()).unwrap().sid;
        let ahead = |seconds: i64| {
            forged(name, ann.id, &sid, |_, claims| {
                claims["iat"] = json!(claims["iat"].as_i64().unwrap() + seconds);
                claims["exp"] = json!(claims["exp"].as_i64().unwrap() + seconds);
            })
        };
        let with = |token: String| match audience {
            Audience::Page => Person { cookie: Some(token), ..app.nobody() },
            Audience::Api => app.nobody().with_token(&token),
        };
        let (minute, hour) = (with(ahead(58)), with(ahead(3_600)));
        if audience == Audience::Api {
            assert_eq!(minute.api().get("/me").await.status, 200, "clocks may differ a little");
            let refused = hour.api().get("/me").await;
            assert_eq!(refused.status, 401);
            assert_eq!(refused.json()["code"], "access_token.not_yet_valid");
            continue;
        }
        assert_eq!(minute.page().get("/me").await.status, 200, "clocks may differ a little");
        for path in ["/", "/me"] {
            assert_eq!(hour.page().get(path).await.cookie("postly"), None, "it is kept: {path}");
        }
        let out = hour.page().post("/logout", &[]).await;
        assert_eq!((out.status, out.cookie("postly")), (503, None), "the session is still there");
        assert_eq!(ann.page().get("/me").await.status, 200);
    }
}

#[rocket::async_test]
async fn a_dropped_key_logs_its_tokens_out_and_a_kept_one_does_not() {
    const SECOND: &str = "Zq8Wn3vKc6Rt1yUj5oPx9aSd2fGh4mLe7";
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (cookie, token) = (ann.cookie.clone(), ann.token.clone().unwrap());
    for (keys, lives) in [(format!("{SECOND},{SECRET}"), true), (SECOND.to_owned(), false)] {
        let other = app.another_with(&[("secret_key", &keys)]).await;
        let api = other.nobody().with_token(&token).api().get("/me").await.status;
        assert_eq!(api, if lives { 200 } else { 401 });
        let browser = Person { cookie: cookie.clone(), ..other.nobody() };
        assert_eq!(browser.page().get("/me").await.status, if lives { 200 } else { 303 });
    }
}

#[rocket::async_test]
async fn only_a_token_with_a_living_session_of_its_owner_opens() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let keys = Keys::new(SECRET, &[], ORIGIN);
    let sid = |token: &Option<String>| {
        verify_token(&keys, Audience::Api, token.as_deref().unwrap()).unwrap().sid
    };
    let ask = async |authorization: String| {
        let headers = vec![Header::new("Authorization", authorization)];
        send(&app, Method::Get, "/api/v1/me", headers, None::<&str>).await
    };
    let swapped = sign(&keys, Audience::Api, bob.id, &sid(&ann.token)).unwrap();
    let invented = sign(&keys, Audience::Api, ann.id, "0123456789abcdef0123456789abcdef").unwrap();
    let other_keys = Keys::new("Zq8Wn3vKc6Rt1yUj5oPx9aSd2fGh4mLe7", &[], ORIGIN);
    let foreign = sign(&other_keys, Audience::Api, ann.id, &sid(&ann.token)).unwrap();
    for token in [swapped, invented, foreign, String::new(), "x".repeat(7_000)] {
        let refused = ask(format!("Bearer {token}")).await;
        assert_eq!(refused.status, 401);
        assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"));
    }
    assert_eq!(ask("Basic YW5uOng=".to_owned()).await.status, 401);
    assert_eq!(ask(format!("bearer {}", ann.token.clone().unwrap())).await.status, 200);
}

#[rocket::async_test]
async fn log_out_holds_on_every_instance() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let other = app.another().await;
    let there = Person { cookie: ann.cookie.clone(), token: ann.token.clone(), ..other.nobody() };
    assert_eq!(there.api().get("/me").await.status, 200);
    ann.api().post("/auth/logout", json!({})).await;
    assert_eq!(there.api().get("/me").await.status, 401);
    ann.page().post("/logout", &[]).await;
    assert_eq!(there.page().get("/me").await.status, 303);
}

//! What must hold from the start: cross-origin check, cookies, headers, tokens.

use crate::support::{App, ORIGIN, PASSWORD, SECRET, encode, send};
use rocket::http::{ContentType, Header, Method};
use serde_json::json;

#[rocket::async_test]
async fn no_other_site_changes_anything() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let id = ann.posts("Tides").await;
    let cookie = format!("postly={}", ann.cookie.clone().unwrap());
    let foreign: [&[(&'static str, &str)]; 9] = [
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")],
        &[("Sec-Fetch-Site", "same-site"), ("Origin", ORIGIN)],
        &[("Sec-Fetch-Site", "none")],
        &[("Origin", "https://evil.example")],
        &[("Origin", "null")],
        &[("Origin", "https://postly.test")],
        &[("Origin", "http://postly.test:8080")],
        &[("Origin", "http://postly.test@evil.example")],
        &[],
    ];
    let post = format!("/posts/{id}");
    let vote = format!("{post}/vote");
    let paths: [(&str, &str); 9] = [
        ("/posts", "title=x&content=y"),
        (&post, "_method=put&title=x"),
        (&post, "_method=delete"),
        (&vote, "_method=put"),
        ("/posts/preview", "content=y"),
        ("/login", "username=a&password=b"),
        ("/register", "username=a&password=b"),
        ("/logout", ""),
        ("/admin/users/ann", "_method=delete"),
    ];
    for headers in foreign {
        for (path, body) in paths {
            let mut all: Vec<Header<'static>> =
                headers.iter().map(|(name, value)| Header::new(*name, value.to_string())).collect();
            all.push(Header::new("Cookie", cookie.clone()));
            all.push(ContentType::Form.into());
            let refused = send(&app, Method::Post, path, all, Some(body)).await;
            assert_eq!(refused.status, 403, "{headers:?} {path}");
            assert!(refused.body.contains("another site"));
        }
    }
    assert_eq!(ann.page().get("/me").await.status, 200, "nobody was logged out");
    let posts = ann.api().get("/posts").await.json();
    assert_eq!(
        (posts["items"].as_array().unwrap().len(), &posts["items"][0]["title"]),
        (1, &json!("Tides"))
    );
    let ours = vec![
        Header::new("Sec-Fetch-Site", "same-origin"),
        Header::new("Origin", ORIGIN),
        Header::new("Cookie", cookie),
        ContentType::Form.into(),
    ];
    assert_eq!(
        send(&app, Method::Post, "/posts", ours, Some("title=x&content=y")).await.status,
        303
    );
}

#[rocket::async_test]
async fn the_api_ignores_cookies_and_pages_ignore_bearer_tokens() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let cookie = Header::new("Cookie", format!("postly={}", ann.cookie.clone().unwrap()));
    assert_eq!(send(&app, Method::Get, "/api/v1/me", vec![cookie], None::<&str>).await.status, 401);
    let bearer = |token: &Option<String>| {
        Header::new("Authorization", format!("Bearer {}", token.clone().unwrap()))
    };
    let page = send(&app, Method::Get, "/me", vec![bearer(&ann.token)], None::<&str>).await;
    assert_eq!(page.status, 303);
    let swapped =
        send(&app, Method::Get, "/api/v1/me", vec![bearer(&ann.cookie)], None::<&str>).await;
    assert_eq!(swapped.status, 401, "a cookie's token is no bearer token");
    let cookie = Header::new("Cookie", format!("postly={}", ann.token.clone().unwrap()));
    assert_eq!(send(&app, Method::Get, "/me", vec![cookie], None::<&str>).await.status, 303);
    let foreign = vec![Header::new("Origin", "https://evil.example")];
    let answer = send(&app, Method::Get, "/api/v1/posts", foreign, None::<&str>).await;
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[rocket::async_test]
async fn the_cookie_has_its_flags_under_http_and_https() {
    let form = [("username", "ann"), ("password", PASSWORD)];
    for (origin, start) in [(ORIGIN, "postly=ey"), ("https://posts.example", "__Host-postly=ey")] {
        let app = App::at(origin).await;
        let headers = vec![Header::new("Origin", origin), ContentType::Form.into()];
        let entered = send(&app, Method::Post, "/register", headers, Some(encode(&form))).await;
        assert_eq!(entered.status, 303, "{}", entered.body);
        let cookies: Vec<_> = entered.headers.iter().filter(|(n, _)| n == "set-cookie").collect();
        let (_, session) = cookies.iter().find(|(_, c)| c.starts_with(start)).unwrap();
        for (_, cookie) in &cookies {
            for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
                assert!(cookie.contains(flag), "{flag} in {cookie}");
            }
            assert_eq!(cookie.contains("Secure"), origin.starts_with("https"), "{cookie}");
            assert!(!cookie.contains("Domain"));
        }
        assert!(
            !entered.body.contains("eyJ") && !entered.header("location").unwrap().contains("eyJ")
        );
        let hsts = entered.header("strict-transport-security");
        assert_eq!(hsts.is_some(), origin.starts_with("https"));
        let _ = session;
    }
}

#[rocket::async_test]
async fn every_answer_carries_the_security_headers() {
    let app = App::new().await;
    for path in [
        "/",
        "/nope",
        "/login",
        "/api/v1/posts",
        "/api/v1/nope",
        "/static/css/base.css",
        "/static/nope",
        "/me",
        "/healthz",
        "/docs",
    ] {
        let answer = app.nobody().page().get(path).await;
        let policy = answer.header("content-security-policy").unwrap();
        for part in [
            "default-src 'none'",
            "script-src 'self';",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            "form-action 'self'",
        ] {
            assert!(policy.contains(part), "{part} at {path}");
        }
        if path != "/docs" {
            assert!(!policy.contains("unsafe"), "{path}");
        }
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("same-origin"), "{path}");
        assert_eq!(answer.header("x-request-id").unwrap().len(), 32);
        assert_eq!(answer.header("server"), Some("Postly"));
    }
}

#[rocket::async_test]
async fn only_a_token_with_a_living_session_of_its_owner_opens() {
    use postly::models::token::{Audience, Keys};
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let keys = Keys::new(SECRET, &[], ORIGIN);
    let sid =
        |token: &Option<String>| keys.verify(Audience::Api, token.as_deref().unwrap()).unwrap().sid;
    let ask = async |authorization: String| {
        let headers = vec![Header::new("Authorization", authorization)];
        send(&app, Method::Get, "/api/v1/me", headers, None::<&str>).await
    };
    let swapped = keys.sign(Audience::Api, bob.id, &sid(&ann.token)).unwrap();
    let invented = keys.sign(Audience::Api, ann.id, "0123456789abcdef0123456789abcdef").unwrap();
    let foreign = Keys::new("Zq8Wn3vKc6Rt1yUj5oPx9aSd2fGh4mLe7", &[], ORIGIN)
        .sign(Audience::Api, ann.id, &sid(&ann.token))
        .unwrap();
    for token in [swapped, invented, foreign, String::new(), "x".repeat(7_000)] {
        let refused = ask(format!("Bearer {token}")).await;
        assert_eq!(refused.status, 401);
        assert!(refused.header("www-authenticate").unwrap().contains("invalid_token"));
    }
    assert_eq!(ask("Basic YW5uOng=".to_owned()).await.status, 401);
    assert_eq!(ask(format!("bearer {}", ann.token.clone().unwrap())).await.status, 200);
}

#[rocket::async_test]
async fn an_ageing_cookie_is_replaced_by_a_fresh_one() {
    use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
    use jsonwebtoken::{EncodingKey, decode_header, encode};
    let app = App::new().await;
    let mut ann = app.user("ann").await;
    assert_eq!(ann.page().get("/me").await.cookie("postly"), None, "a fresh one is kept");
    let token = ann.cookie.take().unwrap();
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let mut claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    claims["iat"] = (claims["iat"].as_i64().unwrap() - 16 * 60).into();
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    let aged = encode(&decode_header(&token).unwrap(), &claims, &key).unwrap();
    ann.cookie = Some(aged.clone());
    let fresh = ann.page().get("/me").await.cookie("postly");
    assert!(fresh.as_ref().is_some_and(|fresh| !fresh.is_empty() && *fresh != aged));
    ann.cookie = fresh;
    assert_eq!(ann.page().get("/me").await.status, 200);
}

#[rocket::async_test]
async fn without_its_database_the_site_says_so_and_lets_nobody_in() {
    use postly::web::Database;
    use rocket_db_pools::Database as _;
    let app = App::new().await;
    let ann = app.user("ann").await;
    Database::fetch(app.client.rocket()).unwrap().close().await;
    for path in ["/", "/me", "/posts/1"] {
        let page = ann.page().get(path).await;
        assert_eq!((page.status, page.header("retry-after")), (503, Some("5")), "{path}");
        assert!(page.body.contains("try again shortly"));
    }
    let api = ann.api().get("/me").await;
    assert_eq!((api.status, &api.json()["status"]), (503, &json!(503)));
    assert_eq!(app.nobody().page().get("/readyz").await.status, 503);
    assert_eq!(app.nobody().page().get("/healthz").await.status, 200);
}

//! Cookies: which door accepts them, their flags, their renewal.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use jsonwebtoken::{EncodingKey, decode_header, encode as sign};
use rocket::http::{ContentType, Header, Method};

use crate::support::{App, ORIGIN, PASSWORD, Person, Phone, Response, SECRET, encode, send};

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
    assert_eq!(swapped.status, 401, "the token of a cookie is not a bearer token");
    let cookie = Header::new("Cookie", format!("postly={}", ann.token.clone().unwrap()));
    assert_eq!(send(&app, Method::Get, "/me", vec![cookie], None::<&str>).await.status, 303);
    let foreign = vec![Header::new("Origin", "https://evil.example")];
    let response = send(&app, Method::Get, "/api/v1/posts", foreign, None::<&str>).await;
    assert_eq!(response.header("access-control-allow-origin"), None);
}

#[rocket::async_test]
async fn the_cookie_has_its_flags_under_http_and_https() {
    let form = [("username", "ann"), ("password", PASSWORD)];
    for (origin, start) in [(ORIGIN, "postly=ey"), ("https://posts.example", "__Host-postly=ey")] {
        let app = App::at(origin).await;
        let headers = vec![Header::new("Origin", origin), ContentType::Form.into()];
        let logged_in = send(&app, Method::Post, "/register", headers, Some(encode(&form))).await;
        assert_eq!(logged_in.status, 303, "{}", logged_in.body);
        let cookies: Vec<_> = logged_in.headers.iter().filter(|(n, _)| n == "set-cookie").collect();
        let (_, session) = cookies.iter().find(|(_, c)| c.starts_with(start)).unwrap();
        for (_, cookie) in &cookies {
            for flag in ["HttpOnly", "SameSite=Lax", "Path=/"] {
                assert!(cookie.contains(flag), "{flag} in {cookie}");
            }
            assert_eq!(cookie.contains("Secure"), origin.starts_with("https"), "{cookie}");
            assert!(!cookie.contains("Domain"));
        }
        assert!(
            !logged_in.body.contains("eyJ")
                && !logged_in.header("location").unwrap().contains("eyJ")
        );
        let hsts = logged_in.header("strict-transport-security");
        assert_eq!(hsts.is_some(), origin.starts_with("https"));
        let _ = session;
    }
}

/// The names of the cookies that a response sets or removes, in alphabetical order.
fn names(response: &Response) -> Vec<&str> {
    let cookies = response.headers.iter().filter(|(name, _)| name == "set-cookie");
    let mut names: Vec<_> = cookies.map(|(_, c)| c.split('=').next().unwrap()).collect();
    names.sort_unstable();
    names
}

#[rocket::async_test]
async fn under_https_no_other_host_can_set_any_of_our_cookies() {
    const HTTPS: &str = "https://posts.example";
    let app = App::at(HTTPS).await;
    let ann = app.nobody();
    let register = serde_json::json!({"username": "ann", "password": PASSWORD});
    let registered = ann.api().post("/auth/register", register.clone()).await;
    let tokens = ann.api().post("/auth/login", register).await.json();
    assert_eq!(registered.status, 201);
    let ann = ann.with_token(tokens["access_token"].as_str().unwrap());
    let (_, codes) = Phone::set_up(&ann).await;
    let post = async |path: &'static str, cookie: &str, form: &[(&str, &str)]| {
        let mut headers = vec![Header::new("Origin", HTTPS), ContentType::Form.into()];
        if !cookie.is_empty() {
            headers.push(Header::new("Cookie", cookie.to_owned()));
        }
        send(&app, Method::Post, path, headers, Some(encode(form))).await
    };
    let half = post("/login", "", &[("username", "ann"), ("password", PASSWORD)]).await;
    assert_eq!(names(&half), ["__Host-postly_flash", "__Host-postly_login"]);
    let challenge = half.cookie("__Host-postly_login").unwrap();
    let code = [("code", codes[0].as_str())];
    let planted = post("/login/code", &format!("postly_login={challenge}"), &code).await;
    assert_eq!(planted.status, 422, "a cookie without the prefix counts for nothing");
    let whole = post("/login/code", &format!("__Host-postly_login={challenge}"), &code).await;
    assert_eq!(whole.status, 303, "{}", whole.body);
    assert_eq!(names(&whole), ["__Host-postly", "__Host-postly_flash", "__Host-postly_login"]);
    let get = async |path: &'static str, cookie: &str| {
        let cookie = vec![Header::new("Cookie", cookie.to_owned())];
        send(&app, Method::Get, path, cookie, None::<&str>).await
    };
    let link = get("/password-reset/new?token=x", "a=b").await;
    assert!(names(&link)[0].starts_with("__Host-postly_link"), "{link:?}");
    assert!(get("/", "__Host-postly_flash=logged-out").await.body.contains("You are logged out"));
    assert!(!get("/", "postly_flash=logged-out").await.body.contains("You are logged out"));
}

/// The same token, issued this many days ago.
fn aged(token: &str, days: i64) -> String {
    let claims = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let mut claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
    for claim in ["iat", "exp"] {
        claims[claim] = (claims[claim].as_i64().unwrap() - days * 86_400).into();
    }
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    sign(&decode_header(token).unwrap(), &claims, &key).unwrap()
}

/// A late answer to one tab must not replace or remove the cookie that another tab has got since.
#[rocket::async_test]
async fn only_logging_in_and_out_touches_the_cookie() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let form = [("username", "ann"), ("password", PASSWORD)];
    let logged_in = app.nobody().page().post("/login", &form).await;
    let lifetime = logged_in.headers.iter().any(|(name, cookie)| {
        name == "set-cookie" && cookie.starts_with("postly=") && cookie.contains("Max-Age=1209600")
    });
    assert!(lifetime, "as long as a session can last: {logged_in:?}");
    let genuine = ann.cookie.clone().unwrap();
    let (old, expired) = (aged(&genuine, 13), aged(&genuine, 15));
    for (cookie, status) in [(old.as_str(), 200), (&expired, 303), ("rubbish", 303)] {
        let tab = Person { cookie: Some(cookie.to_owned()), ..app.nobody() };
        for path in ["/", "/me", "/login", "/nope"] {
            let answer = tab.page().get(path).await;
            assert_eq!(answer.cookie("postly"), None, "{path} with {cookie:.9}");
        }
        assert_eq!(tab.page().get("/me").await.status, status);
    }
    // The other tab logs in, which ends the session of this tab's request.
    let other = ann.page().post("/login", &form).await.cookie("postly").unwrap();
    let late = ann.page().get("/me").await;
    assert_eq!((late.status, late.cookie("postly")), (303, None));
    let other = Person { cookie: Some(other), ..app.nobody() };
    assert_eq!(other.page().get("/me").await.status, 200);
    assert_eq!(other.page().post("/logout", &[]).await.cookie("postly").as_deref(), Some(""));
}

#[rocket::async_test]
async fn a_path_in_disguise_is_the_same_door() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for path in ["//api/v1/me", "/%61pi/v1/me", "/api//v1/me"] {
        let cookie = Header::new("Cookie", format!("postly={}", ann.cookie.clone().unwrap()));
        let response = send(&app, Method::Get, path, vec![cookie], None::<&str>).await;
        assert_eq!(response.status, 401, "{path} accepts no cookie");
    }
}

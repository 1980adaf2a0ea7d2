//! Any bytes as a token, cursor, cookie, origin or path get a response, never a 5xx.

use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use rocket::http::{ContentType, Header, Method};

use crate::support::internals::{
    Audience, Keys, Keyset, PageParams, PublicUrl, sign, verify_token,
};
use crate::support::{App, ORIGIN, SECRET, repetitions, send};

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys::new(SECRET, &[], ORIGIN));

/// Valid text with a part replaced, removed or inserted.
fn near(good: String) -> impl Strategy<Value = String> {
    let length = good.chars().count();
    (0..=length, 0..=length, ".{0,8}").prop_map(move |(from, to, new)| {
        let (from, to) = (from.min(to), from.max(to));
        let letters: Vec<char> = good.chars().collect();
        letters[..from]
            .iter()
            .copied()
            .chain(new.chars())
            .chain(letters[to..].iter().copied())
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000 * repetitions()))]

    #[test]
    fn no_text_is_a_token(text in ".{0,400}") {
        prop_assert!(verify_token(&KEYS, Audience::Api, &text).is_err());
    }

    #[test]
    fn nothing_near_a_token_is_one(text in near(sign(&KEYS, Audience::Api, 1, "s").unwrap())) {
        if let Ok(claims) = verify_token(&KEYS, Audience::Api, &text) {
            // If it verifies, it contains what was signed.
            prop_assert_eq!((claims.user_id().unwrap(), claims.sid.as_str()), (1, "s"));
        }
    }

    #[test]
    fn three_parts_of_anything_are_no_token(
        head in "[A-Za-z0-9_-]{0,80}", body in "[A-Za-z0-9_-]{0,80}", tail in "[A-Za-z0-9_-]{0,60}",
    ) {
        let text = format!("{head}.{body}.{tail}");
        prop_assert!(verify_token(&KEYS, Audience::Page, &text).is_err());
    }

    #[test]
    fn any_cursor_is_taken_or_complained_about(
        before in prop::option::of(".{0,60}"), after in prop::option::of(".{0,60}"),
        limit in prop::option::of(".{0,24}"),
    ) {
        let _ = Keyset::<1>::new(&PageParams { before: before.clone(), after: after.clone(), limit: limit.clone() });
        let _ = Keyset::<2>::new(&PageParams { before, after, limit });
    }

    #[test]
    fn one_origin_is_ours_and_nothing_near_it(text in near("https://posts.example".to_owned())) {
        let ours = PublicUrl::parse("https://posts.example").unwrap();
        prop_assert_eq!(ours.is_origin(&text), text == "https://posts.example");
    }

    #[test]
    fn any_configured_address_is_an_origin_or_refused(text in ".{0,80}") {
        if let Ok(url) = PublicUrl::parse(&text) {
            prop_assert!(url.origin().starts_with("http") && !url.origin().ends_with('/'));
        }
    }

    #[test]
    fn anything_sealed_by_others_stays_shut(text in ".{0,120}") {
        prop_assert_eq!(KEYS.open("here", &text), None);
    }
}

/// Bytes that are allowed in a header: no line breaks, no NUL.
fn header() -> impl Strategy<Value = String> {
    "[ -~\u{80}-\u{7ff}]{0,200}"
}

#[rocket::async_test]
async fn headers_of_anything_are_answered() {
    let app = App::with(&[("trusted_proxies", "127.0.0.1/32")]).await;
    let ann = app.user("ann").await;
    let (cookie, token) = (ann.cookie.clone().unwrap(), ann.token.clone().unwrap());
    let strange = (
        prop_oneof![header(), near(cookie)],
        prop_oneof![header(), near(format!("Bearer {token}"))],
        prop_oneof![header(), near(ORIGIN.to_owned())],
        prop_oneof![header(), near("203.0.113.7, 10.0.0.1".to_owned())],
        header(),
    );
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..300 {
        let (cookie, bearer, origin, forwarded, agent) =
            strange.new_tree(&mut runner).unwrap().current();
        let clean = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
        let cookie: String = clean(&cookie).chars().filter(|c| !";,\" \\".contains(*c)).collect();
        let headers = || {
            vec![
                Header::new("Authorization", clean(&bearer)),
                Header::new("Origin", clean(&origin)),
                Header::new("X-Forwarded-For", clean(&forwarded)),
                Header::new("User-Agent", clean(&agent)),
                ContentType::Form.into(),
            ]
        };
        for (method, path) in [
            (Method::Get, "/me"),
            (Method::Post, "/posts"),
            (Method::Get, "/api/v1/me"),
            (Method::Post, "/api/v1/auth/revoke"),
        ] {
            let mut all = headers();
            if !cookie.is_empty() {
                all.push(Header::new("Cookie", format!("postly={cookie}; postly_login={cookie}")));
            }
            let response = send(&app, method, path, all, Some("token=x&title=x")).await;
            assert!(response.status < 500, "{method} {path}: {}", response.status);
        }
    }
    assert_eq!(app.nobody().page().get("/").await.status, 200);
}

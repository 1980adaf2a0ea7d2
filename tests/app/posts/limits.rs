//! Limits on writing, at both doors.

use serde_json::json;

use crate::support::{App, PASSWORD, Response};

fn is_refused(response: &Response, limit: &str) {
    assert_eq!(response.status, 429, "{}", response.body);
    let wait: i64 = response.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=3600).contains(&wait), "{wait}");
    let left = response.header("ratelimit").unwrap();
    assert!(left.contains(&format!("\"{limit}\";r=0;")), "{left}");
}

#[rocket::async_test]
async fn posts_are_limited_for_each_person_and_nothing_typed_is_lost() {
    let app = App::with(&[("limits", "posts=2/h")]).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let draft = || json!({"title": "On tides", "content": "Twice."});
    let first = ann.api().post("/posts", draft()).await;
    assert_eq!(first.status, 201);
    assert!(first.header("ratelimit").unwrap().contains("\"posts\";r=1;"), "{first:?}");
    assert!(first.header("ratelimit-policy").unwrap().contains("\"posts\";q=2;w=3600"));
    assert_eq!(ann.api().post("/posts", json!({"title": "", "content": ""})).await.status, 422);
    let form = [("title", "Kept title"), ("content", "Kept words")];
    assert_eq!(ann.page().post("/posts", &form).await.status, 303, "what is invalid is free");
    is_refused(&ann.api().post("/posts", draft()).await, "posts");
    let again = ann.page().post("/posts", &form).await;
    is_refused(&again, "posts");
    assert!(again.body.contains("Kept title") && again.body.contains("Kept words"));
    assert_eq!(bob.api().post("/posts", draft()).await.status, 201);
}

#[rocket::async_test]
async fn a_network_is_limited_whoever_writes() {
    let app = App::with(&[("limits", "posts-address=2/h")]).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    ann.posts("One").await;
    bob.posts("Two").await;
    let draft = || json!({"title": "Three", "content": "x"});
    is_refused(&ann.api().post("/posts", draft()).await, "posts-address");
    assert_eq!(bob.from("192.0.2.9").api().post("/posts", draft()).await.status, 201);
}

#[rocket::async_test]
async fn edits_previews_and_votes_are_limited_and_repeating_costs_nothing() {
    let app = App::with(&[("limits", "edits=1/h, previews=2/h, votes=2/h")]).await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = ann.posts("Tides").await;
    let path = format!("/posts/{id}");
    for _ in 0..3 {
        assert_eq!(ann.api().put(&path, json!({"title": "Tides"})).await.status, 200);
    }
    assert_eq!(ann.api().put(&path, json!({"title": "Tide"})).await.status, 200);
    is_refused(&ann.api().put(&path, json!({"title": "Ebb"})).await, "edits");
    let page = ann.page().put(&path, &[("title", "Ebb"), ("content", "Kept words")]).await;
    is_refused(&page, "edits");
    assert!(page.body.contains("Kept words"));

    let text = json!({"content": "*x*"});
    for path in ["/posts/preview".to_owned(), format!("{path}/preview")] {
        let preview = match path.starts_with("/posts/preview") {
            true => ann.api().post(&path, text.clone()).await,
            false => ann.api().put(&path, text.clone()).await,
        };
        assert_eq!(preview.status, 200, "{}", preview.body);
    }
    is_refused(&ann.api().post("/posts/preview", text).await, "previews");
    let page =
        ann.page().post("/posts/preview", &[("title", "x"), ("content", "Kept words")]).await;
    is_refused(&page, "previews");
    assert!(page.body.contains("Kept words"));

    let vote = format!("{path}/vote");
    for _ in 0..3 {
        assert_eq!(bob.api().put(&vote, json!({})).await.status, 200);
    }
    assert_eq!(bob.api().delete(&vote).await.status, 200);
    is_refused(&bob.api().put(&vote, json!({})).await, "votes");
    is_refused(&bob.page().put(&vote, &[]).await, "votes");
}

#[rocket::async_test]
async fn sessions_refreshes_and_tokens_are_limited() {
    let limits = "sessions=3/h, refreshes=1/h, refresh-address=2/m, tokens=1/h, confirmations=1/h";
    let app = App::with(&[("limits", limits)]).await;
    // Logs in twice.
    let ann = app.user("ann").await;
    let refresh = async |token: &str| {
        app.nobody().api().post("/auth/refresh", json!({"refresh_token": token})).await
    };
    let next = refresh(ann.refresh_token.as_deref().unwrap()).await;
    assert_eq!(next.status, 200, "{}", next.body);
    let next = next.json()["refresh_token"].as_str().unwrap().to_owned();
    is_refused(&refresh(&next).await, "refreshes");
    for _ in 0..2 {
        assert_eq!(refresh("prt_rubbish").await.status, 401);
    }
    is_refused(&refresh("prt_rubbish").await, "refresh-address");
    let token = || json!({"name": "x", "scopes": ["posts:read"]});
    assert_eq!(ann.api().post("/me/tokens", token()).await.status, 201);
    is_refused(&ann.api().post("/me/tokens", token()).await, "tokens");
    let password = || json!({"password": PASSWORD});
    assert_eq!(ann.api().post("/auth/sudo", password()).await.status, 204);
    is_refused(&ann.api().post("/auth/sudo", password()).await, "confirmations");
    is_refused(&ann.page().post("/sudo", &[("password", PASSWORD)]).await, "confirmations");
    let form = json!({"username": "ann", "password": PASSWORD});
    assert_eq!(app.nobody().api().post("/auth/login", form.clone()).await.status, 200);
    is_refused(&app.nobody().api().post("/auth/login", form).await, "sessions");
}

#[rocket::async_test]
async fn a_network_is_limited_whoever_logs_in_and_whatever_they_create() {
    let app = App::with(&[]).await;
    let people = [app.user("ann").await, app.user("bob").await, app.user("eve").await];
    let limits = "sessions-address=2/h, confirmations-address=2/h, refreshes-address=2/h, \
         tokens-address=2/h";
    let strict = app.another_with(&[("limits", limits)]).await;
    // Logging in counted before, too.
    let near = || strict.nobody().from("192.0.2.1");
    for (n, person) in people.iter().enumerate() {
        let with_token = || near().with_token(person.token.as_deref().unwrap());
        let login = json!({"username": person.name, "password": PASSWORD});
        let refresh = json!({"refresh_token": person.refresh_token});
        let token = json!({"name": "x", "scopes": ["posts:read"]});
        let answers = [
            (near().api().post("/auth/login", login.clone()).await, 200, "sessions-address"),
            (near().api().post("/auth/refresh", refresh).await, 200, "refreshes-address"),
            (with_token().api().post("/me/tokens", token).await, 201, "tokens-address"),
            (
                with_token().api().post("/auth/sudo", json!({"password": PASSWORD})).await,
                204,
                "confirmations-address",
            ),
        ];
        for (answer, status, limit) in answers {
            if n < 2 {
                assert_eq!(answer.status, status, "{limit}: {}", answer.body);
                let left = format!("\"{limit}\";r={};", 1 - n);
                assert!(answer.header("ratelimit").unwrap().contains(&left), "{answer:?}");
            } else {
                is_refused(&answer, limit);
            }
        }
        if n == 2 {
            let form = [("username", "eve"), ("password", PASSWORD)];
            is_refused(&near().page().post("/login", &form).await, "sessions-address");
            let far = strict.nobody().from("192.0.2.2");
            assert_eq!(far.api().post("/auth/login", login).await.status, 200);
        }
    }
}

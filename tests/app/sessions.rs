//! Sessions: seeing and ending them, sudo, disabled people.

use crate::support::{App, PASSWORD};
use postly::db::{now, sql};
use rocket::futures::future::join_all;
use rocket::http::Method;
use serde_json::json;

#[rocket::async_test]
async fn people_see_their_sessions_and_end_one() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    app.user("bob").await;
    let phone = [("User-Agent", "Mozilla/5.0 (Linux; Android 15) Firefox/145.0")];
    let login = json!({"username": "ann", "password": PASSWORD});
    let elsewhere = app.nobody().from("192.0.2.7");
    let granted = elsewhere.api().send(Method::Post, "/auth/login", Some(login), &phone).await;
    let lost = app.nobody().with_token(granted.json()["access_token"].as_str().unwrap());
    assert_eq!(lost.api().get("/me").await.status, 200);

    let list = ann.api().get("/me/sessions").await.json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 3, "two doors here, one device elsewhere: {list}");
    assert_eq!(items.iter().filter(|s| s["current"] == true).count(), 1);
    let other = items.iter().find(|s| s["address"] == "192.0.2.7").unwrap();
    assert_eq!((&other["device"], &other["door"]), (&json!("Firefox on Android"), &json!("api")));
    let page = ann.page().get("/me/sessions").await;
    for part in ["Firefox on Android", "192.0.2.7", "this one"] {
        assert!(page.body.contains(part), "{part} in {}", page.body);
    }
    assert!(!list.to_string().contains("eyJ") && !page.body.contains("eyJ"), "no token is shown");

    let path = format!("/me/sessions/{}", other["id"].as_str().unwrap());
    assert_eq!(app.log_in("bob").await.api().delete(&path).await.status, 404, "not bob's");
    assert_eq!(lost.api().get("/me").await.status, 200);
    assert_eq!(ann.page().with("delete", &path, &[]).await.status, 303);
    assert_eq!(lost.api().get("/me").await.status, 401, "dead at once");
    assert_eq!(ann.api().delete(&path).await.status, 404, "once");
}

#[rocket::async_test]
async fn all_other_sessions_end_at_once_at_either_door() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let other = app.log_in("ann").await;
    assert_eq!(ann.api().delete("/me/sessions").await.status, 204);
    assert_eq!(ann.api().get("/me").await.status, 200);
    assert_eq!(ann.page().get("/me").await.status, 303, "the browser's is another session");
    assert_eq!(other.api().get("/me").await.status, 401);

    let ann = app.log_in("ann").await;
    let other = app.log_in("ann").await;
    assert_eq!(ann.page().with("delete", "/me/sessions", &[]).await.status, 303);
    assert_eq!(ann.page().get("/me").await.status, 200);
    assert_eq!(other.page().get("/me").await.status, 303);
}

#[rocket::async_test]
async fn an_admin_sees_and_ends_anybodys_sessions() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let list = root.api().get("/admin/users/ann/sessions").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 2);
    let page = list["items"].as_array().unwrap().iter().find(|s| s["door"] == "page").unwrap();
    let path = format!("/admin/users/ann/sessions/{}", page["id"].as_str().unwrap());
    assert_eq!(ann.api().delete(&path).await.status, 403);
    assert_eq!(root.api().delete(&path).await.status, 204);
    assert_eq!(ann.page().get("/me").await.status, 303);
    assert_eq!(ann.api().get("/me").await.status, 200);
    let form = [("next", "/admin/users")];
    let ended = root.page().with("delete", "/admin/users/ann/sessions", &form).await;
    assert_eq!((ended.status, ended.header("location")), (303, Some("/admin/users")));
    assert_eq!(ann.api().get("/me").await.status, 401);
    assert!(root.page().get("/admin/users/ann/sessions").await.body.contains("not logged in"));
    assert_eq!(root.api().get("/admin/users/nobody/sessions").await.status, 404);
}

#[rocket::async_test]
async fn whoever_is_disabled_is_out_at_the_next_request() {
    let app = App::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let program = json!({"name": "x", "scopes": ["account"]});
    let made = ann.api().post("/me/tokens", program).await.json();
    let program = app.nobody().with_token(made["token"].as_str().unwrap());
    assert_eq!(program.api().get("/me").await.status, 200);
    let off = root.api().patch("/admin/users/ann", json!({"disabled": true})).await;
    assert_eq!(off.status, 200);
    assert!(off.json()["disabled_at"].is_string());
    assert_eq!(ann.api().get("/me").await.status, 401);
    assert_eq!(ann.page().get("/me").await.status, 303);
    assert_eq!(program.api().get("/me").await.status, 401);
    let again = json!({"refresh_token": ann.refresh_token.clone().unwrap()});
    assert_eq!(app.nobody().api().post("/auth/refresh", again).await.status, 401);
    let login = |name: &str, password: &str| json!({"username": name, "password": password});
    let out = app.nobody().api().post("/auth/login", login("ann", PASSWORD)).await;
    let unknown = app.nobody().api().post("/auth/login", login("zoe", PASSWORD)).await;
    assert_eq!((out.status, &out.json()["detail"]), (401, &unknown.json()["detail"]));
    assert!(root.page().get("/admin/users").await.body.contains("disabled"));

    let form = [("disabled", "false")];
    assert_eq!(root.page().with("patch", "/admin/users/ann", &form).await.status, 303);
    assert_eq!(ann.api().get("/me").await.status, 401, "old sessions stay dead");
    assert_eq!(program.api().get("/me").await.status, 401, "and so do personal tokens");
    app.log_in("ann").await;
    let last = root.api().patch("/admin/users/root", json!({"disabled": true})).await;
    assert_eq!(last.status, 409, "the last admin stays");
}

/// Lets the proof of every session grow old.
async fn age_proofs(app: &App) {
    sql("UPDATE sessions SET proved_at = $1")
        .bind(now() - chrono::Duration::minutes(16))
        .execute(app.db.writer())
        .await
        .unwrap();
}

#[rocket::async_test]
async fn what_is_delicate_asks_for_the_password_again() {
    let app = App::new().await;
    let root = app.admin("root").await;
    assert_eq!(root.page().get("/admin/users").await.status, 200);
    age_proofs(&app).await;
    for path in ["/admin/users", "/admin/audit", "/me/tokens"] {
        let page = root.page().get(path).await;
        let sudo = format!("/sudo?next={}", path.replace('/', "%2F"));
        assert_eq!((page.status, page.header("location")), (303, Some(sudo.as_str())));
        let api = root.api().get(path).await;
        let challenge = api.header("www-authenticate").unwrap_or_default().to_owned();
        assert_eq!(api.status, 401);
        assert!(challenge.contains("insufficient_user_authentication"), "{challenge}");
    }
    assert_eq!(root.page().get("/me").await.status, 200, "the rest stays open");

    let wrong = root.page().post("/sudo", &[("password", "no"), ("next", "/admin/users")]).await;
    assert_eq!(wrong.status, 422);
    assert!(
        wrong.body.contains("not your password")
            && wrong.body.contains("value=\"&#x2F;admin&#x2F;users\"")
    );
    assert_eq!(root.page().get("/admin/users").await.status, 303);
    let form = [("password", PASSWORD), ("next", "/admin/users")];
    let right = root.page().post("/sudo", &form).await;
    assert_eq!((right.status, right.header("location")), (303, Some("/admin/users")));
    assert_eq!(root.page().get("/admin/users").await.status, 200);
    assert_eq!(root.api().get("/admin/users").await.status, 401, "another session, another proof");
    let wrong = root.api().post("/auth/sudo", json!({"password": "no"})).await;
    assert_eq!((wrong.status, wrong.complaints()), (422, vec!["password".to_owned()]));
    assert_eq!(root.api().post("/auth/sudo", json!({"password": PASSWORD})).await.status, 204);
    assert_eq!(root.api().get("/admin/users").await.status, 200);
}

#[rocket::async_test]
async fn two_admins_who_disable_each_other_leave_one() {
    let app = App::new().await;
    let (root, ruth) = (app.admin("root").await, app.admin("ruth").await);
    let all = join_all([(&root, "ruth"), (&ruth, "root")].map(|(admin, other)| async move {
        let path = format!("/admin/users/{other}");
        admin.api().patch(&path, json!({"disabled": true})).await.status
    }))
    .await;
    assert_eq!(all.iter().filter(|status| **status == 200).count(), 1, "{all:?}");
}

#[rocket::async_test]
async fn the_absolute_limit_holds_however_much_a_session_is_used() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    sql("UPDATE sessions SET expires_at = $1")
        .bind(now() - chrono::Duration::seconds(1))
        .execute(app.db.writer())
        .await
        .unwrap();
    assert_eq!(ann.page().get("/me").await.status, 303);
    assert_eq!(ann.api().get("/me").await.status, 401);
    let again = json!({"refresh_token": ann.refresh_token.clone().unwrap()});
    assert_eq!(app.nobody().api().post("/auth/refresh", again).await.status, 401);
}

#[rocket::async_test]
async fn ending_sessions_wins_against_whoever_keeps_refreshing() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for _ in 0..5 {
        let thief = app.log_in("ann").await;
        let token = json!({"refresh_token": thief.refresh_token.clone().unwrap()});
        let nobody = app.nobody();
        let storm = join_all((0..20).map(|_| {
            let (token, nobody) = (token.clone(), &nobody);
            async move { nobody.api().post("/auth/refresh", token).await.status }
        }));
        let (all, ended) =
            rocket::futures::future::join(storm, ann.page().with("delete", "/me/sessions", &[]))
                .await;
        assert_eq!(ended.status, 303);
        assert!(all.iter().all(|status| matches!(status, 200 | 401)), "{all:?}");
        assert_eq!(thief.api().get("/me").await.status, 401);
    }
}

#[rocket::async_test]
async fn an_odd_session_in_the_path_is_not_found() {
    let app = App::new().await;
    let (root, _ann) = (app.admin("root").await, app.user("ann").await);
    for odd in ["%00", "'", "%F0%9F%A6%A6", "x%2F..", &"a".repeat(3_000)] {
        let path = format!("/me/sessions/{odd}");
        assert_eq!(root.api().delete(&path).await.status, 404, "{odd:.20}");
        assert_eq!(root.page().with("delete", &path, &[]).await.status, 404, "{odd:.20}");
        let path = format!("/admin/users/ann/sessions/{odd}");
        assert_eq!(root.api().delete(&path).await.status, 404, "{odd:.20}");
    }
}

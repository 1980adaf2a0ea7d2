//! The applications that have access to an account: listed, revoked, ended with whatever they depend
//! on.

use rocket::http::Method::Delete;
use serde_json::{Value, json};

use crate::support::internals::sql;
use crate::support::oauth_client::{OAuthClient, Proof};
use crate::support::permission::{MEMBERS_NOT_FOUND, Permission, both};
use crate::support::{App, PASSWORD, Person, event_kinds};

pub fn permissions() -> Vec<Permission> {
    vec![both(Delete, "/me/tokens/applications/<id>", MEMBERS_NOT_FOUND)]
}

fn program<'a>(app: &'a App, tokens: &Value) -> Person<'a> {
    app.nobody().with_token(tokens["access_token"].as_str().unwrap())
}

/// Whether the tokens still work, access token and refresh token alike.
async fn works(app: &App, client: &OAuthClient, tokens: &Value) -> bool {
    let opens = program(app, tokens).api().get("/me").await.status;
    let renews = client.refresh(app, tokens["refresh_token"].as_str().unwrap()).await.status;
    assert_eq!(opens == 200, renews == 200, "{opens} {renews}");
    opens == 200
}

#[rocket::async_test]
async fn access_is_listed_with_its_scopes_and_revoked_at_both_doors() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    let (tides, log) = (
        OAuthClient::register(&bob, Proof::None).await,
        OAuthClient::register(&bob, Proof::Basic).await,
    );
    assert!(ann.page().get("/me/tokens").await.body.contains("no application access"));
    let first = tides.connect(&ann, "account").await;
    let second = tides.connect(&ann, "posts:write account").await;
    let third = log.connect(&ann, "account").await;
    tides.connect(&bob, "account").await;
    let list = ann.api().get("/me/tokens").await.json();
    let list = list["applications"].as_array().unwrap();
    assert_eq!(list.len(), 2, "one for each application: {list:?}");
    assert_eq!((&list[0]["id"], &list[1]["id"]), (&json!(log.id), &json!(tides.id)));
    assert_eq!((&list[1]["name"], &list[1]["owner"]), (&json!("Tide Tables"), &json!("bob")));
    assert_eq!(list[1]["scopes"], json!(["account", "posts:write"]));
    let page = ann.page().get("/me/tokens").await;
    assert!(page.body.contains("Tide Tables") && page.body.contains("account, posts:write"));
    let sessions = ann.api().get("/me/sessions").await.json();
    assert_eq!(sessions["items"][0]["application"], "Tide Tables");

    let path = format!("/me/tokens/applications/{}", tides.id);
    assert_eq!(ann.api().delete(&path).await.status, 204);
    assert!(!works(&app, &tides, &first).await && !works(&app, &tides, &second).await);
    assert!(works(&app, &log, &third).await);
    assert_eq!(ann.api().delete(&path).await.status, 404);
    let path = format!("/me/tokens/applications/{}", log.id);
    let gone = ann.page().delete(&path, &[]).await;
    assert_eq!((gone.status, gone.header("location")), (303, Some("/me/tokens")));
    assert_eq!(ann.page().delete(&path, &[]).await.status, 404);
    assert_eq!(program(&app, &third).api().get("/me").await.status, 401);
    assert_eq!(ann.api().get("/me/tokens").await.json()["applications"], json!([]));
    assert_eq!(bob.api().get("/me/tokens").await.json()["applications"][0]["id"], tides.id);
    let events = event_kinds(&ann.api().get("/me/events?limit=2").await.json());
    assert_eq!(events, ["application.revoked"; 2]);
}

#[rocket::async_test]
async fn a_revoked_consent_cannot_be_exchanged_any_more() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    let client = OAuthClient::register(&bob, Proof::None).await;
    let code = client.code(&ann, "account").await;
    let path = format!("/me/tokens/applications/{}", client.id);
    assert_eq!(ann.api().delete(&path).await.status, 204);
    assert_eq!(client.exchange(&app, &code).await.json()["error"], "invalid_grant");
}

#[rocket::async_test]
async fn a_program_gives_its_own_access_back() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    let client = OAuthClient::register(&bob, Proof::Basic).await;
    let other = OAuthClient::register(&bob, Proof::None).await;
    for kind in ["access_token", "refresh_token"] {
        let tokens = client.connect(&ann, "account").await;
        let token = [("token", tokens[kind].as_str().unwrap())];
        let refused = other.send(&app, "revoke", &token).await;
        assert_eq!((refused.status, &refused.json()["error"]), (400, &json!("invalid_grant")));
        let wrong = OAuthClient { secret: Some("pcs_wrong".to_owned()), ..client.clone() };
        let refused = wrong.send(&app, "revoke", &token).await;
        assert_eq!((refused.status, &refused.json()["error"]), (401, &json!("invalid_client")));
        assert_eq!(program(&app, &tokens).api().get("/me").await.status, 200, "{kind}");
        for _ in 0..2 {
            assert_eq!(client.send(&app, "revoke", &token).await.status, 200, "{kind}");
        }
        assert!(!works(&app, &client, &tokens).await, "{kind}");
    }
    assert_eq!(ann.api().get("/me").await.status, 200);
}

#[rocket::async_test]
async fn access_ends_with_the_application_its_owner_or_the_person() {
    let app = App::new().await;
    let root = app.admin("root").await;
    for case in ["application", "owner disabled", "owner deleted", "person", "password"] {
        let (bob, ann) = (format!("bob-{}", case.len()), format!("ann-{}", case.len()));
        let (bob, ann) = (app.user(&bob).await, app.user(&ann).await);
        let client = OAuthClient::register(&bob, Proof::Basic).await;
        let tokens = client.connect(&ann, "account").await;
        let code = client.code(&ann, "account").await;
        let admin = |name: &str| format!("/admin/users/{name}");
        let response = match case {
            "application" => bob.api().delete(&format!("/me/applications/{}", client.id)).await,
            "owner disabled" => {
                root.api().patch(&admin(&bob.name), json!({"disabled": true})).await
            }
            "owner deleted" => root.api().delete(&admin(&bob.name)).await,
            "person" => root.api().patch(&admin(&ann.name), json!({"disabled": true})).await,
            _ => {
                let new = "seven marble lanterns drift";
                let change = json!({"current": PASSWORD, "password": new});
                ann.api().put("/me/password", change).await
            }
        };
        assert!(response.status < 300, "{case}: {}", response.body);
        assert!(!works(&app, &client, &tokens).await, "{case}");
        assert_ne!(client.exchange(&app, &code).await.status, 200, "{case}");
        if case == "owner disabled" {
            let form = client.request("account");
            let form: Vec<(&str, &str)> = form.iter().map(|(k, v)| (*k, v.as_str())).collect();
            assert_eq!(ann.page().post("/oauth/authorize", &form).await.status, 400);
            root.api().patch(&admin(&bob.name), json!({"disabled": false})).await;
            assert!(!works(&app, &client, &tokens).await, "nor afterwards");
            let code = client.code(&ann, "account").await;
            assert_eq!(client.exchange(&app, &code).await.status, 200, "but with a new consent");
        }
    }
}

#[rocket::async_test]
async fn expired_codes_are_swept_and_used_ones_go_with_their_session() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    let client = OAuthClient::register(&bob, Proof::None).await;
    client.connect(&ann, "account").await;
    client.code(&ann, "account").await;
    let count = async || -> i64 {
        sql("SELECT count(*) FROM authorization_codes").scalar(&app.db).await.unwrap()
    };
    super::sweep(&app).await;
    assert_eq!(count().await, 2, "neither has expired");
    sql("UPDATE authorization_codes SET expires_at = $1")
        .bind(crate::support::internals::now())
        .execute(app.db.writer())
        .await
        .unwrap();
    super::sweep(&app).await;
    assert_eq!(count().await, 1, "the used one stays, to be recognised");
    sql("DELETE FROM sessions WHERE application_id IS NOT NULL")
        .execute(app.db.writer())
        .await
        .unwrap();
    assert_eq!(count().await, 0);
}

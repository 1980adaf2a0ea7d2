//! Authorization codes and what comes of them: the exchange (RFC 6749 §4.1.3, RFC 7636) and refreshing.

use rocket::futures::future::join_all;
use serde_json::json;

use super::authorize::{error, text};
use crate::support::internals::{now, sha256, sql};
use crate::support::oauth_client::{OAuthClient, Proof, REDIRECT_URI, VERIFIER};
use crate::support::{App, PASSWORD};

#[rocket::async_test]
async fn a_code_works_only_with_everything_that_belongs_to_it() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    let client = OAuthClient::register(&bob, Proof::Basic).await;
    let other = OAuthClient::register(&bob, Proof::None).await;
    let code = client.code(&ann, "account").await;
    let kept: (String,) = sql("SELECT hash FROM authorization_codes").one(&app.db).await.unwrap();
    assert_eq!(kept.0, sha256(&code), "the code itself is not stored");
    let invalid = (400, "invalid_grant".to_owned());
    for (redirect_uri, verifier) in [
        ("http://127.0.0.1/callback", VERIFIER),
        (REDIRECT_URI, "another-verifier-of-the-right-length-0123456789"),
        (REDIRECT_URI, &crate::support::oauth_client::challenge(VERIFIER)),
    ] {
        let refused = client.exchange_with(&app, &code, redirect_uri, verifier).await;
        assert_eq!(error(&refused), invalid, "{redirect_uri} {verifier}");
    }
    for (redirect_uri, verifier) in [("", VERIFIER), (REDIRECT_URI, "")] {
        let refused = client.exchange_with(&app, &code, redirect_uri, verifier).await;
        assert_eq!(error(&refused), (400, "invalid_request".to_owned()));
    }
    assert_eq!(error(&other.exchange(&app, &code).await), invalid, "somebody else's code");
    assert_eq!(error(&client.exchange(&app, "pac_unknown").await), invalid);

    let wrong = OAuthClient { secret: Some("pcs_wrong".to_owned()), ..client.clone() };
    let refused = wrong.exchange(&app, &code).await;
    assert_eq!(error(&refused), (401, "invalid_client".to_owned()));
    assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"Postly\""));
    for stranger in [
        OAuthClient { proof: Proof::Post, ..wrong.clone() },
        OAuthClient { proof: Proof::None, ..client.clone() },
        OAuthClient { client_id: "unknown".to_owned(), ..other.clone() },
    ] {
        let refused = stranger.exchange(&app, &code).await;
        assert_eq!(error(&refused), (400, "invalid_client".to_owned()));
        assert_eq!(refused.header("www-authenticate"), None);
    }
    let both = [
        ("client_secret", client.secret.as_deref().unwrap()),
        ("code", &code),
        ("grant_type", "authorization_code"),
    ];
    let both = client.send(&app, "token", &both).await;
    assert_eq!(error(&both), (400, "invalid_request".to_owned()), "two proofs at once");
    assert_eq!(client.exchange(&app, &code).await.status, 200, "no refusal used it up");

    let late = client.code(&ann, "account").await;
    sql("UPDATE authorization_codes SET expires_at = $1 WHERE session_id IS NULL")
        .bind(now())
        .execute(app.db.writer())
        .await
        .unwrap();
    assert_eq!(error(&client.exchange(&app, &late).await), invalid, "too late");
    let code = client.code(&ann, "account").await;
    let expires: (chrono::DateTime<chrono::Utc>,) =
        sql("SELECT max(expires_at) AS expires_at FROM authorization_codes")
            .one(&app.db)
            .await
            .unwrap();
    assert!(expires.0 <= now() + chrono::Duration::seconds(60));
    let change = json!({"current": PASSWORD, "password": "seven marble lanterns drift"});
    assert_eq!(ann.api().put("/me/password", change).await.status, 204);
    assert_eq!(error(&client.exchange(&app, &code).await), invalid, "another password");
}

#[rocket::async_test]
async fn a_code_that_is_sent_twice_ends_what_came_of_it() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    let client = OAuthClient::register(&bob, Proof::None).await;
    let kept = client.connect(&ann, "account").await;
    let code = client.code(&ann, "account").await;
    let tokens = client.exchange(&app, &code).await.json();
    let program = app.nobody().with_token(&text(&tokens, "access_token"));
    assert_eq!(program.api().get("/me").await.status, 200);
    // The time of an unused code is over, but a used one is still recognised.
    sql("UPDATE authorization_codes SET expires_at = $1")
        .bind(now() - chrono::Duration::minutes(5))
        .execute(app.db.writer())
        .await
        .unwrap();
    super::sweep(&app).await;
    let again = client.exchange(&app, &code).await;
    assert_eq!(error(&again), (400, "invalid_grant".to_owned()));
    assert_eq!(program.api().get("/me").await.status, 401);
    let refreshed = client.refresh(&app, &text(&tokens, "refresh_token")).await;
    assert_eq!(error(&refreshed), (400, "invalid_grant".to_owned()));
    let other = app.nobody().with_token(&text(&kept, "access_token"));
    assert_eq!(other.api().get("/me").await.status, 200, "from another code");
    assert!(ann.page().get("/me/sessions").await.body.contains("copied token"));

    let code = client.code(&ann, "account").await;
    let all = join_all((0..8).map(|_| client.exchange(&app, &code))).await;
    let granted: Vec<_> = all.iter().filter(|response| response.status == 200).collect();
    assert!(granted.len() <= 1, "{all:?}");
    for response in granted {
        let program = app.nobody().with_token(&text(&response.json(), "access_token"));
        assert_eq!(program.api().get("/me").await.status, 401, "the others have ended it");
    }
}

#[rocket::async_test]
async fn a_refresh_token_belongs_to_its_program() {
    let app = App::new().await;
    let (bob, ann) = (app.user("bob").await, app.user("ann").await);
    let client = OAuthClient::register(&bob, Proof::Basic).await;
    let other = OAuthClient::register(&bob, Proof::None).await;
    let tokens = client.connect(&ann, "account").await;
    let token = text(&tokens, "refresh_token");
    let invalid = (400, "invalid_grant".to_owned());
    assert_eq!(error(&other.refresh(&app, &token).await), invalid);
    let nobody = OAuthClient { client_id: String::new(), ..other.clone() };
    assert_eq!(error(&nobody.refresh(&app, &token).await), invalid);
    let wrong = OAuthClient { secret: Some("pcs_wrong".to_owned()), ..client.clone() };
    assert_eq!(error(&wrong.refresh(&app, &token).await), (401, "invalid_client".to_owned()));
    let body = json!({"refresh_token": token});
    let json = app.nobody().api().post("/auth/refresh", body).await;
    assert_eq!(json.status, 401, "not without its secret");
    let own = ann.refresh_token.clone().unwrap();
    assert_eq!(error(&client.refresh(&app, &own).await), invalid, "a person's own");
    assert_eq!(client.refresh(&app, &token).await.status, 200);
    let stranger = OAuthClient { client_id: "swagger".to_owned(), ..other };
    assert_eq!(stranger.refresh(&app, &own).await.status, 200, "no client is needed for one's own");
}

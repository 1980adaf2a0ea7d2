//! The main journey, with the client that openapi-generator makes of the document.

use postly_client::apis::configuration::Configuration;
use postly_client::apis::{Error, accounts_api, posts_api, sessions_api, tokens_api, votes_api};
use postly_client::models::{
    Login, PersonalTokenInput, PostInput, PostUpdate, Problem, Registration, Scope,
};
use serde_json::from_str;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [api, password] = arguments.as_slice() else { panic!("an address and a password") };
    let name = "cleo";
    let nobody = Configuration { base_path: api.clone(), ..Configuration::new() };

    // Register and log in.
    let registration = Registration::new(password.clone(), name.to_owned());
    let account = accounts_api::register(&nobody, registration.clone(), None).await.unwrap();
    assert_eq!(account.username, name);
    refused(409, "already_taken", accounts_api::register(&nobody, registration, None).await);
    let login = Login { username: Some(Some(name.to_owned())), ..Login::new(password.clone()) };
    let tokens = accounts_api::log_in(&nobody, login, None).await.unwrap();
    let cleo = with_token(&nobody, tokens.access_token);
    assert_eq!(accounts_api::get_account(&cleo).await.unwrap().id, account.id);

    // Write.
    for number in 1..=5 {
        let content = format!("Ships come *{number}* times.");
        let input = PostInput::new(content, format!("Harbour {number}"));
        let post = posts_api::create_post(&cleo, input, None).await.unwrap();
        assert!(post.content_html.contains(&format!("<em>{number}</em>")), "{}", post.content_html);
    }
    let dashboard = accounts_api::get_dashboard(&cleo, None, None, None, None).await.unwrap();
    assert_eq!(dashboard.message, format!("Welcome {name}, this is your dashboard"));
    assert_eq!(dashboard.items.len(), 5);

    // Read a list, page by page.
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let feed =
            posts_api::list_posts(&cleo, None, Some(name), None, before.as_deref(), None, Some(2))
                .await
                .unwrap();
        found.extend(feed.items);
        before = feed.next;
        if before.is_none() {
            break;
        }
    }
    let titles: Vec<&str> = found.iter().map(|post| post.title.as_str()).collect();
    assert_eq!(titles, ["Harbour 5", "Harbour 4", "Harbour 3", "Harbour 2", "Harbour 1"]);
    let id = found[0].id;

    // Edit, safely. The client shows no headers; a version in quotation marks is as good as the ETag.
    let post = posts_api::get_post(&cleo, id).await.unwrap();
    let tag = format!("\"{}\"", post.version);
    let edit = PostUpdate { title: Some("Harbour at night".to_owned()), ..PostUpdate::new() };
    let edited = posts_api::update_post(&cleo, id, edit.clone(), Some(&tag)).await.unwrap();
    assert_eq!((edited.title.as_str(), edited.content), ("Harbour at night", post.content));
    assert_eq!(edited.version, 2);
    let late = posts_api::update_post(&cleo, id, edit, Some(&tag)).await;
    refused(412, "version_conflict", late);

    // Vote.
    let voted = votes_api::cast_vote(&cleo, 1).await.unwrap();
    assert!(voted.voted);
    let votes = votes_api::list_votes(&cleo, 1, None, None, None).await.unwrap();
    assert!(votes.items.iter().any(|vote| vote.user.username == name));
    let withdrawn = votes_api::withdraw_vote(&cleo, 1).await.unwrap();
    assert_eq!(withdrawn.votes, voted.votes - 1);
    refused(403, "posts.own_vote", votes_api::cast_vote(&cleo, id).await);

    // A personal token that may only read.
    let wish = PersonalTokenInput::new("backup".to_owned(), vec![Scope::PostsColonRead]);
    let token = tokens_api::create_personal_token(&cleo, wish, None).await.unwrap();
    let tokens = tokens_api::list_personal_tokens(&cleo).await.unwrap();
    assert!(tokens.items.iter().any(|item| item.id == token.id));
    let reader = with_token(&nobody, token.token);
    assert_eq!(posts_api::get_post(&reader, id).await.unwrap().version, 2);
    refused(403, "insufficient_scope", posts_api::delete_post(&reader, id, None).await);
    tokens_api::revoke_personal_token(&cleo, token.id).await.unwrap();
    refused(401, "personal_token.invalid", accounts_api::get_account(&reader).await);

    // Delete, and leave.
    assert_eq!(sessions_api::list_sessions(&cleo, None, None, None).await.unwrap().items.len(), 1);
    posts_api::delete_post(&cleo, id, None).await.unwrap();
    refused(404, "not_found", posts_api::get_post(&cleo, id).await);
    accounts_api::log_out(&cleo, None).await.unwrap();
    refused(401, "session.ended", accounts_api::get_account(&cleo).await);
}

fn with_token(nobody: &Configuration, token: String) -> Configuration {
    Configuration { bearer_access_token: Some(token), ..nobody.clone() }
}

fn refused<T: std::fmt::Debug, E: std::fmt::Debug>(
    status: u16,
    code: &str,
    result: Result<T, Error<E>>,
) {
    let Err(Error::ResponseError(refusal)) = result else {
        panic!("expected {status} {code}, got {result:?}")
    };
    let problem: Problem = from_str(&refusal.content).unwrap();
    assert_eq!((refusal.status.as_u16(), problem.code.as_str()), (status, code));
}

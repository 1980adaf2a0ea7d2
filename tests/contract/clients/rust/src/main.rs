//! A short journey with the client that openapi-generator makes of the document.

use postly_client::apis::configuration::Configuration;
use postly_client::apis::{Error, accounts_api, posts_api};
use postly_client::models::{Login, PostInput, Registration};
use serde_json::{from_value, json};

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, api, password] = arguments.as_slice() else { panic!("an address and a password") };
    let name = "cleo";

    let mut client = Configuration { base_path: api.clone(), ..Configuration::new() };
    let registration: Registration =
        from_value(json!({ "username": name, "password": password })).unwrap();
    let wish = accounts_api::RegisterParams { registration };
    let account = accounts_api::register(&client, wish).unwrap();
    assert_eq!(account.username, name);
    let login: Login = from_value(json!({ "username": name, "password": password })).unwrap();
    let tokens = accounts_api::log_in(&client, accounts_api::LogInParams { login }).unwrap();
    client.oauth_access_token = Some(tokens.access_token.clone());
    client.bearer_access_token = Some(tokens.access_token);
    assert_eq!(accounts_api::get_account(&client).unwrap().id, account.id);

    let input = |title: &str| -> PostInput {
        from_value(json!({ "title": title, "content": "Ships come *twice*." })).unwrap()
    };
    for number in 1..=3 {
        let post_input = input(&format!("Harbour {number}"));
        let wish = posts_api::CreatePostParams { post_input };
        assert!(posts_api::create_post(&client, wish).unwrap().content_html.contains("<em>"));
    }

    let mut titles = Vec::new();
    let mut before = None;
    loop {
        let page: posts_api::ListPostsParams = posts_api::ListPostsParams {
            author: Some(name.to_owned()),
            limit: Some(2),
            before,
            sort: None,
            include: None,
            after: None,
        };
        let feed = posts_api::list_posts(&client, page).unwrap();
        titles.extend(feed.items.iter().map(|post| post.title.clone()));
        match serde_json::to_value(&feed.next).unwrap().as_str() {
            Some(cursor) => before = Some(cursor.to_owned()),
            None => break,
        }
    }
    assert_eq!(titles, ["Harbour 3", "Harbour 2", "Harbour 1"]);

    let feed = posts_api::list_posts(&client, posts_api::ListPostsParams {
        author: Some(name.to_owned()),
        limit: Some(1),
        before: None,
        sort: None,
        include: None,
        after: None,
    });
    let id = feed.unwrap().items[0].id;
    let edit = |version: &str| posts_api::UpdatePostParams {
        id,
        post_input: input("Harbour at night"),
        if_match: Some(version.to_owned()),
    };
    assert_eq!(posts_api::update_post(&client, edit("\"1\"")).unwrap().version, 2);
    let Err(Error::ResponseError(refusal)) = posts_api::update_post(&client, edit("\"1\"")) else {
        panic!("an edit of an old version must be refused");
    };
    assert_eq!(refusal.status.as_u16(), 412);
    assert!(refusal.content.contains("version_conflict"), "{}", refusal.content);

    let gone = posts_api::DeletePostParams { id, if_match: None };
    posts_api::delete_post(&client, gone).unwrap();
    let Err(Error::ResponseError(refusal)) =
        posts_api::get_post(&client, posts_api::GetPostParams { id })
    else {
        panic!("it must be gone");
    };
    assert_eq!(refusal.status.as_u16(), 404);
    accounts_api::log_out(&client).unwrap();
    assert!(accounts_api::get_account(&client).is_err());
}

//! What is created and shown once: a second click and reloading the page create no second one.

use rocket::http::Method::Get;
use serde_json::json;

use crate::support::database::contents;
use crate::support::permission::{Permission, page_only};
use crate::support::{App, Person, Phone, Response};

pub fn permissions() -> Vec<Permission> {
    let seen = [303; 4];
    vec![
        page_only(Get, "/me/tokens/created", seen),
        page_only(Get, "/me/applications/created", seen),
        page_only(Get, "/me/two-factor/recovery-codes", seen),
        page_only(Get, "/me/two-factor/setup", seen),
    ]
}

const TOKEN: [(&str, &str); 4] =
    [("name", "script"), ("scopes", "account"), ("days", "7"), ("form_id", "0a1b")];

#[rocket::async_test]
async fn a_new_token_is_shown_once_on_a_page_that_can_be_reloaded() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let answer = ann.page().post("/me/tokens", &TOKEN).await;
    assert_eq!(answer.header("location"), Some("/me/tokens/created"));
    let cookie =
        answer.headers.iter().find(|(_, value)| value.starts_with("postly_shown=")).unwrap();
    assert!(cookie.1.contains("HttpOnly") && cookie.1.contains("Max-Age=120"), "{}", cookie.1);
    assert!(!answer.cookie("postly_shown").unwrap().contains("pst_"), "sealed");

    let page = ann.shown_once(&answer).await;
    assert_eq!(page.status, 200);
    let token = page.body.split_once("value=\"pst_").unwrap().1.split_once('"').unwrap().0;
    let program = app.nobody().with_token(&format!("pst_{token}"));
    assert_eq!(program.api().get("/me").await.status, 200);
    assert_eq!(page.cookie("postly_shown").as_deref(), Some(""), "and the cookie is gone");
    let reloaded = ann.page().get("/me/tokens/created").await;
    assert_eq!((reloaded.status, reloaded.header("location")), (303, Some("/me/tokens")));

    // Another person, another session and another page cannot open it.
    let other = app.log_in("ann").await;
    for person in [&bob, &other] {
        assert_eq!(person.shown_once(&answer).await.status, 303);
    }
    let elsewhere = Response { headers: answer.headers.clone(), body: String::new(), ..answer };
    let elsewhere = elsewhere.cookie("postly_shown").unwrap();
    let ann_elsewhere = Person { cookie: ann.cookie.clone(), ..app.nobody() };
    let ann_elsewhere = ann_elsewhere.with_cookie("postly_shown", &elsewhere);
    assert_eq!(ann_elsewhere.page().get("/me/applications/created").await.status, 303);
    let list = ann.api().get("/me/tokens").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
}

#[rocket::async_test]
async fn recovery_codes_and_a_setup_can_be_reloaded() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let begun = ann.page().post("/me/two-factor", &[]).await;
    assert_eq!((begun.status, begun.header("location")), (303, Some("/me/two-factor/setup")));
    let first = ann.page().get("/me/two-factor/setup").await;
    let again = ann.page().get("/me/two-factor/setup").await;
    let key = Phone::key_on(&first.body);
    assert_eq!(Phone::key_on(&again.body), key, "reloading makes no other key");
    let phone = Phone::new(&key);
    let code = phone.code(0);
    let answer = ann.page().put("/me/two-factor", &[("code", &code)]).await;
    assert_eq!(answer.header("location"), Some("/me/two-factor/recovery-codes"));
    let codes = ann.shown_once(&answer).await;
    assert_eq!(codes.body.matches("<li><code>").count(), 10);
    for seen in ["/me/two-factor/recovery-codes", "/me/two-factor/setup"] {
        assert_eq!(ann.page().get(seen).await.header("location"), Some("/me/two-factor"), "{seen}");
    }
    let code = phone.code(1);
    let form = [("code", code.as_str()), ("form_id", "77")];
    let answer = ann.page().post("/me/two-factor/recovery-codes", &form).await;
    let new = ann.shown_once(&answer).await;
    assert_eq!(new.body.matches("<li><code>").count(), 10);
    // A second click: the code is used, but the form was already carried out.
    let twice = ann.page().post("/me/two-factor/recovery-codes", &form).await;
    assert_eq!(ann.shown_once(&twice).await.body, new.body);
}

#[rocket::async_test]
async fn what_is_too_large_for_a_cookie_is_shown_at_once_and_created_once() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let long: Vec<String> =
        (0..10).map(|n| format!("https://tides.example/{n}{}", "x".repeat(400))).collect();
    let long = long.join("\n");
    let form = [
        ("name", "Tides"),
        ("redirect_uris", long.as_str()),
        ("confidential", "true"),
        ("form_id", "9"),
    ];
    let first = ann.page().post("/me/applications", &form).await;
    assert!(first.status == 201 && first.body.contains("pcs_"), "{}", first.body);
    let reloaded = ann.page().post("/me/applications", &form).await;
    assert_eq!((reloaded.status, &reloaded.body), (201, &first.body));
    let short =
        [("name", "Ebb"), ("redirect_uris", "https://ebb.example/"), ("confidential", "true")];
    let answer = ann.page().post("/me/applications", &short).await;
    assert_eq!(answer.header("location"), Some("/me/applications/created"));
    assert!(ann.shown_once(&answer).await.body.contains("pcs_"));
    assert_eq!(
        ann.api().get("/me/applications").await.json()["items"].as_array().unwrap().len(),
        2
    );
}

#[rocket::async_test]
async fn a_double_click_publishes_once() {
    let app = App::new().await;
    let other = app.another().await;
    let ann = app.user("ann").await;
    let elsewhere = Person { cookie: ann.cookie.clone(), ..other.nobody() };
    let form = [("title", "Tides"), ("content", "Twice."), ("form_id", "5f3a")];
    // Through two instances at once.
    let (here, there) = (ann.page(), elsewhere.page());
    let (first, second) = tokio::join!(here.post("/posts", &form), there.post("/posts", &form));
    assert_eq!((first.status, second.status), (303, 303), "{} {}", first.body, second.body);
    assert_eq!(
        (first.header("location"), second.header("location")),
        (Some("/posts/1/tides"), Some("/posts/1/tides"))
    );
    for answer in [&first, &second] {
        assert_eq!(answer.cookie("postly_flash").as_deref(), Some("post-created"), "{answer:?}");
    }
    let posts = async || ann.api().get("/posts").await.json()["items"].as_array().unwrap().len();
    assert_eq!(posts().await, 1);

    // Whoever goes back and changes the text publishes another post; so does a new form.
    let changed = [("title", "Tides"), ("content", "Thrice."), ("form_id", "5f3a")];
    assert_eq!(
        ann.page().post("/posts", &changed).await.header("location"),
        Some("/posts/2/tides")
    );
    let new = [("title", "Tides"), ("content", "Twice."), ("form_id", "77")];
    assert_eq!(ann.page().post("/posts", &new).await.header("location"), Some("/posts/3/tides"));
    // A form that was refused can be corrected, and sent as it was once that helps.
    let refused = [("title", ""), ("content", "Twice."), ("form_id", "88")];
    for _ in 0..2 {
        assert_eq!(ann.page().post("/posts", &refused).await.status, 422);
    }
    // Ids of others are others, and strange ones are none.
    let bob = app.user("bob").await;
    assert_eq!(bob.page().post("/posts", &form).await.header("location"), Some("/posts/4/tides"));
    let long = "x".repeat(65);
    for id in ["", "a b", "é", long.as_str()] {
        let strange = [("title", "Tides"), ("content", "Twice."), ("form_id", id)];
        assert_eq!(ann.page().post("/posts", &strange).await.status, 303);
    }
    assert_eq!(posts().await, 8);
    let preview = [("content", "Twice."), ("form_id", "99")];
    let before = contents(&app.database_url()).await["idempotency_keys"].len();
    assert_eq!(ann.page().post("/posts/preview", &preview).await.status, 200);
    assert_eq!(contents(&app.database_url()).await["idempotency_keys"].len(), before);
}

#[rocket::async_test]
async fn a_double_click_saves_an_edit_and_a_password_once() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let path = format!("/posts/{}", ann.posts("Tides").await);
    let form = [("version", "1"), ("title", "Ebb"), ("content", "Low."), ("form_id", "1a")];
    for _ in 0..2 {
        let saved = ann.page().put(&path, &form).await;
        assert_eq!(
            (saved.status, saved.header("location")),
            (303, Some(format!("{path}/ebb").as_str()))
        );
    }
    assert_eq!(ann.api().get(&path).await.json()["version"], 2);
    let new = "seven marble lanterns drift";
    let change =
        [("current", crate::support::PASSWORD), ("password", new), ("form_id", "sec0ndform")];
    for _ in 0..2 {
        let changed = ann.page().put("/me/password", &change).await;
        assert_eq!(changed.status, 303, "{}", changed.body);
    }
    let stored = contents(&app.database_url()).await["idempotency_keys"].join("\n");
    assert!(!stored.contains("marble") && !stored.contains("sec0ndform"), "{stored}");
}

#[rocket::async_test]
async fn without_keys_left_forms_still_work() {
    let app = App::with(&[("limits", "idempotency-keys=0/h")]).await;
    let ann = app.user("ann").await;
    let form = [("title", "Tides"), ("content", "Twice."), ("form_id", "5f3a")];
    assert_eq!(ann.page().post("/posts", &form).await.status, 303);
}

#[rocket::async_test]
async fn every_creating_form_has_an_id_of_its_own() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.posts("Tides").await;
    for page in ["/posts/new", "/posts/1/edit", "/me/tokens", "/me/applications", "/me/password"] {
        let (first, second) = (ann.page().get(page).await, ann.page().get(page).await);
        assert_ne!(first.form_id(), second.form_id(), "{page}");
        assert_eq!(first.form_id().len(), 32);
    }
    ann.api().post("/me/two-factor", json!({})).await;
    assert_eq!(ann.page().get("/me/two-factor/setup").await.form_id().len(), 32);
    let refused = ann.page().post("/posts", &[("title", "x"), ("form_id", "5f3a")]).await;
    assert!(refused.status == 422 && refused.form_id() != "5f3a");
}

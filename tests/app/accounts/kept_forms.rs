//! Forms that are sent before their sender has logged in, or has confirmed the password: nothing that
//! was typed is lost.

use chrono::Duration;
use rocket::http::Method::Post;
use rocket::http::{ContentType, Header};

use super::sweep;
use crate::support::database::contents;
use crate::support::internals::{now, sql};
use crate::support::permission::{Permission, page_only};
use crate::support::{App, ORIGIN, PASSWORD, Person, Phone, Response, encode, send};

pub fn permissions() -> Vec<Permission> {
    // Without anything typed, it leads on to the log-in or to the confirmation.
    vec![page_only(Post, "/resume", [303; 4])]
}

type Form<'a> = &'a [(&'a str, &'a str)];

/// Sends a form like a browser: it sends it again when it is told to (307).
async fn submit(person: &Person<'_>, path: &str, form: Form<'_>) -> Response {
    let first = person.page().post(path, form).await;
    assert_eq!(first.status, 307, "{}", first.body);
    person.page().post(first.header("location").unwrap(), form).await
}

/// The fields of a page that a log-in carries along, with their values.
fn carried(page: &Response) -> Vec<(String, String)> {
    let attribute = |tag: &str, name: &str| {
        let rest = tag.split_once(&format!(" {name}=\"")).unwrap().1;
        let value = rest.split_once('"').unwrap().0;
        value
            .replace("&#x2F;", "/")
            .replace("&quot;", "\"")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
    };
    let form = page.body.split_once("<main").unwrap().1.split_once("</main>").unwrap().0;
    let tags = form.split("<input type=\"hidden\"").skip(1);
    let tags = tags.map(|rest| rest.split_once('>').unwrap().0);
    let fields = tags.map(|tag| (attribute(tag, "name"), attribute(tag, "value")));
    fields.filter(|(name, _)| name.starts_with("kept.") || name == "next").collect()
}

/// Sends the log-in of a page, with what it carries along.
async fn log_in_with(app: &App, page: &Response, path: &str, own: Form<'_>) -> Response {
    let carried = carried(page);
    let mut form: Vec<(&str, &str)> = own.to_vec();
    form.extend(carried.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    app.nobody().page().post(path, &form).await
}

/// The person with the cookie that a log-in has set.
fn with_session_of<'a>(app: &'a App, answer: &Response) -> Person<'a> {
    Person { cookie: Some(answer.cookie("postly").unwrap()), ..app.nobody() }
}

/// The value of a field with this id.
fn value(page: &Response, id: &str) -> String {
    let rest = page.body.split_once(&format!("<input id=\"{id}\"")).unwrap().1;
    rest.split_once("value=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}

const DRAFT: Form<'static> =
    &[("title", "On \"tides\" <b>"), ("content", "First.\n\nThe sea & I.")];
const OWN: Form<'static> = &[("username", "ann"), ("password", PASSWORD)];

#[rocket::async_test]
async fn what_was_typed_before_the_session_ended_is_in_the_form_after_the_log_in() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.page().post("/logout", &[]).await;
    let page = submit(&ann, "/posts", DRAFT).await;
    assert_eq!(page.status, 403);
    assert!(page.body.contains("You need to log in before this can be sent"), "{}", page.body);
    assert!(!page.body.contains("<b>"), "escaped");

    let wrong = [("username", "ann"), ("password", "wrong")];
    let page = log_in_with(&app, &page, "/login", &wrong).await;
    assert_eq!(page.status, 422);
    assert!(page.body.contains("You need to log in before this can be sent"));
    let done = log_in_with(&app, &page, "/login", OWN).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/posts/new?kept=1")));
    let ann = with_session_of(&app, &done);
    let flash = done.cookie("postly_flash").unwrap();
    let seen = Person { cookie: ann.cookie.clone(), ..app.nobody() };
    let seen = seen.with_cookie("postly_flash", &flash).page().get("/posts/new?kept=1").await;
    assert!(seen.body.contains("Nothing has been sent yet"), "{}", seen.body);

    // Another instance has it, too, and reloading does not lose it.
    let other = app.another().await;
    for app in [&app, &other] {
        let form = Person { cookie: ann.cookie.clone(), ..app.nobody() };
        let form = form.page().get("/posts/new?kept=1").await;
        assert_eq!(value(&form, "title"), "On &quot;tides&quot; &lt;b&gt;");
        assert!(
            form.body.contains("First.\r\n\r\nThe sea &amp; I.</textarea>")
                || form.body.contains("First.\n\nThe sea &amp; I.</textarea>"),
            "{}",
            form.body
        );
    }
    assert_eq!(value(&ann.page().get("/posts/new").await, "title"), "", "a new form is empty");
    assert!(!app.nobody().page().get("/").await.body.contains("tides"), "nothing was published");
    assert_eq!(ann.page().post("/posts", DRAFT).await.status, 303);
}

#[rocket::async_test]
async fn nobody_else_sees_what_was_kept_and_it_is_kept_for_an_hour_only() {
    let app = App::new().await;
    let bob = app.user("bob").await;
    app.user("ann").await;
    let page = submit(&app.nobody(), "/posts", DRAFT).await;
    let ann = with_session_of(&app, &log_in_with(&app, &page, "/login", OWN).await);
    let another = app.log_in("ann").await;
    for stranger in [&bob, &another] {
        let form = stranger.page().get("/posts/new?kept=1").await;
        assert_eq!(value(&form, "title"), "");
    }
    for other_page in ["/me/tokens?kept=1", "/?kept=1", "/me/email?kept=1"] {
        assert!(!ann.page().get(other_page).await.body.contains("tides"), "{other_page}");
    }
    let stored = contents(&app.database_url()).await["kept_forms"].join("\n");
    assert!(stored.contains("/posts/new") && !stored.contains("tides"), "sealed: {stored}");
    sweep(&app).await;
    assert_eq!(contents(&app.database_url()).await["kept_forms"].len(), 1);
    let expire = "UPDATE kept_forms SET expires_at = $1";
    sql(expire).bind(now() - Duration::seconds(1)).execute(app.db.writer()).await.unwrap();
    assert_eq!(value(&ann.page().get("/posts/new?kept=1").await, "title"), "");
    sweep(&app).await;
    assert_eq!(contents(&app.database_url()).await["kept_forms"].len(), 0);

    let page = submit(&app.nobody(), "/posts", DRAFT).await;
    let ann = with_session_of(&app, &log_in_with(&app, &page, "/login", OWN).await);
    assert_eq!(contents(&app.database_url()).await["kept_forms"].len(), 1);
    ann.page().post("/logout", &[]).await;
    assert_eq!(
        contents(&app.database_url()).await["kept_forms"].len(),
        0,
        "it goes with the session"
    );
}

#[rocket::async_test]
async fn an_edit_and_a_preview_are_kept_for_their_form() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let path = format!("/posts/{}", ann.posts("Tides").await);
    for (to, method) in [(path.clone(), "put"), (format!("{path}/preview"), "put")] {
        let form = [("_method", method), ("version", "1"), ("title", "Ebb"), ("content", "Low.")];
        let page = submit(&app.nobody(), &to, &form).await;
        assert_eq!(page.status, 403, "{}", page.body);
        let done = log_in_with(&app, &page, "/login", OWN).await;
        let form = format!("{path}/edit?kept=1");
        assert_eq!(done.header("location"), Some(form.as_str()));
        let shown = with_session_of(&app, &done).page().get(&form).await;
        assert_eq!(value(&shown, "title"), "Ebb");
        assert!(shown.body.contains("name=\"version\" value=\"1\""), "{}", shown.body);
        assert!(shown.body.contains("Low.</textarea>"));
    }
    let page = submit(&app.nobody(), "/posts/preview", &[("content", "Low.")]).await;
    let done = log_in_with(&app, &page, "/login", OWN).await;
    assert_eq!(done.header("location"), Some("/posts/new?kept=1"));
    assert_eq!(ann.api().get(&path).await.json()["title"], "Tides");
}

#[rocket::async_test]
async fn a_comment_is_kept_wherever_it_was_typed() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let comments = format!("/posts/{}/comments", ann.posts("Tides").await);
    assert_eq!(ann.page().post(&comments, &[("content", "First.")]).await.status, 303);
    let below: Form<'_> = &[("content", "The <sea> & I."), ("form_id", "5f3a")];
    let reply: Form<'_> = &[("content", "The <sea> & I."), ("parent_id", "1"), ("form_id", "77")];
    for (sent, parent, made) in [(below, "", "/comments/2"), (reply, "1", "/comments/3")] {
        let page = submit(&app.nobody(), &comments, sent).await;
        assert_eq!(page.status, 403, "{}", page.body);
        let done = log_in_with(&app, &page, "/login", OWN).await;
        let form = format!("{comments}/new?kept=1");
        assert_eq!(done.header("location"), Some(form.as_str()));
        let ann = with_session_of(&app, &done);
        let shown = ann.page().get(&form).await.body;
        assert!(shown.contains("\nThe &lt;sea&gt; &amp; I.</textarea>"), "{shown}");
        assert!(shown.contains(&format!("name=\"parent_id\" value=\"{parent}\"")), "{shown}");
        let before = app.nobody().api().get(made).await;
        assert_eq!(before.status, 404, "nothing was sent yet");
        assert_eq!(ann.page().post(&comments, sent).await.header("location"), Some(made));
        let comment = app.nobody().api().get(made).await.json();
        assert_eq!(comment["parent_id"].to_string(), if parent == "1" { "1" } else { "null" });
    }
}

#[rocket::async_test]
async fn the_code_carries_the_form_along_as_well() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let (phone, _) = Phone::set_up(&ann).await;
    let page = submit(&app.nobody(), "/posts", DRAFT).await;
    let page = log_in_with(&app, &page, "/login", OWN).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("name=\"code\"") && !page.body.contains(PASSWORD));
    let challenge = page.cookie("postly_login").unwrap();
    let answer = async |page: &Response, code: &str| {
        let mut form = vec![("code".to_owned(), code.to_owned())];
        form.extend(carried(page));
        let form: Vec<_> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        app.nobody().with_cookie("postly_login", &challenge).page().post("/login/code", &form).await
    };
    let page = answer(&page, "000000").await;
    assert_eq!(page.status, 422, "{}", page.body);
    let done = answer(&page, &phone.code(0)).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/posts/new?kept=1")));
    let form = with_session_of(&app, &done).page().get("/posts/new?kept=1").await;
    assert_eq!(value(&form, "title"), "On &quot;tides&quot; &lt;b&gt;");
}

/// Moves the last password confirmation of every session 16 minutes into the past.
async fn age_proofs(app: &App) {
    let aged = now() - Duration::minutes(16);
    let age = sql("UPDATE sessions SET proved_at = $1").bind(aged);
    age.execute(app.db.writer()).await.unwrap();
}

#[rocket::async_test]
async fn confirming_the_password_repeats_the_form_that_led_there() {
    let app = App::new().await;
    let (ann, root) = (app.user("ann").await, app.admin("root").await);
    age_proofs(&app).await;
    let token =
        [("name", "backup script"), ("scopes", "posts:read"), ("scopes", "account"), ("days", "7")];
    let page = submit(&ann, "/me/tokens", &token).await;
    assert_eq!(page.status, 403);
    assert!(page.body.contains("you’ll find what you typed in the form again"), "{}", page.body);
    let confirm = async |person: &Person<'_>, page: &Response, password: &str| {
        let mut form = vec![("password".to_owned(), password.to_owned())];
        form.extend(carried(page));
        let form: Vec<_> = form.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        person.page().post("/sudo", &form).await
    };
    let page = confirm(&ann, &page, "wrong").await;
    assert_eq!(page.status, 422);
    let done = confirm(&ann, &page, PASSWORD).await;
    assert_eq!((done.status, done.header("location")), (303, Some("/me/tokens?kept=1")));
    let form = ann.page().get("/me/tokens?kept=1").await;
    assert_eq!((value(&form, "name"), value(&form, "days")), ("backup script".into(), "7".into()));
    for (scope, is_checked) in [("posts:read", true), ("posts:write", false), ("account", true)] {
        let checked = format!("value=\"{scope}\" checked");
        assert_eq!(form.body.contains(&checked), is_checked, "{scope}: {}", form.body);
    }
    assert_eq!(ann.api().get("/me/tokens").await.status, 401, "and nothing was created");

    age_proofs(&app).await;
    let settings = [("_method", "patch"), ("footer", "Mind the tide.")];
    let page = submit(&root, "/admin/settings", &settings).await;
    let done = confirm(&root, &page, PASSWORD).await;
    let form = done.header("location").unwrap().to_owned();
    assert_eq!(form, "/admin/settings?kept=1");
    assert!(root.page().get(&form).await.body.contains("Mind the tide."));
}

#[rocket::async_test]
async fn no_password_is_carried_along() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let change = [("_method", "put"), ("current", PASSWORD), ("password", "seven marble lanterns")];
    let page = submit(&app.nobody(), "/me/password", &change).await;
    assert_eq!((page.status, page.header("location")), (303, Some("/login?next=%2Fme%2Fpassword")));
    let change = [
        ("_method", "put"),
        ("email", "a@mail.example"),
        ("password", "seven marble"),
        ("code", "123456"),
        ("current", "x1y2z3"),
    ];
    let page = submit(&app.nobody(), "/me/email", &change).await;
    assert!(page.body.contains("a@mail.example"));
    for secret in ["seven marble", "123456", "x1y2z3"] {
        assert!(!page.body.contains(secret), "{secret}");
    }
    assert_eq!(ann.page().get("/me").await.status, 200);
}

#[rocket::async_test]
async fn a_button_leads_back_to_its_page() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let path = format!("/posts/{}", ann.posts("Tides").await);
    let vote = [("_method", "put"), ("next", "/?sort=top#post-1")];
    let page = submit(&app.nobody(), &format!("{path}/vote"), &vote).await;
    let log_in = "/login?next=%2F%3Fsort%3Dtop%23post-1";
    assert_eq!((page.status, page.header("location")), (303, Some(log_in)));
    let flash = page.cookie("postly_flash").unwrap();
    let page = app.nobody().with_cookie("postly_flash", &flash).page().get(log_in).await;
    assert!(page.body.contains("Please log in first"), "{}", page.body);
    for evil in ["//evil.example", "https://evil.example", "/\\evil.example"] {
        let page =
            submit(&app.nobody(), &format!("{path}/vote"), &[("_method", "put"), ("next", evil)])
                .await;
        assert!(!page.header("location").unwrap().contains("evil"), "{page:?}");
        let there = format!("/resume?next={}", urlencoding(evil));
        let page = app.nobody().page().post(&there, DRAFT).await;
        let carried = carried(&page);
        assert!(carried.contains(&("next".to_owned(), "/".to_owned())), "{carried:?}");
    }
}

fn urlencoding(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

#[rocket::async_test]
async fn an_admin_whose_session_has_ended_loses_no_text_and_strangers_see_no_admin_pages() {
    let app = App::new().await;
    let root = app.admin("root").await;
    let settings = [("_method", "patch"), ("footer", "Mind the tide.")];
    assert_eq!(app.nobody().page().post("/admin/settings", &settings).await.status, 404);
    root.page().post("/logout", &[]).await;
    let page = submit(&root, "/admin/settings", &settings).await;
    assert!(page.status == 403 && page.body.contains("Mind the tide."), "{}", page.body);
    // Without the cookie of the session, the browser still has that of a known device.
    let known = app.nobody().with_cookie("postly_device", "x");
    assert_eq!(known.page().post("/admin/settings", &settings).await.status, 307);
}

#[rocket::async_test]
async fn no_other_site_and_no_size_gets_through() {
    let app = App::new().await;
    let form = encode(DRAFT);
    for origin in ["https://evil.example", "null"] {
        let headers = vec![Header::new("Origin", origin), ContentType::Form.into()];
        let refused = send(&app, Post, "/resume?next=/posts/new", headers, Some(&form)).await;
        assert_eq!(refused.status, 403);
        assert!(refused.body.contains("another site") && !refused.body.contains("kept."));
    }
    let long = "x".repeat(3 * 1024 * 1024);
    let headers = vec![Header::new("Origin", ORIGIN), ContentType::Form.into()];
    let form = encode(&[("content", &long)]);
    assert_eq!(send(&app, Post, "/resume?next=/posts/new", headers, Some(form)).await.status, 413);
    // The longest post in its longest form.
    app.user("ann").await;
    let longest = "🌊".repeat(100_000);
    let page = submit(&app.nobody(), "/posts", &[("title", "Sea"), ("content", &longest)]).await;
    let ann = log_in_with(&app, &page, "/login", OWN).await;
    assert_eq!(ann.status, 303);
    let form = with_session_of(&app, &ann).page().get("/posts/new?kept=1").await;
    assert!(form.body.contains(&longest));
}

/// Each field is written again in the page: an answer must not be many times as large as its request.
#[rocket::async_test]
async fn a_form_of_countless_fields_is_refused() {
    let app = App::new().await;
    let names: Vec<String> = (0..1_001).map(|n| format!("f{n}")).collect();
    for (count, status) in [(1_000, 403), (1_001, 400)] {
        let form: Vec<(&str, &str)> =
            names.iter().take(count).map(|name| (name.as_str(), "")).collect();
        let page = app.nobody().page().post("/resume?next=/posts/new", &form).await;
        assert_eq!(page.status, status, "{count}");
        assert!(page.body.len() < 100_000, "{}", page.body.len());
    }
}

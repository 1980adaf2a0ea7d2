//! Every action exists at both doors, or its row in the matrix says that it is an exception.

use std::collections::BTreeSet;

use super::permissions::concrete;
use crate::support::App;
use crate::support::internals::API;
use crate::support::permission::Permission;

/// Methods and paths, without the door.
pub type Actions = BTreeSet<(String, String)>;

/// Every mounted action: those of the page door, those of the API door.
pub fn mounted(app: &App) -> (Actions, Actions) {
    let (mut page, mut api) = (Actions::new(), Actions::new());
    for route in app.client.rocket().routes() {
        if route.name.as_deref() == Some("check of host and origin") {
            continue;
        }
        let (method, path) = (route.method.to_string(), route.uri.path());
        match path.strip_prefix(API) {
            Some(rest) => api.insert((method, rest.to_owned())),
            None => page.insert((method, path.to_owned())),
        };
    }
    (page, api)
}

#[rocket::async_test]
async fn every_action_stands_at_both_doors_or_on_the_list() {
    let (page, api) = mounted(&App::new().await);
    let rows = super::permissions::all();
    let exceptions = |is_exception: fn(&Permission) -> bool| -> Actions {
        let rows = rows.iter().filter(|row| is_exception(row));
        rows.map(|row| (row.method.to_string(), row.path.to_owned())).collect()
    };
    let difference = |a: &Actions, b: &Actions| a.difference(b).cloned().collect::<Actions>();
    assert_eq!(difference(&page, &api), exceptions(|row| row.api.is_none()));
    assert_eq!(difference(&api, &page), exceptions(|row| row.page.is_none()));
}

/// The address of a form that was sent is reloaded, or cut out of another one.
#[rocket::async_test]
async fn an_address_that_takes_only_forms_leads_a_browser_to_a_page() {
    let app = App::new().await;
    let root = app.admin("aa").await;
    crate::posts::prepare(&root).await;
    crate::accounts::applications::prepare(&root).await;
    let (page, _) = mounted(&app);
    let mut count = 0;
    for (method, path) in &page {
        if method == "GET" || page.contains(&("GET".to_owned(), path.clone())) {
            continue;
        }
        let path = concrete(path);
        let led = root.page().get(&path).await;
        assert_eq!(led.status, 303, "{path}");
        let to = led.header("location").unwrap().to_owned();
        // Who is logged in goes on from the page to log in.
        let page = root.page().get(&to).await;
        assert!(page.status == 200 || to == "/login", "{path} leads to {to}: {}", page.status);
        count += 1;
    }
    assert!(count > 10, "{count}");
    for (path, to) in [
        ("/posts", "/"),
        ("/posts/preview", "/posts/new"),
        ("/posts/1/preview", "/posts/1/edit"),
        ("/posts/1/vote", "/posts/1"),
        ("/me/tokens/1", "/me/tokens"),
        ("/logout", "/"),
        ("/resume", "/"),
        ("/admin/users/aa", "/admin/users"),
    ] {
        assert_eq!(root.page().get(path).await.header("location"), Some(to), "{path}");
    }
    assert_eq!(app.nobody().page().get("/admin/users/aa").await.status, 404);
    assert_eq!(app.nobody().api().get("/auth/login").await.status, 405, "programs are told");
}

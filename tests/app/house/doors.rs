//! Every action exists at both doors, or its row in the matrix says that it is an exception.

use std::collections::BTreeSet;

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

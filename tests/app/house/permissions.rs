//! The authorization matrix: who may do what, at which door.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use rocket::http::{ContentType, Header, Method};

use super::doors::{Actions, mounted};
use crate::support::database::{Snapshot, contents};
use crate::support::internals::API;
use crate::support::permission::Permission;
use crate::support::{App, ORIGIN, Response, encode, send_from, upload};

/// The rows of all rooms.
pub fn all() -> Vec<Permission> {
    [
        crate::accounts::permissions(),
        crate::admin::permissions(),
        crate::crawlers::permissions(),
        crate::documents::permissions(),
        crate::operations::permissions(),
        crate::posts::permissions(),
        crate::search::permissions(),
        crate::users::permissions(),
        super::document::permissions(),
    ]
    .concat()
}

/// The columns of a row.
const WHO: [&str; 4] = ["nobody", "another user", "the owner", "an admin"];

/// A site with the owner of post 1, another user and an admin, ready to be copied.
struct Fixture {
    snapshot: Snapshot,
    /// Cookie and token, by column.
    credentials: [Credentials; 4],
}

impl Fixture {
    async fn new() -> Fixture {
        let app = App::new().await;
        let credentials = {
            let (owner, other, admin) =
                (app.user("aa").await, app.user("bb").await, app.admin("root").await);
            crate::posts::prepare(&owner).await;
            crate::accounts::applications::prepare(&owner).await;
            [app.nobody(), other, owner, admin].map(|person| (person.cookie, person.token))
        };
        Fixture { snapshot: app.into_snapshot().await, credentials }
    }
}

/// A request of the matrix.
struct Question<'a> {
    row: &'a Permission,
    who: usize,
    is_api: bool,
    expected: u16,
}

fn questions(rows: &[Permission]) -> Vec<Question<'_>> {
    let mut questions = Vec::new();
    for row in rows {
        for (is_api, statuses) in [(false, row.page), (true, row.api)] {
            for (who, expected) in statuses.into_iter().flatten().enumerate() {
                let is_refused = row.api.is_some_and(|api| api[who] == 401);
                let is_form = row.method != Method::Get && row.image.is_none();
                // To the page that keeps what was typed until its sender has logged in.
                let expected = match expected {
                    303 if !is_api && is_form && is_refused => 307,
                    other => other,
                };
                questions.push(Question { row, who, is_api, expected });
            }
        }
    }
    questions
}

impl Question<'_> {
    /// Sends it from its own address, since the matrix does not test rate limits.
    async fn ask(&self, app: &App, fixture: &Fixture, number: usize) {
        let address = [10, 0, (number >> 8) as u8, number as u8].into();
        let credentials = &fixture.credentials[self.who];
        let response = send_row(app, address, credentials, self.row, self.is_api).await;
        assert_eq!(
            response.status, self.expected,
            "{} {} by {} (API: {}): {}",
            self.row.method, self.row.path, WHO[self.who], self.is_api, response.body
        );
    }
}

/// A cookie and a token.
pub type Credentials = (Option<String>, Option<String>);

/// Performs the action of a row, with its input, at one of the doors.
pub async fn send_row(
    app: &App,
    address: IpAddr,
    credentials: &Credentials,
    row: &Permission,
    is_api: bool,
) -> Response {
    send_row_with(app, address, credentials, row, is_api, Vec::new()).await
}

/// `send_row` with more headers.
pub async fn send_row_with(
    app: &App,
    address: IpAddr,
    (cookie, token): &Credentials,
    row: &Permission,
    is_api: bool,
    mut headers: Vec<Header<'static>>,
) -> Response {
    if !is_api {
        headers.push(Header::new("Origin", ORIGIN));
        headers.extend(cookie.as_ref().map(|c| Header::new("Cookie", format!("postly={c}"))));
    } else if let Some(token) = token {
        headers.push(Header::new("Authorization", format!("Bearer {token}")));
    }
    let mut body = None;
    if row.method != Method::Get {
        let is_form = !is_api || row.takes_form;
        headers.push(if is_form { ContentType::Form } else { ContentType::JSON }.into());
        let json = row.fields.iter().copied().collect::<BTreeMap<_, _>>();
        let text = if is_form { encode(row.fields) } else { serde_json::to_string(&json).unwrap() };
        body = Some(text.into_bytes());
        if let Some(image) = row.image {
            headers.pop();
            let (kind, content) = upload(image, is_api);
            headers.push(kind);
            body = Some(content);
        }
    }
    let path = format!("{}{}", if is_api { API } else { "" }, concrete(row.path));
    send_from(app, address, row.method, &path, headers, body).await
}

/// The path with parameters that exist in the fixture, or that do not exist.
pub fn concrete(path: &str) -> String {
    let path = path.replace("<id>", "1").replace("<username>", "aa").replace("<sid>", "0");
    let path = path
        .replace("<tag>", "sea")
        .replace("<number>", "1")
        .replace("<slug>", "any")
        .replace("<token>", "unknown");
    let path = path.replace("<path..>", "css/base.css").replace("<file>", "1.xml");
    assert!(!path.contains('<'), "give the parameter in {path} a value here");
    path
}

/// Requests that change nothing are sent to one site, whose database is compared before and after;
/// each request that changes something gets its own site.
#[rocket::async_test]
async fn nobody_strangers_owners_and_admins_are_told_what_the_matrix_says() {
    let rows = all();
    let fixture = Fixture::new().await;
    let shared = App::copy_of(&fixture.snapshot).await;
    is_complete(&rows, &shared);
    let before = contents(&shared.database_url()).await;
    assert_eq!(before["posts"].len(), 1);
    for (number, question) in questions(&rows).iter().enumerate() {
        if question.row.changes_nothing(question.who, question.is_api, question.expected) {
            question.ask(&shared, &fixture, number).await;
        } else {
            let app = App::copy_of(&fixture.snapshot).await;
            question.ask(&app, &fixture, number).await;
        }
    }
    let after = contents(&shared.database_url()).await;
    for (table, rows) in &before {
        assert_eq!(rows, &after[table], "a refused request has changed {table}");
    }
}

/// Every action has a row, and every row an action.
fn is_complete(rows: &[Permission], app: &App) {
    let (page, api) = mounted(app);
    let with = |is_there: fn(&Permission) -> bool| -> Actions {
        let rows = rows.iter().filter(|row| is_there(row));
        rows.map(|row| (row.method.to_string(), row.path.to_owned())).collect()
    };
    let described: BTreeSet<_> = with(|_| true);
    assert_eq!(described.len(), rows.len(), "an action has two rows");
    for (method, path) in page.union(&api) {
        assert!(
            described.contains(&(method.clone(), path.clone())),
            "{method} {path} is missing from the authorization matrix"
        );
    }
    assert_eq!((with(|row| row.page.is_some()), with(|row| row.api.is_some())), (page, api));
}

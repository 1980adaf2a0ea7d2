//! The rows of the authorization matrix; each noun has its own in its test file.

use rocket::http::Method;

/// Statuses at the page door and at the API door for: a visitor, another user, the owner, an admin.
pub type AtBothDoors = [(u16, u16); 4];

pub const PUBLIC: AtBothDoors = [(200, 200); 4];
pub const MEMBERS: AtBothDoors = [(303, 401), (200, 200), (200, 200), (200, 200)];
pub const MEMBERS_CREATE: AtBothDoors = [(303, 401), (303, 201), (303, 201), (303, 201)];
pub const MEMBERS_DELETE: AtBothDoors = [(303, 401), (303, 204), (303, 204), (303, 204)];
pub const MEMBERS_NOT_FOUND: AtBothDoors = [(303, 401), (404, 404), (404, 404), (404, 404)];
pub const MEMBERS_PAGE: [u16; 4] = [303, 200, 200, 200];
pub const ADMINS: AtBothDoors = [(404, 401), (404, 403), (404, 403), (200, 200)];
pub const ADMINS_CHANGE: AtBothDoors = [(404, 401), (404, 403), (404, 403), (303, 200)];
pub const ADMINS_DELETE: AtBothDoors = [(404, 401), (404, 403), (404, 403), (303, 204)];

/// An action: its route, and its status for each person.
#[derive(Clone)]
pub struct Permission {
    pub method: Method,
    /// Without the door.
    pub path: &'static str,
    pub page: Option<[u16; 4]>,
    pub api: Option<[u16; 4]>,
    /// Input that is valid for those with permission.
    pub fields: &'static [(&'static str, &'static str)],
    /// Whether the API door takes a form instead of JSON.
    pub takes_form: bool,
    /// An image that is sent, as a form at the page door.
    pub image: Option<&'static [u8]>,
    /// The scope that a personal token needs; if `None`, no personal token may do it.
    pub scope: Option<&'static str>,
}

/// An action at both doors.
pub fn both(method: Method, path: &'static str, expected: AtBothDoors) -> Permission {
    let (page, api) = (expected.map(|(page, _)| page), expected.map(|(_, api)| api));
    Permission { page: Some(page), api: Some(api), ..nowhere(method, path) }
}

/// An exception: forms and pages that API clients do not need, or whose counterpart has another
/// path.
pub fn page_only(method: Method, path: &'static str, page: [u16; 4]) -> Permission {
    Permission { page: Some(page), ..nowhere(method, path) }
}

/// An exception: what only API clients need, or whose counterpart has another path.
pub fn api_only(method: Method, path: &'static str, api: [u16; 4]) -> Permission {
    Permission { api: Some(api), ..nowhere(method, path) }
}

fn nowhere(method: Method, path: &'static str) -> Permission {
    Permission {
        method,
        path,
        page: None,
        api: None,
        fields: &[],
        takes_form: false,
        image: None,
        scope: None,
    }
}

impl Permission {
    pub fn with(self, fields: &'static [(&'static str, &'static str)]) -> Permission {
        Permission { fields, ..self }
    }

    /// Personal tokens with this scope may do it.
    pub fn scope(self, scope: &'static str) -> Permission {
        Permission { scope: Some(scope), ..self }
    }

    pub fn with_image(self, image: &'static [u8]) -> Permission {
        Permission { image: Some(image), ..self }
    }

    pub fn by_form(self) -> Permission {
        Permission { takes_form: true, ..self }
    }

    /// Whether a response with this status means that nothing changed: a read, a refusal, or a
    /// redirect to the log-in page, where the API door answers 401.
    pub fn changes_nothing(&self, who: usize, is_api: bool, status: u16) -> bool {
        let to_log_in =
            !is_api && [303, 307].contains(&status) && self.api.is_some_and(|api| api[who] == 401);
        self.method == Method::Get || status >= 400 || to_log_in
    }
}

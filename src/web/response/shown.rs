//! What a form has created and can be shown only once, such as a token: a redirect leads to its page,
//! so that reloading the page creates no second one. Meanwhile it is in a cookie, sealed, so that
//! every instance can show it and the database holds no secret.

use rocket::Request;
use rocket::http::Cookie;
use rocket::request::{FromRequest, Outcome};
use serde_json::Value;

use crate::models::base::site::Site;
use crate::web::public_url::PublicUrl;
use crate::web::request::state::RequestState;
use crate::web::security::cookie::{SHOWN, harden, name_for};

/// Browsers ignore cookies of more than 4,096 bytes.
const MAX_LENGTH: usize = 3_800;

/// Where a view is sealed: it opens in the same session and on its page only.
fn place(request: &Request<'_>, path: &str) -> Option<String> {
    let session = RequestState::of(request).authenticated()?.session_id()?;
    Some(format!("shown/{session}{path}"))
}

/// Leaves a view for the page at `path`; returns whether it could.
pub fn leave(request: &Request<'_>, path: &str, view: &[u8]) -> bool {
    let (Some(site), Some(public_url)) =
        (request.rocket().state::<Site>(), request.rocket().state::<PublicUrl>())
    else {
        return false;
    };
    let Some(place) = place(request, path) else { return false };
    match site.keys.seal(&place, view) {
        Ok(sealed) if sealed.len() <= MAX_LENGTH => {
            let cookie = Cookie::new(name_for(SHOWN, public_url), sealed);
            let mut cookie = harden(cookie, public_url);
            cookie.set_max_age(rocket::time::Duration::minutes(2));
            request.cookies().add(cookie);
            true
        }
        _ => false,
    }
}

/// What was left for this page, once.
pub struct Shown(pub Option<Value>);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Shown {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        Outcome::Success(Shown(take(request)))
    }
}

fn take(request: &Request<'_>) -> Option<Value> {
    let (site, public_url) = (request.rocket().state::<Site>()?, request.rocket().state()?);
    let name = name_for(SHOWN, public_url);
    let sealed = request.cookies().get(&name)?.value();
    let place = place(request, request.uri().path().as_str())?;
    let view = serde_json::from_slice(&site.keys.open(&place, sealed)?).ok()?;
    request.cookies().remove(harden(Cookie::new(name, ""), public_url));
    Some(view)
}

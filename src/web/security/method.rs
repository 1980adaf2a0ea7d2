//! The method of a form: browsers only send GET and POST, so Rocket takes others from `_method`.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::Method;
use rocket::{Data, Request};

/// Makes a POST of a form that says `_method=head`. Rocket would send its answer without the body
/// that its headers announce, and the browser would wait for it. Also of a form that is sent on to
/// `/resume`: its `_method` is for the address that refused it.
pub struct FormMethod;

#[rocket::async_trait]
impl Fairing for FormMethod {
    fn info(&self) -> Info {
        Info { name: "method of forms", kind: Kind::Request }
    }

    async fn on_request(&self, request: &mut Request<'_>, data: &mut Data<'_>) {
        let is_sent_on = request.uri().path() == "/resume" && request.method() != Method::Get;
        let is_form = request.content_type().is_some_and(|kind| kind.is_form());
        // A request that is HEAD by itself has no body.
        if is_form && is_sent_on
            || request.method() == Method::Head && is_form && !data.peek(1).await.is_empty()
        {
            request.set_method(Method::Post);
        }
    }
}

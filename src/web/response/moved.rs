//! The address of a page is another one now.

use rocket::Request;
use rocket::http::Status;
use rocket::response::{self, Responder, Response};

/// Leads to a path of the page door, with the query of the request. It may lead elsewhere later:
/// browsers ask again (`web::security::headers` sets `Cache-Control`).
pub struct Moved(pub String);

impl<'r> Responder<'r, 'static> for Moved {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let location = match request.uri().query() {
            Some(query) => format!("{}?{query}", self.0),
            None => self.0,
        };
        Response::build().status(Status::PermanentRedirect).raw_header("Location", location).ok()
    }
}

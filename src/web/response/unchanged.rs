//! Answers a conditional request with 304 when the client already has the representation (RFC 9110
//! §13.1.2).

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::{Method, Status};
use rocket::{Request, Response};

use crate::web::request::conditional::is_known;

pub struct Unchanged;

#[rocket::async_trait]
impl Fairing for Unchanged {
    fn info(&self) -> Info {
        Info { name: "conditional requests", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let is_conditional = request.headers().contains("If-None-Match")
            && matches!(request.method(), Method::Get | Method::Head)
            && response.status() == Status::Ok;
        if !is_conditional {
            return;
        }
        if response.headers().get_one("ETag").is_some_and(|tag| is_known(request, tag)) {
            response.set_status(Status::NotModified);
            // What describes the body that is not sent.
            response.remove_header("Content-Type");
            response.remove_header("Content-Encoding");
            *response.body_mut() = rocket::response::Body::default();
        }
    }
}

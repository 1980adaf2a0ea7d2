//! One line and one count for each request.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::http::{Method, Status};
use rocket::{Request, Response};

use crate::models::base::metrics::Answered;
use crate::models::base::site::Site;
use crate::web::door::Door;
use crate::web::request::address::CHECK_RANK;
use crate::web::request::state::RequestState;

/// Logs and counts each request, after the other fairings have completed its response.
pub struct RequestLog;

#[rocket::async_trait]
impl Fairing for RequestLog {
    fn info(&self) -> Info {
        Info { name: "request log", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        let state = RequestState::of(request);
        let took = state.started.elapsed();
        let status = response.status();
        // Rocket answers HEAD with the route of GET, and removes the body later.
        let method = if state.is_head { Method::Head } else { request.method() };
        let is_empty = state.is_head || matches!(status, Status::NoContent | Status::NotModified);
        let size = if is_empty { Some(0) } else { response.body_mut().size().await };
        // A path that no route has went no further than the check of its origin.
        let route = request.route().filter(|route| route.rank > CHECK_RANK);
        let route = route.map_or("none", |route| route.uri.path());
        tracing::info!(
            request_id = state.caller.request_id,
            method = method.as_str(),
            route,
            // Without the query, which may contain search terms.
            path = logged_path(route, request.uri().path().as_str()),
            status = status.code,
            bytes = size,
            milliseconds = took.as_secs_f64() * 1e3,
            user = state.authenticated().map(|authenticated| authenticated.user.id),
            address = state.caller.address(),
            "request"
        );
        let Some(site) = request.rocket().state::<Site>() else { return };
        site.metrics.answered(Answered {
            door: Door::of(request).into(),
            method: method.as_str(),
            route,
            status: status.code,
            took,
        });
        for kind in state.caller.events() {
            site.metrics.event(kind);
        }
        if status == Status::TooManyRequests {
            let limits = state.caller.rate_limits();
            let used_up = limits.iter().find(|limit| limit.remaining <= 0);
            site.metrics.refused(used_up.map_or("other", |limit| limit.policy.name));
        }
    }
}

/// The path of a request; not that of a link whose address is its secret.
fn logged_path<'a>(route: &'a str, path: &'a str) -> &'a str {
    if route.contains("<token>") { route } else { path }
}

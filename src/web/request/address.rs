//! Addresses: which methods one has, and which page belongs to one that takes only forms.

use rocket::Request;
use rocket::http::Method;
use rocket::request::FromParam;

use super::id::Id;
use super::slug::Slug;
use super::state::RequestState;
use crate::models::users::user::Role;
use crate::web::door::{Door, is_local};
use crate::web::public_url::PublicUrl;

/// The rank of the checks before all other routes, which accept everything.
pub const CHECK_RANK: isize = -100;

/// The methods, if any, that routes accept at this address. Rocket itself would answer 404.
pub fn methods(request: &Request<'_>) -> String {
    let path = request.uri().path();
    // To everybody else, admin pages do not exist.
    let is_hidden = Door::of(request) == Door::Page
        && segments(path.as_str()).first() == Some(&"admin")
        && RequestState::of(request).authenticated().is_none_or(|a| a.user.role != Role::Admin);
    if is_hidden {
        return String::new();
    }
    let mut methods: Vec<&str> =
        accepted(request, path.as_str()).into_iter().map(|method| method.as_str()).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    if !methods.is_empty() {
        methods.push("OPTIONS");
    }
    methods.sort_unstable();
    methods.dedup();
    methods.join(", ")
}

/// The page to see at an address that takes only forms: that of the form for a preview, otherwise
/// what the address is a part of.
pub fn nearest_page(request: &Request<'_>) -> String {
    let path = request.uri().path().as_str();
    if is_preview(request) { form_page(request) } else { page_above(request, path) }
}

/// The last part of the address of a preview.
const PREVIEW: &str = "/preview";

/// Whether this is the address of a preview, which changes nothing.
pub fn is_preview(request: &Request<'_>) -> bool {
    request.uri().path().ends_with(PREVIEW)
}

/// The page with the form that was sent to this address.
pub fn form_page(request: &Request<'_>) -> String {
    let path = request.uri().path().as_str();
    let path = path.strip_suffix(PREVIEW).unwrap_or(path);
    let pages = ["new", "edit"].map(|page| format!("{path}/{page}"));
    let page = pages.into_iter().find(|page| is_page(request, page));
    page.unwrap_or_else(|| page_above(request, path))
}

/// The page from which a form was sent, with its query: if the browser tells, and if it can be
/// opened again.
pub fn previous_page<'r>(request: &'r Request<'_>) -> Option<&'r str> {
    let site = request.rocket().state::<PublicUrl>()?.origin();
    let referer = request.headers().get_one("Referer")?.strip_prefix(site)?;
    (is_local(referer) && is_page(request, path_of(referer))).then_some(referer)
}

/// The address without its query and fragment.
pub fn path_of(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

fn page_above(request: &Request<'_>, path: &str) -> String {
    let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
    let mut paths: Vec<&str> = ends.filter(|end| *end > 0).map(|end| &path[..end]).collect();
    paths.reverse();
    paths.into_iter().find(|path| is_page(request, path)).unwrap_or("/").to_owned()
}

fn is_page(request: &Request<'_>, path: &str) -> bool {
    is_local(path) && accepted(request, path).contains(&Method::Get)
}

fn accepted(request: &Request<'_>, path: &str) -> Vec<Method> {
    let path = segments(path);
    let routes = request.rocket().routes();
    let routes = routes.filter(|route| route.rank > CHECK_RANK && matches(route.uri.path(), &path));
    routes.map(|route| route.method).collect()
}

fn segments(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

fn matches(pattern: &str, path: &[&str]) -> bool {
    let pattern = segments(pattern);
    if pattern.last().is_some_and(|last| last.ends_with("..>")) {
        return false;
    }
    pattern.len() == path.len()
        && pattern.iter().zip(path).all(|(p, s)| match p.strip_prefix('<') {
            Some("id>" | "number>") => Id::from_param(s).is_ok(),
            Some("slug>") => Slug::from_param(s).is_ok(),
            Some(_) => true,
            None => p == s,
        })
}

//! People, as others see them.

use rocket::{Route, get, routes};
use serde::Serialize;

use super::docs::Problem;
use crate::models::page::{Asked, Page};
use crate::models::post::{self, Post};
use crate::models::user::{self, Profile};
use crate::web::{self, Database, Query, Visitor, page};

pub fn both() -> Vec<Route> {
    routes![show]
}

/// A person and their posts.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Person {
    pub user: Profile,
    #[serde(flatten)]
    pub page: Page<Post>,
}

/// A person and their posts, newest first
#[utoipa::path(get, path = "/users/{username}", tag = "people", security((), ("password" = [])),
    params(("username" = String, Path), ("before" = Option<String>, Query),
        ("after" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = Person), (status = 404, body = Problem)))]
#[get("/users/<username>")]
pub async fn show(
    username: &str,
    query: Query<Asked>,
    visitor: Visitor,
    db: &Database,
) -> web::Result {
    let user = user::profile(db, username).await?;
    let posts = post::by_author(db, visitor.user(), user.id, &query).await?;
    let (previous, next) = (posts.previous.clone(), posts.next.clone());
    Ok(page("users/show.html", Person { user, page: posts }).between(previous, next))
}

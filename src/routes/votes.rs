//! Votes for posts.

use rocket::{Route, delete, get, put, routes};
use serde::Serialize;

use super::docs::Problem;
use crate::models::page::{Asked, Page};
use crate::models::post::{self, Post};
use crate::models::user::User;
use crate::models::vote::{self, Vote};
use crate::web::{self, Back, Database, Flash, Query, Visitor, page, saved};

pub fn both() -> Vec<Route> {
    routes![index, update, delete]
}

/// The votes for a post, and which post it is.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Votes {
    pub post: Heading,
    #[serde(flatten)]
    pub page: Page<Vote>,
}

/// As much of a post as stands above its votes.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Heading {
    pub id: i64,
    pub title: String,
}

/// Who voted for a post, latest first
#[utoipa::path(get, path = "/posts/{id}/votes", tag = "votes", security((), ("password" = [])),
    params(("id" = i64, Path), ("before" = Option<String>, Query),
        ("after" = Option<String>, Query), ("limit" = Option<i64>, Query)),
    responses((status = 200, body = Votes), (status = 404, body = Problem)))]
#[get("/posts/<id>/votes")]
pub async fn index(id: i64, query: Query<Asked>, visitor: Visitor, db: &Database) -> web::Result {
    let post = post::show(&**db, visitor.user(), id).await?;
    let found = vote::list(db, &post, &query).await?;
    let (previous, next) = (found.previous.clone(), found.next.clone());
    let view = Votes { post: Heading { id, title: post.title }, page: found };
    Ok(page("posts/votes.html", view).between(previous, next))
}

/// Vote for a post
///
/// Once more changes nothing. Nobody votes for their own post.
#[utoipa::path(put, path = "/posts/{id}/vote", tag = "votes", security(("password" = [])),
    params(("id" = i64, Path)),
    responses((status = 200, body = Post), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
#[put("/posts/<id>/vote", data = "<back>")]
pub async fn update(id: i64, me: User, back: Back, db: &Database) -> web::Result {
    let post = vote::cast(db, &me, id).await?;
    Ok(saved(back.or(format!("/posts/{id}")), Flash::VoteCast, post))
}

/// Take a vote back
///
/// Once more changes nothing.
#[utoipa::path(delete, path = "/posts/{id}/vote", tag = "votes", security(("password" = [])),
    params(("id" = i64, Path)),
    responses((status = 200, body = Post), (status = 401, body = Problem),
        (status = 404, body = Problem)))]
#[delete("/posts/<id>/vote", data = "<back>")]
pub async fn delete(id: i64, me: User, back: Back, db: &Database) -> web::Result {
    let post = vote::withdraw(db, &me, id).await?;
    Ok(saved(back.or(format!("/posts/{id}")), Flash::VoteWithdrawn, post))
}

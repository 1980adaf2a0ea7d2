//! Thin handlers, one noun a file: load, call one model function, reply.

pub mod accounts;
pub mod admin;
pub mod docs;
pub mod emails;
pub mod events;
pub mod oauth;
pub mod operations;
pub mod passwords;
pub mod posts;
pub mod sessions;
pub mod tokens;
pub mod two_factor;
pub mod users;
pub mod votes;

use rocket::http::Method;

use crate::models::api_token::Scope;

/// Which scope a personal token needs, by a route's method and its path below the door. What is not
/// named here no personal token may do: tokens make no tokens, and change no password.
pub fn scope(method: Method, path: &str) -> Option<Scope> {
    use Method::{Delete, Get, Patch, Post, Put};
    Some(match (method, path) {
        (Get, "/posts" | "/posts/<id>" | "/posts/<id>/votes" | "/users/<username>") => {
            Scope::PostsRead
        }
        (Post, "/posts" | "/posts/preview") => Scope::PostsWrite,
        (Put, "/posts/<id>" | "/posts/<id>/preview" | "/posts/<id>/vote") => Scope::PostsWrite,
        (Delete, "/posts/<id>" | "/posts/<id>/vote") => Scope::PostsWrite,
        (Get, "/me" | "/dashboard" | "/me/events" | "/me/sessions") => Scope::Account,
        (Delete, "/me/sessions" | "/me/sessions/<sid>") => Scope::Account,
        (Get | Patch | Delete, path) if path.starts_with("/admin/") => Scope::Admin,
        _ => return None,
    })
}

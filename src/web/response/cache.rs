//! Answers that depend on what anybody may read, kept in memory until that changes: one for everybody
//! who is not logged in, and one for each other reader, with their votes and their navigation. A
//! resource takes part by naming its handler under `cached` in `room!`.
//!
//! The version of the content (`Db::content_version`) and that of the settings are part of the key:
//! an older answer is never found again, and makes room for newer ones.

use std::sync::Arc;

use chrono::Utc;
use quick_cache::sync::{Cache, DefaultLifecycle, PlaceholderGuard};
use quick_cache::{DefaultHashBuilder, Weighter};
use rocket::http::{Method, Status};
use rocket::route::{BoxFuture, Handler, Outcome, Route};
use rocket::{Data, Request};

use super::color_scheme::ColorScheme;
use super::representation::Representation;
use crate::models::accounts::scope::Scope;
use crate::models::base::site::Site;
use crate::web::door::Door;
use crate::web::public_url::PublicUrl;
use crate::web::request::state::{Authentication, RequestState};
use crate::web::security::cookie::{FLASH, name_for};

/// Longest address whose answer is kept, in bytes.
const MAX_ADDRESS: usize = 300;
/// Largest answer that is kept, in bytes.
const MAX_BODY: usize = 512 * 1024;
/// What an answer is expected to take, in bytes, for the size of tables.
const TYPICAL: u64 = 16 * 1024;

/// The kept answers of this instance.
pub struct AnswerCache(Option<Kept>);

/// An answer that is being made, and where it belongs.
struct Place<'a> {
    cache: &'a Kept,
    key: Key,
    guard: Guard<'a>,
}

type Kept = Cache<Key, Answer, ByBytes>;
type Guard<'a> =
    PlaceholderGuard<'a, Key, Answer, ByBytes, DefaultHashBuilder, DefaultLifecycle<Key, Answer>>;

/// What an answer depends on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Key {
    content: i64,
    settings: i64,
    /// In UTC, since 1970: lists of the current day, week, month or year change with it.
    day: i64,
    theme: ColorScheme,
    reader: Reader,
    /// With the path, which tells the door, and the query.
    address: String,
}

/// For whom an answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Reader {
    /// Whoever is not logged in.
    Anybody,
    /// A user, by id. The name and the role are part of the content, as profiles show them.
    User(i64),
}

/// `None` if the answer cannot be kept: whoever waited for it asks for one of their own.
type Answer = Option<Arc<Representation>>;

#[derive(Clone)]
struct ByBytes;

impl Weighter<Key, Answer> for ByBytes {
    fn weight(&self, key: &Key, answer: &Answer) -> u64 {
        let size = answer.as_ref().map_or(0, |answer| answer.size());
        (key.address.len() + size + 200) as u64
    }
}

impl AnswerCache {
    /// Keeps at most so many bytes; with 0, nothing.
    pub fn new(bytes: u64) -> AnswerCache {
        let entries = usize::try_from(bytes / TYPICAL).unwrap_or(usize::MAX);
        AnswerCache((bytes > 0).then(|| Cache::with_weighter(entries, bytes, ByBytes)))
    }
}

/// Those of these routes whose handlers are named keep their answers.
pub fn cached(routes: Vec<Route>, names: &'static [&'static str]) -> Vec<Route> {
    let wrap = |mut route: Route| {
        let is_named = route.name.as_deref().is_some_and(|name| names.contains(&name));
        if route.method == Method::Get && is_named {
            route.handler = Box::new(Cached(route.handler));
        }
        route
    };
    routes.into_iter().map(wrap).collect()
}

#[derive(Clone)]
struct Cached(Box<dyn Handler>);

impl Handler for Cached {
    fn handle<'r, 'life0, 'life1, 'async_trait>(
        &'life0 self,
        request: &'r Request<'life1>,
        data: Data<'r>,
    ) -> BoxFuture<'async_trait, Outcome<'r>>
    where
        'r: 'async_trait,
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            let Some(reader) = reader(request) else {
                return self.0.handle(request, data).await;
            };
            let is_public = reader.0 == Reader::Anybody;
            let place = match known_or_place(request, reader).await {
                Some(Ok(Some(known))) => {
                    return Outcome::Success(known.response(request, is_public));
                }
                Some(Err(place)) => Some(place),
                Some(Ok(None)) | None => None,
            };
            let answer = match self.0.handle(request, data).await {
                Outcome::Success(mut response) if response.status() == Status::Ok => {
                    match Representation::of(request, &mut response, MAX_BODY).await {
                        Some(answer) => Ok(Arc::new(answer)),
                        None => Err(Outcome::Success(response)),
                    }
                }
                other => Err(other),
            };
            if let Some(place) = place {
                place.fill(answer.as_ref().ok());
            }
            answer.map_or_else(
                |other| other,
                |answer| Outcome::Success(answer.response(request, is_public)),
            )
        })
    }
}

/// The reader, if the answer depends on nothing but the reader, the address and the theme; with the
/// version of the content, if it is known.
fn reader(request: &Request<'_>) -> Option<(Reader, Option<i64>)> {
    let state = RequestState::of(request);
    let has_notice = |url: &PublicUrl| request.cookies().get(&name_for(FLASH, url)).is_some();
    if Door::of(request) == Door::Page && has_notice(request.rocket().state()?) {
        return None;
    }
    match state.authentication.get()? {
        Authentication::Anonymous => Some((Reader::Anybody, None)),
        Authentication::User(known) => {
            let is_kept_form = state.kept.get().is_some_and(|kept| !kept.is_empty());
            // Others read what anybody may, which is rare.
            let may_read = known.scopes().is_none_or(|scopes| scopes.contain(Scope::PostsRead));
            (may_read && !is_kept_form)
                .then_some((Reader::User(known.user.id), Some(known.content_version)))
        }
        Authentication::Rejected(_) | Authentication::Unavailable(_) => None,
    }
}

/// The kept answer; or the place for it, which is given to one request at a time: the others wait.
/// `None` when nothing is to be kept.
async fn known_or_place<'r>(
    request: &'r Request<'_>,
    (reader, version): (Reader, Option<i64>),
) -> Option<Result<Answer, Place<'r>>> {
    let cache = request.rocket().state::<AnswerCache>()?.0.as_ref()?;
    let site = request.rocket().state::<Site>()?;
    let address = request.uri().to_string();
    if address.len() > MAX_ADDRESS {
        return None;
    }
    let theme = match Door::of(request) {
        Door::Page => ColorScheme::of(request, request.rocket().state::<PublicUrl>()?),
        Door::Api => ColorScheme::System,
    };
    // Both are read before the answer is made, which may thus be newer than its key, but never older.
    let settings = site.settings.version();
    let content = match version {
        Some(version) => version,
        None => site.db.content_version().await.ok()?,
    };
    let day = Utc::now().timestamp().div_euclid(86_400);
    let key = Key { content, settings, day, theme, reader, address };
    let known = cache.get_value_or_guard_async(&key).await;
    Some(known.map_err(|guard| Place { cache, key, guard }))
}

impl Place<'_> {
    fn fill(self, answer: Option<&Arc<Representation>>) {
        let is_kept = answer.is_some();
        // An error means that the place is no longer there, which concerns only those who come later.
        let _ = self.guard.insert(answer.cloned());
        if !is_kept {
            self.cache.remove(&self.key);
        }
    }
}

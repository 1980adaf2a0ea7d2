//! Series: one of them with its posts, those of a person, renaming and deleting them.

use rocket::{delete, get, patch, put};
use serde::Serialize;
use serde_json::json;

use crate::models::base::actor::Actor;
use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::post::PostSummary;
use crate::models::posts::series::{self, CountedSeries, Series, SeriesUpdate};
use crate::models::posts::series_edit;
use crate::models::users::user::{self, Profile};
use crate::web::{
    self, Flash, Id, Input, OrForm, PostsWrite, Query, ReturnTo, Scoped, Visitor, data, form, gone,
    list, room, saved,
};

room! {
    tag: ("series", "Posts that belong together, in their order"),
    both: [index, update, patch, delete],
    pages: [read, edit],
    api: [show, parts],
    cached: [index, read, show, parts],
}

const FORM: &str = "series/edit.html";

/// A user and their series.
#[derive(Serialize, utoipa::ToSchema)]
pub struct UserSeries {
    /// Whose series these are.
    user: Profile,
    #[serde(flatten)]
    page: Page<Series>,
}

/// List the series of a user
///
/// The one that was made last first. Those without a public post are listed for their author alone.
#[utoipa::path(get, path = "/users/{username}/series", operation_id = "listUserSeries", tag = "series",
    security((), ("oauth2" = ["posts:read"])), params(("username" = String, Path), PageParams),
    responses((status = 200, body = UserSeries)))]
#[get("/users/<username>/series")]
async fn index(
    username: &str,
    query: Query<PageParams>,
    visitor: Visitor,
    site: &Site,
) -> web::Result {
    let user = user::profile(&site.db, username).await?;
    let series = series::by_author(site, visitor.user(), user.id, &query).await?;
    Ok(list("series/index.html", series, |page| UserSeries { user, page }))
}

/// A series and a page of its posts.
#[derive(Serialize)]
struct SeriesPage {
    series: CountedSeries,
    /// The number of the first one on this page.
    start: i64,
    #[serde(flatten)]
    page: Page<PostSummary>,
}

#[get("/series/<id>")]
async fn read(id: Id, query: Query<PageParams>, visitor: Visitor, site: &Site) -> web::Result {
    let series = series::find(&site.db, visitor.user(), *id).await?;
    let posts = series::parts(site, visitor.user(), *id, &query).await?;
    let (start, parts) = series::count(&site.db, *id, posts.items.first()).await?;
    let series = CountedSeries { series, parts };
    Ok(list("series/show.html", posts, |page| SeriesPage { series, start, page }))
}

/// Get a series
///
/// Without a public post, its author alone finds it. `GET /series/{id}/posts` lists its posts.
#[utoipa::path(get, path = "/series/{id}", operation_id = "getSeries", tag = "series",
    security((), ("oauth2" = ["posts:read"])), params(("id" = i64, Path)),
    responses((status = 200, body = CountedSeries)))]
#[get("/series/<id>")]
async fn show(id: Id, visitor: Visitor, site: &Site) -> web::Result {
    Ok(data(series::show(&site.db, visitor.user(), *id).await?))
}

/// A series and its posts.
#[derive(Serialize, utoipa::ToSchema)]
pub struct SeriesPosts {
    /// The series.
    series: Series,
    #[serde(flatten)]
    page: Page<PostSummary>,
}

/// List the posts of a series
///
/// In the order in which they were published: the first part comes first. Posts that are in no other list are
/// not in this one.
#[utoipa::path(get, path = "/series/{id}/posts", operation_id = "listSeriesPosts", tag = "series",
    security((), ("oauth2" = ["posts:read"])), params(("id" = i64, Path), PageParams),
    responses((status = 200, body = SeriesPosts)))]
#[get("/series/<id>/posts")]
async fn parts(id: Id, query: Query<PageParams>, visitor: Visitor, site: &Site) -> web::Result {
    let series = series::find(&site.db, visitor.user(), *id).await?;
    let posts = series::parts(site, visitor.user(), *id, &query).await?;
    Ok(list("", posts, |page| SeriesPosts { series, page }))
}

#[get("/series/<id>/edit")]
async fn edit(id: Id, actor: Actor, site: &Site) -> web::Result {
    let series = series_edit::editable(site, &actor, *id).await?;
    let values = json!({ "title": series.title });
    Ok(form(FORM, values, json!({ "series": series })))
}

/// Rename a series
///
/// Only its author and admins may. Posts come to a series and leave it by their field `series`.
#[utoipa::path(put, path = "/series/{id}", operation_id = "updateSeries", tag = "series",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)), request_body = SeriesUpdate,
    responses((status = 200, body = CountedSeries), (status = 409), (status = 429)))]
#[put("/series/<id>", data = "<input>")]
async fn update(
    id: Id,
    input: Input<SeriesUpdate>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let renamed = match series_edit::update(site, &actor, *id, &input).await {
        Ok(series) => series,
        refused => {
            let view = json!({ "series": series_edit::editable(site, &actor, *id).await? });
            refused.or_form(FORM, view)?
        }
    };
    Ok(saved(renamed.series.path.clone(), Flash("series-saved"), renamed))
}

/// Rename a series by a merge patch
///
/// The same as PUT, for clients that patch (RFC 7396), as `application/merge-patch+json`, too.
#[utoipa::path(patch, path = "/series/{id}", operation_id = "patchSeries", tag = "series",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)), request_body = SeriesUpdate,
    responses((status = 200, body = CountedSeries), (status = 409), (status = 429)))]
#[patch("/series/<id>", data = "<input>")]
async fn patch(
    id: Id,
    input: Input<SeriesUpdate>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    update(id, input, actor, site).await
}

/// Delete a series
///
/// Its posts stay, and are in no series. Only its author and admins may.
#[utoipa::path(delete, path = "/series/{id}", operation_id = "deleteSeries", tag = "series",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)),
    responses((status = 204), (status = 429)))]
#[delete("/series/<id>", data = "<return_to>")]
async fn delete(
    id: Id,
    return_to: ReturnTo,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let series = series_edit::delete(site, &actor, *id).await?;
    let others = format!("{}/series", user::path(&series.author.username));
    Ok(gone(return_to.or(others), Flash("series-deleted")))
}

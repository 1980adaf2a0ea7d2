//! The forms in which posts are written and edited, and their previews.

use rocket::{get, post, put};
use serde::Serialize;
use serde_json::{Value, json};

use crate::error::Error;
use crate::models::base::actor::Actor;
use crate::models::base::site::Site;
use crate::models::posts::edit as editing;
use crate::models::posts::merging::{self, Fields, PostMerge, Resolution};
use crate::models::posts::post::{Post, PostSummary};
use crate::models::posts::post_draft;
use crate::models::posts::post_input::{PostUpdate, PreviewInput};
use crate::models::posts::publication_state::PostState;
use crate::models::posts::{series, slug, tag};
use crate::web::{self, EditForm, Flash, Id, Input, OrForm, PostsWrite, Scoped, form, room, saved};

room! {
    both: [preview, preview_edit],
    pages: [new, edit, save],
}

pub(super) const NEW_FORM: &str = "posts/new.html";
pub(super) const EDIT_FORM: &str = "posts/edit.html";
const MERGE_FORM: &str = "posts/merge.html";

#[get("/posts/new")]
async fn new(actor: Actor, site: &Site) -> web::Reply {
    form(NEW_FORM, json!({}), with_suggestions(site, &actor, json!({})).await)
}

/// Tags that are suggested to those who write.
const SUGGESTIONS: i64 = 12;

/// Adds suggestions to what a form shows, tags and the writer's own series; it is complete without them.
pub(super) async fn with_suggestions(site: &Site, actor: &Actor, mut view: Value) -> Value {
    view["popular"] = json!(tag::popular(&site.db, SUGGESTIONS).await.unwrap_or_default());
    view["own_series"] = json!(series::titles(&site.db, actor.user.id).await.unwrap_or_default());
    view
}

#[get("/posts/<id>/edit")]
async fn edit(id: Id, actor: Actor, site: &Site) -> web::Result {
    let Post { summary, content, .. } = editing::editable(site, &actor, *id).await?;
    let mut view = with_suggestions(site, &actor, edit_view(&summary)).await;
    let mut values = json!({
        "title": summary.title,
        "content": content,
        "tags": summary.tags.0.join(", "),
        "version": summary.version,
    });
    if let (Some(values), Value::Object(more)) = (values.as_object_mut(), rare_fields(&summary)) {
        values.extend(more);
    }
    let is_author = summary.user_id == actor.user.id;
    if let Some(draft) = post_draft::find(&site.db, *id).await?.filter(|_| is_author) {
        // It goes on where it was left. The version says whether anybody has saved the post since.
        view["draft_saved_at"] = json!(draft.saved_at);
        let (title, content) = (draft.title, draft.content);
        for (field, text) in [
            ("title", title),
            ("content", content),
            ("summary", draft.summary),
            ("tags", draft.tags),
        ] {
            values[field] = json!(text);
        }
        if let Some(series) = draft.series {
            values["series"] = json!(series);
        }
        values["version"] = json!(draft.version);
    }
    Ok(form(EDIT_FORM, values, view))
}

/// The values of the fields that are seldom changed.
fn rare_fields(summary: &PostSummary) -> Value {
    json!({
        "summary": summary.summary,
        "series": summary.series.as_ref().map(|series| &series.title),
        // Of one that follows the title, the field is empty.
        "slug": Some(&summary.slug).filter(|chosen| **chosen != slug::of("", &summary.title)),
        "visibility": summary.visibility,
        // As a browser's field for date and time has it.
        "published_at": summary.published_at.map(|at| at.format("%Y-%m-%dT%H:%M").to_string()),
    })
}

/// What the form for an edit shows beside its fields.
pub(super) fn edit_view(summary: &PostSummary) -> Value {
    json!({ "id": summary.id, "path": summary.path, "state": summary.state, "user_id": summary.user_id })
}

/// The form for an edit, sent. If somebody else has saved meanwhile, it comes back with what both wrote;
/// again, until nothing is left to decide.
#[put("/posts/<id>", data = "<form>")]
async fn save(
    id: Id,
    form: EditForm<PostUpdate>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let EditForm { input, is_merged, marks } = form;
    let publishes = input.state.as_deref() == Some("published");
    match merging::update(site, &actor, *id, &input, marks).await {
        Ok(Resolution::Saved(post)) => Ok(post_saved(*post, publishes)),
        Ok(Resolution::Merge(merge)) => {
            let current = editing::editable(site, &actor, *id).await?.summary;
            merge_form(&current, &input, &merge)
        }
        Err(error) if is_merged => {
            let (current, merge) = merging::compare(site, &actor, *id, &input).await?;
            let mut view = edit_view(&current.summary);
            view["merge"] = json!(merge);
            Err(error).or_form(MERGE_FORM, view)
        }
        Err(error) => {
            let current = editing::editable(site, &actor, *id).await?.summary;
            Err(error).or_form(EDIT_FORM, with_suggestions(site, &actor, edit_view(&current)).await)
        }
    }
}

/// The form with what both wrote; saving it replaces the version that was saved meanwhile.
fn merge_form(current: &PostSummary, input: &PostUpdate, merge: &PostMerge) -> web::Result {
    let Fields { title, content, tags, summary } = &merge.fields;
    let mut values = rare_fields(current);
    for (field, typed) in
        [("series", &input.series), ("slug", &input.slug), ("published_at", &input.published_at)]
    {
        if let Some(typed) = typed {
            values[field] = json!(typed);
        }
    }
    values["summary"] = json!(summary);
    values["visibility"] = json!(merge.visibility);
    values["title"] = json!(title);
    values["content"] = json!(content);
    values["tags"] = json!(tags.join(", "));
    values["version"] = json!(merge.version);
    // It was said of other marks.
    values["keep_marks"] = Value::Null;
    let mut view = edit_view(current);
    view["merge"] = json!(merge);
    Err(Error::VersionConflict).or_filled_form(MERGE_FORM, values, view)
}

/// An edit that was saved, for its page and for the API.
pub(super) fn post_saved(post: Post, publishes: bool) -> web::Reply {
    let flash = match post.summary.state {
        PostState::Draft => Flash("draft-saved"),
        PostState::Scheduled => Flash("post-scheduled"),
        PostState::Published if publishes => Flash("post-created"),
        PostState::Published => Flash("post-saved"),
    };
    let (path, version) = (post.summary.path.clone(), post.summary.version);
    saved(path, flash, post).with_version(version)
}

/// A text as rendered HTML.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Preview {
    /// Safe HTML.
    #[schema(example = "<p>The sea comes <em>twice</em> a day.</p>")]
    content_html: String,
}

/// A text as rendered HTML, for an edit.
#[derive(Serialize, utoipa::ToSchema)]
pub struct EditPreview {
    /// The path of the post's page.
    #[schema(example = "/posts/1/on-tides")]
    path: String,
    /// Safe HTML.
    #[schema(example = "<p>The sea comes <em>twice</em> a day.</p>")]
    content_html: String,
}

/// Render Markdown without publishing it
///
/// The HTML is what the post would show.
#[utoipa::path(post, path = "/posts/preview", operation_id = "previewPost", tag = "posts",
    security(("oauth2" = ["posts:write"])), request_body = PreviewInput,
    responses((status = 200, body = Preview), (status = 429)))]
#[post("/posts/preview", data = "<input>")]
async fn preview(
    input: Input<PreviewInput>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let view = with_suggestions(site, &actor, json!({})).await;
    let html = editing::preview(site, &actor, &input).await.or_form(NEW_FORM, view.clone())?;
    let data = Preview { content_html: html.clone() };
    Ok(web::preview(NEW_FORM, view, html, data))
}

/// Render Markdown for an edit without saving it
///
/// Only for those who may edit the post.
#[utoipa::path(put, path = "/posts/{id}/preview", operation_id = "previewEdit", tag = "posts",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)), request_body = PreviewInput,
    responses((status = 200, body = EditPreview), (status = 429)))]
#[put("/posts/<id>/preview", data = "<input>")]
async fn preview_edit(
    id: Id,
    input: Input<PreviewInput>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let summary = editing::editable(site, &actor, *id).await?.summary;
    let view = with_suggestions(site, &actor, edit_view(&summary)).await;
    let html = editing::preview(site, &actor, &input).await.or_form(EDIT_FORM, view.clone())?;
    let data = EditPreview { path: summary.path, content_html: html.clone() };
    Ok(web::preview(EDIT_FORM, view, html, data))
}

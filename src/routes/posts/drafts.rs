//! What only its author finds: drafts, and what is being written for the next version of a post.

use rocket::{delete, get, put};
use serde::Serialize;

use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::post::{self, PostSummary};
use crate::models::posts::post_draft::{self, PostDraft, PostDraftInput};
use crate::models::posts::{drafts, edit as editing};
use crate::web::{
    self, AccountScope, Flash, Id, Input, OrForm, PostsWrite, Query, ReturnTo, Scoped, gone, list,
    page, room, saved,
};

room! {
    both: [index, show, save, discard],
}

/// Posts that only their author finds.
#[derive(Serialize, utoipa::ToSchema)]
pub struct Drafts {
    #[serde(flatten)]
    page: Page<PostSummary>,
    /// The numbers of those whose next version has been begun.
    #[schema(example = json!([1]))]
    with_draft: Vec<i64>,
}

/// List your drafts
///
/// And your scheduled posts and those that are not public, the latest first. Nobody else can list them.
#[utoipa::path(get, path = "/drafts", operation_id = "listDrafts", tag = "publication",
    security(("oauth2" = ["account"])), params(PageParams),
    responses((status = 200, body = Drafts)))]
#[get("/drafts")]
async fn index(actor: Scoped<AccountScope>, query: Query<PageParams>, site: &Site) -> web::Result {
    let drafts = drafts::list(site, &actor, &query).await?;
    let with_draft = post_draft::begun(site, drafts.items.iter().map(|post| post.id)).await?;
    Ok(list("posts/drafts.html", drafts, |page| Drafts { page, with_draft }))
}

/// Get the next version of a post
///
/// As far as its author has written it; 404 if nothing is kept.
#[utoipa::path(get, path = "/posts/{id}/draft", operation_id = "getDraft", tag = "publication",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)),
    responses((status = 200, body = PostDraft)))]
#[get("/posts/<id>/draft")]
async fn show(id: Id, actor: Scoped<PostsWrite>, site: &Site) -> web::Result {
    Ok(page("posts/draft.html", post_draft::show(site, &actor, *id).await?))
}

/// Keep the next version of a post
///
/// While it is written, as often as you like: this changes nothing that anybody else can read, and nothing of
/// the post. Saving the text of the post throws it away; publishing the post, or making it a draft again, does
/// not. What the post says already is not kept, nor what was kept before: the answer is 204 then. Only the author
/// may.
#[utoipa::path(put, path = "/posts/{id}/draft", operation_id = "saveDraft", tag = "publication",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)), request_body = PostDraftInput,
    responses((status = 200, body = PostDraft), (status = 204, description = "The post says this already; nothing is kept."),
        (status = 429)))]
#[put("/posts/<id>/draft", data = "<input>")]
async fn save(
    id: Id,
    input: Input<PostDraftInput>,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let draft = match post_draft::save(site, &actor, *id, &input).await {
        Ok(draft) => draft,
        refused => {
            let summary = editing::editable(site, &actor, *id).await?.summary;
            let view = super::editor::edit_view(&summary);
            refused.or_form(super::editor::EDIT_FORM, view)?
        }
    };
    let path = post::resource(*id);
    Ok(match draft {
        Some(draft) => saved(format!("{path}/draft"), Flash("next-version-saved"), draft),
        None => gone(format!("{path}/edit"), Flash("next-version-same")),
    })
}

/// Throw the next version of a post away
///
/// The post stays as it is. Only the author may.
#[utoipa::path(delete, path = "/posts/{id}/draft", operation_id = "discardDraft", tag = "publication",
    security(("oauth2" = ["posts:write"])), params(("id" = i64, Path)),
    responses((status = 204), (status = 429)))]
#[delete("/posts/<id>/draft", data = "<return_to>")]
async fn discard(
    id: Id,
    return_to: ReturnTo,
    actor: Scoped<PostsWrite>,
    site: &Site,
) -> web::Result {
    let post = post_draft::discard(site, &actor, *id).await?;
    Ok(gone(return_to.or(&post.path), Flash("next-version-discarded")))
}

//! The logo of the site.

use std::io::Cursor;

use rocket::http::{ContentType, Header};
use rocket::response::{self, Responder, Response};
use rocket::{Request, delete, get, post};
use serde_json::json;

use crate::models::base::actor::Admin;
use crate::models::base::site::Site;
use crate::models::moderation::logo::{self, Logo};
use crate::web::{self, Flash, OrForm, Upload, gone, page, room};

room! {
    both: [create, delete],
    pages: [edit, show],
}

const PAGE: &str = "admin/logo.html";

/// The image. Its address has the fingerprint of its content as `v`, so that browsers can keep it.
#[get("/logo")]
async fn show(site: &Site) -> web::Result<Image> {
    Ok(Image(logo::show(&site.db).await?))
}

struct Image(Logo);

impl<'r> Responder<'r, 'static> for Image {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'static> {
        let Image(logo) = self;
        let address = format!("v={}", logo.fingerprint);
        let is_current = request.uri().query().is_some_and(|query| query == address.as_str());
        let caching = if is_current { "public, max-age=31536000, immutable" } else { "no-cache" };
        let kind: ContentType = logo.media_type.parse().unwrap_or(ContentType::Binary);
        Response::build()
            .header(kind)
            .header(Header::new("Cache-Control", caching))
            .sized_body(logo.content.len(), Cursor::new(logo.content))
            .ok()
    }
}

#[get("/admin/logo")]
async fn edit(_admin: Admin) -> web::Result {
    Ok(page(PAGE, json!({})))
}

/// Set the logo of the site
///
/// A PNG, JPEG or WebP image of at most 256 KiB and 2,000 pixels in width and height. In force within
/// a second, on every instance.
#[utoipa::path(post, path = "/admin/logo", operation_id = "replaceLogo", tag = "admin",
    security(("oauth2" = ["admin"])),
    request_body(content( (String = "image/png"), (String = "image/jpeg"), (String = "image/webp"))),
    responses((status = 204), (status = 429)))]
#[post("/admin/logo", data = "<upload>")]
async fn create(upload: Upload, admin: Admin, site: &Site) -> web::Result {
    logo::replace(site, &admin, &upload.0).await.or_form(PAGE, json!({}))?;
    Ok(gone("/admin/settings", Flash("logo-saved")))
}

/// Remove the logo of the site
///
/// The name of the site takes its place. In force within a second, on every instance.
#[utoipa::path(delete, path = "/admin/logo", operation_id = "deleteLogo", tag = "admin",
    security(("oauth2" = ["admin"])),
    responses((status = 204), (status = 429)))]
#[delete("/admin/logo")]
async fn delete(admin: Admin, site: &Site) -> web::Result {
    logo::remove(site, &admin).await.or_form(PAGE, json!({}))?;
    Ok(gone("/admin/settings", Flash("logo-removed")))
}

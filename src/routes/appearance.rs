//! The look of the site: its colours, the visitor's choice of a theme, and what a home screen needs.

use rocket::http::{ContentType, CookieJar};
use rocket::response::Redirect;
use rocket::response::content::RawCss;
use rocket::{State, get, post};
use serde::Deserialize;
use serde_json::json;

use crate::models::base::site::Site;
use crate::web::public_url::PublicUrl;
use crate::web::response::assets::Asset;
use crate::web::response::color_scheme::ColorScheme;
use crate::web::response::theme as colors;
use crate::web::{self, Input, ReturnTo, room};

room! {
    pages: [style_sheet, choose, manifest, favicon, touch_icon],
}

/// The accent colour of the site. Pages name the colour in the query, so that browsers can keep it.
#[get("/theme.css")]
fn style_sheet(site: &Site) -> RawCss<String> {
    RawCss(colors::style_sheet(&site.settings.current().accent))
}

#[derive(Deserialize)]
struct Choice {
    theme: Option<ColorScheme>,
    next: Option<String>,
}

/// Nothing is stored on the server, so anybody may choose as often as they like.
#[post("/theme", data = "<choice>")]
fn choose(
    choice: Input<Choice>,
    cookies: &CookieJar<'_>,
    public_url: &State<PublicUrl>,
) -> Redirect {
    let Input(Choice { theme, next }) = choice;
    theme.unwrap_or(ColorScheme::System).keep(cookies, public_url);
    Redirect::to(ReturnTo::from(next).or("/"))
}

/// What a browser needs to put the site on a home screen.
#[get("/manifest.webmanifest")]
fn manifest(site: &Site) -> (ContentType, String) {
    let settings = site.settings.current();
    let icon = |size: u16| {
        json!({
            "src": format!("/static/icons/icon-{size}.png"),
            "sizes": format!("{size}x{size}"),
            "type": "image/png",
        })
    };
    let manifest = json!({
        "name": settings.site_name,
        "description": settings.description,
        "lang": settings.language,
        "start_url": "/",
        "display": "browser",
        "icons": [icon(192), icon(512)],
    });
    (ContentType::new("application", "manifest+json"), manifest.to_string())
}

/// Browsers request it under this name.
#[get("/favicon.ico")]
fn favicon() -> Redirect {
    Redirect::permanent("/static/icons/favicon.svg")
}

/// And Apple's devices under this one.
#[get("/apple-touch-icon.png")]
fn touch_icon() -> web::Result<Asset> {
    Ok(Asset::get("icons/icon-180.png".as_ref())?)
}

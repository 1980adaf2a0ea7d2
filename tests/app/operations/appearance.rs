//! The visitor's theme, and what a home screen needs.

use rocket::http::Method::{Get, Post};

use crate::support::App;
use crate::support::permission::{Permission, page_only};

pub fn permissions() -> Vec<Permission> {
    vec![
        page_only(Get, "/theme.css", [200; 4]),
        page_only(Post, "/theme", [303; 4]),
        page_only(Get, "/manifest.webmanifest", [200; 4]),
        page_only(Get, "/favicon.ico", [308; 4]),
        page_only(Get, "/apple-touch-icon.png", [200; 4]),
    ]
}

#[rocket::async_test]
async fn a_visitor_chooses_the_theme_without_scripts_and_returns_to_the_same_page() {
    let app = App::new().await;
    let visitor = app.nobody();
    assert!(!visitor.page().get("/").await.body.contains("data-theme"), "the system decides");
    for theme in ["dark", "light"] {
        let form = [("theme", theme), ("next", "/login?next=/posts/new")];
        let chosen = app.nobody().page().post("/theme", &form).await;
        assert_eq!(chosen.status, 303);
        assert_eq!(chosen.header("location"), Some("/login?next=/posts/new"));
        let cookie = chosen.cookie("postly_theme").expect("a cookie");
        let visitor = app.nobody().with_cookie("postly_theme", &cookie);
        let page = visitor.page().get("/").await.body;
        assert!(page.contains(&format!("<html lang=\"en\" data-theme=\"{theme}\">")), "{page}");
        assert!(page.contains(&format!("<meta name=\"color-scheme\" content=\"{theme}\">")));
        let pressed = format!("value=\"{theme}\" aria-pressed=\"true\"");
        assert!(page.contains(&pressed), "{page}");
        let system = visitor.page().post("/theme", &[("theme", "system")]).await;
        assert_eq!((system.status, system.cookie("postly_theme").as_deref()), (303, Some("")));
    }
}

#[rocket::async_test]
async fn a_theme_that_does_not_exist_is_refused_and_a_foreign_address_is_not_followed() {
    let app = App::new().await;
    let wrong = app.nobody().page().post("/theme", &[("theme", "sepia")]).await;
    assert_eq!(wrong.status, 422);
    assert!(wrong.cookie("postly_theme").is_none());
    let form = [("theme", "dark"), ("next", "https://elsewhere.example/")];
    let away = app.nobody().page().post("/theme", &form).await;
    assert_eq!((away.status, away.header("location")), (303, Some("/")));
    let forged = app.nobody().with_cookie("postly_theme", "\"><script>");
    assert!(!forged.page().get("/").await.body.contains("data-theme"));
}

#[rocket::async_test]
async fn a_home_screen_finds_the_name_and_the_icons_of_the_site() {
    let app = App::new().await;
    let home = app.nobody().page().get("/").await;
    assert!(home.body.contains("rel=\"manifest\" href=\"/manifest.webmanifest\""));
    let policy = home.header("content-security-policy").unwrap();
    assert!(policy.contains("manifest-src 'self'"), "{policy}");
    let manifest = app.nobody().page().get("/manifest.webmanifest").await;
    assert_eq!(manifest.header("content-type"), Some("application/manifest+json"));
    let manifest: serde_json::Value = serde_json::from_str(&manifest.body).unwrap();
    assert_eq!(manifest["name"], "Postly");
    let icons: Vec<_> = manifest["icons"].as_array().unwrap().iter().collect();
    let mut addresses: Vec<_> = icons.iter().map(|icon| icon["src"].as_str().unwrap()).collect();
    assert_eq!(addresses.len(), 2);
    addresses.push("/apple-touch-icon.png");
    for address in addresses {
        let icon = app.nobody().page().get(address).await;
        assert_eq!((icon.status, icon.header("content-type")), (200, Some("image/png")));
    }
}

/// One request brings all styles, and what they name never has to be asked for again.
#[rocket::async_test]
async fn the_style_sheet_is_one_file_and_names_fonts_by_their_contents() {
    let app = App::new().await;
    let home = app.nobody().page().get("/").await.body;
    assert_eq!(home.matches("rel=\"stylesheet\"").count(), 1, "{home}");
    let start = home.find("/static/css/site.css?v=").unwrap();
    let sheet = app.nobody().page().get(home[start..].split('"').next().unwrap()).await.body;
    let fonts: Vec<&str> = sheet.split('"').filter(|piece| piece.starts_with("/static/")).collect();
    assert_eq!(fonts.len(), 6);
    for font in fonts {
        let file = app.nobody().page().get(font).await;
        assert_eq!((file.status, file.header("content-type")), (200, Some("font/woff2")));
        assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"));
    }
    // The page asks for the same address before the style sheet has arrived.
    let preload = home.split("rel=\"preload\" href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(sheet.contains(preload), "{preload}");
}

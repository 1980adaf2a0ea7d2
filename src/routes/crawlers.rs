//! What search engines ask for: the sitemap, and what they may read.

use rocket::http::ContentType;
use rocket::request::FromParam;
use rocket::{State, get};

use crate::error::{Error, Result};
use crate::models::base::site::Site;
use crate::models::posts::sitemap::{self as posts, SitemapPost};
use crate::web::public_url::PublicUrl;
use crate::web::response::sitemap::Sitemap;
use crate::web::{self, Id, room};

room! {
    pages: [sitemap, part, robots],
    cached: [sitemap, part],
}

/// What is for people who are logged in, or for nobody else to find. An address that begins like one of
/// these is not read; `*` and `$` are those of RFC 9309.
const PRIVATE: [&str; 23] = [
    "/admin",
    "/api/",
    "/dashboard",
    "/drafts",
    "/login",
    "/me$",
    "/me/",
    "/me?",
    "/oauth/",
    "/password-reset",
    "/register",
    "/s/",
    "/search",
    "/setup",
    "/sudo",
    "/verify-email",
    "/posts/new",
    "/posts/*/draft$",
    "/posts/*/shares$",
    "/posts/*/revisions",
    "/comments/*/revisions",
    "/*/edit$",
    "/*/comments/new",
];

/// All pages, or the files that have them if one is too small.
#[get("/sitemap.xml")]
async fn sitemap(site: &Site, url: &State<PublicUrl>) -> web::Result<(ContentType, String)> {
    let files = posts::files(site).await?;
    if *files.end() == 1 {
        return Ok(written(site, url, 1).await?);
    }
    let mut index = Sitemap::of_sitemaps(url.origin());
    for number in files {
        index.push(&format!("/sitemaps/{number}.xml"), None);
    }
    Ok(index.written())
}

/// A file of the sitemap.
#[get("/sitemaps/<file>")]
async fn part(
    file: &str,
    site: &Site,
    url: &State<PublicUrl>,
) -> web::Result<(ContentType, String)> {
    let number = file.strip_suffix(".xml").ok_or(Error::NotFound)?;
    let number = Id::from_param(number).map_err(|_| Error::NotFound)?;
    Ok(written(site, url, *number).await?)
}

async fn written(site: &Site, url: &PublicUrl, number: i64) -> Result<(ContentType, String)> {
    let mut sitemap = Sitemap::of_pages(url.origin());
    if number == 1 {
        sitemap.push("/", None);
    }
    for SitemapPost { path, changed_at } in posts::file(site, number).await? {
        sitemap.push(&path, Some(changed_at));
    }
    Ok(sitemap.written())
}

/// What crawlers may read (RFC 9309), and where the sitemap is.
#[get("/robots.txt")]
fn robots(url: &State<PublicUrl>) -> String {
    let rules: String = PRIVATE.iter().map(|path| format!("Disallow: {path}\n")).collect();
    format!("User-agent: *\n{rules}\nSitemap: {}/sitemap.xml\n", url.origin())
}

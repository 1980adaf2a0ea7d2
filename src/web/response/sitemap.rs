//! Sitemaps (https://www.sitemaps.org/protocol.html).

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat, Utc};
use pulldown_cmark_escape::escape_html;
use rocket::http::ContentType;

/// A sitemap, or an index of several.
pub struct Sitemap {
    origin: String,
    root: &'static str,
    entry: &'static str,
    text: String,
}

impl Sitemap {
    /// Of pages below this origin.
    pub fn of_pages(origin: &str) -> Sitemap {
        Sitemap::new(origin, "urlset", "url")
    }

    /// Of other sitemaps below this origin.
    pub fn of_sitemaps(origin: &str) -> Sitemap {
        Sitemap::new(origin, "sitemapindex", "sitemap")
    }

    fn new(origin: &str, root: &'static str, entry: &'static str) -> Sitemap {
        let text = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <{root} xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n"
        );
        Sitemap { origin: origin.to_owned(), root, entry, text }
    }

    /// Adds what is at this path, with the time of its last change if that is known.
    pub fn push(&mut self, path: &str, changed_at: Option<DateTime<Utc>>) {
        let Sitemap { origin, entry, text, .. } = self;
        // Writing to a string cannot fail.
        let _ = write!(text, "<{entry}><loc>{origin}");
        let _ = escape_html(&mut *text, path);
        text.push_str("</loc>");
        if let Some(at) = changed_at {
            let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
            let _ = write!(text, "<lastmod>{at}</lastmod>");
        }
        let _ = writeln!(text, "</{entry}>");
    }

    /// The answer.
    pub fn written(self) -> (ContentType, String) {
        let kind = ContentType::new("application", "xml").with_params(("charset", "utf-8"));
        (kind, format!("{}</{}>\n", self.text, self.root))
    }
}

//! Feeds for programs that follow a site: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1. What one of them
//! says, the others say, too.

mod atom;
mod html;
mod json_feed;
mod rss;

use chrono::{DateTime, Utc};
use rocket::http::ContentType;
use url::Url;

use crate::error::{Error, Result};
use crate::models::posts::syndication::MAX_HTML;

/// The formats of feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedFormat {
    Atom,
    Rss,
    Json,
}

impl FeedFormat {
    /// What the address of a feed ends with.
    fn extension(self) -> &'static str {
        match self {
            FeedFormat::Atom => "atom",
            FeedFormat::Rss => "rss",
            FeedFormat::Json => "json",
        }
    }

    /// Below `application/`.
    fn subtype(self) -> &'static str {
        match self {
            FeedFormat::Atom => "atom+xml",
            FeedFormat::Rss => "rss+xml",
            FeedFormat::Json => "feed+json",
        }
    }

    fn media_type(self) -> String {
        format!("application/{}", self.subtype())
    }
}

/// A feed in a format, ready to be sent.
pub type WrittenFeed = (ContentType, Vec<u8>);

/// A feed in no format yet.
pub struct Syndication {
    /// The public origin of the site, which all paths are below.
    pub origin: String,
    pub title: String,
    pub description: String,
    /// The language of the texts: a BCP 47 tag.
    pub language: String,
    /// The path of the page that shows the same.
    pub page: String,
    /// The path of the feed, without the extension of a format.
    pub address: String,
    /// When it changed last, if it has no entries.
    pub since: DateTime<Utc>,
    /// The latest first.
    pub entries: Vec<FeedEntry>,
}

/// A post, or something else that a feed has.
pub struct FeedEntry {
    /// A path that never changes: readers know an entry by it.
    pub id: String,
    /// The path of its page.
    pub path: String,
    pub title: String,
    pub author: FeedAuthor,
    /// The names of its tags.
    pub tags: Vec<String>,
    pub published: DateTime<Utc>,
    /// `None` until the first edit.
    pub updated: Option<DateTime<Utc>>,
    /// The beginning, as plain text.
    pub excerpt: String,
    /// Safe HTML. `None` if it is too long for a feed.
    pub html: Option<String>,
}

/// Who wrote an entry.
pub struct FeedAuthor {
    pub name: String,
    /// The path of the profile.
    pub path: String,
}

impl FeedEntry {
    fn updated(&self) -> DateTime<Utc> {
        self.updated.unwrap_or(self.published)
    }
}

impl Syndication {
    /// Writes the feed in a format.
    ///
    /// # Errors
    /// None that is known: what is written is in memory.
    pub fn write(mut self, format: FeedFormat) -> Result<WrittenFeed> {
        self.clean();
        let failed = |error: String| Error::Internal(format!("a feed cannot be written: {error}"));
        let address = format!("{}.{}", self.url(&self.address), format.extension());
        let body = match format {
            FeedFormat::Atom => atom::write(&self, address).map_err(|e| failed(e.to_string())),
            FeedFormat::Rss => rss::write(&self, address).map_err(|e| failed(e.to_string())),
            FeedFormat::Json => {
                json_feed::write(&self, &address).map_err(|e| failed(e.to_string()))
            }
        };
        let kind = ContentType::new("application", format.subtype());
        Ok((kind.with_params(("charset", "utf-8")), body?))
    }

    /// Readers show entries elsewhere: links must lead here from there. They may be much longer than what was
    /// written, so the size of the result counts.
    fn clean(&mut self) {
        for text in [&mut self.title, &mut self.description] {
            *text = without_controls(text);
        }
        for entry in &mut self.entries {
            let page = Url::parse(&format!("{}{}", self.origin, entry.path)).ok();
            entry.title = without_controls(&entry.title);
            entry.excerpt = without_controls(&entry.excerpt);
            entry.html = entry
                .html
                .take()
                .zip(page)
                .map(|(html, page)| html::with_absolute_addresses(&without_controls(&html), &page))
                .filter(|html| html::size_when_escaped(html) <= MAX_HTML);
        }
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    fn updated(&self) -> DateTime<Utc> {
        self.entries.iter().map(FeedEntry::updated).max().unwrap_or(self.since)
    }
}

/// Without the characters that no XML document may have, in whatever way they are written (XML 1.0,
/// section 2.2).
fn without_controls(text: &str) -> String {
    let is_allowed = |c: &char| matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    text.chars().filter(is_allowed).collect()
}

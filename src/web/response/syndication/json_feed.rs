//! JSON Feed 1.1 (https://www.jsonfeed.org/version/1.1/).

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::{FeedEntry, Syndication};

#[derive(Serialize)]
struct JsonFeed<'a> {
    version: &'static str,
    title: &'a str,
    home_page_url: String,
    feed_url: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    language: &'a str,
    items: Vec<Item<'a>>,
}

#[derive(Serialize)]
struct Item<'a> {
    id: String,
    url: String,
    title: &'a str,
    /// One of these two is required.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_html: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content_text: Option<&'a str>,
    summary: &'a str,
    date_published: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_modified: Option<DateTime<Utc>>,
    authors: [Author<'a>; 1],
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
}

#[derive(Serialize)]
struct Author<'a> {
    name: &'a str,
    url: String,
}

pub fn write(feed: &Syndication, address: &str) -> serde_json::Result<Vec<u8>> {
    serde_json::to_vec(&JsonFeed {
        version: "https://jsonfeed.org/version/1.1",
        title: &feed.title,
        home_page_url: feed.url(&feed.page),
        feed_url: address,
        description: &feed.description,
        language: &feed.language,
        items: feed.entries.iter().map(|entry| written(feed, entry)).collect(),
    })
}

fn written<'a>(feed: &Syndication, entry: &'a FeedEntry) -> Item<'a> {
    let html = entry.html.as_deref();
    Item {
        id: feed.url(&entry.id),
        url: feed.url(&entry.path),
        title: &entry.title,
        content_html: html,
        content_text: html.is_none().then_some(entry.excerpt.as_str()),
        summary: &entry.excerpt,
        date_published: entry.published,
        date_modified: entry.updated,
        authors: [Author { name: &entry.author.name, url: feed.url(&entry.author.path) }],
        tags: &entry.tags,
    }
}

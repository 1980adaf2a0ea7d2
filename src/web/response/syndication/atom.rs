//! Atom (RFC 4287).

use atom_syndication::{Category, Content, Entry, Error, Feed, Link, Person, Text};

use super::{FeedEntry, FeedFormat, Syndication};

pub fn write(feed: &Syndication, address: String) -> Result<Vec<u8>, Error> {
    let own = Link {
        href: address,
        rel: "self".to_owned(),
        mime_type: Some(FeedFormat::Atom.media_type()),
        ..Link::default()
    };
    let page = feed.url(&feed.page);
    let subtitle = Some(feed.description.clone()).filter(|text| !text.is_empty());
    Feed {
        title: Text::plain(feed.title.clone()),
        id: page.clone(),
        updated: feed.updated().fixed_offset(),
        links: vec![own, to_page(page)],
        subtitle: subtitle.map(Text::plain),
        entries: feed.entries.iter().map(|entry| written(feed, entry)).collect(),
        lang: Some(feed.language.clone()),
        ..Feed::default()
    }
    .write_to(Vec::new())
}

/// The link to the page that shows the same.
fn to_page(href: String) -> Link {
    Link {
        href,
        rel: "alternate".to_owned(),
        mime_type: Some("text/html".to_owned()),
        ..Link::default()
    }
}

fn written(feed: &Syndication, entry: &FeedEntry) -> Entry {
    let author = Person {
        name: entry.author.name.clone(),
        uri: Some(feed.url(&entry.author.path)),
        ..Person::default()
    };
    let content = entry.html.clone().map(|html| Content {
        value: Some(html),
        content_type: Some("html".to_owned()),
        ..Content::default()
    });
    let category = |tag: &String| Category { term: tag.clone(), ..Category::default() };
    Entry {
        title: Text::plain(entry.title.clone()),
        id: feed.url(&entry.id),
        updated: entry.updated().fixed_offset(),
        authors: vec![author],
        categories: entry.tags.iter().map(category).collect(),
        links: vec![to_page(feed.url(&entry.path))],
        published: Some(entry.published.fixed_offset()),
        summary: Some(Text::plain(entry.excerpt.clone())),
        content,
        ..Entry::default()
    }
}

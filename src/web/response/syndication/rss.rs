//! RSS 2.0, with the elements of Atom, Dublin Core and RSS 1.0 that readers expect in it.

use std::collections::BTreeMap;

use pulldown_cmark_escape::escape_html;
use rss::extension::dublincore::DublinCoreExtension;
use rss::extension::{Extension, ExtensionMap};
use rss::{Category, Channel, Error, Guid, Item};

use super::{FeedEntry, FeedFormat, Syndication};

const ATOM: &str = "http://www.w3.org/2005/Atom";

pub fn write(feed: &Syndication, address: String) -> Result<Vec<u8>, Error> {
    // Required, unlike the description of a site.
    let description =
        Some(&feed.description).filter(|text| !text.is_empty()).unwrap_or(&feed.title);
    Channel {
        title: feed.title.clone(),
        link: feed.url(&feed.page),
        description: as_html(description),
        language: Some(feed.language.clone()),
        last_build_date: Some(feed.updated().to_rfc2822()),
        items: feed.entries.iter().map(|entry| written(feed, entry)).collect(),
        extensions: own_address(address),
        namespaces: BTreeMap::from([("atom".to_owned(), ATOM.to_owned())]),
        ..Channel::default()
    }
    .write_to(Vec::new())
}

/// `<atom:link rel="self">`: RSS itself has no element for the address of a feed.
fn own_address(address: String) -> ExtensionMap {
    let kind = FeedFormat::Rss.media_type();
    let attrs = [("href", address), ("rel", "self".to_owned()), ("type", kind)];
    let link = Extension {
        name: "atom:link".to_owned(),
        attrs: attrs.map(|(name, value)| (name.to_owned(), value)).into(),
        ..Extension::default()
    };
    let links = BTreeMap::from([("link".to_owned(), vec![link])]);
    BTreeMap::from([("atom".to_owned(), links)])
}

fn written(feed: &Syndication, entry: &FeedEntry) -> Item {
    let author = DublinCoreExtension {
        creators: vec![entry.author.name.clone()],
        ..DublinCoreExtension::default()
    };
    let category = |tag: &String| Category { name: tag.clone(), domain: None };
    Item {
        title: Some(entry.title.clone()),
        link: Some(feed.url(&entry.path)),
        description: Some(as_html(&entry.excerpt)),
        guid: Some(Guid { value: feed.url(&entry.id), permalink: true }),
        pub_date: Some(entry.published.to_rfc2822()),
        content: entry.html.clone(),
        categories: entry.tags.iter().map(category).collect(),
        // An author of RSS's own would need an e-mail address.
        dublin_core_ext: Some(author),
        ..Item::default()
    }
}

/// Descriptions are HTML.
fn as_html(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    // Writing to a string cannot fail.
    let _ = escape_html(&mut html, text);
    html
}

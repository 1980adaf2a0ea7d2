//! The HTML of entries: the allow-list of `models::posts::markdown` made it.

use pulldown_cmark_escape::escape_href;
use url::Url;

/// Where addresses stand in a tag. Quotes in values are escaped, so that these are no parts of any.
const ADDRESSES: [&str; 2] = [" href=\"", " src=\""];

/// The same HTML with the addresses of links and images as they are on `page`.
pub fn with_absolute_addresses(html: &str, page: &Url) -> String {
    let mut whole = String::with_capacity(html.len());
    for (i, piece) in html.split('<').enumerate() {
        if i == 0 {
            whole.push_str(piece);
            continue;
        }
        // Values have no `>`, either.
        let (tag, text) = piece.split_at(piece.find('>').unwrap_or(piece.len()));
        whole.push('<');
        push_tag(&mut whole, tag, page);
        whole.push_str(text);
    }
    whole
}

fn push_tag(whole: &mut String, mut tag: &str, page: &Url) {
    let value = |tag: &str| {
        let ends = ADDRESSES.iter().filter_map(|name| Some(tag.find(name)? + name.len()));
        let start = ends.min()?;
        Some((start, start + tag[start..].find('"')?))
    };
    while let Some((start, end)) = value(tag) {
        whole.push_str(&tag[..start]);
        match absolute(&tag[start..end], page) {
            // Writing to a string cannot fail.
            Some(url) => drop(escape_href(&mut *whole, url.as_str())),
            None => whole.push_str(&tag[start..end]),
        }
        tag = &tag[end..];
    }
    whole.push_str(tag);
}

/// `None` if it is absolute already.
fn absolute(value: &str, page: &Url) -> Option<Url> {
    let address = value.replace("&quot;", "\"").replace("&#x27;", "'").replace("&amp;", "&");
    match Url::parse(&address) {
        Ok(_) => None,
        Err(_) => page.join(&address).ok(),
    }
}

/// The size of a text in any of the formats, in bytes.
pub fn size_when_escaped(text: &str) -> usize {
    let size = |byte| match byte {
        b'"' | b'\'' => "&quot;".len(),
        b'&' => "&amp;".len(),
        b'<' | b'>' => "&lt;".len(),
        b'\\' | b'\t' | b'\n' | b'\r' => "\\n".len(),
        _ => 1,
    };
    text.bytes().map(size).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_become_absolute_and_nothing_else_changes() {
        let page = Url::parse("https://posts.example/posts/7").unwrap();
        for (given, expected) in [
            ("/posts/1?a=b&amp;c#d", "https://posts.example/posts/1?a=b&amp;c#d"),
            ("#part", "https://posts.example/posts/7#part"),
            ("8", "https://posts.example/posts/8"),
            ("//elsewhere.example/x", "https://elsewhere.example/x"),
            ("", "https://posts.example/posts/7"),
            ("it&#x27;s", "https://posts.example/posts/it&#x27;s"),
            ("https://elsewhere.example/?a&amp;b", "https://elsewhere.example/?a&amp;b"),
            ("mailto:ann@mail.example", "mailto:ann@mail.example"),
        ] {
            for name in ["href", "src"] {
                let html = |value: &str| {
                    format!("a > b <p title=\"x\" {name}=\"{value}\" rel=\"y\"> href=\"/z\"</p>")
                };
                assert_eq!(with_absolute_addresses(&html(given), &page), html(expected));
            }
        }
        for whole in ["", "plain href=\"/x\"", "a < b", "<p>é</p>", "<"] {
            assert_eq!(with_absolute_addresses(whole, &page), whole);
        }
    }
}

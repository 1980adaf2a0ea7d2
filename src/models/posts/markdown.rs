//! Markdown to safe HTML, and to the plain text of an excerpt.

use std::sync::LazyLock;

use ammonia::Builder;
use pulldown_cmark::{Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html};

/// To be increased whenever the rendering changes: posts rendered by an older version are rendered
/// again when they are read, so that a fixed sanitiser also applies to existing posts.
pub const RENDERING: i64 = 1;

/// Longest excerpt, in characters.
const EXCERPT: usize = 280;

/// Renders CommonMark with tables and strikethrough as safe HTML. Raw HTML is shown as text; the
/// result is restricted to an allow-list of elements.
pub fn render(markdown: &str) -> String {
    // A page already has a title, so the highest heading used becomes level two.
    let highest = parse(markdown)
        .filter_map(|event| match event {
            Event::Start(Tag::Heading { level, .. }) => Some(level as usize),
            _ => None,
        })
        .min()
        .unwrap_or(1);
    let place = |level: HeadingLevel| {
        HeadingLevel::try_from((level as usize + 2 - highest).min(6)).unwrap_or(HeadingLevel::H6)
    };
    let events = parse(markdown).map(|event| match event {
        Event::Html(raw) | Event::InlineHtml(raw) => Event::Text(raw),
        Event::Start(Tag::Heading { level, id, classes, attrs }) => {
            Event::Start(Tag::Heading { level: place(level), id, classes, attrs })
        }
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(place(level))),
        // External images would reveal readers to their host; a link lets the reader choose.
        Event::Start(Tag::Image { dest_url, title, id, .. }) => {
            Event::Start(Tag::Link { link_type: LinkType::Inline, dest_url, title, id })
        }
        Event::End(TagEnd::Image) => Event::End(TagEnd::Link),
        other => other,
    });
    let mut out = String::with_capacity(markdown.len() * 3 / 2);
    html::push_html(&mut out, events);
    SANITISER.clean(&out).to_string()
}

/// The beginning of the text without its markup, for lists.
pub fn excerpt(markdown: &str) -> String {
    let mut text = String::new();
    let mut skipping = 0u32;
    for event in parse(markdown) {
        match event {
            Event::Start(Tag::CodeBlock(_) | Tag::Table(_)) => skipping += 1,
            Event::End(TagEnd::CodeBlock | TagEnd::Table) => skipping -= 1,
            _ if skipping > 0 => {}
            Event::Start(Tag::Item) => text.push_str(" • "),
            Event::Text(t) | Event::Code(t) | Event::Html(t) | Event::InlineHtml(t) => {
                text.push_str(&t);
            }
            Event::SoftBreak
            | Event::HardBreak
            | Event::End(TagEnd::Paragraph | TagEnd::Heading(_) | TagEnd::Item) => text.push(' '),
            _ => {}
        }
        if text.len() > EXCERPT * 8 {
            break;
        }
    }
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    shorten(&text)
}

fn shorten(text: &str) -> String {
    let Some((cut, _)) = text.char_indices().nth(EXCERPT) else {
        return text.to_owned();
    };
    let head = &text[..cut];
    let whole_words = head.rsplit_once(' ').map_or(head, |(words, _)| words);
    format!("{}…", whole_words.trim_end_matches([',', '.', ';', ':', ' ']))
}

fn parse(markdown: &str) -> Parser<'_> {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_SMART_PUNCTUATION;
    Parser::new_ext(markdown, options)
}

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let mut builder = Builder::default();
    builder
        .tags(
            [
                "p",
                "br",
                "hr",
                "h2",
                "h3",
                "h4",
                "h5",
                "h6",
                "strong",
                "em",
                "del",
                "code",
                "pre",
                "blockquote",
                "ul",
                "ol",
                "li",
                "a",
                "table",
                "thead",
                "tbody",
                "tr",
                "th",
                "td",
            ]
            .into(),
        )
        .tag_attributes([("a", ["href", "title"].into()), ("ol", ["start"].into())].into())
        .generic_attributes([].into())
        // Elements that scroll sideways must be reachable by keyboard (WCAG 2.1.1).
        .set_tag_attribute_value("pre", "tabindex", "0")
        .set_tag_attribute_value("table", "tabindex", "0")
        .url_schemes(["http", "https", "mailto"].into())
        .link_rel(Some("nofollow ugc noopener"));
    builder
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_html() {
        let html = render("# One\n\nTwo *three* `four`\n\n| a | b |\n|---|---|\n| 1 | 2 |");
        for part in ["<h2>One</h2>", "<em>three</em>", "<code>four</code>", "<td>1</td>"] {
            assert!(html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn headings_begin_below_the_title() {
        assert_eq!(render("### a\n\n#### b"), "<h2>a</h2>\n<h3>b</h3>\n");
        assert_eq!(render("# a\n\n###### b"), "<h2>a</h2>\n<h6>b</h6>\n");
    }

    #[test]
    fn nothing_active_survives() {
        for attack in [
            "<script>alert(1)</script>",
            "<img src=x onerror=alert(1)>",
            "<svg/onload=alert(1)>",
            "[a](javascript:alert(1))",
            "[a](data:text/html,<script>alert(1)</script>)",
            "[a](vbscript:x)",
            "![a](javascript:alert(1))",
            "<a href=\"https://a\" style=\"x\" onclick=\"y\">b</a>",
        ] {
            let html = render(attack);
            for bad in [
                "<script",
                "<img",
                "<svg",
                "href=\"javascript",
                "href=\"data",
                "href=\"vb",
                "<a href=\"https",
            ] {
                assert!(!html.contains(bad), "{attack} → {html}");
            }
        }
        assert!(render("<b>bold</b>").contains("&lt;b&gt;bold"));
    }

    #[test]
    fn excerpts_are_plain_and_short() {
        assert_eq!(excerpt("# A\n\nb **c** [d](https://e)\n\n```\nx\n```\nf"), "A b c d f");
        let long = excerpt(&"word ".repeat(400));
        assert!(long.chars().count() <= EXCERPT + 1 && long.ends_with("word…"), "{long}");
    }
}

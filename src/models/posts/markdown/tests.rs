//! What the HTML of a text looks like, and that nothing else gets into it.

use std::collections::{HashMap, HashSet};

use super::bombs::deepest;
use super::*;

fn article(markdown: &str) -> Result<Rendered, TooComplex> {
    render(markdown, TextKind::Article)
}

fn html(markdown: &str) -> String {
    article(markdown).unwrap().html
}

fn comment(markdown: &str) -> String {
    render(markdown, TextKind::Comment).unwrap().html
}

#[test]
fn markdown_becomes_html() {
    let html =
        comment("# One\n\nTwo *three* `four`\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```\nx\n```");
    for part in ["<h2>One</h2>", "<em>three</em>", "<code>four</code>", "<td>1</td>"] {
        assert!(html.contains(part), "{part} in {html}");
    }
    assert!(html.contains("<pre tabindex=\"0\" dir=\"ltr\"><code>x"), "{html}");
}

#[test]
fn headings_begin_below_the_title() {
    assert_eq!(comment("### a\n\n#### b"), "<h2>a</h2>\n<h3>b</h3>\n");
    assert_eq!(comment("# a\n\n###### b"), "<h2>a</h2>\n<h6>b</h6>\n");
}

#[test]
fn links_lead_to_pages_and_mailboxes_only() {
    let link =
        |href: &str| format!("<p><a href=\"{href}\" rel=\"nofollow ugc noopener\">a</a></p>\n");
    for (address, href) in [
        ("https://b.example/?c&d", "https://b.example/?c&amp;d"),
        ("/posts/1", "/posts/1"),
        ("#top", "#top"),
        ("mailto:a@b.example", "mailto:a@b.example"),
    ] {
        assert_eq!(html(&format!("[a]({address})")), link(href));
        assert_eq!(html(&format!("![a]({address})")), link(href), "an image is a link");
    }
    for bad in [
        "javascript:x",
        "JaVaScRiPt:x",
        "java&#9;script:x",
        "<\u{1}javascript:x>",
        "data:x",
        "vbscript:x",
        "file:///x",
    ] {
        assert_eq!(html(&format!("[a]({bad})")), "<p>a</p>\n", "{bad}");
    }
    let titled = html("[a](b \"c\\\"d>\")");
    assert!(titled.contains("title=\"c&quot;d&gt;\" rel"), "{titled}");
    assert!(html("<a@b.example>").contains("href=\"mailto:a@b.example\""));
    let nested = html("[![a](b)](c)");
    assert_eq!(nested, link("c"), "HTML has no links inside links");
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
        "[a](b '\"onclick=\"x')",
        "```\"><script>\nx\n```",
    ] {
        let html = html(attack);
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
        assert_clean(attack);
    }
    assert!(html("<b>bold</b>").contains("&lt;b&gt;bold"));
}

/// An independent sanitiser that parses the HTML as browsers do finds nothing to change.
fn assert_clean(markdown: &str) {
    for kind in [TextKind::Article, TextKind::Comment] {
        if let Ok(Rendered { html, .. }) = render(markdown, kind) {
            assert_sanitary(&html);
        }
    }
}

fn assert_sanitary(html: &str) {
    let tags = "p br hr h2 h3 h4 h5 h6 strong em del code pre blockquote ul ol li a table thead \
         tbody tr th td div sup input span";
    // Attributes with any value; links and ids are checked below.
    let any = [
        ("a", "href title id aria-label aria-labelledby"),
        ("ol", "start"),
        ("li", "id"),
        ("h2", "id"),
        ("h3", "id"),
        ("h4", "id"),
        ("h5", "id"),
        ("h6", "id"),
    ];
    let values = [
        ("a", "rel", "nofollow ugc noopener"),
        ("blockquote", "dir", "auto"),
        ("ul", "dir", "auto"),
        ("ol", "dir", "auto"),
        ("div", "dir", "auto"),
        ("pre", "dir", "ltr"),
        ("pre", "tabindex", "0"),
        ("div", "tabindex", "0"),
        ("div", "class", "heading scroll footnotes"),
        ("div", "role", "group"),
        ("div", "aria-label", "Table|Footnotes"),
        ("th", "class", "left center right"),
        ("td", "class", "left center right"),
        ("span", "class", "c s k n t p i d"),
        ("input", "type", "checkbox"),
        ("input", "disabled", ""),
        ("input", "checked", ""),
        ("input", "aria-label", "Done|To do"),
    ];
    let mut sanitiser = ammonia::Builder::default();
    let mut permitted: HashMap<&str, HashMap<&str, HashSet<&str>>> = HashMap::new();
    for (tag, attribute, values) in values {
        let values = match attribute {
            "class" => values.split(' ').collect(),
            _ if values.is_empty() => [""].into(),
            "rel" => [values].into(),
            _ => values.split('|').collect(),
        };
        permitted.entry(tag).or_default().insert(attribute, values);
    }
    sanitiser
        .tags(tags.split_whitespace().collect())
        .tag_attributes(any.map(|(tag, names)| (tag, names.split(' ').collect())).into())
        .tag_attribute_values(permitted)
        .generic_attributes([].into())
        .url_schemes(SCHEMES.into())
        .link_rel(None);
    // Two spellings of the same.
    let spelled = [(" />", ">"), ("&#39;", "'"), ("&#x27;", "'"), ("\u{a0}", "&nbsp;")];
    let written = spelled.iter().fold(html.to_owned(), |html, (from, to)| html.replace(from, to));
    assert_eq!(sanitiser.clean(&written).to_string(), written);
    for tag in written.split('<').filter(|tag| tag.starts_with("a ")) {
        let is_ours = tag.starts_with("a href=\"#fn") || tag.starts_with("a href=\"#h-");
        assert!(is_ours || tag.contains(" rel=\""), "{tag}");
    }
    let mut ids: Vec<&str> =
        written.split(" id=\"").skip(1).filter_map(|id| id.split('"').next()).collect();
    assert!(ids.iter().all(|id| id.starts_with("h-") || id.starts_with("fn")), "{ids:?}");
    let count = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), count, "each id once: {written}");
}

const SCHEMES: [&str; 3] = ["http", "https", "mailto"];

/// Pieces of Markdown and HTML, put together at random.
const PIECES: &[&str] = &[
    "a",
    "b c",
    " ",
    "\n",
    "\n\n",
    "    ",
    "  ",
    "\t",
    "> ",
    "- ",
    "1. ",
    "7) ",
    "# ",
    "## ",
    "*",
    "**",
    "_",
    "~~",
    "`",
    "```",
    "~~~",
    "|",
    "|-|-|\n",
    "| a | b |\n",
    "[",
    "]",
    "](",
    ")",
    "![",
    "[a](https://b.example)",
    "[a]: /b 'c'\n",
    "<https://a.example>",
    "<a@b.example>",
    "<",
    ">",
    "<b>",
    "</b>",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    "<p>",
    "</p>",
    "</li>",
    "</table>",
    "<style>",
    "<a href='x'>",
    "&",
    "&amp;",
    "&lt;",
    "&#34;",
    "\"",
    "'",
    "\\",
    "---",
    "===",
    "\u{a0}",
    "é",
    "javascript:",
    "data:",
    "\u{1}",
    " onclick=x ",
    "<![CDATA[",
    "<?",
    "=",
    "\u{202e}",
    "http://a.example",
    "https://b.example/(c)",
    "www.c.example.",
    "[^1]",
    "[^a]",
    "[^1]: ",
    "\n\n[^a]: d\n",
    "- [ ] ",
    "- [x] e",
    "|:-:|-:|\n",
    "# f\n",
    "\n```rust\n",
    "\n```html\n",
    "let g = 'h';",
    "\n\n## a\n\n",
];

proptest::proptest! {
    #[test]
    fn any_text_becomes_html_of_the_allow_list(
        picks in proptest::collection::vec(proptest::sample::select(PIECES), 1..40)
    ) {
        assert_clean(&picks.concat());
    }
}

#[test]
fn deep_nesting_is_flattened_and_all_text_stays() {
    for (opening, closing) in [("> ", ""), ("- ", ""), ("1. ", ""), ("> - ", ""), ("*_", "_*")] {
        let text = format!("{}deep{}", opening.repeat(200), closing.repeat(200));
        let html = html(&text);
        assert!(html.contains("deep") && deepest(&html) <= 70, "{opening}: {html}");
        assert_clean(&text);
    }
    let apart = html(&format!("{}one\n{}- two", "- ".repeat(60), "  ".repeat(59)));
    assert!(apart.contains("one\ntwo") || apart.contains("one</li>"), "{apart}");
}

#[test]
fn a_text_that_is_too_complex_is_refused_and_shown_plainly_if_it_is_old() {
    let table = format!("|{}\n|{}\n{}", "a|".repeat(200), "-|".repeat(200), "a\n".repeat(1300));
    assert!(article(&table).is_err(), "3.4 kB that would become 2.4 MB");
    let shown = plain(&table);
    assert!(
        shown.html.starts_with("<pre tabindex=\"0\" dir=\"ltr\"><code>|a|a|"),
        "{}",
        &shown.html[..40]
    );
    assert!(shown.html.len() < 2 * table.len() && shown.excerpt.starts_with("|a|a"));
    assert!(plain("<script>&").html.contains("&lt;script&gt;&amp;"));
    let ordinary = "    deeply.indented(code);\n".repeat(3_000) + &" ".repeat(200) + "x";
    assert!(article(&ordinary).is_ok());
}

#[test]
fn excerpts_are_plain_and_short() {
    let excerpt = |text: &str| article(text).unwrap().excerpt;
    assert_eq!(excerpt("# A\n\nb **c** [d](https://e)\n\n```\nx\n```\nf"), "A b c d f");
    let long = excerpt(&"word ".repeat(400));
    assert!(long.chars().count() <= excerpt::LENGTH + 1 && long.ends_with("word…"), "{long}");
}

//! The text of rendered Markdown, for the search.

/// How much of the HTML of a text the search reads, in characters.
pub const MAX_HTML: i64 = 64 * 1024;

/// Elements within a line: they do not separate words.
const INLINE: [&str; 6] = ["a", "code", "del", "em", "span", "strong"];

/// The text of HTML that `markdown` has written. It may end anywhere.
pub fn of_html(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find(['<', '&']) {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = if rest.starts_with('<') { '>' } else { ';' };
        let Some(end) = rest.find(end) else { return text };
        let markup = &rest[1..end];
        rest = &rest[end + 1..];
        // Links that the renderer adds, to headings and between footnotes, are no part of what was written.
        if markup.starts_with("a ") && markup.contains(" aria-label") {
            rest = rest.find("</a>").map_or("", |end| &rest[end..]);
            continue;
        }
        text.push_str(match markup {
            "lt" => "<",
            "gt" => ">",
            "quot" => "\"",
            "amp" => "&",
            _ => separator(markup),
        });
    }
    text.push_str(rest);
    text
}

fn separator(tag: &str) -> &'static str {
    let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
    if INLINE.contains(&name) { "" } else { " " }
}

#[cfg(test)]
mod tests {
    use super::of_html;
    use crate::models::posts::markdown::{self, TextKind};

    #[test]
    fn markup_is_no_part_of_the_text() {
        for (text, expected) in [
            ("# One\n\nt*w*o [three](https://example.com \"title\")", "One two three"),
            ("- a\n- b\n\n| c | d |\n|---|---|\n| e | f |", "a b c d e f"),
            ("`1 < 2 && \"x\" > 'y'`", "1 < 2 && \"x\" > 'y'"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
            ("&lt;b&gt; &amp;amp;", "<b> &amp;"),
            ("a  \nb\\\nc", "a b c"),
            ("a[^1]\n\n[^1]: b", "a b"),
            ("```rust\nlet sum = 1;\n```", "let sum = 1;"),
        ] {
            let html = markdown::render(text, TextKind::Article).unwrap().html;
            let words: Vec<String> = of_html(&html).split_whitespace().map(str::to_owned).collect();
            assert_eq!(words.join(" "), expected, "{html}");
        }
        for cut in ["a <em", "a &am", "a "] {
            assert_eq!(of_html(cut).trim_end(), "a", "{cut}");
        }
    }
}

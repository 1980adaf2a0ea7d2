//! Texts that are made to cost as much as possible, and what they cost.

use super::*;

fn repeated(text: &str) -> String {
    text.chars().cycle().take(100_000).collect()
}

/// Texts of 100,000 characters that are made to cost as much as possible.
fn bombs() -> Vec<(String, String)> {
    let patterns = [
        ">",
        "> ",
        "[",
        "]",
        "(",
        "*a_",
        "![[",
        "<",
        "`",
        "`a ",
        "``a ",
        "$",
        "- ",
        "1. ",
        "> - ",
        "- > ",
        "* * ",
        "&",
        "&amp;",
        "&#1234;",
        "\u{a9}",
        "*",
        "**a ",
        "*a ",
        "a*",
        "_*",
        "~~",
        "~~a ",
        "*a*",
        "[a](b",
        "[](a)",
        "[a][b]",
        "[a]",
        "[[a]](b)",
        "<http://a.b>",
        "<a@b>",
        "http://a.b ",
        "<!--",
        "<!-- a -->",
        "<!-- a",
        "<?",
        "<![CDATA[",
        "<a b",
        "<a href='",
        "</a",
        "<b>a</b>",
        "|",
        "|\n",
        "a|",
        "|a\n|-\n",
        "|a|\n",
        "[a]: b\n",
        "[a]: <b> 'c\n",
        "[^a]",
        "\\",
        "'",
        "\"a ",
        "...",
        "- a\n",
        "-\n",
        ">a\n\n",
        "# a\n",
        "a\n=\n",
        "---\n",
        "```\n",
        "\n",
        "a\\\n",
        "\t",
        "*_[`~<&",
        "[x](((",
        "[a](<b",
        "[*a](b_",
        "`[a`]",
        "\u{200b}",
    ];
    let mut bombs: Vec<(String, String)> =
        patterns.iter().map(|text| ((*text).to_owned(), repeated(text))).collect();
    let wide = |columns: usize, row: &str| {
        format!("|{}\n|{}\n", "a|".repeat(columns), "-|".repeat(columns)) + &repeated(row)
    };
    let lines = |depth: &str, line: &str| depth.repeat(15_000) + &repeated(line)[..50_000];
    let indented: String = (0..220).map(|n| "  ".repeat(n) + "- a\n").collect();
    let references: String = (0..5_000).map(|n| format!("[a{n}]: /b\n\n[a{n}] ")).collect();
    let more = [
        ("a wide table", wide(200, "a\n")),
        ("a wider table", wide(10_000, "a\n")),
        ("a narrow table", wide(20, "|\n")),
        ("quotes and lazy lines", lines("> ", "a\n")),
        ("quotes and quotes", lines(">", ">\n")),
        ("lists and a fence", lines("- ", "\n").replacen("- \n", "- ```\n", 1)),
        ("lists and lines", lines("- ", "a\n")),
        ("numbers and blank lines", lines("1. ", "\n\n")),
        (
            "indented lists and a fence",
            indented + &"  ".repeat(220) + "- ```" + &"\n".repeat(50_000),
        ),
        ("link references", references),
        ("one reference", format!("[a]: /{}\n\n", "b".repeat(50_000)) + &"[a] ".repeat(12_000)),
        ("emphasis that closes", "*a ".repeat(16_000) + &"b*".repeat(25_000)),
        ("links that close", "[".repeat(50_000) + &"](b)".repeat(12_000)),
        ("images that close", "![".repeat(25_000) + &"](b)".repeat(12_000)),
    ];
    let shortened = |text: String| text.chars().take(100_000).collect();
    bombs.extend(more.map(|(name, text)| (name.to_owned(), shortened(text))));
    bombs
}

/// The work of rendering: bytes written, events, lines compared with the containers that they
/// are in, and open elements that a parser of the HTML walks for each block.
fn work(markdown: &str) -> usize {
    if nesting::comparisons(markdown) > MAX_COMPARISONS {
        return markdown.len();
    }
    let newlines = |range: std::ops::Range<usize>| markdown[range].matches('\n').count();
    let mut spent = 0;
    for (event, range) in parse(markdown).into_offset_iter().take(MAX_EVENTS + 1) {
        spent += 1;
        if let Event::Start(Tag::BlockQuote(_) | Tag::Item) = event {
            spent += 1 + newlines(range);
        }
    }
    let html = render(markdown)
        .map(|rendered| rendered.html)
        .unwrap_or_else(|_| "x".repeat(max_html(markdown)));
    spent + html.len() + walked(&html).0
}

pub fn deepest(html: &str) -> usize {
    walked(html).1
}

/// The open elements that are walked for all blocks, and the most that are open at once.
fn walked(html: &str) -> (usize, usize) {
    let (mut steps, mut depth, mut deepest) = (0, 0usize, 0);
    for tag in html.split('<').skip(1) {
        let name: String = tag.chars().take_while(|c| !">/ ".contains(*c)).collect();
        match name.as_str() {
            "" => depth -= 1,
            "br" | "hr" => {}
            name => {
                let inline = ["a", "em", "strong", "del", "code"].contains(&name);
                steps += if inline { 0 } else { depth };
                depth += 1;
            }
        }
        deepest = deepest.max(depth);
    }
    (steps, deepest)
}

#[test]
fn no_text_costs_more_than_ten_times_plain_text() {
    let plain = work(&repeated("words and words that fill a line of text, as people write it,\n"));
    assert!((100_000..200_000).contains(&plain), "{plain}");
    for (name, bomb) in bombs() {
        let cost = work(&bomb);
        assert!(cost <= 10 * plain, "{name}: {cost}");
        let excerpt = render(&bomb).map(|rendered| rendered.excerpt).unwrap_or_default();
        assert!(excerpt.len() <= 4 * (EXCERPT + 1), "{name}");
    }
}

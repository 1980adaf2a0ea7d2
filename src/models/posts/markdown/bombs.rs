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
        "http://",
        "http://a",
        "http://a.b/",
        "http://a ",
        "http://a/)",
        "http://(",
        "www.",
        "www._",
        "www.a.b ",
        "WWW",
        "h:w",
        "://",
        "- [ ] ",
        "- [ ] a\n",
        "[ ]",
        "[^a]: b\n\n",
        "[^a]:",
        "[^a]: - ",
        "> [^a]: ",
        "[^a]: # b\n",
        "# a\n\n",
        "#\n",
        "|:-:",
    ];
    let mut bombs: Vec<(String, String)> =
        patterns.iter().map(|text| ((*text).to_owned(), repeated(text))).collect();
    let wide = |columns: usize, row: &str| {
        format!("|{}\n|{}\n", "a|".repeat(columns), "-|".repeat(columns)) + &repeated(row)
    };
    let lines = |depth: &str, line: &str| depth.repeat(15_000) + &repeated(line)[..50_000];
    let indented: String = (0..220).map(|n| "  ".repeat(n) + "- a\n").collect();
    let references: String = (0..5_000).map(|n| format!("[a{n}]: /b\n\n[a{n}] ")).collect();
    let footnotes: String = (0..4_000).map(|n| format!("[^{n}]\n\n[^{n}]: a\n\n")).collect();
    let circle: String = (0..4_000).map(|n| format!("[^{n}]: [^{}]\n\n", n + 1)).collect();
    let numbered: String = (2..8_000).map(|n| format!("# a {n}\n")).collect();
    let block =
        |language: &str, line: &str| format!("```{language}\n{}\n```\n", &repeated(line)[..30_000]);
    let blocks = |language: &str, code: &str| format!("```{language}\n{code}\n```\n").repeat(9_000);
    let more = [
        ("a block of numbers", block("json", "1,").repeat(3)),
        ("a block of words", block("rust", "if ").repeat(3)),
        ("a block of letters", block("rust", "'a").repeat(3)),
        ("a block of open strings", block("js", "`${").repeat(3)),
        ("a block of open comments", block("js", "/*").repeat(3)),
        ("a block of keys", block("yaml", "a   ").repeat(3)),
        ("a block of elements", block("html", "<a b='").repeat(3)),
        ("a block of references", block("xml", "&a").repeat(3)),
        ("a block of lines", block("diff", "+\n").repeat(3)),
        ("a block of signs", block("css", "@-").repeat(3)),
        ("a block that is too large", format!("```rust\n{}", repeated("if "))),
        ("small blocks", blocks("js", "1")),
        ("smaller blocks", blocks("c", "")),
        ("references to one footnote", "[^a]: b\n\n".to_owned() + &repeated("[^a] ")),
        ("references in a footnote", "[^a]\n\n[^a]: ".to_owned() + &repeated("[^a]")),
        ("footnotes", footnotes),
        ("footnotes that refer to each other", "[^0]\n\n".to_owned() + &circle),
        (
            "a long label",
            format!("[^{0}]: b\n\n", "a".repeat(900))
                + &format!("[^{}]", "a".repeat(900)).repeat(108),
        ),
        ("footnotes in lists", "[^a]: - ".repeat(6_000) + &"\n".repeat(50_000)),
        ("footnotes with long names", "[^\\]:]: - ".repeat(5_000) + &"\n".repeat(50_000)),
        ("headings with numbers", numbered + &"# a\n".repeat(8_000)),
        ("a long heading", "# ".to_owned() + &repeated("a ")),
        (
            "a table in a list",
            "- ".repeat(30) + "|a|b|\n" + &" ".repeat(60) + &"|-|-|\n".repeat(9_000),
        ),
        (
            "an address with parentheses",
            "http://a.b/".to_owned() + &"(".repeat(50_000) + &")".repeat(50_000),
        ),
        ("an address that ends late", "http://a.b/".to_owned() + &repeated(".")),
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
fn work(markdown: &str, rendered: &Result<Rendered, TooComplex>) -> usize {
    if nesting::comparisons(markdown) > MAX_COMPARISONS {
        return markdown.len();
    }
    let newlines = |range: std::ops::Range<usize>| markdown[range].matches('\n').count();
    let mut spent = 0;
    for (event, range) in parse(markdown).take(MAX_EVENTS + 1) {
        spent += 1;
        if let Event::Start(Tag::BlockQuote(_) | Tag::Item | Tag::FootnoteDefinition(_)) = event {
            spent += 1 + newlines(range);
        }
    }
    match rendered {
        Ok(Rendered { html, .. }) => spent + html.len() + walked(html).0,
        Err(TooComplex) => spent + max_html(markdown),
    }
}

pub fn deepest(html: &str) -> usize {
    walked(html).1
}

/// The open elements that are walked for all blocks, and the most that are open at once.
fn walked(html: &str) -> (usize, usize) {
    let (mut steps, mut deepest) = (0, 0);
    // For each open element, how many are walked up to it: a search ends at a table or a cell.
    let mut open: Vec<usize> = Vec::new();
    for tag in html.split('<').skip(1) {
        let name: String = tag.chars().take_while(|c| !">/ ".contains(*c)).collect();
        match name.as_str() {
            "" => drop(open.pop()),
            "br" | "hr" | "input" => {}
            name => {
                let inline = ["a", "em", "strong", "del", "code", "sup", "span"].contains(&name);
                let above = open.last().copied().unwrap_or_default();
                steps += if inline { 0 } else { above };
                open.push(if ["table", "td", "th"].contains(&name) { 0 } else { above + 1 });
            }
        }
        deepest = deepest.max(open.len());
    }
    (steps, deepest)
}

#[test]
fn no_text_costs_more_than_ten_times_plain_text() {
    let text = repeated("words and words that fill a line of text, as people write it,\n");
    let plain = work(&text, &render(&text, TextKind::Article));
    assert!((100_000..200_000).contains(&plain), "{plain}");
    for (name, bomb) in bombs() {
        let rendered = render(&bomb, TextKind::Article);
        let cost = work(&bomb, &rendered);
        assert!(cost <= 10 * plain, "{name}: {cost}");
        let excerpt = rendered.map(|rendered| rendered.excerpt).unwrap_or_default();
        assert!(excerpt.len() <= 4 * (excerpt::LENGTH + 1), "{name}");
    }
}

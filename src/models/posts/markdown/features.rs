//! Tests of what GitHub adds to Markdown.

use super::*;

fn html(markdown: &str) -> String {
    render(markdown, TextKind::Article).unwrap().html
}

fn link(address: &str) -> String {
    let href =
        if address.starts_with("www") { format!("http://{address}") } else { address.to_owned() };
    format!("<a href=\"{href}\" rel=\"nofollow ugc noopener\">{address}</a>")
}

#[test]
fn addresses_in_the_text_are_links() {
    for (address, before, after) in [
        ("https://a.example", "See ", "."),
        ("http://a.example/b", "(", ")"),
        ("https://a.example/b_(c)", "(see ", ")"),
        ("https://a.example/b?c=d#e", "", ", and"),
        ("www.a.example", "", "…"),
        ("https://a.example/b", "“", "”"),
        ("https://a.example/--b--'c", "", " d"),
        ("https://a.example/b_c_d", "", "*"),
        ("http://localhost:8000/", "", ";"),
        ("https://例え.example/道", "", "。次"),
        ("https://a.example/b", "请看", "，谢谢"),
        ("HTTPS://a.example", "", "?!"),
        ("https://a.example:8000", "", ""),
    ] {
        let html = html(&format!("{before}{address}{after}"));
        let href = address
            .replace('例', "%E4%BE%8B")
            .replace('え', "%E3%81%88")
            .replace('道', "%E9%81%93");
        let expected = link(address).replacen(address, &href.replace('\'', "&#x27;"), 1);
        assert_eq!(html, format!("<p>{before}{expected}{after}</p>\n"));
    }
    assert_eq!(
        html("*http://a.example*"),
        format!("<p><em>{}</em></p>\n", link("http://a.example"))
    );
    let two = html("https://a.example -- www.b.example");
    assert_eq!(two, format!("<p>{} – {}</p>\n", link("https://a.example"), link("www.b.example")));
}

#[test]
fn other_text_is_no_address() {
    for text in [
        "http://",
        "https://.",
        "http://a_b.c_d",
        "xhttp://a.example",
        "www.",
        "www.a",
        "awww.b.example",
        "me@www.a.example",
        "ftp://www.a.example",
        "http://ann@a.example",
        "javascript://a.example",
        "`https://a.example`",
        "    https://a.example",
        "<b title='http://a.example'>",
    ] {
        assert!(!html(text).contains("<a"), "{text}: {}", html(text));
    }
    let inside = html("[https://a.example](https://b.example)");
    assert_eq!(inside.matches("<a").count(), 1, "{inside}");
}

#[test]
fn footnotes_stand_below_the_text_in_the_order_of_references() {
    let html =
        html("One[^b] two[^a] three[^b].\n\n[^a]: First\n[^b]: Second[^c]\n[^c]: Third\n\nEnd");
    let reference = |note, nth| {
        format!(
            "<sup><a href=\"#fn-{note}\" id=\"fnref-{note}-{nth}\" aria-label=\"Footnote {note}\">{note}</a></sup>"
        )
    };
    let text =
        format!("<p>One{} two{} three{}.</p>", reference(1, 1), reference(2, 1), reference(1, 2));
    assert!(html.starts_with(&text), "{html}");
    assert!(html.contains("<p>End</p>\n<div class=\"footnotes\" role=\"group\""), "{html}");
    let back = "<a href=\"#fnref-1-1\" aria-label=\"Back to the text\">↩\u{fe0e}</a>";
    let second = "<a href=\"#fnref-1-2\" aria-label=\"Back to place 2 in the text\">↩\u{fe0e}2</a>";
    let note = format!("<p>Second{} {back} {second}</p>\n</li>", reference(3, 1));
    assert!(html.contains(&note), "{html}");
    let places = ["Second", "First", "Third"].map(|word| html.find(word));
    assert!(places.is_sorted() && places[0].is_some(), "{html}");
}

#[test]
fn footnotes_without_a_text_or_a_reference_are_not_made_up() {
    assert_eq!(html("a[^b]"), "<p>a[^b]</p>\n");
    assert_eq!(html("a\n\n[^b]: c"), "<p>a</p>\n");
    let once = html("[^a]\n\n[^a]: one\n\n[^a]: two");
    assert!(once.contains("one") && !once.contains("two"), "{once}");
    let inside = html("[a[^b]](/c)\n\n[^b]: d");
    assert!(inside.starts_with("<p>[a<sup>"), "no link inside a link: {inside}");
    let circle = html("[^a]\n\n[^a]: [^b]\n\n[^b]: [^a]");
    assert_eq!(circle.matches("<li").count(), 2, "{circle}");
}

/// They stand on one page.
#[test]
fn ids_of_comments_differ_from_those_of_the_post_and_of_other_comments() {
    let ids = |text: &str, kind| -> Vec<String> {
        let html = render(text, kind).unwrap().html;
        let parts = html.split(" id=\"").skip(1);
        parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
    };
    let text = "# A\n\nb[^c]\n\n[^c]: d";
    assert_eq!(ids(text, TextKind::Article), ["h-a", "fnref-1-1", "fn-1"]);
    let comment = ids(text, TextKind::Comment);
    assert!(
        comment.len() == 2 && comment[0].starts_with("fnref-") && comment[0].len() == 18,
        "{comment:?}"
    );
    assert_eq!(ids(text, TextKind::Comment), comment, "each time the same");
    assert!(ids("b[^c]\n\n[^c]: e", TextKind::Comment).iter().all(|id| !comment.contains(id)));
}

#[test]
fn tasks_have_boxes_with_a_name() {
    let html = html("- [ ] one\n- [x] two\n\n  more\n- three");
    assert!(
        html.contains("<input type=\"checkbox\" disabled=\"\" aria-label=\"To do\"> one"),
        "{html}"
    );
    let done = "<input type=\"checkbox\" disabled=\"\" checked=\"\" aria-label=\"Done\"> two";
    assert!(html.contains(done), "{html}");
    assert_eq!(html.matches("<input").count(), 2);
}

#[test]
fn columns_are_aligned_by_classes() {
    let html = html("|a|b|c|d|\n|:-|:-:|-:|-|\n|1|2|3|4|\n|5|\n\n|e|\n|-|\n|6|");
    for cell in [
        "<th class=\"left\">a</th><th class=\"center\">b</th><th class=\"right\">c</th><th>d</th>",
        "<td class=\"left\">1</td><td class=\"center\">2</td><td class=\"right\">3</td><td>4</td>",
        "<td class=\"left\">5</td>",
        "<th>e</th>",
        "<td>6</td>",
    ] {
        assert!(html.contains(cell), "{cell} in {html}");
    }
    assert!(!html.contains("style"), "{html}");
    assert_eq!(html.matches("role=\"group\" aria-label=\"Table\" tabindex=\"0\"").count(), 2);
}

#[test]
fn headings_are_linked_by_their_words() {
    let ids = |text: &str| -> Vec<String> {
        let html = html(text);
        let parts = html.split(" id=\"h-").skip(1);
        parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
    };
    assert_eq!(
        html("## A *b* `c`!"),
        "<div class=\"heading\" dir=\"auto\"><h2 id=\"h-a-b-c\">A <em>b</em> <code>c</code>!</h2>\
         <a href=\"#h-a-b-c\" aria-labelledby=\"h-a-b-c\">#</a></div>\n"
    );
    assert_eq!(
        ids("# Größe & Öl\n\n# שלום עולם\n\n# हिन्दी\n\n# 道"),
        ["größe-öl", "שלום-עולם", "हिन्दी", "道"]
    );
    assert_eq!(
        ids("# a\n# a\n# a 2\n# a\n# a-3\n# ?\n# !"),
        ["a", "a-2", "a-2-2", "a-3", "a-3-2", "section", "section-2"]
    );
    assert_eq!(ids(&format!("# {}", "é".repeat(200)))[0].chars().count(), 60);
}

#[test]
fn excerpts_have_no_marks() {
    let text = "- [x] one[^a]\n- two https://a.example/b--c\n\n[^a]: three";
    let excerpt = render(text, TextKind::Article).unwrap().excerpt;
    assert_eq!(excerpt, "• one • two https://a.example/b--c");
}

#[test]
fn the_reading_time_counts_words_and_characters() {
    let minutes = |text: &str| render(text, TextKind::Article).unwrap().reading_minutes;
    assert_eq!(minutes("Short."), 1);
    assert_eq!(minutes(&"word ".repeat(329)), 1);
    assert_eq!(minutes(&"word, — ".repeat(330)), 2, "1.5 minutes");
    assert_eq!(minutes(&"w*or*d_s ".repeat(440)), 2, "markup is no space");
    assert_eq!(minutes(&"道は長い。".repeat(300)), 2, "1200 characters");
    assert_eq!(minutes(&"길은 멀다 ".repeat(330)), 3, "660 words");
    assert_eq!(minutes(&"- a\n".repeat(880)), 4);
    assert_eq!(plain(&"a ".repeat(2_200)).reading_minutes, 10);
}

#[test]
fn code_of_a_known_language_is_colored() {
    let code = |fence: &str| html(&format!("```{fence}\nlet a = \"<b>\";\n```"));
    let colored = "<pre tabindex=\"0\" dir=\"ltr\"><code><span class=\"k\">let</span> a = \
         <span class=\"s\">\"&lt;b&gt;\"</span>;\n</code></pre>\n";
    for fence in ["rust", "Rust", "rs,ignore", "js {1}", ".swift"] {
        assert_eq!(code(fence), colored, "{fence}");
    }
    let plain = "<pre tabindex=\"0\" dir=\"ltr\"><code>let a = \"&lt;b&gt;\";\n</code></pre>\n";
    for fence in ["", "text", "unknown", "\"><script>"] {
        assert_eq!(code(fence), plain, "{fence}");
    }
    assert!(html("> ```rs\n> /* a\n> b */\n> ```").contains("<span class=\"c\">/* a\nb */</span>"));
    let large = html(&format!("```rs\n{}\n```", "let a = 1;\n".repeat(4_000)));
    assert!(!large.contains("<span"), "more than 32 kB");
}

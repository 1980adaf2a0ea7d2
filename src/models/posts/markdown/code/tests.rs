//! What is colored, and that the code stays what it is.

use super::*;

/// The parts that have a color.
fn parts(name: &str, code: &str) -> Vec<(Class, String)> {
    let tokens = tokens(by_name(name).unwrap(), code);
    let joined: String = tokens.iter().map(|(_, part)| *part).collect();
    assert_eq!(joined, code, "nothing is lost");
    let colored = tokens.into_iter().filter_map(|(class, part)| Some((class?, part.to_owned())));
    colored.collect()
}

fn assert_parts(name: &str, code: &str, expected: &[(Class, &str)]) {
    let expected: Vec<_> =
        expected.iter().map(|(class, part)| (*class, (*part).to_owned())).collect();
    assert_eq!(parts(name, code), expected, "{name}: {code}");
}

use Class::*;

#[test]
fn rust_tells_letters_from_lifetimes() {
    assert_parts(
        "rust",
        "#[derive(Debug)]\nfn a<'b>(c: &'b str) -> Vec<u8> { let d = 'e'; r#\"f\"g\"# } // 'h",
        &[
            (Name, "#[derive"),
            (Type, "Debug"),
            (Keyword, "fn"),
            (Type, "str"),
            (Type, "Vec"),
            (Type, "u8"),
            (Keyword, "let"),
            (Text, "'e'"),
            (Text, "r#\"f\"g\"#"),
            (Comment, "// 'h"),
        ],
    );
    assert_parts(
        "rs",
        "0..10 1.5e-3 0xff_u8 x1 1.max(2)",
        &[
            (Number, "0"),
            (Number, "10"),
            (Number, "1.5e-3"),
            (Number, "0xff_u8"),
            (Number, "1"),
            (Number, "2"),
        ],
    );
}

#[test]
fn strings_span_lines_where_they_can() {
    assert_parts(
        "python",
        "a = \"\"\"b\n'c\"\"\"\nd = f'e\\'' # g",
        &[(Text, "\"\"\"b\n'c\"\"\""), (Text, "'e\\''"), (Comment, "# g")],
    );
    assert_parts(
        "js",
        "const a = `b\n${c}`; \"d\nif",
        &[(Keyword, "const"), (Text, "`b\n${c}`"), (Text, "\"d"), (Keyword, "if")],
    );
    assert_parts("ts", "/* a\nb", &[(Comment, "/* a\nb")]);
}

#[test]
fn words_have_a_meaning_of_their_own_in_each_language() {
    assert_parts(
        "sql",
        "SELECT 'it''s' FROM a -- b",
        &[(Keyword, "SELECT"), (Text, "'it'"), (Text, "'s'"), (Keyword, "FROM"), (Comment, "-- b")],
    );
    assert_parts(
        "sh",
        "if [ \"$a\" = 1 ]; then echo $HOME a#b; fi # c",
        &[
            (Keyword, "if"),
            (Text, "\"$a\""),
            (Number, "1"),
            (Keyword, "then"),
            (Name, "$HOME"),
            (Keyword, "fi"),
            (Comment, "# c"),
        ],
    );
    assert_parts(
        "json",
        "{\"a\": [true, -1, \"b\"]}",
        &[(Name, "\"a\""), (Number, "true"), (Number, "1"), (Text, "\"b\"")],
    );
    assert_parts(
        "yaml",
        "a-b: c # d\ne: http://f#g",
        &[(Name, "a-b"), (Comment, "# d"), (Name, "e")],
    );
    assert_parts("toml", "[a]\nb-c = \"d\"", &[(Name, "b-c"), (Text, "\"d\"")]);
    assert_parts(
        "css",
        "a:hover { --b: 1rem; color: red /* c */ }",
        &[(Name, "--b"), (Number, "1rem"), (Name, "color"), (Comment, "/* c */")],
    );
    assert_parts("js", "a.new(new B)", &[(Keyword, "new"), (Type, "B")]);
}

#[test]
fn markup_and_differences_are_divided_too() {
    assert_parts(
        "html",
        "<!-- a --><p class=\"b\" c>d &amp; e < f</p><script>a<b</script>",
        &[
            (Comment, "<!-- a -->"),
            (Type, "p"),
            (Name, "class"),
            (Text, "\"b\""),
            (Name, "c"),
            (Number, "&amp;"),
            (Type, "p"),
            (Type, "script"),
            (Type, "script"),
        ],
    );
    assert_parts(
        "diff",
        "--- a\n+++ b\n@@ 1 @@\n-c\n+d\n e\n",
        &[
            (Keyword, "--- a"),
            (Keyword, "+++ b"),
            (Comment, "@@ 1 @@"),
            (Deleted, "-c"),
            (Inserted, "+d"),
        ],
    );
}

#[test]
fn tables_are_sorted_and_names_unique() {
    let mut names: Vec<&str> = Vec::new();
    for language in LANGUAGES {
        for words in [language.keywords, language.constants, language.types] {
            assert!(words.is_sorted(), "{words:?}");
        }
        for longer in language.quotes.windows(2) {
            assert!(longer[0].open.len() >= longer[1].open.len(), "{:?}", language.names);
        }
        names.extend(language.names);
    }
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}

proptest::proptest! {
    #[test]
    fn code_stays_what_it_is(code in "[a-z0-9'\"`/*#<>&;:=@$\\\\\n é-]{0,60}") {
        for name in LANGUAGES.iter().map(|language| language.names[0]).chain(["html", "diff"]) {
            let _ = parts(name, &code);
        }
    }
}

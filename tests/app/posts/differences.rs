//! What a comparison of two texts shows, and what it costs.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use crate::support::internals::{Diff, DiffBlock, DiffLine, diff};

/// The marks of a comparison in one line: `-removed`, `+added`, `=same`, `(2)` for a fold; words that
/// differ stand in brackets.
fn shown(diff: &Diff) -> Vec<String> {
    let line = |sign: &str, line: &DiffLine| {
        let pieces = line.iter().map(|piece| match (piece.changed, piece.skipped) {
            (true, _) => format!("[{}]", piece.text),
            (false, 0) => piece.text.clone(),
            (false, skipped) => format!("<{skipped}>"),
        });
        format!("{sign}{}", pieces.collect::<String>())
    };
    let blocks = diff.blocks.iter().flat_map(|block| match block {
        DiffBlock::Same { lines } => lines.iter().map(|l| line("=", l)).collect(),
        DiffBlock::Folded { count, .. } => vec![format!("({count})")],
        DiffBlock::Changed { old, new } => {
            old.iter().map(|l| line("-", l)).chain(new.iter().map(|l| line("+", l))).collect()
        }
    });
    blocks.collect::<Vec<String>>()
}

#[test]
fn changed_words_are_marked_and_distant_lines_folded() {
    let text = |day: &str| {
        format!("One\nTwo\nThree\nFour\nFive\nThe sea comes twice {day}, they say.\nLast")
    };
    let found = diff(&text("a day"), &text("each night"));
    assert_eq!(
        shown(&found),
        [
            "(3)",
            "=Four",
            "=Five",
            "-The sea comes twice [a day], they say.",
            "+The sea comes twice [each night], they say.",
            "=Last",
        ]
    );
    for (old, new, expected) in [
        ("a", "a", &[][..]),
        ("", "a", &["+[a]"]),
        ("a\nb", "a", &["=a", "-[b]"]),
        // With nothing in common, whole lines are marked.
        ("one two three", "uno dos tres", &["-[one two three]", "+[uno dos tres]"]),
        ("a\n\nb", "a\n\nc", &["=a", "=", "-[b]", "+[c]"]),
        ("the e\u{301}cole", "the e\u{300}cole", &["-the [e\u{301}cole]", "+the [e\u{300}cole]"]),
        ("世界和平大会", "世界和谐大会", &["-世界和[平]大会", "+世界和[谐]大会"]),
        ("<b>x y z</b>", "<b>x y q</b>", &["-<b>x y [z]</b>", "+<b>x y [q]</b>"]),
    ] {
        assert_eq!(shown(&diff(old, new)), expected, "{old:?} {new:?}");
    }
    // Of one long line, what is far from the change is left out.
    let long = "word ".repeat(10_000);
    let found = diff(&format!("{long}a {long}"), &format!("{long}b {long}"));
    let line = &shown(&found)[0];
    assert!(line.len() < 2_000 && line.contains("[a]") && line.contains("<49"), "{line}");
}

/// Texts of the greatest length in which nothing fits.
fn hard() -> Vec<(String, String)> {
    let letters = |factor: usize, count: usize, end: &str| -> String {
        let letter = |i: usize| char::from(b'a' + u8::try_from(i * i * factor % 23).unwrap());
        (0..count).map(|i| format!("{}{end}", letter(i))).collect()
    };
    let numbers = |factor: usize| -> String {
        (0..14_000).map(|i| format!("{}\n", i * factor % 14_009)).collect()
    };
    vec![
        (letters(1, 50_000, "\n"), letters(7, 50_000, "\n")),
        (letters(3, 50_000, " "), letters(5, 50_000, " ")),
        (letters(3, 100_000, ""), letters(5, 100_000, "")),
        (numbers(1), numbers(4_999)),
        ("\"".repeat(100_000), "&".repeat(100_000)),
        ("𝄞".repeat(100_000), "𝄢".repeat(100_000)),
        ("\n".repeat(99_999) + "a", "\n".repeat(50_000) + "b"),
        ("a\n".repeat(50_000), "b\na\n".repeat(25_000)),
    ]
}

#[test]
fn the_hardest_texts_take_a_bounded_time_and_a_bounded_page() {
    for (number, (old, new)) in hard().iter().enumerate() {
        let begun = Instant::now();
        let found = diff(old, new);
        let took = begun.elapsed();
        println!("{number}: {took:?}");
        // A debug build on a busy machine; without a bound, some take many seconds.
        assert!(took < Duration::from_secs(2), "{number}: {took:?}");
        let text: usize = shown(&found).iter().map(String::len).sum();
        assert!(text < 900_000, "{number}: {text}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Both texts can be read in it, as long as nothing is folded.
    #[test]
    fn a_comparison_has_both_texts(
        old in prop::collection::vec("[ab ]{0,4}", 0..6),
        new in prop::collection::vec("[ab ]{0,4}", 0..6),
    ) {
        let (old, new) = (old.join("\n"), new.join("\n"));
        let found = diff(&old, &new);
        let is_same = old.lines().eq(new.lines());
        prop_assert_eq!(found.blocks.is_empty(), is_same);
        if !is_same {
            let mut sides = (Vec::new(), Vec::new());
            for block in &found.blocks {
                let texts = |lines: &[DiffLine]| -> Vec<String> {
                    lines.iter().map(|l| l.iter().map(|p| p.text.as_str()).collect()).collect()
                };
                match block {
                    DiffBlock::Same { lines } | DiffBlock::Folded { lines, .. } => {
                        sides.0.extend(texts(lines));
                        sides.1.extend(texts(lines));
                    }
                    DiffBlock::Changed { old, new } => {
                        sides.0.extend(texts(old));
                        sides.1.extend(texts(new));
                    }
                }
            }
            prop_assert_eq!(sides.0, old.lines().collect::<Vec<_>>());
            prop_assert_eq!(sides.1, new.lines().collect::<Vec<_>>());
        }
    }
}

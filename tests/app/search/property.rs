//! What is found is what a comparison of all texts finds, on either engine.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::ids;
use crate::support::{App, encode, repetitions};

/// Spellings, and the words that they are.
const SPELLINGS: [(&str, &str); 14] = [
    ("tide", "tide"),
    ("TÏDE", "tide"),
    ("tides", "tides"),
    ("moon", "moon"),
    ("Mōo\u{304}N", "moon"),
    ("sea", "sea"),
    ("ＳＥＡ", "sea"),
    ("straße", "strasse"),
    ("STRASSE", "strasse"),
    ("世界", "世 界"),
    ("界", "界"),
    ("ﬁn", "fin"),
    ("a", "a"),
    ("x-a", "x a"),
];

/// The same numbers in each run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.0 >> 33) % sides as u64).unwrap()
    }

    /// Some spellings with spaces between them, and their words.
    fn text(&mut self, longest: usize) -> (String, String) {
        let words: Vec<_> =
            (0..=self.roll(longest)).map(|_| SPELLINGS[self.roll(SPELLINGS.len())]).collect();
        let join = |words: Vec<&str>| words.join(" ");
        let spelt = join(words.iter().map(|(spelt, _)| *spelt).collect());
        (spelt, join(words.iter().map(|(_, words)| *words).collect()))
    }
}

/// A term, and whether it is wanted.
type Term = (String, bool);

fn contains(field: &str, term: &str) -> bool {
    format!(" {field} ").contains(&format!(" {term} "))
}

#[rocket::async_test]
async fn what_is_found_is_what_comparing_everything_finds() {
    let limits = "posts=10000/h, posts-address=10000/h, searches=9999/s, searches-address=9999/s";
    let app = App::with(&[("limits", limits)]).await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    // A language without a stemmer.
    assert_eq!(root.api().patch("/admin/settings", json!({"language": "la"})).await.status, 200);
    let mut dice = Dice(7);
    let mut posts: Vec<(i64, [String; 2])> = Vec::new();
    for _ in 0..60 {
        let ((title, title_words), (content, content_words)) = (dice.text(3), dice.text(8));
        let post = ann.api().post("/posts", json!({"title": title, "content": content})).await;
        assert_eq!(post.status, 201, "{}", post.body);
        posts.push((post.json()["id"].as_i64().unwrap(), [title_words, content_words]));
    }
    let mut sizes = BTreeSet::new();
    for _ in 0..120 * repetitions() {
        let mut terms: Vec<Term> = Vec::new();
        let mut q = String::new();
        for _ in 0..=dice.roll(3) {
            let is_wanted = dice.roll(4) > 0;
            let is_phrase = dice.roll(3) == 0;
            let (spelt, words) = dice.text(if is_phrase { 3 } else { 1 });
            let spelt =
                if is_phrase || spelt.contains(' ') { format!("\"{spelt}\"") } else { spelt };
            q = format!("{q} {}{spelt}", if is_wanted { "" } else { "-" });
            terms.push((words, is_wanted));
        }
        let matches = |fields: &[String; 2]| {
            let has = |term: &str| fields.iter().any(|field| contains(field, term));
            terms.iter().all(|(term, is_wanted)| has(term) == *is_wanted)
        };
        let expected: BTreeSet<i64> =
            posts.iter().filter(|(_, fields)| matches(fields)).map(|(id, _)| *id).collect();
        let path = format!("/search?{}", encode(&[("q", q.as_str()), ("limit", "100")]));
        let answer: Value = app.nobody().api().get(&path).await.json();
        let found: BTreeSet<i64> = ids(&answer).into_iter().collect();
        assert_eq!(found, expected, "{q}");
        assert_eq!(answer["next"], Value::Null, "{q}");
        sizes.insert(found.len());
    }
    assert!(sizes.len() > 15, "the queries find something and nothing: {sizes:?}");
}

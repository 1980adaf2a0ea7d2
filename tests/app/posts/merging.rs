//! Two people edit one text: what the merge makes of it, and the page that shows it.

use proptest::prelude::*;
use rocket::http::Method::{Delete, Post, Put};
use serde_json::json;

use crate::support::internals::{merge, merge_without_base};
use crate::support::{App, Response};

fn texts() -> impl Strategy<Value = String> {
    let lines = prop::collection::vec("[a-e]", 0..12);
    (lines, any::<bool>()).prop_map(|(lines, ends)| {
        let text = lines.join("\n");
        if ends && !text.is_empty() { text + "\n" } else { text }
    })
}

/// How often a text has a line.
fn count(text: &str, line: &str) -> usize {
    text.lines().filter(|other| *other == line).count()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn who_alone_changed_something_gets_it(base in texts(), text in texts()) {
        for merged in [merge(&base, &text, &text), merge(&base, &base, &text), merge(&base, &text, &base)] {
            prop_assert_eq!((merged.text.as_str(), merged.conflicts), (text.as_str(), 0));
        }
        let merged = merge_without_base(&text, &text);
        prop_assert_eq!((merged.text, merged.conflicts), (text, 0));
    }

    /// What either side added is there, as often as it was added.
    #[test]
    fn no_line_of_either_side_is_lost(base in texts(), mine in texts(), theirs in texts()) {
        let merged = merge(&base, &mine, &theirs);
        for line in ["a", "b", "c", "d", "e"] {
            let [base, mine, theirs] = [&base, &mine, &theirs].map(|text| count(text, line));
            let most = mine.saturating_sub(base).max(theirs.saturating_sub(base));
            prop_assert!(count(&merged.text, line) >= most, "{line} of {merged:?}");
        }
        let merged = merge_without_base(&mine, &theirs);
        for line in ["a", "b", "c", "d", "e"] {
            let most = count(&mine, line).max(count(&theirs, line));
            prop_assert!(count(&merged.text, line) >= most, "{line} of {merged:?}");
        }
    }

    /// Both sides are equal but for their names.
    #[test]
    fn the_sides_may_be_exchanged(base in texts(), mine in texts(), theirs in texts()) {
        let (one, other) = (merge(&base, &mine, &theirs), merge(&base, &theirs, &mine));
        prop_assert_eq!(one.conflicts, other.conflicts);
        if one.conflicts == 0 {
            prop_assert_eq!(one.text.trim_end(), other.text.trim_end());
        }
    }

    /// Changes with an unchanged line between them are both there.
    #[test]
    fn changes_apart_from_each_other_are_both_made(
        lines in prop::collection::vec("[a-z]{5}", 5..20),
        places in any::<(prop::sample::Index, prop::sample::Index)>(),
        new in "[A-Z]{4}",
    ) {
        let (first, second) = (places.0.index(lines.len()), places.1.index(lines.len()));
        prop_assume!(first.abs_diff(second) > 1);
        let mut distinct = lines.clone();
        distinct.sort();
        distinct.dedup();
        prop_assume!(distinct.len() == lines.len());
        let with = |changes: &[(usize, &str)]| {
            let mut lines = lines.clone();
            for (place, line) in changes {
                lines[*place] = (*line).to_owned();
            }
            lines.join("\n")
        };
        let (mine, theirs) = (with(&[(first, &new)]), with(&[(second, "theirs")]));
        let merged = merge(&lines.join("\n"), &mine, &theirs);
        prop_assert_eq!(merged.text, with(&[(first, &new), (second, "theirs")]));
        prop_assert_eq!(merged.conflicts, 0);
    }
}

#[test]
fn words_of_one_paragraph_are_merged_and_what_overlaps_is_marked() {
    let base = "Before.\n\nThe sea comes twice a day, and goes as often.\n\nAfter.\n";
    let mine = base.replace("The sea", "The ocean");
    let theirs = base.replace("as often", "twice");
    let merged = merge(base, &mine, &theirs);
    let both = "Before.\n\nThe ocean comes twice a day, and goes twice.\n\nAfter.\n";
    assert_eq!((merged.text.as_str(), merged.conflicts), (both, 0));

    let theirs = base.replace("The sea", "The water").replace("After", "Later");
    let merged = merge(base, &mine, &theirs);
    let both = "Before.\n\n<<<<<<< Your text\nThe ocean comes twice a day, and goes as often.\n\
        =======\nThe water comes twice a day, and goes as often.\n>>>>>>> Current text\n\nLater.\n";
    assert_eq!((merged.text.as_str(), merged.conflicts), (both, 1));

    // One deleted what the other one changed.
    let theirs = "Before.\n\nAfter.\n";
    let merged = merge(base, &mine, theirs);
    assert!(merged.conflicts == 1 && merged.text.contains("The ocean"), "{merged:?}");
    // Whoever wrote on after saving has everything that was saved.
    for (base, theirs, mine) in [
        ("One.\n", "One.\n\nTwo.\n", "One.\n\nTwo.\n\nThree.\n"),
        ("One.\n", "1.\n", "1.\n2.\n"),
        ("", "a\nc\n", "a\nb\nc\n"),
    ] {
        let merged = merge(base, mine, theirs);
        assert_eq!((merged.text.as_str(), merged.conflicts), (mine, 0));
    }
    // But what the other one deleted does not come back unasked, and what is the same stands once.
    let merged = merge("Same\nold\nlast\n", "New\nold\nlast!\n", "New\nlast!\n");
    let both = "New\n<<<<<<< Your text\nold\n=======\n>>>>>>> Current text\nlast!\n";
    assert_eq!((merged.text.as_str(), merged.conflicts), (both, 1));
    // Without what both were made of, everything stays.
    let merged = merge_without_base("One\nTwo\nThree", "One\nThree\nFour");
    assert_eq!((merged.text.as_str(), merged.conflicts), ("One\nTwo\nThree\nFour", 0));
}

/// Compared to the end, these would take minutes.
#[test]
fn the_hardest_merge_ends_and_loses_nothing() {
    let lines = |factor: usize| -> String {
        let letter = |i: usize| char::from(b'a' + u8::try_from(i * i * factor % 23).unwrap());
        (0..50_000).map(|i| format!("{}\n", letter(i))).collect()
    };
    let (base, mine, theirs) = (lines(1), lines(5), lines(7));
    let merged = merge(&base, &mine, &theirs);
    for line in ('a'..='w').map(String::from) {
        let [base, mine, theirs] = [&base, &mine, &theirs].map(|text| count(text, &line));
        let most = mine.saturating_sub(base).max(theirs.saturating_sub(base));
        assert!(count(&merged.text, &line) >= most, "{line}");
    }
}

/// The value of a field of a form.
fn value<'r>(page: &'r Response, name: &str) -> &'r str {
    let field = page.body.split_once(&format!("name=\"{name}\"")).unwrap().1;
    if let Some((_, text)) = field.split_once(">\n").filter(|(tag, _)| !tag.contains("value=")) {
        return text.split_once("</textarea>").unwrap().0;
    }
    field.split_once("value=\"").unwrap().1.split_once('"').unwrap().0
}

const TEXT: &str = "One.\n\nTwo.\n\nThree.";

#[rocket::async_test]
async fn two_tabs_lose_nothing() {
    let app = App::new().await;
    let (ann, root) = (app.user("ann").await, app.admin("root").await);
    let post = json!({"title": "Tides", "content": TEXT, "tags": ["sea"]});
    ann.api().post("/posts", post).await;
    let theirs = TEXT.replace("One", "First");
    let change = json!({"content": theirs, "tags": ["sea", "moon"]});
    assert_eq!(root.api().put("/posts/1", change).await.status, 200);
    let mine = TEXT.replace("Three", "Third").replace('\n', "\r\n");
    let form = [("title", "High tides"), ("content", &*mine), ("tags", "sea"), ("version", "1")];
    let page = ann.page().put("/posts/1", &form).await;
    assert_eq!(page.status, 409, "{}", page.body);
    assert!(page.body.contains("root</a>") || page.body.contains("root saved it"), "who");
    assert_eq!(value(&page, "content"), "First.\n\nTwo.\n\nThird.");
    assert_eq!((value(&page, "title"), value(&page, "tags")), ("High tides", "sea, moon"));
    assert_eq!(value(&page, "version"), "2");
    assert!(page.body.contains("<del>Three.</del>") && page.body.contains("<ins>First.</ins>"));
    // Saved, it replaces the version that was merged.
    let (title, content) = (value(&page, "title"), value(&page, "content"));
    let form = [("title", title), ("content", content), ("tags", "sea, moon"), ("version", "2")];
    assert_eq!(ann.page().put("/posts/1", &form).await.status, 303);
    let post = ann.api().get("/posts/1").await.json();
    assert_eq!(post["content"], "First.\n\nTwo.\n\nThird.");
    assert_eq!((&post["version"], &post["title"]), (&json!(3), &json!("High tides")));
}

#[rocket::async_test]
async fn what_both_changed_is_shown_twice() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.api().post("/posts", json!({"title": "T", "content": TEXT, "tags": ["a"]})).await;
    let theirs = json!({"title": "Theirs", "content": TEXT.replace("Two", "II"), "tags": ["b"]});
    ann.api().put("/posts/1", theirs).await;
    let mine = TEXT.replace("Two", "<2>");
    let form = [("title", "Mine"), ("content", &*mine), ("tags", "c"), ("version", "1")];
    let page = ann.page().put("/posts/1", &form).await;
    assert_eq!(page.status, 409);
    for part in [
        "1 place needs a decision",
        "&lt;&lt;&lt;&lt;&lt;&lt;&lt; Your text\n&lt;2&gt;.\n=======\nII.\n&gt;&gt;",
        "<q dir=\"auto\">Theirs</q>",
        "<q dir=\"auto\">b</q>",
        "You saved another version yourself",
    ] {
        assert!(page.body.contains(part), "{part}: {}", page.body);
    }
    assert_eq!((value(&page, "title"), value(&page, "tags")), ("Mine", "c"));
    assert_eq!(ann.api().get("/posts/1").await.json()["title"], "Theirs", "nothing is saved");
    // A version that nobody knows: everything is shown, nothing thrown away.
    let form = [("title", "Theirs"), ("content", &*mine), ("tags", "b"), ("version", "99")];
    let page = ann.page().put("/posts/1", &form).await;
    assert!(page.status == 409 && page.body.contains("&lt;2&gt;") && page.body.contains("II"));
}

#[rocket::async_test]
async fn there_is_no_alarm_when_nothing_else_was_saved() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    ann.api().post("/posts", json!({"title": "T", "content": TEXT, "tags": ["sea"]})).await;
    let new = TEXT.replace("Two", "II").replace('\n', "\r\n");
    let form = [("title", "T"), ("content", &*new), ("tags", "sea"), ("version", "1")];
    // Twice: a double click, or the back button.
    for _ in 0..2 {
        let saved = ann.page().put("/posts/1", &form).await;
        assert_eq!((saved.status, saved.header("location")), (303, Some("/posts/1/t")));
    }
    assert_eq!(ann.api().get("/posts/1").await.json()["version"], 2);
    // A form in which nothing was changed takes nothing back.
    let old = [("title", "T"), ("content", TEXT), ("tags", "sea"), ("version", "1")];
    assert_eq!(ann.page().put("/posts/1", &old).await.status, 303);
    assert_eq!(ann.api().get("/posts/1").await.json()["version"], 2);
    // What was changed and changed back is what was edited.
    let restored = ann.api().post("/posts/1/revisions/1/restore", json!({})).await;
    assert_eq!((restored.status, &restored.json()["version"]), (200, &json!(3)));
    let last = [("title", "Title"), ("content", &*new), ("tags", "sea"), ("version", "1")];
    assert_eq!(ann.page().put("/posts/1", &last).await.status, 303);
    let post = ann.api().get("/posts/1").await.json();
    assert_eq!((&post["version"], &post["title"]), (&json!(4), &json!("Title")));
}

#[rocket::async_test]
async fn two_edits_of_a_comment_are_merged() {
    let app = App::new().await;
    let (ann, root) = (app.user("ann").await, app.admin("root").await);
    let post = ann.posts("Tides").await;
    ann.api().post(&format!("/posts/{post}/comments"), json!({"content": TEXT})).await;
    root.api().put("/comments/1", json!({"content": TEXT.replace("One", "First")})).await;
    let mine = TEXT.replace("Three", "Third");
    let page = ann.page().put("/comments/1", &[("content", &mine), ("version", "1")]).await;
    assert_eq!(page.status, 409, "{}", page.body);
    assert_eq!(value(&page, "content"), "First.\n\nTwo.\n\nThird.");
    assert_eq!(value(&page, "version"), "2");
    let same = TEXT.replace("One", "First");
    let saved = ann.page().put("/comments/1", &[("content", &same), ("version", "1")]).await;
    assert_eq!(saved.status, 303, "nothing differs");
    let clash = TEXT.replace("One", "Uno");
    let page = ann.page().put("/comments/1", &[("content", &clash), ("version", "1")]).await;
    assert!(page.status == 409 && page.body.contains("1 place needs a decision"));
}

/// A program learns what is there now, and can try again at once.
#[rocket::async_test]
async fn a_refused_condition_says_the_present_tag() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let post = ann.posts("Tides").await;
    ann.api().post(&format!("/posts/{post}/comments"), json!({"content": TEXT})).await;
    for path in ["/posts/1", "/comments/1"] {
        let old = ann.api().get(path).await.header("etag").unwrap().to_owned();
        ann.api().put(path, json!({"content": "New"})).await;
        let present = ann.api().get(path).await.header("etag").unwrap().to_owned();
        assert_ne!(old, present);
        let condition = [("If-Match", old.as_str())];
        let change = Some(json!({"content": "Newer"}));
        let refused = ann.api().send(Put, path, change.clone(), &condition).await;
        assert_eq!((refused.status, refused.header("etag")), (412, Some(present.as_str())));
        assert_eq!(refused.json()["code"], "version_conflict");
        let refused = ann.api().send(Delete, path, None, &condition).await;
        assert_eq!((refused.status, refused.header("etag")), (412, Some(present.as_str())));
        if path == "/posts/1" {
            let restore = "/posts/1/revisions/1/restore";
            let refused = ann.api().send(Post, restore, Some(json!({})), &condition).await;
            assert_eq!((refused.status, refused.header("etag")), (412, Some(present.as_str())));
        }
        let again = [("If-Match", present.as_str())];
        assert_eq!(ann.api().send(Put, path, change, &again).await.status, 200);
    }
}

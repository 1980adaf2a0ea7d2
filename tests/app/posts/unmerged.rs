//! A merged text in which marks of the merge are left: it is not saved unless its author means it.

use proptest::prelude::*;
use serde_json::json;

use crate::support::internals::{marks_left, merge, merge_without_base};
use crate::support::{App, Person};

fn texts() -> impl Strategy<Value = String> {
    prop::collection::vec("[a-d=]", 0..10).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// As many as were put there, also in texts that have such lines themselves.
    #[test]
    fn the_marks_that_are_left_are_those_of_the_merge(
        base in texts(),
        mine in texts(),
        theirs in texts(),
        own in any::<bool>(),
    ) {
        let own = if own { "<<<<<<< Your text\n=======\n>>>>>>> Current text\n" } else { "" };
        let [base, mine, theirs] = [base, mine, theirs].map(|text| format!("{own}{text}"));
        let merged = merge(&base, &mine, &theirs);
        prop_assert_eq!(marks_left(&merged.text, &theirs), merged.conflicts, "{:?}", merged.text);
        let merged = merge_without_base(&mine, &theirs);
        prop_assert_eq!(marks_left(&merged.text, &theirs), merged.conflicts, "{:?}", merged.text);
        prop_assert_eq!((marks_left(&theirs, &theirs), marks_left(&mine, &theirs)), (0, 0));
    }
}

#[test]
fn every_one_of_the_marks_counts_alone() {
    let theirs = "A heading\n=======\n\nText.\n";
    for (text, left) in [
        (theirs, 0),
        ("A heading\n========\n", 0),
        ("They begin with <<<<<<< Your text\n", 0),
        ("<<<<<<< Your text\nText.\n", 1),
        ("Text.\r\n>>>>>>> Current text \r\n", 1),
        ("A heading\n=======\n\nText.\n=======\n", 1),
        ("=======\n=======\n=======\n<<<<<<< Your text", 2),
    ] {
        assert_eq!(marks_left(text, theirs), left, "{text}");
    }
}

const TEXT: &str = "One.\n\nTwo.\n\nThree.";
const MINE: &str = "One.\n\nZwei.\n\nThree.";
const THEIRS: &str = "One.\n\nDeux.\n\nThree.";
const CONFLICT: &str =
    "One.\n\n<<<<<<< Your text\nZwei.\n=======\nDeux.\n>>>>>>> Current text\n\nThree.";

/// The path of a text of this person's that says `THEIRS` by now, and is edited with `MINE`.
async fn conflict(person: &Person<'_>, is_comment: bool) -> &'static str {
    let api = person.api();
    let post = json!({"title": "Tides", "content": TEXT, "tags": ["sea"]});
    assert_eq!(api.post("/posts", post).await.status, 201);
    let path = if is_comment { "/comments/1" } else { "/posts/1" };
    if is_comment {
        api.post("/posts/1/comments", json!({"content": TEXT})).await;
    }
    assert_eq!(api.put(path, json!({"content": THEIRS})).await.status, 200);
    let page = person.page().put(path, &[("content", MINE), ("version", "1")]).await;
    assert_eq!(page.status, 409, "{}", page.body);
    assert!(page.body.contains("name=\"merged\" value=\"true\""), "{}", page.body);
    assert!(!page.body.contains("keep_marks"), "nobody saves marks by mistake: {}", page.body);
    path
}

fn escaped(text: &str) -> String {
    text.replace('<', "&lt;").replace('>', "&gt;")
}

#[rocket::async_test]
async fn marks_that_are_left_bring_the_form_back_with_everything() {
    for is_comment in [false, true] {
        let app = App::new().await;
        let ann = app.user("ann").await;
        let path = conflict(&ann, is_comment).await;
        let typed = CONFLICT.replace("Three", "Drei").replace('\n', "\r\n");
        let form = [
            ("title", "High tides"),
            ("content", typed.as_str()),
            ("tags", "sea, moon"),
            ("summary", "Kept, too"),
            ("version", "2"),
            ("merged", "true"),
        ];
        let refused = ann.page().put(path, &form).await;
        assert_eq!(refused.status, 422, "{}", refused.body);
        let shown = escaped(&typed.replace("\r\n", "\n"));
        for part in [
            "There is a newer version",
            "One place still needs a decision",
            "href=\"#content\"",
            "aria-invalid=\"true\"",
            "1 place needs a decision",
            "name=\"version\" value=\"2\"",
            "name=\"merged\" value=\"true\"",
            "name=\"keep_marks\" value=\"true\">",
            // The form, and both texts.
            &shown,
            &format!(">\n{THEIRS}</textarea>"),
            "class=\"new\"",
        ] {
            let body = refused.body.replace("&#x2F;", "/").replace("\r\n", "\n");
            assert!(body.contains(part), "{part}: {body}");
        }
        if !is_comment {
            for part in ["value=\"High tides\"", "value=\"sea, moon\"", "value=\"Kept, too\""] {
                assert!(refused.body.contains(part), "{part}: {}", refused.body);
            }
        }
        assert_eq!(ann.api().get(path).await.json()["content"], THEIRS, "nothing is saved");
        // Each of the lines counts, and without them it is saved.
        let decided = "One.\n\nZwei.\n\nDrei.";
        for mark in ["<<<<<<< Your text", "=======", ">>>>>>> Current text"] {
            let left = format!("{decided}\n{mark}\n");
            let form = [("title", "T"), ("content", &*left), ("version", "2"), ("merged", "true")];
            assert_eq!(ann.page().put(path, &form).await.status, 422, "{mark}");
        }
        let form = [("title", "T"), ("content", decided), ("version", "2"), ("merged", "true")];
        assert_eq!(ann.page().put(path, &form).await.status, 303);
        assert_eq!(ann.api().get(path).await.json()["content"], decided);
    }
}

#[rocket::async_test]
async fn who_means_the_marks_saves_them() {
    for is_comment in [false, true] {
        let app = App::new().await;
        let ann = app.user("ann").await;
        let path = conflict(&ann, is_comment).await;
        let mut form = vec![("content", CONFLICT), ("version", "2"), ("merged", "true")];
        form.push(("keep_marks", "true"));
        // Somebody else is faster again: what was said of these marks is not said of others.
        ann.api().put(path, json!({"content": format!("{THEIRS}\n\nFour.")})).await;
        let page = ann.page().put(path, &form).await;
        assert!(page.status == 409 && !page.body.contains("keep_marks"), "{}", page.body);
        form[1] = ("version", "3");
        let saved = ann.page().put(path, &form).await;
        assert_eq!(saved.status, 303, "{}", saved.body);
        assert_eq!(ann.api().get(path).await.json()["content"], CONFLICT);
        // From then on, they are a part of the text.
        let more = CONFLICT.replace("Three", "Drei");
        let form = [("content", &*more), ("version", "4"), ("merged", "true")];
        assert_eq!(ann.page().put(path, &form).await.status, 303);
    }
}

/// A text about such marks is refused nowhere else, nor at the API door.
#[rocket::async_test]
async fn only_what_was_merged_is_looked_at() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let form = [("title", "Merging"), ("content", CONFLICT)];
    assert_eq!(ann.page().post("/posts", &form).await.status, 303);
    let more = format!("{CONFLICT}\n\n{CONFLICT}");
    let form = [("title", "Merging"), ("content", &*more), ("version", "1")];
    assert_eq!(ann.page().put("/posts/1", &form).await.status, 303);
    let most = format!("{more}\n\n{CONFLICT}");
    for merged in [json!(true), json!("true"), json!({})] {
        let content = format!("{most}\n\n{merged}");
        let change = json!({"content": content, "merged": merged});
        let saved = ann.api().put("/posts/1", change).await;
        assert_eq!((saved.status, &saved.json()["content"]), (200, &json!(content)));
    }
    let form = [("content", CONFLICT)];
    assert_eq!(ann.page().post("/posts/1/comments", &form).await.status, 303);
    assert_eq!(ann.page().put("/comments/1", &[("content", &*more)]).await.status, 303);
}

/// Whatever else is wrong, the other text stays in sight.
#[rocket::async_test]
async fn other_mistakes_bring_the_merged_texts_back_as_well() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let path = conflict(&ann, false).await;
    let form = [("title", ""), ("content", MINE), ("version", "2"), ("merged", "true")];
    let refused = ann.page().put(path, &form).await;
    assert_eq!(refused.status, 422);
    for part in ["href=\"#title\"", "There is a newer version", "Zwei.", "Deux.", "name=\"merged\""]
    {
        assert!(refused.body.contains(part), "{part}: {}", refused.body);
    }
    assert!(!refused.body.contains("keep_marks"));
    let long = "x".repeat(10_001);
    let bob = app.user("bob").await;
    bob.api().post("/posts/1/comments", json!({"content": TEXT})).await;
    let form = [("content", long.as_str()), ("version", "1"), ("merged", "true")];
    let refused = bob.page().put("/comments/1", &form).await;
    assert!(refused.status == 422 && refused.body.contains("There is a newer version"));
    // Nobody learns a text in this way who may not edit it.
    let refused = bob.page().put(path, &[("content", CONFLICT), ("merged", "true")]).await;
    assert!(refused.status == 403 && !refused.body.contains("Deux."), "{}", refused.body);
    let gone = ann.page().put("/posts/9", &[("content", CONFLICT), ("merged", "true")]).await;
    assert_eq!(gone.status, 404);
}

//! The form of the editor after a refusal: whatever was typed is still in it.

use crate::support::{App, Response};

/// All that the form has, with a title that is missing.
const TYPED: [(&str, &str); 7] = [
    ("title", ""),
    ("content", "Kept *words*.\nAnd a second line."),
    ("tags", "sea, moon"),
    ("summary", "A kept summary"),
    ("slug", "kept-slug"),
    ("visibility", "unlisted"),
    ("published_at", "2026-06-01T12:00"),
];

fn has_everything(page: &Response) {
    let body = &page.body;
    assert!(body.contains(">\nKept *words*.\nAnd a second line.</textarea>"), "{body}");
    for (name, value) in [
        ("tags", "sea, moon"),
        ("summary", "A kept summary"),
        ("slug", "kept-slug"),
        ("published_at", "2026-06-01T12:00"),
    ] {
        let field = body.split("<input ").find(|tag| tag.contains(&format!(" name=\"{name}\"")));
        assert!(field.unwrap().contains(&format!(" value=\"{value}\"")), "{name}: {field:?}");
    }
    assert!(body.contains("name=\"visibility\" value=\"unlisted\" checked"), "{body}");
}

#[rocket::async_test]
async fn a_refused_form_keeps_whatever_was_typed() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let refused = ann.page().post("/posts", &TYPED).await;
    assert_eq!(refused.status, 422);
    has_everything(&refused);

    let id = ann.posts("Tides").await;
    let path = format!("/posts/{id}");
    let fields = [&TYPED[..], &[("version", "1")]].concat();
    let refused = ann.page().put(&path, &fields).await;
    assert_eq!(refused.status, 422);
    has_everything(&refused);

    // Somebody else saves meanwhile: the form to merge has everything, too, and so has that form when it
    // is refused in its turn.
    let current = ann.page().put(&path, &[("content", "Newer."), ("version", "1")]).await;
    assert_eq!(current.status, 303, "{}", current.body);
    let mut fields = fields;
    fields[0] = ("title", "Ebb");
    let merge = ann.page().put(&path, &fields).await;
    assert_eq!(merge.status, 409);
    assert!(merge.body.contains("value=\"Ebb\"") && merge.body.contains("And a second line."));
    for kept in ["A kept summary", "kept-slug", "2026-06-01T12:00", "value=\"unlisted\" checked"] {
        assert!(merge.body.contains(kept), "{kept}: {}", merge.body);
    }
    let fields = [&TYPED[..], &[("version", "2")]].concat();
    let refused = ann.page().put(&path, &fields).await;
    assert_eq!(refused.status, 422);
    has_everything(&refused);
    assert!(refused.body.contains("name=\"version\" value=\"2\""));
}

/// Whoever was about to publish a draft still can after merging it.
#[rocket::async_test]
async fn a_draft_that_is_merged_can_be_published() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let draft = [("title", "Tides"), ("content", "Low."), ("state", "draft")];
    let made = ann.page().post("/posts", &draft).await;
    let path = made.header("location").unwrap().rsplit_once('/').unwrap().0.to_owned();
    let current = [("title", "Tides"), ("content", "Lower."), ("version", "1")];
    assert_eq!(ann.page().put(&path, &current).await.status, 303);
    let late = [("title", "Tides"), ("content", "High."), ("version", "1"), ("state", "published")];
    let merge = ann.page().put(&path, &late).await;
    assert_eq!(merge.status, 409, "{}", merge.body);
    for button in [">Save draft</button>", "name=\"state\" value=\"published\">Publish</button>"] {
        assert!(merge.body.contains(button), "{button}: {}", merge.body);
    }
}

//! The help with Markdown, beside the fields for texts: what it promises is what the renderer does.

use serde_json::json;

use crate::support::App;

/// What is typed, and the HTML that the help shows for it.
fn examples(page: &str) -> Vec<(String, String)> {
    let help = page.split("<details class=\"help\">").nth(1).expect("no help");
    let help = help.split("</dl>").next().unwrap();
    let example = |piece: &str| {
        let (typed, shown) = piece.split_once("</code></pre></dt><dd class=\"prose\">").unwrap();
        let (shown, _) = shown.split_once("</dd></div>").unwrap();
        let typed = typed.replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        (typed, shown.to_owned())
    };
    help.split("<dt><pre><code>").skip(1).map(example).collect()
}

/// Elements that the help shows without the links to them: those would lead away from what is being written,
/// and their ids can be those of the text itself.
const WITHOUT_LINKS: [(&str, &[&str]); 2] = [
    ("## A heading", &["<h2 id=", ">A heading</h2>"]),
    (
        "A claim.[^1]\n\n[^1]: Its source.",
        &["<p>A claim.<sup><a href=", "class=\"footnotes\"", "Its source."],
    ),
];

#[rocket::async_test]
async fn every_example_of_the_help_is_what_the_renderer_makes_of_it() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    let id = ann.posts("Tides").await;
    let examples = examples(&ann.page().get("/posts/new").await.body);
    assert!((15..=25).contains(&examples.len()), "{examples:#?}");
    let mut found = 0;
    for (typed, shown) in &examples {
        let answer = ann.api().post("/posts/preview", json!({"content": typed})).await.json();
        let html = answer["content_html"].as_str().unwrap();
        if let Some((_, parts)) = WITHOUT_LINKS.iter().find(|(source, _)| source == typed) {
            found += 1;
            for part in *parts {
                assert!(html.contains(part), "{typed:?} becomes {html:?}, without {part:?}");
            }
            assert!(!shown.contains("id=") && !shown.contains("href="), "{shown:?}");
            continue;
        }
        assert_eq!(shown.replace('\n', ""), html.replace('\n', ""), "{typed:?}");
    }
    assert_eq!(found, WITHOUT_LINKS.len());

    // In comments, the same holds, and the same help stands there.
    let path = format!("/posts/{id}/comments");
    let (typed, shown) = &examples[1];
    let comment = ann.api().post(&path, json!({"content": typed})).await.json();
    assert_eq!(comment["content_html"].as_str().unwrap().trim(), shown);
    let comment = comment["id"].as_i64().unwrap();
    for page in
        [format!("{path}/new"), format!("/comments/{comment}/edit"), format!("/posts/{id}/edit")]
    {
        assert_eq!(self::examples(&ann.page().get(&page).await.body), examples, "{page}");
    }
}

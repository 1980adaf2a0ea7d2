//! What stands at the end of a post: the one before, the one after, and more by its author.

use crate::support::App;
use crate::support::internals::sql;

/// The part of a page from one text to another; empty if it is not there.
fn part<'a>(page: &'a str, from: &str, to: &str) -> &'a str {
    let rest = page.split_once(from).map_or("", |(_, rest)| rest);
    rest.split(to).next().unwrap()
}

#[rocket::async_test]
async fn a_post_leads_to_the_older_and_the_newer_one() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let oldest = ann.posts("Oldest").await;
    let middle = bob.posts("Middle").await;
    let newest = ann.posts("Newest").await;
    let links = async |id: i64| {
        let page = app.nobody().page().get(&format!("/posts/{id}")).await;
        assert_eq!(page.status, 200);
        let found = part(&page.body, "aria-label=\"Other posts\"", "</nav>").to_owned();
        ["Oldest", "Middle", "Newest"].map(|title| found.contains(&format!(">{title}</a>")))
    };
    assert_eq!(links(oldest).await, [false, true, false]);
    assert_eq!(links(middle).await, [true, false, true]);
    assert_eq!(links(newest).await, [false, true, false]);
    // Some published in the same moment: the nearest one is linked to, and not one that is further off.
    for other in [newest, oldest] {
        let shift = if other == newest { "max(created_at)" } else { "min(created_at)" };
        let together = format!(
            "UPDATE posts SET published_at = CASE id WHEN {other} THEN (SELECT {shift} FROM posts) \
             ELSE (SELECT created_at FROM posts WHERE id = {middle}) END"
        );
        sql(String::leak(together)).execute(app.db.writer()).await.unwrap();
        assert_eq!(links(oldest).await, [false, true, false], "{other}");
        assert_eq!(links(middle).await, [true, false, true], "{other}");
        assert_eq!(links(newest).await, [false, true, false], "{other}");
    }
    // All in the same moment: the id decides, as in the feed.
    sql("UPDATE posts SET published_at = (SELECT min(created_at) FROM posts)")
        .execute(app.db.writer())
        .await
        .unwrap();
    assert_eq!(links(oldest).await, [false, true, false]);
    assert_eq!(links(middle).await, [true, false, true]);
    assert_eq!(links(newest).await, [false, true, false]);
    // What is not public is not linked to.
    sql("UPDATE posts SET published_at = NULL WHERE id = $1")
        .bind(middle)
        .execute(app.db.writer())
        .await
        .unwrap();
    assert_eq!(links(oldest).await, [false, false, true]);
}

#[rocket::async_test]
async fn a_post_leads_to_five_more_by_its_author() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let mut ids = Vec::new();
    for n in 1..8 {
        ids.push(ann.posts(&format!("No. {n}")).await);
    }
    let only = bob.posts("Only").await;
    let more = async |id: i64| {
        let page = app.nobody().page().get(&format!("/posts/{id}")).await.body;
        let found = part(&page, "More by ann</h2>", "</section>").to_owned();
        (1..8).filter(|n| found.contains(&format!(">No. {n}</a>"))).collect::<Vec<_>>()
    };
    assert_eq!(more(ids[6]).await, [2, 3, 4, 5, 6]);
    assert_eq!(more(ids[5]).await, [2, 3, 4, 5, 7]);
    assert_eq!(more(ids[0]).await, [3, 4, 5, 6, 7]);
    let page = app.nobody().page().get(&format!("/posts/{only}")).await.body;
    assert!(!page.contains("More by"), "{page}");
    // The API's answer, and so its tag, is the post alone.
    let path = format!("/posts/{}", ids[0]);
    let tag = app.nobody().api().get(&path).await.header("etag").map(str::to_owned);
    ann.posts("Another").await;
    assert_eq!(app.nobody().api().get(&path).await.header("etag").map(str::to_owned), tag);
}

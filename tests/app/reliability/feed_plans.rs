//! The work of the database for the orders and the filters of the feed, and for a search without its index.

use serde_json::json;

use super::meter::{Meter, cursor, lasting, measure};
use super::plans::{large_site, size};
use crate::support::internals::{Period, sql};

/// The orders of the feed, and filters with tags that all posts have, many, and few.
#[rocket::async_test]
async fn no_order_and_no_filter_of_the_feed_reads_more_than_a_bounded_number_of_posts() {
    let (app, at) = large_site().await;
    let mut meter = Meter::new(&app.database_url()).await;
    let (middle, micros) = (size() / 2, at.timestamp_micros());
    let (by_time, by_votes) = (cursor(&[micros, middle]), cursor(&[0, middle]));
    let by_heat = cursor(&[at.timestamp(), middle]);
    let of_week = cursor(&[Period::Week.number(at), 0, middle]);
    let day = at.format("%Y-%m-%d");
    let filters = [
        (String::new(), 20),
        ("&tag=t1".to_owned(), 20),
        ("&tag=t1&tag=t2".to_owned(), 20),
        ("&tag=t3".to_owned(), 4),
        ("&tag=t2&author=u1".to_owned(), 0),
        ("&tag=t2&author=heavy".to_owned(), 20),
        ("&tag=t9".to_owned(), 0),
        ("&min_votes=3".to_owned(), 0),
        ("&min_votes=3&tag=t1".to_owned(), 0),
        (format!("&since={day}"), 20),
        (format!("&until={day}"), 0),
        (format!("&updated_since={day}&tag=t2"), 20),
    ];
    for (sort, cursor) in [
        ("new", &by_time),
        ("hot", &by_heat),
        ("top", &by_votes),
        ("top&period=week", &of_week),
        ("top&period=year", &cursor(&[Period::Year.number(at), 0, middle])),
    ] {
        for (filter, least) in &filters {
            for way in ["", "&before=", "&after="] {
                let cursor = if way.is_empty() { "" } else { cursor };
                let path = format!("/posts?sort={sort}{filter}{way}{cursor}");
                let (list, _) = measure(&mut meter, &app.nobody(), &path).await;
                let count = list["items"].as_array().unwrap().len();
                // Behind a bound, and where few match, a page may end early and lead on.
                let is_whole = way.is_empty();
                assert!(!is_whole || count >= *least, "{path}: {count}");
            }
        }
    }
    for path in ["/tags", "/tags?q=t", "/tags?q=t12", "/tags/t1"] {
        measure(&mut meter, &app.nobody(), path).await;
    }
    // What a filter finds in pieces is everything there is.
    for sort in ["new", "hot", "top"] {
        let expected: Vec<(i64,)> =
            sql("SELECT p.id FROM posts p JOIN post_tags t ON t.post_id = p.id \
             AND t.tag_id = 2 WHERE p.votes >= 3 ORDER BY p.id")
            .all(&app.db)
            .await
            .unwrap();
        let (mut found, mut before) = (Vec::new(), String::new());
        loop {
            let path = format!("/posts?sort={sort}&tag=t2&min_votes=3&limit=100{before}");
            let list = app.nobody().api().get(&path).await.json();
            found.extend(
                list["items"].as_array().unwrap().iter().map(|post| post["id"].as_i64().unwrap()),
            );
            let Some(next) = list["next"].as_str() else { break };
            before = format!("&before={next}");
        }
        found.sort_unstable();
        assert!(!found.is_empty());
        assert_eq!(found, expected.into_iter().map(|(id,)| id).collect::<Vec<_>>(), "{sort}");
    }
}

/// A term that is too short for the index: the search stops after some rows, says where, and goes
/// on from there.
#[rocket::async_test]
async fn a_short_term_is_searched_in_pieces() {
    let (app, _) = large_site().await;
    let root = lasting(app.log_in("root").await, json!(["admin"])).await;
    let mut meter = Meter::new(&app.database_url()).await;
    let (mut pages, mut found, mut before) = (0, Vec::new(), String::new());
    loop {
        let path = format!("/admin/posts?q=zq{before}");
        let (list, _) = measure(&mut meter, &root, &path).await;
        found.extend(list["items"].as_array().unwrap().iter().map(|post| post["id"].clone()));
        pages += 1;
        match list["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => break,
        }
    }
    assert_eq!(found, [json!(5)]);
    assert!(pages > 10 && pages <= size() / 2_000 + 1, "{pages}");
}

//! The work of the database for series: the longest one, those of a person who has as many as possible, and
//! the place of a post in one.

use serde_json::json;

use super::meter::{Meter, cursor, lasting, measure, measure_page, most_work};
use super::plans::large_site;

/// The paths of a list: its first page, and those before and after a bound.
fn ways(path: &str, cursor: &str) -> [String; 3] {
    [path.to_owned(), format!("{path}?before={cursor}"), format!("{path}?after={cursor}")]
}

#[rocket::async_test]
async fn no_series_costs_more_than_its_page_and_its_parts() {
    let (app, at) = large_site().await;
    let mut meter = Meter::new(&app.database_url()).await;
    // In the middle of parts that were published in the same moment.
    let by_part = cursor(&[at.timestamp_micros(), 350]);
    for path in ways("/series/1/posts", &by_part) {
        let (list, _) = measure(&mut meter, &app.nobody(), &path).await;
        assert_eq!(list["items"].as_array().unwrap().len(), 20, "{path}");
    }
    // Of two hundred, one has anything for everybody: the first, which the last way leaves out.
    for (path, shown) in ways("/users/heavy/series", &cursor(&[100])).iter().zip([1, 1, 0]) {
        let (list, _) = measure(&mut meter, &app.nobody(), path).await;
        assert_eq!(list["items"].as_array().unwrap().len(), shown, "{path}");
    }
    let heavy = lasting(app.log_in("heavy").await, json!(["posts:read"])).await;
    let (list, _) = measure(&mut meter, &heavy, "/users/heavy/series").await;
    assert_eq!(list["items"].as_array().unwrap().len(), 20);
    let (counted, _) = measure(&mut meter, &app.nobody(), "/series/1").await;
    assert_eq!(counted["parts"], 500);
    for path in ["/series/1", "/users/heavy/series", "/users/heavy"] {
        measure_page(&mut meter, &app.nobody(), path, most_work("")).await;
    }
    for (id, number) in [(101, 1), (350, 250), (600, 500)] {
        let path = format!("/posts/{id}");
        let page = measure_page(&mut meter, &app.nobody(), &path, most_work("")).await;
        assert!(page.body.contains(&format!("Part {number} of 500")), "{}", page.body);
    }
}

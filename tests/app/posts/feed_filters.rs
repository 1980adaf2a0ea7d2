//! The orders and filters of the feed, beside what a program finds that looks at every post.

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use chrono::{DateTime, Duration, Utc};
use serde_json::{Value, json};

use crate::support::App;
use crate::support::internals::{Period, now, sql};

/// A post as the program sees it.
#[derive(Debug, Clone)]
struct Known {
    id: i64,
    author: &'static str,
    tags: Vec<&'static str>,
    votes: i64,
    published: DateTime<Utc>,
}

/// The points that votes add, in seconds, as documented.
fn points(votes: i64) -> i64 {
    let mut power = 1;
    let mut points = 0;
    while votes >= power * 2 {
        (power, points) = (power * 2, points + 13_546);
    }
    if votes < 1 { 0 } else { points + 13_546 * (votes - power) / power }
}

async fn fill(app: &App) -> Vec<Known> {
    let people = [app.user("ann").await, app.user("bob").await];
    let now = now();
    let mut known = Vec::new();
    for n in 0..36_i64 {
        let person = &people[usize::from(n % 3 == 0)];
        let tags: Vec<&str> = [("even", n % 2), ("third", n % 3), ("eleventh", n % 11)]
            .into_iter()
            .filter_map(|(name, rest)| (rest == 0).then_some(name))
            .collect();
        let input = json!({"title": format!("Post {n}"), "content": "x", "tags": tags});
        let made = person.api().post("/posts", input).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let id = made.json()["id"].as_i64().unwrap();
        let published = now - Duration::hours((n * n * 7) % 500) - Duration::minutes(n);
        let votes = if n % 4 == 0 { n * 3 } else { n % 3 };
        sql("UPDATE posts SET published_at = $1, votes = $2 WHERE id = $3")
            .bind(published)
            .bind(votes)
            .bind(id)
            .execute(app.db.writer())
            .await
            .unwrap();
        let author = if n % 3 == 0 { "bob" } else { "ann" };
        known.push(Known { id, author, tags, votes, published });
    }
    known
}

/// All pages of a list, forwards, and the first page again from the second one back.
async fn walk(app: &App, query: &str) -> Vec<i64> {
    let ids = |list: &Value| -> Vec<i64> {
        list["items"].as_array().unwrap().iter().map(|p| p["id"].as_i64().unwrap()).collect()
    };
    let path = format!("/posts?limit=5{query}");
    let mut list = app.nobody().api().get(&path).await.json();
    let first = ids(&list);
    let mut all = first.clone();
    let mut is_second = true;
    while let Some(next) = list["next"].as_str() {
        list = app.nobody().api().get(&format!("{path}&before={next}")).await.json();
        all.extend(ids(&list));
        if std::mem::take(&mut is_second) {
            let back = list["previous"].as_str().unwrap();
            let back = app.nobody().api().get(&format!("{path}&after={back}")).await.json();
            assert_eq!(ids(&back), first, "{query}, and back");
        }
    }
    all
}

#[rocket::async_test]
async fn every_order_with_every_filter_lists_what_it_should() {
    let app = App::with(&[("limits", "posts=1000/h, posts-address=1000/h")]).await;
    let known = fill(&app).await;
    let since = Utc::now() - Duration::hours(200);
    let since_text = since.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
    let orders = ["new", "hot", "top", "day", "week", "month", "year"];
    for order in orders {
        for author in ["", "ann", "bob"] {
            for tags in [&[][..], &["even"], &["third", "even"], &["eleventh"], &["none"]] {
                for (min_votes, dated) in [(0, false), (2, false), (0, true), (2, true)] {
                    let mut query = match order {
                        "new" | "hot" | "top" => format!("&sort={order}"),
                        period => format!("&sort=top&period={period}"),
                    };
                    if !author.is_empty() {
                        query += &format!("&author={author}");
                    }
                    query += &tags.iter().map(|tag| format!("&tag={tag}")).collect::<String>();
                    if min_votes > 0 {
                        query += &format!("&min_votes={min_votes}");
                    }
                    if dated {
                        query += &format!("&since={since_text}");
                    }
                    let period: Period = order.parse().unwrap_or_default();
                    let now = period.number(Utc::now());
                    let mut expected: Vec<&Known> = known
                        .iter()
                        .filter(|post| author.is_empty() || post.author == author)
                        .filter(|post| tags.iter().all(|tag| post.tags.contains(tag)))
                        .filter(|post| post.votes >= min_votes)
                        .filter(|post| !dated || post.published >= since)
                        .filter(|post| period.number(post.published) == now)
                        .collect();
                    expected.sort_by_key(|post| {
                        let key = match order {
                            "new" => post.published.timestamp_micros(),
                            "hot" => post.published.timestamp() + points(post.votes),
                            _ => post.votes,
                        };
                        std::cmp::Reverse((key, post.id))
                    });
                    let expected: Vec<i64> = expected.iter().map(|post| post.id).collect();
                    assert_eq!(walk(&app, &query).await, expected, "{query}");
                }
            }
        }
    }
}

#[rocket::async_test]
async fn changes_since_a_time_and_posts_before_a_time_are_listed() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for title in ["One", "Two", "Three"] {
        ann.posts(title).await;
    }
    let past = now() - Duration::days(3);
    sql("UPDATE posts SET created_at = $1, published_at = $1 WHERE id <= 2")
        .bind(past)
        .execute(app.db.writer())
        .await
        .unwrap();
    ann.api().patch("/posts/1", json!({"title": "One again"})).await;
    let day = (Utc::now() - Duration::days(1)).format("%Y-%m-%d").to_string();
    assert_eq!(walk(&app, &format!("&updated_since={day}")).await, [3, 1]);
    assert_eq!(walk(&app, &format!("&until={day}")).await, [2, 1]);
    assert_eq!(walk(&app, &format!("&updated_since={day}&until={day}")).await, [1]);
    let page = app.nobody().page().get(&format!("/?until={day}&min_votes=")).await.body;
    assert!(page.contains("One again") && !page.contains("Three"), "{page}");
    assert!(page.contains(&format!("value=\"{day}\"")), "the form keeps what was typed");
    for wrong in [
        "since=yesterday",
        "until=2026-13-01",
        "updated_since=x",
        "min_votes=-1",
        "min_votes=x",
        "min_votes=99999999999999999999",
        "period=decade",
        "tag=%2F",
        "tag=a,b,c,d,e,f",
    ] {
        assert_eq!(app.nobody().api().get(&format!("/posts?{wrong}")).await.status, 422, "{wrong}");
        assert_eq!(app.nobody().page().get(&format!("/?{wrong}")).await.status, 422, "{wrong}");
    }
}

#[rocket::async_test]
async fn a_list_by_time_neither_skips_nor_repeats_and_votes_move_only_what_they_change() {
    let app = App::new().await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    for n in 1..=6 {
        ann.posts(&format!("Post {n}")).await;
    }
    let page =
        async |query: &str| app.nobody().api().get(&format!("/posts?limit=2{query}")).await.json();
    let ids = |list: &Value| -> Vec<i64> {
        list["items"].as_array().unwrap().iter().map(|p| p["id"].as_i64().unwrap()).collect()
    };
    let first = page("&sort=hot").await;
    assert_eq!(ids(&first), [6, 5]);
    // A post of the next page gets a vote and moves ahead: it is not seen, all others are, once.
    bob.api().put("/posts/3/vote", json!({})).await;
    bob.api().put("/posts/3/vote", json!({})).await;
    let mut rest = Vec::new();
    let mut next = first["next"].as_str().map(str::to_owned);
    while let Some(cursor) = next {
        let list = page(&format!("&sort=hot&before={cursor}")).await;
        rest.extend(ids(&list));
        next = list["next"].as_str().map(str::to_owned);
    }
    rest.retain(|id| *id != 3);
    assert_eq!(rest, [4, 2, 1]);
}

#[rocket::async_test]
async fn a_page_of_a_period_is_left_when_the_next_one_begins() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for n in 1..=3 {
        ann.posts(&format!("Post {n}")).await;
    }
    let past = now() - Duration::days(40);
    sql("UPDATE posts SET published_at = $1 WHERE id <= 2")
        .bind(past)
        .execute(app.db.writer())
        .await
        .unwrap();
    // The cursor of a list that was read forty days ago goes on in that month.
    let number = Period::Month.number(past);
    let cursor = BASE64_URL_SAFE_NO_PAD.encode(format!("{number}.0.2"));
    assert_eq!(walk(&app, "&sort=top&period=month").await, [3]);
    let path = format!("/posts?sort=top&period=month&before={cursor}");
    let list = app.nobody().api().get(&path).await.json();
    assert_eq!(list["items"][0]["id"], 1);
    let today = app.nobody().page().get("/?sort=top&period=day").await.body;
    assert!(today.contains("Post 3") && !today.contains("Post 1"), "{today}");
}

#[rocket::async_test]
async fn a_search_filters_the_feed_and_goes_with_nothing_else() {
    let app = App::new().await;
    let ann = app.user("ann").await;
    for title in ["Low tides", "Bread", "High tides", "Tides again"] {
        ann.posts(title).await;
    }
    assert_eq!(walk(&app, "&q=TIDE%C5%9F").await, [4, 3, 1]);
    assert_eq!(walk(&app, "&q=tides+-low+author:ann").await, [4, 3]);
    assert_eq!(walk(&app, "&q=nothing").await, [] as [i64; 0]);
    let first = app.nobody().api().get("/posts?q=tides&limit=2&include=content").await.json();
    assert_eq!(first["items"][0]["content"], "About *Tides again*.");
    let next = format!("/posts?q=tides&limit=2&before={}", first["next"].as_str().unwrap());
    let next = app.nobody().api().get(&next).await.json();
    assert_eq!(next["items"][0]["title"], "Low tides");
    let page = app.nobody().page().get("/?q=tides").await.body;
    assert!(page.contains("High tides") && !page.contains("Bread"), "{page}");
    for other in ["sort=top", "author=ann", "tag=sea", "since=2026-01-01", "min_votes=1"] {
        let refused = app.nobody().api().get(&format!("/posts?q=tides&{other}")).await;
        assert_eq!(refused.json()["errors"][0]["code"], "q.exclusive", "{other}");
    }
    let long = format!("/posts?q={}", "a".repeat(301));
    assert_eq!(app.nobody().api().get(&long).await.status, 422);
    let app = App::with(&[("limits", "searches-address=2/h")]).await;
    // They are counted after the answer, so not all at once.
    let mut number = 0;
    while app.nobody().api().get(&format!("/posts?q=tides{number}")).await.status != 429 {
        number += 1;
        assert!(number < 1_000, "searches are not limited");
    }
    assert!(number >= 2);
}

//! `postly demo`: realistic users and posts for evaluation, screenshots and benchmarks.

mod content;

use chrono::Duration;
use clap::Args;

use self::content::Filler;
use super::operator::{self, Access};
use crate::config::Config;
use crate::db::now;
use crate::error::{Fatal, Result};
use crate::models::base::actor::Admin;
use crate::models::base::random;
use crate::models::base::site::Site;
use crate::models::moderation::demo;
use crate::models::posts::comment_edit::{self, AssignedComment};
use crate::models::posts::publishing::{self, AssignedPost};
use crate::models::posts::vote::{self, AssignedVote};

#[derive(Args)]
pub struct DemoArguments {
    /// Number of posts; the newest few are hand-written, the others generated
    #[arg(long, default_value_t = 60)]
    posts: u64,
    /// Delete the users of an earlier demo, with everything that they wrote
    #[arg(long, conflicts_with = "posts")]
    remove: bool,
}

/// Posts per transaction.
const BATCH: u64 = 1_000;

pub async fn run(config: &Config, arguments: &DemoArguments) -> Result<(), Fatal> {
    if arguments.remove {
        return remove(config).await;
    }
    let site = operator::site(config, Access::Create).await?;
    let summary = fill(&site, arguments.posts).await?;
    println!(
        "Created {} users and {} posts. Log in as any of them, for example {}, with the password: {}",
        summary.users, summary.posts, summary.example, summary.password
    );
    // Not to standard output, which scripts read.
    eprintln!("Take them away again with: postly demo --remove");
    site.db.close().await;
    Ok(())
}

async fn remove(config: &Config) -> Result<(), Fatal> {
    let site = operator::site(config, Access::Existing).await?;
    let names = demo::list(&site.db).await?;
    if names.is_empty() {
        return Err(Fatal::new("there is no demo to remove"));
    }
    let admin = Admin::operator();
    for (n, name) in names.iter().enumerate() {
        demo::remove(&site, &admin, name).await?;
        // With many posts, each takes a while. Not to standard output, which scripts read.
        eprintln!("{} of {} users removed", n + 1, names.len());
    }
    println!("Removed {} users with everything that they wrote.", names.len());
    site.db.close().await;
    Ok(())
}

/// What was created.
struct DemoSummary {
    users: usize,
    posts: u64,
    /// One of the usernames; all users share the password.
    example: String,
    password: String,
}

/// Adds the demo to a site, which may have people of its own.
///
/// # Errors
/// `Conflict` when the demo is there already.
async fn fill(site: &Site, posts: u64) -> Result<DemoSummary> {
    demo::refuse_second(&site.db).await?;
    let admin = Admin::operator();
    let password = random_password()?;
    let mut people = Vec::new();
    for name in content::PEOPLE {
        people.push(demo::create(site, &admin, name, &password).await?);
    }
    let users: Vec<i64> = people.iter().map(|user| user.id).collect();
    let written = write(site, &admin, &users, posts).await?;
    vote::cast_assigned(site, &admin, votes(&users, &written)).await?;
    comment_edit::create_assigned(site, &admin, comments(&users, &written)).await?;
    let example = people.first().map(|user| user.username.clone()).unwrap_or_default();
    Ok(DemoSummary { users: users.len(), posts, example, password })
}

/// A created post and its author.
struct Written {
    post_id: i64,
    user_id: i64,
}

/// Filler first, hand-written posts last, so that those are the newest and top the feed.
async fn write(site: &Site, admin: &Admin, users: &[i64], posts: u64) -> Result<Vec<Written>> {
    let pieces = content::pieces();
    let latest = now();
    let filler = posts.saturating_sub(pieces.len() as u64);
    let mut written = Vec::new();
    for start in (0..posts).step_by(BATCH as usize) {
        let batch: Vec<AssignedPost> = (start..posts.min(start + BATCH))
            .map(|n| {
                let age = (posts - n) as i64;
                let published_at = latest - Duration::minutes(age * 97);
                let Filler { author, tags, series, title, content } = if n < filler {
                    content::filler(n)
                } else {
                    pieces[(n - filler) as usize].as_filler()
                };
                let user_id = users[author % users.len()];
                let tags = tags.split(", ").map(str::to_owned).collect();
                AssignedPost { user_id, title, content, tags, series, published_at }
            })
            .collect();
        let authors: Vec<i64> = batch.iter().map(|post| post.user_id).collect();
        let ids = publishing::create_assigned(site, admin, batch).await?;
        let pairs = ids.into_iter().zip(authors);
        written.extend(pairs.map(|(post_id, user_id)| Written { post_id, user_id }));
        if posts > BATCH {
            // Not to standard output, which scripts read.
            eprintln!("{} of {posts} posts", written.len());
        }
    }
    Ok(written)
}

/// Votes of all users for some of the latest posts, but not for their own.
fn votes(users: &[i64], written: &[Written]) -> impl Iterator<Item = AssignedVote> {
    let latest = written.iter().rev().take(200);
    latest.flat_map(|post| {
        users.iter().enumerate().filter_map(|(i, &user_id)| {
            // A fixed, uneven spread: some posts get many votes, some none.
            let liked = (post.post_id * 7 + i as i64 * 13) % 11 < (post.post_id * 5) % 9;
            let post_id = post.post_id;
            (user_id != post.user_id && liked).then_some(AssignedVote { post_id, user_id })
        })
    })
}

/// A conversation below some of the latest posts.
fn comments(users: &[i64], written: &[Written]) -> Vec<AssignedComment> {
    let mut comments = Vec::new();
    let latest = now();
    for (number, post) in written.iter().rev().take(24).enumerate() {
        let texts = content::CONVERSATIONS[number % content::CONVERSATIONS.len()];
        let first = comments.len();
        for (place, &(reply_to, text)) in texts.iter().enumerate() {
            comments.push(AssignedComment {
                post_id: post.post_id,
                // Not always the same people, and now and then the author.
                user_id: users[(number * 5 + place * 3) % users.len()],
                reply_to: reply_to.map(|place| first + place),
                content: text.to_owned(),
                created_at: latest - Duration::minutes(90 - place as i64),
            });
        }
    }
    comments
}

/// 80 random bits, in groups that are easy to type.
fn random_password() -> Result<String> {
    let bytes = random::bytes::<10>()?;
    Ok(bytes.chunks(2).map(random::hex).collect::<Vec<_>>().join("-"))
}

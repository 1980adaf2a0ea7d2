//! `postly demo`: believable people and posts, for trying Postly out, for screenshots and
//! benchmarks.

mod content;

use chrono::Duration;

use crate::db::{Db, now, sql};
use crate::error::{Error, Result};
use crate::models::account::{self, Registration};
use crate::models::password::Hasher;
use crate::models::post;
use crate::models::user::Role;
use crate::models::vote;

/// Hand-written pieces and some filler, so that the feed has a second page.
pub const DEFAULT_POSTS: u64 = 60;

/// Posts that go into one transaction.
const BATCH: u64 = 1_000;

/// What was made.
pub struct Made {
    pub people: usize,
    pub posts: u64,
    /// One of the people, and the password of them all.
    pub somebody: &'static str,
    pub password: String,
}

/// Fills an empty site.
///
/// # Errors
/// `Conflict` when somebody is here already: a real site must not be mixed with invented people.
pub async fn fill(db: &Db, hasher: &Hasher, posts: u64) -> Result<Made> {
    let (somebody,): (i64,) = sql("SELECT count(*) FROM users").one(db).await?;
    if somebody > 0 {
        return Err(Error::conflict(
            "",
            "The demonstration needs an empty site; this one has people.",
        ));
    }
    let password = random_password()?;
    let mut people = Vec::new();
    for name in content::PEOPLE {
        let form = Registration {
            username: Some((*name).to_owned()),
            email: None,
            password: Some(password.clone()),
        };
        people.push(account::operator_create(db, hasher, &form, Role::User).await?.id);
    }
    let ids = write(db, &people, posts).await?;
    vote(db, &people, &ids).await?;
    Ok(Made { people: people.len(), posts, somebody: content::PEOPLE[0], password })
}

/// Filler first, the hand-written pieces last: they are the newest, at the top of the feed.
async fn write(db: &Db, people: &[i64], posts: u64) -> Result<Vec<(i64, i64)>> {
    let pieces = content::pieces();
    let latest = now();
    let filler = posts.saturating_sub(pieces.len() as u64);
    let mut written = Vec::new();
    for start in (0..posts).step_by(BATCH as usize) {
        let batch: Vec<_> = (start..posts.min(start + BATCH))
            .map(|n| {
                let age = (posts - n) as i64;
                let at = latest - Duration::minutes(age * 97);
                if n < filler {
                    let (author, title, text) = content::filler(n);
                    (people[author % people.len()], title, text, at)
                } else {
                    let piece = &pieces[(n - filler) as usize];
                    let author = content::PEOPLE.iter().position(|name| *name == piece.author);
                    let author = people[author.unwrap_or_default()];
                    (author, piece.title.to_owned(), piece.content.to_owned(), at)
                }
            })
            .collect();
        let authors: Vec<i64> = batch.iter().map(|(author, ..)| *author).collect();
        let ids = post::operator_create(db, batch).await?;
        written.extend(ids.into_iter().zip(authors));
    }
    Ok(written)
}

/// Everybody votes for some of the latest posts, none for their own.
async fn vote(db: &Db, people: &[i64], posts: &[(i64, i64)]) -> Result<()> {
    let latest = posts.iter().rev().take(200);
    let votes = latest.flat_map(|&(post, author)| {
        people.iter().enumerate().filter_map(move |(i, &person)| {
            // A fixed, uneven spread: some posts are liked by many, some by nobody.
            let liked = (post * 7 + i as i64 * 13) % 11 < (post * 5) % 9;
            (person != author && liked).then_some((post, person))
        })
    });
    vote::operator_cast(db, votes.collect()).await
}

/// 80 random bits in groups that can be typed.
fn random_password() -> Result<String> {
    let mut bytes = [0u8; 10];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| Error::Internal("no randomness".to_owned()))?;
    let groups: Vec<String> =
        bytes.chunks(2).map(|pair| format!("{:02x}{:02x}", pair[0], pair[1])).collect();
    Ok(groups.join("-"))
}

//! Posts: writing and reading them, the feed, votes.

mod addresses;
mod bombs;
mod cache;
mod comment_forms;
mod comment_votes;
mod comments;
mod differences;
mod drafts;
mod editor_forms;
mod feed;
mod feed_entries;
mod feed_filters;
mod feeds;
mod kept_answers;
mod limits;
mod lists;
mod markdown_help;
mod merging;
mod neighbours;
mod next_versions;
mod post;
mod publication;
mod restoring;
mod revisions;
mod series;
mod series_writing;
mod shares;
mod sharing;
mod sizes;
mod summaries;
mod tags;
mod threads;
mod unmerged;
mod unused_series;
mod unused_tags;
mod votes;

use crate::support::Person;
use crate::support::permission::Permission;

/// What the owner has in the authorization matrix, each with the id 1.
pub async fn prepare(owner: &Person<'_>) {
    let post = serde_json::json!({"title": "Untouched", "content": "x", "tags": ["sea"], "series": "Coast"});
    assert_eq!(owner.api().post("/posts", post).await.json()["id"], 1);
    let comment = serde_json::json!({"content": "Untouched"});
    assert_eq!(owner.api().post("/posts/1/comments", comment).await.json()["id"], 1);
}

pub fn permissions() -> Vec<Permission> {
    [
        feed::permissions(),
        feeds::permissions(),
        post::permissions(),
        drafts::permissions(),
        tags::permissions(),
        revisions::permissions(),
        restoring::permissions(),
        series::permissions(),
        shares::permissions(),
        votes::permissions(),
        comment_forms::permissions(),
        comment_votes::permissions(),
        comments::permissions(),
    ]
    .concat()
}

//! Threads: the comments on a post, or the replies to a comment, with what was replied to them.
//!
//! A page begins with some comments in the wanted order, and shows the oldest part of the thread below
//! each of them: one query, however the thread is shaped. What is not shown is counted, and has a page
//! of its own.

use std::collections::{HashMap, HashSet};

use serde::{Deserialize, Serialize};

use crate::db::Statement;
use crate::error::{Error, Result};
use crate::models::base::choice::{choice, chosen};
use crate::models::base::page::{Column, Cursors, Keyset, Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::comment::{self, Comment};
use crate::models::posts::post;
use crate::models::users::user::User;

/// Comments that one page shows at most.
const MAX_SHOWN: i64 = 500;
/// The size at which a page ends, in bytes of HTML.
const BUDGET: usize = 768 * 1024;
/// Levels of replies below the first comments of a page.
const MAX_LEVELS: i64 = 8;

choice! {
    /// The order of comments.
    pub enum CommentSort {
        /// Oldest first.
        #[default]
        Oldest,
        /// Newest first.
        Newest,
        /// Most votes first.
        Best,
    }
}

/// Raw, unvalidated parameters of a list of comments.
#[derive(Debug, Default, Clone, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ThreadParams {
    /// `oldest` (the default), `newest` or `best`.
    #[param(value_type = Option<CommentSort>)]
    pub sort: Option<String>,
    /// Only the replies to this comment, by its number.
    #[param(value_type = Option<i64>, example = 1, minimum = 1)]
    pub parent: Option<String>,
    #[serde(flatten)]
    #[param(ignore)]
    pub page: PageParams,
}

impl ThreadParams {
    /// # Errors
    /// `Invalid`, about `sort`.
    pub fn sort(&self) -> Result<CommentSort> {
        chosen("sort", self.sort.as_deref())
    }

    /// # Errors
    /// `NotFound`, as there is no comment with such a number.
    pub fn parent(&self) -> Result<Option<i64>> {
        let parent = self.parent.as_deref().filter(|parent| !parent.is_empty());
        parent.map(|parent| parent.parse().map_err(|_| Error::NotFound)).transpose()
    }
}

/// A comment in a thread.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ThreadComment {
    #[serde(flatten)]
    pub comment: Comment,
    /// How many of its direct replies this page leaves out; they are on the page of the comment.
    pub hidden_replies: i64,
}

/// The beginning of a thread.
#[derive(Debug, Clone, Copy)]
pub enum Top {
    /// What was written about a post, by its number.
    Post(i64),
    /// The replies to a comment, by its number.
    Comment(i64),
}

/// A page of a thread: each comment is followed by the replies to it.
///
/// # Errors
/// `Invalid`, about `before`, `after` and `limit`.
pub async fn page(
    site: &Site,
    viewer: Option<&User>,
    top: Top,
    sort: CommentSort,
    params: &PageParams,
) -> Result<Page<ThreadComment>> {
    // As in the index: no list is read by the primary key.
    const ID: [Column; 1] = [Column::Int("c.id + 0")];
    const VOTES: [Column; 2] = [Column::Int("c.votes"), Column::Int("c.id + 0")];
    let by_id = |comment: &Comment| [comment.id];
    match sort {
        CommentSort::Oldest => {
            let keyset = Keyset::<1>::new(params)?.ascending();
            read(site, viewer, top, sort, &keyset, ID, by_id).await
        }
        CommentSort::Newest => {
            let keyset = Keyset::<1>::new(params)?;
            read(site, viewer, top, sort, &keyset, ID, by_id).await
        }
        CommentSort::Best => {
            let keyset = Keyset::<2>::new(params)?;
            let keys = |comment: &Comment| [comment.votes, comment.id];
            read(site, viewer, top, sort, &keyset, VOTES, keys).await
        }
    }
}

async fn read<const KEYS: usize>(
    site: &Site,
    viewer: Option<&User>,
    top: Top,
    sort: CommentSort,
    keyset: &Keyset<KEYS>,
    order: [Column; KEYS],
    keys: impl Fn(&Comment) -> [i64; KEYS],
) -> Result<Page<ThreadComment>> {
    let mut comments = Vec::new();
    for comment in comment::read(&site.db, query(viewer, top, keyset, order)).await? {
        comments.push(comment::refresh(site, comment).await?);
    }
    let is_first = |comment: &Comment| match top {
        Top::Post(_) => comment.parent_id.is_none(),
        Top::Comment(id) => comment.parent_id == Some(id),
    };
    let (mut first, mut replies): (Vec<Comment>, Vec<Comment>) =
        comments.into_iter().partition(is_first);
    // What a reply replies to was written before it.
    sort_by(&mut replies, CommentSort::Oldest);
    // In the order of the query; the page below turns it round where that is backwards.
    sort_by(&mut first, sort);
    if keyset.after().is_some() {
        first.reverse();
    }
    let Page { items, cursors } = keyset.page(first, keys);
    Ok(arrange(items, replies, sort, cursors))
}

/// The first comments of the page, and the oldest of each thread below them, at most `MAX_SHOWN`.
pub fn query<const KEYS: usize>(
    viewer: Option<&User>,
    top: Top,
    keyset: &Keyset<KEYS>,
    order: [Column; KEYS],
) -> Statement {
    let columns = if KEYS == 1 { "SELECT c.id" } else { "SELECT c.id, c.votes" };
    let source = |query: Statement| {
        let query = query.push(columns).push(" FROM comments c WHERE ");
        match top {
            Top::Post(id) => query.push_bind("c.parent_id IS NULL AND c.post_id = ", id),
            Top::Comment(id) => query.push_bind("c.parent_id = ", id),
        }
    };
    let query = comment::select(viewer).push("(SELECT c.id FROM (SELECT c.id FROM ");
    let query = keyset.ids(query, order, source).push(" AS c");
    let query = keyset.order(query, order).push(") AS first JOIN comments c ON ");
    // Below a comment on the post, everything has its number in the thread. A reply has no numbers of
    // its own below it: there, the page shows the next level alone.
    let query = match top {
        Top::Post(_) => query.push_bind("c.root_id = first.id AND c.position < ", MAX_SHOWN),
        Top::Comment(_) => query.push("c.id = first.id"),
    };
    let query = query.push(" ORDER BY c.position, c.id");
    let query = query.push_bind(" LIMIT ", MAX_SHOWN + keyset.limit() + 1);
    let query = query.push(") AS shown JOIN comments c ON c.id = shown.id");
    comment::join(query, post::READABLE)
}

fn sort_by(comments: &mut [Comment], sort: CommentSort) {
    match sort {
        CommentSort::Oldest => comments.sort_by_key(|comment| comment.id),
        CommentSort::Newest => comments.sort_by_key(|comment| std::cmp::Reverse(comment.id)),
        CommentSort::Best => {
            comments.sort_by_key(|comment| std::cmp::Reverse((comment.votes, comment.id)));
        }
    }
}

/// Puts the replies below what they reply to, within the bounds of a page.
fn arrange(
    first: Vec<Comment>,
    replies: Vec<Comment>,
    sort: CommentSort,
    cursors: Cursors,
) -> Page<ThreadComment> {
    let top_depth = first.first().map_or(0, |comment| comment.depth);
    let mut shown: HashSet<i64> = first.iter().map(|comment| comment.id).collect();
    let mut size: usize = first.iter().map(|comment| comment.content_html.len()).sum();
    let mut below: HashMap<i64, Vec<Comment>> = HashMap::new();
    for reply in replies {
        let Some(parent) = reply.parent_id.filter(|parent| shown.contains(parent)) else {
            continue;
        };
        size += reply.content_html.len();
        if reply.depth - top_depth > MAX_LEVELS || size > BUDGET {
            continue;
        }
        shown.insert(reply.id);
        below.entry(parent).or_default().push(reply);
    }
    let mut items = Vec::with_capacity(shown.len());
    let mut waiting: Vec<Comment> = first.into_iter().rev().collect();
    while let Some(comment) = waiting.pop() {
        let mut replies = below.remove(&comment.id).unwrap_or_default();
        let known = i64::try_from(replies.len()).unwrap_or_default();
        sort_by(&mut replies, sort);
        waiting.extend(replies.into_iter().rev());
        items.push(ThreadComment { hidden_replies: (comment.replies - known).max(0), comment });
    }
    Page { items, cursors }
}

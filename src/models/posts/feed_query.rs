//! How a list of posts is read. Whatever is asked for, one request looks at a bounded number of rows:
//!
//! - A list that an index has in its order is read from that index: all posts in every order, those of
//!   an author by time and by votes, those of a tag by time.
//! - If an author or a tag of the filter has few posts, all of these are read and sorted.
//! - Otherwise the posts are looked at in the order of the list, a bounded number of them. The page may
//!   then have fewer items than its limit, and its cursor goes on where the search stopped.

use crate::db::{Db, Statement};
use crate::error::Result;
use crate::models::base::page::{Column, Keyset, Slice};
use crate::models::base::search::Found;
use crate::models::posts::feed_filter::{Filter, Owner, push_time};
use crate::models::posts::feed_params::{Period, Sort};
use crate::models::posts::post::{self, LISTED, PostSummary};
use crate::models::users::user::User;

/// Most posts of an author or a tag that are all read and sorted.
const FEW: i64 = 1_000;
/// Most posts that one request looks at in the order of the list.
const MAX_SCANNED: i64 = 2_000;

/// An order of posts `p`, descending.
pub struct Order {
    sort: Sort,
    /// The period in which the posts were published, if it is limited: its column, and its number.
    period: Option<(&'static str, i64)>,
    /// The columns of an index.
    indexed: [Column; 2],
    /// The same values, for which no index can be used.
    computed: [Column; 2],
    /// The columns that a part of a query selects, and their names in the whole.
    selected: &'static str,
    named: [Column; 2],
    pub keys: fn(&PostSummary) -> [i64; 2],
}

impl Order {
    pub fn of(sort: Sort) -> Order {
        let by_id = Column::Int("p.id");
        match sort {
            Sort::New => Order {
                sort,
                period: None,
                indexed: post::PUBLISHED,
                computed: [Column::Time("coalesce(p.published_at, p.created_at)"), by_id],
                selected: "SELECT p.id, p.published_at",
                named: [Column::Time("page.published_at"), Column::Int("page.id")],
                keys: PostSummary::published_key,
            },
            Sort::Top => Order {
                sort,
                period: None,
                indexed: post::VOTES,
                computed: [Column::Int("p.votes + 0"), by_id],
                selected: "SELECT p.id, p.votes",
                named: [Column::Int("page.votes"), Column::Int("page.id")],
                keys: |post| [post.votes, post.id],
            },
            Sort::Hot => Order {
                sort,
                period: None,
                indexed: [Column::Int("p.hot"), by_id],
                computed: [Column::Int("p.hot + 0"), by_id],
                selected: "SELECT p.id, p.hot",
                named: [Column::Int("page.hot"), Column::Int("page.id")],
                keys: |post| [post.hot, post.id],
            },
        }
    }

    /// The posts with the most votes of those that were published in a period, by its number.
    pub fn top_of(period: Period, number: i64) -> Order {
        let condition = match period {
            Period::Day => Some(" AND p.published_day = "),
            Period::Week => Some(" AND p.published_week = "),
            Period::Month => Some(" AND p.published_month = "),
            Period::Year => Some(" AND p.published_year = "),
            Period::All => None,
        };
        Order { period: condition.map(|condition| (condition, number)), ..Order::of(Sort::Top) }
    }

    fn push_period(&self, query: Statement) -> Statement {
        self.period
            .iter()
            .fold(query, |query, (condition, number)| query.push_bind(condition, *number))
    }
}

/// Where the ids of a page come from.
enum Source {
    /// An index of all posts, or of those of one author (by id).
    Posts(Option<i64>),
    /// The index of one tag (by id), in the order of time.
    Tag(i64),
    /// All posts of an author or a tag (if true).
    Few(Owner, bool),
}

/// Reads a page.
pub(super) async fn read(
    db: &Db,
    viewer: Option<&User>,
    filter: &Filter,
    keyset: &Keyset<2>,
    order: &Order,
) -> Result<Slice<PostSummary, 2>> {
    let (source, is_exact) = choose(filter, order);
    let columns = match source {
        Source::Posts(_) => order.indexed,
        Source::Tag(_) => [Column::Time("t.published_at"), Column::Int("t.post_id")],
        Source::Few(..) => order.computed,
    };
    let ids = |query| push_ids(query, &source, filter, order);
    if is_exact {
        let query = keyset.ids(post::select_from("", viewer), columns, ids);
        let query = query.push(" AS page JOIN posts p ON p.id = page.id").push(post::AUTHOR);
        let query = keyset.order(query.push(LISTED), order.indexed);
        return Ok(keyset.slice(post::summaries(db, query).await?, order.keys));
    }
    // `Keyset` reads one row more than its limit.
    let scan = keyset.with_limit(MAX_SCANNED - 1);
    let scanned = |query: Statement| {
        let query = scan.ids(query.push("(SELECT * FROM "), columns, ids).push(" AS page");
        scan.order(query, order.named).push(")")
    };
    // Only ids are sorted, before anything else is read.
    let query = scanned(post::select_from("", viewer).push("(SELECT page.* FROM "));
    let query = query.push(" AS page JOIN posts p ON p.id = page.id WHERE ").push(LISTED);
    let query = keyset.order(filter.push(query), order.named);
    let query = query.push(") AS page JOIN posts p ON p.id = page.id").push(post::AUTHOR);
    let query = keyset.order(query.push(LISTED), order.indexed);
    let posts = post::summaries(db, query).await?;
    let is_full = i64::try_from(posts.len()).is_ok_and(|count| count > keyset.limit());
    let resume = if is_full { None } else { last_of(db, viewer, &scanned, keyset, order).await? };
    let hits = posts.iter().map(order.keys).collect();
    let found = Found::new(keyset, hits, resume);
    let limit = usize::try_from(keyset.limit()).unwrap_or_default();
    Ok(found.slice(posts.into_iter().take(limit).collect(), order.keys))
}

/// The keys of the last row that was looked at, if there may be more behind it.
async fn last_of(
    db: &Db,
    viewer: Option<&User>,
    scanned: &impl Fn(Statement) -> Statement,
    keyset: &Keyset<2>,
    order: &Order,
) -> Result<Option<[i64; 2]>> {
    let query = post::select_from("", viewer);
    let query = query.push("(SELECT page.id, count(*) OVER () AS number FROM ");
    let query = keyset.push_last(scanned(query).push(" AS page"), order.named);
    let query = query.push(") AS page JOIN posts p ON p.id = page.id").push(post::AUTHOR);
    let query = query.push(LISTED).push_bind(" AND page.number = ", MAX_SCANNED);
    Ok(post::summaries(db, query).await?.first().map(order.keys))
}

/// Where to read, and whether that needs no further condition.
fn choose(filter: &Filter, order: &Order) -> (Source, bool) {
    let by_time = order.sort == Sort::New;
    let has_index_of_author = by_time || order.sort == Sort::Top && order.period.is_none();
    let others = usize::from(filter.updated_since.is_some())
        + usize::from(filter.min_votes.is_some() && order.sort != Sort::Top)
        + usize::from(!by_time && (filter.since.is_some() || filter.until.is_some()));
    match (filter.tags.as_slice(), filter.author) {
        ([], None) => return (Source::Posts(None), others == 0),
        ([], Some(author)) if has_index_of_author && others == 0 => {
            return (Source::Posts(Some(author.id)), true);
        }
        ([tag], None) if by_time && others == 0 => return (Source::Tag(tag.id), true),
        _ => {}
    }
    match filter.smallest() {
        Some((owner, is_tag)) if owner.posts <= FEW => (Source::Few(owner, is_tag), true),
        Some((owner, true)) if by_time => (Source::Tag(owner.id), false),
        _ if has_index_of_author => (Source::Posts(filter.author.map(|author| author.id)), false),
        _ => (Source::Posts(None), false),
    }
}

/// Adds a query for ids, with the columns of the order; it ends inside WHERE. The conditions that the
/// index serves are part of it.
fn push_ids(query: Statement, source: &Source, filter: &Filter, order: &Order) -> Statement {
    match source {
        Source::Posts(author) => {
            let query = post::push_source(query, order.selected, *author);
            let query = order.push_period(query);
            match order.sort {
                Sort::New => {
                    let query = push_time(query, " AND p.published_at >= ", filter.since);
                    push_time(query, " AND p.published_at < ", filter.until)
                }
                Sort::Top => filter
                    .min_votes
                    .into_iter()
                    .fold(query, |query, votes| query.push_bind(" AND p.votes >= ", votes)),
                Sort::Hot => query,
            }
        }
        Source::Tag(id) => {
            let query = query
                .push("SELECT t.post_id AS id, t.published_at FROM post_tags t")
                .push_bind(" WHERE t.tag_id = ", *id)
                .push(" AND t.published_at IS NOT NULL");
            let query = push_time(query, " AND t.published_at >= ", filter.since);
            push_time(query, " AND t.published_at < ", filter.until)
        }
        Source::Few(owner, is_tag) => {
            // The limit keeps the engines from reading all posts in their order instead.
            let query = query.push(order.selected).push(" FROM (");
            let query = if *is_tag {
                query.push_bind("SELECT post_id AS id FROM post_tags WHERE tag_id = ", owner.id)
            } else {
                query.push_bind("SELECT p.id FROM posts p WHERE p.user_id = ", owner.id)
            };
            let query = query.push_bind(" LIMIT ", 2 * FEW);
            let query = query.push(") AS few JOIN posts p ON p.id = few.id WHERE ").push(LISTED);
            filter.push(order.push_period(query))
        }
    }
}

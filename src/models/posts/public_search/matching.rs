//! Which rows match a query: candidates from an index, which are then compared with the whole query.

use std::ops::RangeInclusive;

use chrono::{DateTime, NaiveDate, Utc};

use super::kind::SearchType;
use super::rank::{self, Finders, Ranked, Terms};
use crate::db::{Db, Hits, SearchFrom, Statement, WordQuery, sql};
use crate::error::{Error, Result};
use crate::models::accounts::name_search;
use crate::models::base::search;
use crate::models::base::search_query::{NameFilter, NoteCode, SearchNote, SearchQuery};
use crate::models::base::site::Site;
use crate::models::base::words::Stemming;
use crate::models::posts::word_index::{self, COMMENTS, DAY_BLOCK, Indexed, POSTS};
use crate::models::posts::{comment, post};
use crate::models::users::user;

/// A query against the site.
pub struct Matching<'s> {
    db: &'s Db,
    pub kind: SearchType,
    pub stemming: Stemming,
    pub terms: Terms,
    words: WordQuery,
    /// Tags of the post of a comment, by groups of ids, and whether they are wanted.
    tags: Vec<(Vec<i64>, bool)>,
    /// Where there can be matches; empty if nothing can match.
    ids: RangeInclusive<i64>,
    after: Option<DateTime<Utc>>,
    before: Option<DateTime<Utc>>,
    /// Somebody with exactly the name that was searched for.
    exact: Option<i64>,
    pub notes: Vec<SearchNote>,
}

fn midnight(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc()
}

impl<'s> Matching<'s> {
    pub async fn new(site: &'s Site, kind: SearchType, query: SearchQuery) -> Result<Self> {
        let stemming = match kind {
            SearchType::People => Stemming::of(""),
            _ => Stemming::of(&site.settings.current().language),
        };
        let mut matching = Matching {
            db: &site.db,
            kind,
            terms: Terms::new(&query, &stemming),
            stemming,
            words: WordQuery::default(),
            tags: Vec::new(),
            ids: 0..=i64::MAX,
            after: query.after.map(midnight),
            before: query.before.map(midnight),
            exact: None,
            notes: query.notes.clone(),
        };
        match kind {
            SearchType::Posts => matching.prepare(&POSTS, &query).await?,
            SearchType::Comments => matching.prepare(&COMMENTS, &query).await?,
            SearchType::People => matching.prepare_people(&query).await?,
        }
        Ok(matching)
    }

    async fn prepare(&mut self, indexed: &Indexed, query: &SearchQuery) -> Result<()> {
        self.words.all.push(vec![word_index::EVERYTHING.to_owned()]);
        for word in self.terms.wanted.iter().flatten() {
            self.words.all.push(vec![word.clone()]);
        }
        // A row may contain the words of a phrase elsewhere.
        let single = self.terms.unwanted.iter().filter(|words| words.len() == 1);
        self.words.none.extend(single.flatten().cloned());
        if self.words.all.len() > 1 {
            self.words.all.remove(0);
        }
        for author in &query.authors {
            let id = match user::by_username(self.db, &author.name).await {
                Ok(user) => Some(user.id),
                Err(Error::NotFound) => None,
                Err(error) => return Err(error),
            };
            let words = id.map(|id| vec![word_index::author_word(id)]);
            self.filter("author", NoteCode::UnknownAuthor, author, words);
        }
        for tag in &query.tags {
            let ids = tag_ids(self.db, &tag.name).await?;
            if ids.is_empty() || self.kind == SearchType::Posts {
                let words = ids.iter().map(|id| word_index::tag_word(*id)).collect();
                let words = Some(words).filter(|_| !ids.is_empty());
                self.filter("tag", NoteCode::UnknownTag, tag, words);
            } else {
                self.tags.push((ids, tag.is_wanted));
            }
        }
        self.limit_days(indexed, query).await
    }

    /// Adds a filter, by its words in the index; `None` if nothing can have it.
    fn filter(
        &mut self,
        key: &str,
        unknown: NoteCode,
        filter: &NameFilter,
        words: Option<Vec<String>>,
    ) {
        match (words, filter.is_wanted) {
            (Some(words), true) => self.words.all.push(words),
            (Some(words), false) => self.words.none.extend(words),
            (None, is_wanted) => {
                let part = format!("{key}:{}", filter.name);
                self.notes.push(SearchNote { code: unknown, part });
                if is_wanted {
                    self.ids = RangeInclusive::new(1, 0);
                }
            }
        }
    }

    /// Searches only where something was published in the days of the query.
    async fn limit_days(&mut self, indexed: &Indexed, query: &SearchQuery) -> Result<()> {
        if query.after.is_none() && query.before.is_none() {
            return Ok(());
        }
        let day = |day: NaiveDate| midnight(day).timestamp().div_euclid(24 * 60 * 60);
        let blocks: (Option<i64>, Option<i64>) =
            sql("SELECT min(block), max(block) FROM word_days WHERE source = $1")
                .bind(indexed.source)
                .push_bind(" AND day >= ", query.after.map_or(i64::MIN, day))
                .push_bind(" AND day < ", query.before.map_or(i64::MAX, day))
                .one(self.db)
                .await?;
        let (first, last) = (blocks.0.unwrap_or(1), blocks.1.unwrap_or(0));
        let (low, high) = (*self.ids.start(), *self.ids.end());
        self.ids = low.max(first * DAY_BLOCK)..=high.min((last + 1) * DAY_BLOCK - 1);
        if blocks.0.is_none() {
            self.ids = RangeInclusive::new(1, 0);
        }
        Ok(())
    }

    async fn prepare_people(&mut self, query: &SearchQuery) -> Result<()> {
        let filters = query.tags.iter().map(|tag| ("tag", tag));
        let filters = filters.chain(query.authors.iter().map(|author| ("author", author)));
        for (key, NameFilter { name, .. }) in filters {
            let part = format!("{key}:{name}");
            self.notes.push(SearchNote { code: NoteCode::NotApplicable, part });
        }
        for (key, day) in [("after", query.after), ("before", query.before)] {
            let part = day.map(|day| format!("{key}:{day}"));
            let code = NoteCode::NotApplicable;
            self.notes.extend(part.map(|part| SearchNote { code, part }));
        }
        if self.terms.wanted.is_empty() {
            self.ids = RangeInclusive::new(1, 0);
        }
        // Somebody with many namesakes is found by the whole name.
        self.exact = sql("SELECT id FROM name_search WHERE id = \
             (SELECT id FROM users WHERE username_key = $1)")
        .bind(user::canonical(&query.text))
        .optional_scalar(self.db)
        .await?;
        Ok(())
    }

    /// Somebody with exactly this name: the first result, wherever the others begin.
    pub fn exact(&self) -> Option<Ranked> {
        self.exact.map(|id| Ranked { id, score: i64::MAX })
    }

    /// The next rows that may match; at most `limit`.
    pub async fn candidates(&self, from: SearchFrom, limit: i64) -> Result<Hits> {
        if self.ids.is_empty() {
            return Ok(Hits::default());
        }
        let indexed = match self.kind {
            SearchType::Posts => &POSTS,
            SearchType::Comments => &COMMENTS,
            SearchType::People => {
                let longest = self.terms.wanted.iter().flatten().max_by_key(|word| word.len());
                let needle = search::needle(longest.map_or("", String::as_str)).unwrap_or_default();
                return name_search::SEARCH.table.find(self.db, &needle, from, limit).await;
            }
        };
        indexed.words.find(self.db, &self.words, from, self.ids.clone(), limit).await
    }

    /// Those of these rows that anybody may see and that match, the most relevant first.
    pub async fn rank(&self, ids: &[i64]) -> Result<Vec<Ranked>> {
        let query = match self.kind {
            SearchType::Posts => post::push_source(
                sql(""),
                "SELECT p.id, (SELECT w.text FROM post_words w WHERE w.id = p.id) AS text",
                None,
            ),
            SearchType::Comments => comment::join(
                sql("SELECT c.id, (SELECT w.text FROM comment_words w WHERE w.id = c.id) AS text \
                     FROM comments c"),
                post::LISTED,
            )
            .push(" AND c.deleted_at IS NULL"),
            SearchType::People => sql("SELECT s.id, s.text FROM name_search s WHERE TRUE"),
        };
        let (id, at) = match self.kind {
            SearchType::Posts => (" AND p.id IN ", "p.published_at"),
            SearchType::Comments => (" AND c.id IN ", "c.created_at"),
            SearchType::People => (" AND s.id IN ", ""),
        };
        let mut query = query.push_list(id, ids.iter().copied());
        if self.kind != SearchType::People {
            query = self.within_days(query, at);
            for (tags, is_wanted) in &self.tags {
                let exists = if *is_wanted { " AND EXISTS (" } else { " AND NOT EXISTS (" };
                query = query.push(exists).push("SELECT 1 FROM post_tags t WHERE t.post_id = p.id");
                query = query.push_list(" AND t.tag_id IN ", tags.iter().copied()).push(")");
            }
        }
        // One that is not indexed yet was found by nobody: it has no text.
        let texts = query.texts(self.db).await?;
        let mut ranked: Vec<Ranked> = match self.kind {
            SearchType::People => {
                let others = texts.iter().filter(|(id, _)| Some(*id) != self.exact);
                others.filter_map(|(id, text)| rank::person(&self.terms, *id, text)).collect()
            }
            _ => {
                let finders = Finders::new(&self.terms);
                texts.iter().filter_map(|(id, text)| rank::text(&finders, *id, text)).collect()
            }
        };
        ranked.sort_unstable_by_key(|item| std::cmp::Reverse(item.key()));
        Ok(ranked)
    }

    fn within_days(&self, mut query: Statement, column: &'static str) -> Statement {
        for (bound, compare) in [(self.after, " >= "), (self.before, " < ")] {
            if let Some(bound) = bound {
                query = query.push(" AND ").push(column).push_bind(compare, bound);
            }
        }
        query
    }
}

/// How many names one tag may have had.
const MAX_ALIASES: i64 = 50;

/// A tag and those that were merged into it: posts can still be indexed under one of them.
async fn tag_ids(db: &Db, name: &str) -> Result<Vec<i64>> {
    let tag: Option<i64> = sql("SELECT coalesce(alias_of, id) FROM tags WHERE name = $1")
        .bind(user::canonical(name))
        .optional_scalar(db)
        .await?;
    let Some(tag) = tag else { return Ok(Vec::new()) };
    let ids: Vec<(i64,)> = sql(
        "SELECT id FROM (SELECT id FROM tags WHERE alias_of = $1 ORDER BY id LIMIT $2) AS aliases",
    )
    .bind(tag)
    .bind(MAX_ALIASES)
    .all(db)
    .await?;
    Ok(std::iter::once(tag).chain(ids.into_iter().map(|(id,)| id)).collect())
}

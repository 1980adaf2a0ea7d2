//! What the search finds of posts and comments, kept as words. Each write of a post or a comment indexes
//! it in its transaction, so that it is found as soon as it can be read; whatever is missing or out of
//! date is indexed by a backfill, by a job and by `postly doctor --fix`.
//!
//! The words of a text are lines: names for filters, the words of the title, of the tags, of the author's
//! name, and of the text.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::FromRow;

use crate::db::{Backfill, Batch, Db, Statement, Step, Tx, WordTable, sql};
use crate::error::Result;
use crate::models::base::job::{self, ClaimedJob};
use crate::models::base::settings::SiteSettings;
use crate::models::base::site::Site;
use crate::models::base::words::Stemming;
use crate::models::posts::plain_text;

/// The kind of job that indexes what is out of date.
pub const JOB: &str = "search-index";

/// Stands in every text: a query that only excludes words has something to begin with. Words that
/// people type contain none of these characters, which are folded to ASCII.
pub const EVERYTHING: &str = "＊";

/// Filters by author and tag look for ids, which do not change when a name does.
pub fn author_word(id: i64) -> String {
    format!("＠{id}")
}

/// As `author_word`.
pub fn tag_word(id: i64) -> String {
    format!("＃{id}")
}

/// How many words of a text are indexed, in bytes: about 5,000 English words. A search compares up to
/// 200 such texts.
const MAX_WORDS: usize = 32 * 1024;
/// Rows of a transaction, which other writers of an SQLite file wait for.
const BATCH: i64 = 100;
/// A size of blocks of ids; see `db::words`.
pub const DAY_BLOCK: i64 = 2_048;

/// What is indexed.
pub struct Indexed {
    pub words: WordTable,
    /// Its name among `word_days`.
    pub source: &'static str,
    /// A query for `Text`s with the rows `n`; ends inside WHERE.
    texts: &'static str,
}

pub static POSTS: Indexed = Indexed {
    words: WordTable { table: "post_words", index: "post_words_index" },
    source: "posts",
    texts: "SELECT n.id, n.version, n.user_id, u.username, n.title, n.published_at AS at, \
        substr(n.content_html, 1, CAST($1 AS INTEGER)) AS html \
        FROM posts n JOIN users u ON u.id = n.user_id WHERE n.published_at IS NOT NULL",
};

pub static COMMENTS: Indexed = Indexed {
    words: WordTable { table: "comment_words", index: "comment_words_index" },
    source: "comments",
    texts: "SELECT n.id, n.version, n.user_id, u.username, '' AS title, n.created_at AS at, \
        substr(n.content_html, 1, CAST($1 AS INTEGER)) AS html \
        FROM comments n JOIN users u ON u.id = n.user_id WHERE n.deleted_at IS NULL",
};

#[derive(FromRow)]
struct Text {
    id: i64,
    version: i64,
    user_id: i64,
    username: String,
    title: String,
    at: Option<DateTime<Utc>>,
    html: String,
}

impl Indexed {
    /// Indexes a row that was written, in place of what was indexed before.
    pub async fn index(&self, tx: &mut Tx, settings: &SiteSettings, id: i64) -> Result<()> {
        self.index_all(tx, &Stemming::of(&settings.language), &[id]).await
    }

    /// Indexes the next rows behind this id that are missing or out of date. Returns the last of them,
    /// or `None` when there are no more.
    pub async fn index_outdated(
        &self,
        tx: &mut Tx,
        stemming: &Stemming,
        after: i64,
    ) -> Result<Option<i64>> {
        let outdated: Vec<(i64,)> = self
            .outdated(&stemming.name(), after)
            .push_bind(" ORDER BY n.id LIMIT ", BATCH)
            .all(&mut *tx)
            .await?;
        let ids: Vec<i64> = outdated.into_iter().map(|(id,)| id).collect();
        self.index_all(tx, stemming, &ids).await?;
        let is_last = i64::try_from(ids.len()).is_ok_and(|count| count < BATCH);
        Ok(ids.last().copied().filter(|_| !is_last))
    }

    async fn index_behind(&self, db: &Db, stemming: &Stemming, after: i64) -> Result<()> {
        let mut next = Some(after);
        while let Some(after) = next {
            let mut tx = db.begin().await?;
            next = self.index_outdated(&mut tx, stemming, after).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// The next rows that were indexed with another stemming, by two ranges of an index.
    async fn of_other_stemming(&self, db: &Db, stemming: &str) -> Result<Vec<i64>> {
        let mut found = Vec::new();
        for compare in [" WHERE stemming < ", " WHERE stemming > "] {
            let rows: Vec<(i64,)> = sql("SELECT id FROM ")
                .push(self.words.table)
                .push_bind(compare, stemming)
                .push_bind(" ORDER BY stemming, id LIMIT ", BATCH)
                .all(db)
                .await?;
            found.extend(rows.into_iter().map(|(id,)| id));
        }
        Ok(found)
    }

    /// A query for the ids of rows behind this id that are missing or out of date.
    fn outdated(&self, stemming: &str, after: i64) -> Statement {
        let query = sql("SELECT n.id FROM ").push(self.source).push(" n LEFT JOIN ");
        let query = query.push(self.words.table).push(" w ON w.id = n.id");
        let query = query.push_bind(" WHERE n.id > ", after);
        let query = query.push(" AND (w.id IS NULL OR w.version <> n.version");
        let query = query.push_bind(" OR w.stemming <> ", stemming).push(")");
        match self.source {
            "comments" => query.push(" AND n.deleted_at IS NULL AND n.user_id IS NOT NULL"),
            _ => query.push(" AND n.published_at IS NOT NULL"),
        }
    }

    /// Takes a row out of the index, which may not be in it.
    pub async fn remove(&self, tx: &mut Tx, id: i64) -> Result<()> {
        let query = sql("DELETE FROM ").push(self.words.table).push_bind(" WHERE id = ", id);
        query.execute(tx).await?;
        Ok(())
    }

    async fn index_all(&self, tx: &mut Tx, stemming: &Stemming, ids: &[i64]) -> Result<()> {
        let texts: Vec<Text> = sql(self.texts)
            .bind(plain_text::MAX_HTML)
            .push_list(" AND n.id IN ", ids.iter().copied())
            .push(" ORDER BY n.id")
            .all(&mut *tx)
            .await?;
        let mut tags = self.tags(tx, ids).await?;
        for text in &texts {
            let tags = tags.remove(&text.id).unwrap_or_default();
            self.store(tx, stemming, text, &tags).await?;
        }
        Ok(())
    }

    /// The tags of posts: ids and names.
    pub async fn tags(&self, tx: &mut Tx, ids: &[i64]) -> Result<HashMap<i64, Vec<(i64, String)>>> {
        let mut tags: HashMap<i64, Vec<(i64, String)>> = HashMap::new();
        if self.source == POSTS.source {
            let rows: Vec<(i64, i64, String)> = sql("SELECT pt.post_id, t.id, t.name \
                 FROM post_tags pt JOIN tags t ON t.id = pt.tag_id WHERE")
            .push_list(" pt.post_id IN ", ids.iter().copied())
            .push(" ORDER BY pt.post_id, pt.position, t.id")
            .all(tx)
            .await?;
            for (post, id, name) in rows {
                tags.entry(post).or_default().push((id, name));
            }
        }
        Ok(tags)
    }

    async fn store(
        &self,
        tx: &mut Tx,
        stemming: &Stemming,
        text: &Text,
        tags: &[(i64, String)],
    ) -> Result<()> {
        let words = TextWords::new(stemming, &text.title, &text.username, &text.html);
        let row =
            TextRow { id: text.id, version: text.version, user_id: text.user_id, at: text.at };
        self.storing(stemming, &words, &row, tags).execute(tx).await
    }

    /// Indexes a row whose words are known.
    pub fn storing(
        &self,
        stemming: &Stemming,
        words: &TextWords,
        row: &TextRow,
        tags: &[(i64, String)],
    ) -> Batch {
        let mut filters = format!("{EVERYTHING} {}", author_word(row.user_id));
        let mut names = String::new();
        for (id, name) in tags {
            filters = format!("{filters} {}", tag_word(*id));
            names = format!("{names} {name}");
        }
        let names = stemming.stems(&names, MAX_WORDS);
        let TextWords { title, username, text } = words;
        let words = sql("INSERT INTO ")
            .push(self.words.table)
            .push(" (id, version, stemming, text) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO UPDATE \
                 SET version = excluded.version, stemming = excluded.stemming, text = excluded.text")
            .bind(row.id)
            .bind(row.version)
            .bind(stemming.name())
            .bind([filters.as_str(), title, &names, username, text].join("\n"));
        let batch = Batch::default().then(words);
        let Some(at) = row.at else { return batch };
        batch.then(
            sql("INSERT INTO word_days (source, day, block) VALUES ($1, $2, $3) \
                 ON CONFLICT DO NOTHING")
            .bind(self.source)
            .bind(at.timestamp().div_euclid(24 * 60 * 60))
            .bind(row.id / DAY_BLOCK),
        )
    }
}

/// The words of a text. Only the text decides on them: whoever writes it finds them before the
/// transaction, for which other writers wait.
pub struct TextWords {
    title: String,
    username: String,
    text: String,
}

impl TextWords {
    pub fn new(stemming: &Stemming, title: &str, username: &str, html: &str) -> TextWords {
        let max = usize::try_from(plain_text::MAX_HTML).unwrap_or(usize::MAX);
        let end = html.char_indices().nth(max).map_or(html.len(), |(end, _)| end);
        TextWords {
            title: stemming.stems(title, MAX_WORDS),
            username: stemming.stems(username, MAX_WORDS),
            text: stemming.stems(&plain_text::of_html(&html[..end]), MAX_WORDS),
        }
    }
}

/// What else is indexed of a text.
pub struct TextRow {
    pub id: i64,
    pub version: i64,
    /// The author.
    pub user_id: i64,
    /// When it was published.
    pub at: Option<DateTime<Utc>>,
}

/// Of the rows written last, an older instance may have written some without indexing them: how many are
/// looked at.
const RECENT: i64 = 20_000;

/// Indexes what was made with another stemming, and what is missing or out of date among the latest
/// rows.
///
/// # Errors
/// `Internal` when another worker may have the job.
pub async fn refresh(site: &Site, claimed: &ClaimedJob) -> Result<()> {
    let stemming = Stemming::of(&site.settings.current().language);
    for indexed in [&POSTS, &COMMENTS] {
        loop {
            job::renew(&site.db, claimed).await?;
            let other = indexed.of_other_stemming(&site.db, &stemming.name()).await?;
            if other.is_empty() {
                break;
            }
            let mut tx = site.db.begin().await?;
            indexed.index_all(&mut tx, &stemming, &other).await?;
            tx.commit().await?;
        }
        let last: Option<i64> =
            sql("SELECT max(id) FROM ").push(indexed.source).scalar(&site.db).await?;
        indexed.index_behind(&site.db, &stemming, last.unwrap_or_default() - RECENT).await?;
    }
    Ok(())
}

/// Indexes everything that is missing or out of date.
pub async fn mend(site: &Site) -> Result<()> {
    let stemming = Stemming::of(&site.settings.current().language);
    for indexed in [&POSTS, &COMMENTS] {
        indexed.index_behind(&site.db, &stemming, 0).await?;
    }
    Ok(())
}

/// How many posts and comments the search finds with old words or not at all, each counted up to a
/// bound.
pub async fn outdated(site: &Site, bound: i64) -> Result<i64> {
    let stemming = Stemming::of(&site.settings.current().language).name();
    let mut total = 0;
    for indexed in [&POSTS, &COMMENTS] {
        let query = indexed.outdated(&stemming, 0).push_bind(" LIMIT ", bound);
        let query = query.prepend("SELECT count(*) FROM (").push(") AS outdated");
        total += query.scalar::<i64>(&site.db).await?;
    }
    Ok(total)
}

/// Indexes the posts and comments that were there before migration 26.
pub const BACKFILL: Backfill =
    Backfill { name: "words", after: 26, run: |tx| Box::pin(index_batch(tx)) };

async fn index_batch(tx: &mut Tx) -> Result<Step> {
    let language: Option<String> =
        sql("SELECT value FROM settings WHERE name = 'language'").optional_scalar(&mut *tx).await?;
    let default = SiteSettings::default().language;
    let stemming = Stemming::of(language.as_deref().unwrap_or(&default));
    for indexed in [&POSTS, &COMMENTS] {
        // In the order of the ids: what was indexed is not looked at again.
        let last: Option<i64> =
            sql("SELECT max(id) FROM ").push(indexed.words.table).scalar(&mut *tx).await?;
        let last = last.unwrap_or_default();
        if indexed.index_outdated(tx, &stemming, last).await?.is_some() {
            return Ok(Step::Continue);
        }
    }
    Ok(Step::Finished)
}

//! Publishing posts, or keeping them as drafts.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use crate::db::{Batch, Tx, now, repeat, sql};
use crate::error::{Error, Result};
use crate::models::accounts::{email_address, new_account};
use crate::models::base::actor::{Actor, Admin};
use crate::models::base::rate_limit;
use crate::models::base::site::Site;
use crate::models::base::words::Stemming;
use crate::models::posts::markdown::{self, Rendered};
use crate::models::posts::post::{self, Post};
use crate::models::posts::post_input::{Checked, PostInput};
use crate::models::posts::publication_state::{Publication, Visibility};
use crate::models::posts::word_index::{self, TextRow, TextWords};
use crate::models::posts::{post_search, rendering, schedule, series_assignment, slug, tag};

/// Publishes a post, at once or later, or keeps it as a draft.
///
/// # Errors
/// `Invalid`, about the fields of the input; `Forbidden` until a required e-mail address is
/// confirmed; `TooManyRequests`.
pub async fn create(site: &Site, actor: &Actor, input: &PostInput) -> Result<Post> {
    email_address::permit_posting(site, &actor.user).await?;
    let mut budgets = actor.budgets(site.limits.posts, site.limits.posts_address).to_vec();
    budgets.extend(new_account::posts(site, actor).await?);
    rate_limit::check_all(&site.db, &actor.caller, &budgets).await?;
    let Checked { title, content, summary, slug, tags, series, publication } = input.check()?;
    let content = content.unwrap_or_default();
    let rendered = rendering::render(site, &content).await?;
    let title = title.unwrap_or_default();
    let (user_id, author) = (actor.user.id, &actor.user.username);
    let stemming = Stemming::of(&site.settings.current().language);
    let words = TextWords::new(&stemming, &title, author, &rendered.html);
    let new = NewPost {
        user_id,
        slug: slug::to_store(slug.unwrap_or_default(), &title),
        title,
        content,
        summary: summary.unwrap_or_default(),
        rendered,
        tags: tags.unwrap_or_default(),
        series: series.unwrap_or_default(),
        publication: publication.of_new(),
    };
    let id = repeat(async || {
        let mut tx = site.db.begin().await?;
        let id = insert(&mut tx, &new).await?;
        let mut indexing =
            Batch::default().then(post_search::SEARCH.indexing(id, &new.title, author));
        if let Some(at) = new.publication.listed_at() {
            let tags = match new.tags.is_empty() {
                true => HashMap::new(),
                false => word_index::POSTS.tags(&mut tx, &[id]).await?,
            };
            let tags = tags.get(&id).map_or(&[][..], Vec::as_slice);
            let row = TextRow { id, version: 1, user_id, at: Some(at) };
            indexing =
                indexing.followed_by(word_index::POSTS.storing(&stemming, &words, &row, tags));
        }
        schedule::plan(&mut tx, &new.publication).await?;
        rate_limit::charge_all_after(&mut tx, indexing, &actor.caller, &budgets).await?;
        tx.commit().await?;
        Ok(id)
    })
    .await?;
    post::show(&site.db, Some(&actor.user), id).await
}

/// A post that is published in a user's name.
pub struct AssignedPost {
    /// The author's id.
    pub user_id: i64,
    pub title: String,
    pub content: String,
    /// Normalised.
    pub tags: Vec<String>,
    /// The title of the series, if it is in one.
    pub series: Option<&'static str>,
    pub published_at: DateTime<Utc>,
}

/// Publishes posts in other users' names, in one transaction: for the demo. Returns their ids.
pub async fn create_assigned(site: &Site, _: &Admin, posts: Vec<AssignedPost>) -> Result<Vec<i64>> {
    let mut rows = Vec::new();
    for AssignedPost { user_id, title, content, tags, series, published_at } in posts {
        let rendered = rendering::render(site, &content).await?;
        let publication = Publication::at(published_at, Visibility::Public);
        let (summary, slug) = Default::default();
        let series = series.unwrap_or_default().to_owned();
        rows.push(NewPost {
            user_id,
            title,
            content,
            summary,
            slug,
            rendered,
            tags,
            series,
            publication,
        });
    }
    let mut tx = site.db.begin().await?;
    let mut ids = Vec::new();
    for row in rows {
        let id = insert(&mut tx, &row).await?;
        post_search::SEARCH.index(&mut tx, id).await?;
        word_index::POSTS.index(&mut tx, &site.settings.current(), id).await?;
        ids.push(id);
    }
    tx.commit().await?;
    Ok(ids)
}

struct NewPost {
    user_id: i64,
    title: String,
    content: String,
    summary: String,
    /// Empty if the title makes it.
    slug: String,
    rendered: Rendered,
    tags: Vec<String>,
    /// The title; empty for none.
    series: String,
    publication: Publication,
}

impl NewPost {
    /// What is dated back was not written before it was published.
    fn created_at(&self) -> DateTime<Utc> {
        self.publication.at.map_or_else(now, |at| at.min(now()))
    }
}

async fn insert(tx: &mut Tx, new: &NewPost) -> Result<i64> {
    let publication = &new.publication;
    let series_id = series_assignment::resolve(tx, new.user_id, &new.series).await?;
    let inserted = sql("INSERT INTO posts (user_id, title, content, content_html, excerpt, \
         reading_minutes, rendering, summary, created_at, published_at, state, visibility, publish_at, slug, \
         series_id) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) \
         RETURNING id")
    .bind(new.user_id)
    .bind(new.title.as_str())
    .bind(new.content.as_str())
    .bind(new.rendered.html.as_str())
    .bind(new.rendered.excerpt.as_str())
    .bind(new.rendered.reading_minutes)
    .bind(markdown::RENDERING)
    .bind(new.summary.as_str())
    .bind(new.created_at())
    .bind(publication.listed_at())
    .bind(<&str>::from(publication.state))
    .bind(<&str>::from(publication.visibility))
    .bind(publication.at)
    .bind(new.slug.as_str())
    .bind(series_id)
    .scalar(&mut *tx)
    .await;
    let id = match inserted {
        // The account was deleted after its owner was authenticated.
        Err(e) if e.is_foreign_key_violation() => return Err(Error::Unauthenticated),
        other => other?,
    };
    if !new.tags.is_empty() {
        tag::assign(tx, id, &new.tags).await?;
    }
    Ok(id)
}

//! Feeds for programs that follow the site, a person, a tag or the comments on a post, in three formats. They
//! say what anybody may read, whoever asks.

use chrono::{DateTime, Utc};
use rocket::{State, get};

use crate::models::base::page::PageParams;
use crate::models::base::site::Site;
use crate::models::base::url_path;
use crate::models::posts::comment::Comment;
use crate::models::posts::feed;
use crate::models::posts::markdown;
use crate::models::posts::post::{self, Author, PostSummary};
use crate::models::posts::syndication::{self, SyndicatedPost};
use crate::models::posts::tag;
use crate::models::users::user;
use crate::web::public_url::PublicUrl;
use crate::web::response::messages;
use crate::web::response::syndication::{
    FeedAuthor, FeedEntry, FeedFormat, Syndication, WrittenFeed,
};
use crate::web::{self, Id, room};

room! {
    pages: [
        site_atom, site_rss, site_json,
        person_atom, person_rss, person_json,
        tag_atom, tag_rss, tag_json,
        comments_atom, comments_rss, comments_json,
    ],
    cached: [
        site_atom, site_rss, site_json,
        person_atom, person_rss, person_json,
        tag_atom, tag_rss, tag_json,
        comments_atom, comments_rss, comments_json,
    ],
}

/// Feeds of different things differ in this.
pub struct FeedHead {
    pub title: String,
    /// The path of the page that shows the same.
    pub page: String,
    /// The path of the feed, without the extension of a format.
    pub address: String,
    /// When it changed last, if it has no entries.
    pub since: DateTime<Utc>,
}

/// A feed of these posts, the latest first.
pub async fn of_posts(
    site: &Site,
    url: &PublicUrl,
    format: FeedFormat,
    head: FeedHead,
    posts: Vec<PostSummary>,
) -> web::Result<WrittenFeed> {
    let posts = syndication::with_contents(site, posts).await?;
    write(site, url, format, head, posts.into_iter().map(post_entry).collect())
}

fn write(
    site: &Site,
    url: &PublicUrl,
    format: FeedFormat,
    head: FeedHead,
    entries: Vec<FeedEntry>,
) -> web::Result<WrittenFeed> {
    let settings = site.settings.current();
    let feed = Syndication {
        origin: url.origin().to_owned(),
        title: head.title,
        description: settings.description.clone(),
        language: settings.language.clone(),
        page: head.page,
        address: head.address,
        since: head.since,
        entries,
    };
    Ok(feed.write(format)?)
}

fn post_entry(post: SyndicatedPost) -> FeedEntry {
    let SyndicatedPost { summary, content_html } = post;
    let description = summary.description().to_owned();
    FeedEntry {
        // Whatever else its address says, the number stays.
        id: post::resource(summary.id),
        path: summary.path,
        title: summary.title,
        author: author(summary.author),
        tags: summary.tags.0,
        published: summary.published_at.unwrap_or(summary.created_at),
        updated: summary.updated_at,
        excerpt: description,
        html: content_html,
    }
}

fn author(author: Author) -> FeedAuthor {
    let path = format!("/users/{}", url_path::segment(&author.username));
    FeedAuthor { name: author.username, path }
}

#[get("/feed.atom")]
async fn site_atom(site: &Site, url: &State<PublicUrl>) -> web::Result<WrittenFeed> {
    of_site(site, url, FeedFormat::Atom).await
}

#[get("/feed.rss")]
async fn site_rss(site: &Site, url: &State<PublicUrl>) -> web::Result<WrittenFeed> {
    of_site(site, url, FeedFormat::Rss).await
}

#[get("/feed.json")]
async fn site_json(site: &Site, url: &State<PublicUrl>) -> web::Result<WrittenFeed> {
    of_site(site, url, FeedFormat::Json).await
}

async fn of_site(site: &Site, url: &PublicUrl, format: FeedFormat) -> web::Result<WrittenFeed> {
    let head = FeedHead {
        title: site.settings.current().site_name.clone(),
        page: "/".to_owned(),
        address: "/feed".to_owned(),
        // Nobody knows since when a site has had no posts.
        since: DateTime::UNIX_EPOCH,
    };
    of_posts(site, url, format, head, syndication::latest(site, None).await?).await
}

#[get("/users/<username>/feed.atom")]
async fn person_atom(
    username: &str,
    site: &Site,
    url: &State<PublicUrl>,
) -> web::Result<WrittenFeed> {
    of_person(site, url, FeedFormat::Atom, username).await
}

#[get("/users/<username>/feed.rss")]
async fn person_rss(
    username: &str,
    site: &Site,
    url: &State<PublicUrl>,
) -> web::Result<WrittenFeed> {
    of_person(site, url, FeedFormat::Rss, username).await
}

#[get("/users/<username>/feed.json")]
async fn person_json(
    username: &str,
    site: &Site,
    url: &State<PublicUrl>,
) -> web::Result<WrittenFeed> {
    of_person(site, url, FeedFormat::Json, username).await
}

async fn of_person(
    site: &Site,
    url: &PublicUrl,
    format: FeedFormat,
    username: &str,
) -> web::Result<WrittenFeed> {
    let user = user::profile(&site.db, username).await?;
    let page = format!("/users/{}", url_path::segment(&user.username));
    let site_name = site.settings.current().site_name.clone();
    let head = FeedHead {
        title: messages::feed("person", &[("name", &user.username), ("site", &site_name)]),
        address: format!("{page}/feed"),
        page,
        since: user.created_at,
    };
    of_posts(site, url, format, head, syndication::latest(site, Some(user.id)).await?).await
}

#[get("/tags/<tag>/feed.atom")]
async fn tag_atom(tag: &str, site: &Site, url: &State<PublicUrl>) -> web::Result<WrittenFeed> {
    of_tag(site, url, FeedFormat::Atom, tag).await
}

#[get("/tags/<tag>/feed.rss")]
async fn tag_rss(tag: &str, site: &Site, url: &State<PublicUrl>) -> web::Result<WrittenFeed> {
    of_tag(site, url, FeedFormat::Rss, tag).await
}

#[get("/tags/<tag>/feed.json")]
async fn tag_json(tag: &str, site: &Site, url: &State<PublicUrl>) -> web::Result<WrittenFeed> {
    of_tag(site, url, FeedFormat::Json, tag).await
}

async fn of_tag(
    site: &Site,
    url: &PublicUrl,
    format: FeedFormat,
    name: &str,
) -> web::Result<WrittenFeed> {
    let tag = tag::find(&site.db, name).await?;
    let site_name = site.settings.current().site_name.clone();
    let head = FeedHead {
        title: messages::feed("tag", &[("tag", &tag.name), ("site", &site_name)]),
        address: format!("{}/feed", tag.path),
        page: tag.path,
        since: DateTime::UNIX_EPOCH,
    };
    let posts = feed::by_tag(site, None, tag.id, &PageParams::default()).await?;
    of_posts(site, url, format, head, posts.items).await
}

#[get("/posts/<id>/comments.atom")]
async fn comments_atom(id: Id, site: &Site, url: &State<PublicUrl>) -> web::Result<WrittenFeed> {
    of_comments(site, url, FeedFormat::Atom, *id).await
}

#[get("/posts/<id>/comments.rss")]
async fn comments_rss(id: Id, site: &Site, url: &State<PublicUrl>) -> web::Result<WrittenFeed> {
    of_comments(site, url, FeedFormat::Rss, *id).await
}

#[get("/posts/<id>/comments.json")]
async fn comments_json(id: Id, site: &Site, url: &State<PublicUrl>) -> web::Result<WrittenFeed> {
    of_comments(site, url, FeedFormat::Json, *id).await
}

async fn of_comments(
    site: &Site,
    url: &PublicUrl,
    format: FeedFormat,
    post_id: i64,
) -> web::Result<WrittenFeed> {
    let post = post::show(&site.db, None, post_id).await?.summary;
    let comments = syndication::comments(site, post_id).await?;
    let page = format!("{}/comments", post::resource(post_id));
    let head = FeedHead {
        title: messages::feed("comments", &[("title", &post.title)]),
        address: page.clone(),
        page,
        since: post.published_at.unwrap_or(post.created_at),
    };
    let entries = comments.into_iter().filter_map(|comment| comment_entry(&post, comment));
    write(site, url, format, head, entries.collect())
}

/// `None` if it was deleted.
fn comment_entry(post: &PostSummary, comment: Comment) -> Option<FeedEntry> {
    let author = author(comment.author?);
    let names = [("name", author.name.as_str()), ("title", &post.title)];
    Some(FeedEntry {
        id: comment.path.clone(),
        path: comment.path,
        title: messages::feed("comment", &names),
        author,
        tags: Vec::new(),
        published: comment.created_at,
        updated: comment.updated_at,
        excerpt: markdown::shorten(&comment.content),
        html: Some(comment.content_html),
    })
}

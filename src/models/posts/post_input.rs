//! What people send to write and to edit posts, and how it is checked.

use serde::Deserialize;

use crate::error::{Error, Result};
use crate::models::base::{form_value, visible};
use crate::models::posts::publication_state::{PostState, PublicationChange, Visibility};
use crate::models::posts::{series_title, slug, tag_name};
use crate::validation::{FieldError, Rule, ValidationErrors};

/// Longest title, in characters.
pub(super) const MAX_TITLE_LENGTH: usize = 255;
/// Longest summary, in characters.
pub(super) const MAX_SUMMARY_LENGTH: usize = 300;
/// Longest content, in characters.
pub(super) const MAX_CONTENT_LENGTH: usize = 100_000;

/// The input for a new post.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct PostInput {
    /// 1 to 255 characters; of a draft, it may be empty.
    #[schema(value_type = String, example = "On tides", max_length = 255)]
    pub title: Option<String>,
    /// Markdown, 1 to 100,000 characters; of a draft, it may be empty.
    #[schema(value_type = String, example = "The sea comes *twice* a day.",
        max_length = 100_000)]
    pub content: Option<String>,
    /// One line for lists, at most 300 characters; without it, they show the beginning of the text.
    #[schema(value_type = String, required = false, max_length = 300, example = "Why the sea rises and falls.")]
    pub summary: Option<String>,
    /// The readable part of its address, at most 60 characters, brought into the form `like-this`; without
    /// it, the title makes it.
    #[serde(default, deserialize_with = "form_value::text_not_null")]
    #[schema(required = false, nullable = false, max_length = 60, example = "on-tides")]
    pub slug: Option<String>,
    /// At most five names, of letters, digits, `-`, `+`, `.` and `#`; a text with commas is a list, too.
    #[serde(default, deserialize_with = "form_value::texts")]
    #[schema(value_type = Vec<String>, required = false, nullable = false, max_items = 5,
        example = json!(["sea", "physics"]))]
    pub tags: Option<Vec<String>>,
    /// The title of a series of yours, at most 100 characters; without one of that title, it is made. Null, or an
    /// empty text: in no series.
    #[serde(default, deserialize_with = "form_value::text")]
    #[schema(max_length = 100, example = "Forty mornings at the harbour")]
    pub series: Option<String>,
    /// Whether it is published: by default it is, and a time to come makes `scheduled` of it.
    #[serde(default, deserialize_with = "form_value::text_not_null")]
    #[schema(value_type = PostState, required = false, nullable = false, example = "published")]
    pub state: Option<String>,
    /// Who may read it once it is published: by default, everybody.
    #[serde(default, deserialize_with = "form_value::text_not_null")]
    #[schema(value_type = Visibility, required = false, nullable = false, example = "public")]
    pub visibility: Option<String>,
    /// When it was or will be published, from 1970 to two years ahead, in RFC 3339 or as
    /// `2026-11-28T12:30` in UTC; a time to come schedules it. By default, now.
    #[serde(default, deserialize_with = "form_value::text")]
    #[schema(format = DateTime, max_length = 40, example = "2026-11-28T12:30:00Z")]
    pub published_at: Option<String>,
}

/// Changes to a post; missing fields stay unchanged, empty ones are errors.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct PostUpdate {
    /// 1 to 255 characters; of a draft, it may be empty.
    #[schema(example = "On tides", nullable = false, max_length = 255)]
    #[serde(default, deserialize_with = "form_value::text")]
    pub title: Option<String>,
    /// Markdown, 1 to 100,000 characters; of a draft, it may be empty.
    #[schema(example = "The sea comes *twice* a day.", nullable = false, max_length = 100_000)]
    #[serde(default, deserialize_with = "form_value::text")]
    pub content: Option<String>,
    /// One line for lists, at most 300 characters; an empty text removes it.
    #[serde(default, deserialize_with = "form_value::text_not_null")]
    #[schema(nullable = false, max_length = 300, example = "Why the sea rises and falls.")]
    pub summary: Option<String>,
    /// The readable part of its address, at most 60 characters, brought into the form `like-this`; with an
    /// empty text, it follows the title again.
    #[serde(default, deserialize_with = "form_value::text_not_null")]
    #[schema(nullable = false, max_length = 60, example = "on-tides")]
    pub slug: Option<String>,
    /// At most five names, in place of those that the post has; an empty list removes them.
    #[serde(default, deserialize_with = "form_value::texts")]
    #[schema(value_type = Vec<String>, required = false, nullable = false, max_items = 5,
        example = json!(["sea", "physics"]))]
    pub tags: Option<Vec<String>>,
    /// The title of a series of yours, at most 100 characters; without one of that title, it is made. Null, or an
    /// empty text, takes the post out of its series. Only the author may change it.
    #[serde(default, deserialize_with = "form_value::text")]
    #[schema(max_length = 100, example = "Forty mornings at the harbour")]
    pub series: Option<String>,
    /// Whether it is published, at once or at `published_at`; only its author may change this.
    #[serde(default, deserialize_with = "form_value::text_not_null")]
    #[schema(value_type = PostState, required = false, nullable = false, example = "published")]
    pub state: Option<String>,
    /// Who may read it once it is published.
    #[serde(default, deserialize_with = "form_value::text_not_null")]
    #[schema(value_type = Visibility, required = false, nullable = false, example = "public")]
    pub visibility: Option<String>,
    /// When it was or will be published, from 1970 to two years ahead, in RFC 3339 or as
    /// `2026-11-28T12:30` in UTC.
    #[serde(default, deserialize_with = "form_value::text")]
    #[schema(format = DateTime, max_length = 40, example = "2026-11-28T12:30:00Z")]
    pub published_at: Option<String>,
    /// The version that was edited; the edit is refused if there is a newer one.
    #[serde(default, deserialize_with = "form_value::number_not_null")]
    #[schema(example = 1, nullable = false, minimum = 1)]
    pub version: Option<i64>,
}

/// How to publish a post; missing fields stay unchanged.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct PublicationInput {
    /// When it was or will be published, as in a post. By default at once, or when it was first published.
    #[serde(default, deserialize_with = "form_value::text")]
    #[schema(format = DateTime, max_length = 40, example = "2026-11-28T12:30:00Z")]
    pub published_at: Option<String>,
    /// Who may read it.
    #[serde(default, deserialize_with = "form_value::text_not_null")]
    #[schema(value_type = Visibility, required = false, nullable = false, example = "public")]
    pub visibility: Option<String>,
    /// The version that was read; refused if there is a newer one.
    #[serde(default, deserialize_with = "form_value::number_not_null")]
    #[schema(example = 1, nullable = false, minimum = 1)]
    pub version: Option<i64>,
}

/// A text to be shown as it would be published.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct PreviewInput {
    /// Markdown, at most 100,000 characters.
    #[schema(example = "The sea comes *twice* a day.", max_length = 100_000)]
    pub content: Option<String>,
}

/// What an input says, checked; `None` where it says nothing.
#[derive(Default)]
pub(super) struct Checked {
    pub title: Option<String>,
    pub content: Option<String>,
    pub summary: Option<String>,
    pub slug: Option<String>,
    pub tags: Option<Vec<String>>,
    /// Empty for none.
    pub series: Option<String>,
    pub publication: PublicationChange,
}

/// What stands before an input changes it.
pub(super) struct Standing<'a> {
    pub title: &'a str,
    pub content: &'a str,
    pub is_draft: bool,
}

impl PostInput {
    /// # Errors
    /// `Invalid`, about every field.
    pub(super) fn check(&self) -> Result<Checked> {
        let update = PostUpdate {
            title: self.title.clone(),
            content: self.content.clone(),
            summary: self.summary.clone(),
            slug: self.slug.clone(),
            tags: self.tags.clone(),
            series: self.series.clone(),
            state: self.state.clone(),
            visibility: self.visibility.clone(),
            published_at: self.published_at.clone(),
            version: None,
        };
        update.check(&Standing { title: "", content: "", is_draft: false })
    }
}

impl PostUpdate {
    /// # Errors
    /// `Invalid`, about every field.
    pub(super) fn check(&self, standing: &Standing<'_>) -> Result<Checked> {
        let publication = PublicationChange::parse(
            self.state.as_deref(),
            self.visibility.as_deref(),
            self.published_at.as_deref(),
        );
        let publishes = publication.as_ref().ok().and_then(|change| change.publishes);
        let is_draft = publishes.map_or(standing.is_draft, |publishes| !publishes);
        let title = self.title.as_deref().map(parse_title).transpose();
        let content = self.content.as_deref();
        let content = content.map(|text| parse_text(text, MAX_CONTENT_LENGTH)).transpose();
        let lacks_title = is_empty(&title, standing.title);
        let lacks_content = is_empty(&content, standing.content);
        let mut errors = ValidationErrors::default();
        let title = errors.collect(title)?.flatten();
        if lacks_title && !is_draft {
            errors.add(FieldError::new("title", Rule::Required));
        }
        let content = errors.collect(content)?.flatten();
        // A draft needs one of them.
        if lacks_content && (lacks_title || !is_draft) {
            errors.add(FieldError::new("content", Rule::Required));
        }
        let summary = errors.collect(self.summary.as_deref().map(parse_summary).transpose())?;
        let slug = errors.collect(self.slug.as_deref().map(slug::parse).transpose())?;
        let tags = self.tags.as_deref().map(|texts| tag_name::parse("tags", texts));
        let tags = errors.collect(tags.transpose())?.flatten();
        let series = self.series.as_deref().map(|text| series_title::parse("series", text));
        let series = errors.collect(series.transpose())?.flatten();
        let publication = errors.collect(publication)?.unwrap_or_default();
        errors.into_result()?;
        let (summary, slug) = (summary.flatten(), slug.flatten());
        Ok(Checked { title, content, summary, slug, tags, series, publication })
    }
}

/// Whether nothing would stand there; not if what was typed is wrong in itself.
fn is_empty(typed: &Result<Option<String>>, standing: &str) -> bool {
    let text = |typed: &Option<String>| typed.as_deref().unwrap_or(standing).trim().is_empty();
    typed.as_ref().is_ok_and(text)
}

fn parse_title(text: &str) -> Result<String> {
    parse_line("title", text, MAX_TITLE_LENGTH)
}

pub(super) fn parse_summary(text: &str) -> Result<String> {
    parse_line("summary", text, MAX_SUMMARY_LENGTH)
}

fn parse_line(field: &'static str, text: &str, max: usize) -> Result<String> {
    let line = visible::parse_line(field, text)?;
    match line.chars().count() {
        n if n > max => Err(too_long(field, max, n)),
        _ => Ok(line),
    }
}

/// A text in Markdown, of a post or a comment, of at most `max` characters, which is not empty.
pub(super) fn parse_content(text: &str, max: usize) -> Result<String> {
    match parse_text(text, max)? {
        content if content.trim().is_empty() => Err(Error::invalid("content", Rule::Required)),
        content => Ok(content),
    }
}

/// The same; it may be empty.
pub(super) fn parse_text(text: &str, max: usize) -> Result<String> {
    // Browsers send line breaks as CR LF; Markdown and programs expect LF.
    let content = text.replace("\r\n", "\n").replace('\r', "\n");
    match content.chars().count() {
        n if n > max => Err(too_long("content", max, n)),
        _ => Ok(content),
    }
}

fn too_long(field: &'static str, max: usize, actual: usize) -> Error {
    FieldError::new(field, Rule::TooLong).with("max", max).with("actual", actual).into()
}

//! When a post was saved while somebody else was editing it: what both wrote, as one text.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::error::{Error, Result};
use crate::models::base::actor::Actor;
use crate::models::base::diff::merge::{Marks, marks_left, merge, merge_without_base};
use crate::models::base::diff::{Diff, diff};
use crate::models::base::site::Site;
use crate::models::base::visible;
use crate::models::posts::edit;
use crate::models::posts::post::{Author, Post};
use crate::models::posts::post_input::{self, MAX_CONTENT_LENGTH, PostUpdate};
use crate::models::posts::{revision, tag_name};
use crate::validation::{FieldError, Rule};

/// What became of an edit.
pub enum Resolution {
    Saved(Box<Post>),
    /// Somebody else has saved meanwhile, and there is something to ask.
    Merge(Box<PostMerge>),
}

/// What two people made of a post, for the form that the second one sees.
#[derive(Debug, Serialize)]
pub struct PostMerge {
    /// The version that the form replaces when it is saved.
    pub version: i64,
    /// What the fields of the form have.
    pub fields: Fields,
    /// Whether both changed the title, so that somebody has to choose; the form has that of the one who
    /// sees it.
    pub title_differs: bool,
    pub tags_differ: bool,
    pub mine: Fields,
    pub theirs: Fields,
    /// Who saved the other version, if that is known, and when.
    pub editor: Option<Author>,
    pub written_at: DateTime<Utc>,
    #[serde(flatten)]
    pub texts: MergedTexts,
}

/// What is edited of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fields {
    pub title: String,
    pub content: String,
    pub tags: Vec<String>,
}

impl Fields {
    fn of(post: &Post) -> Fields {
        let (title, tags) = (post.summary.title.clone(), post.summary.tags.0.clone());
        Fields { title, content: post.content.clone(), tags }
    }

    /// What was typed, in the spelling in which it is saved; what is missing stays as it was.
    fn typed(input: &PostUpdate, before: &Fields) -> Result<Fields> {
        let title = input.title.as_deref().map(|text| visible::parse_line("title", text));
        let content = input.content.as_deref();
        let content = content.map(|text| post_input::parse_content(text, MAX_CONTENT_LENGTH));
        let tags = input.tags.as_deref().map(|texts| tag_name::parse("tags", texts));
        Ok(Fields {
            title: title.transpose()?.unwrap_or_else(|| before.title.clone()),
            content: content.transpose()?.unwrap_or_else(|| before.content.clone()),
            tags: tags.transpose()?.unwrap_or_else(|| before.tags.clone()),
        })
    }
}

/// Two texts as one, and how they came about.
#[derive(Debug, Serialize)]
pub struct MergedTexts {
    #[serde(skip)]
    pub text: String,
    /// Places where both stand, between marks.
    pub conflicts: usize,
    /// Whether it is known what both were made of.
    pub has_base: bool,
    /// What was changed by the other one; without a base, how the texts differ.
    pub their_changes: Diff,
    pub my_changes: Diff,
}

/// Merges two texts beside the threads that serve requests.
///
/// # Errors
/// `Unavailable` when too many others are waiting.
pub(super) async fn merge_texts(
    site: &Site,
    base: Option<String>,
    mine: String,
    theirs: String,
) -> Result<MergedTexts> {
    site.renderer
        .run(move || {
            let merged = match &base {
                Some(base) => merge(base, &mine, &theirs),
                None => merge_without_base(&mine, &theirs),
            };
            let (their_changes, my_changes) = match &base {
                Some(base) => (diff(base, &theirs), diff(base, &mine)),
                None => (diff(&theirs, &mine), Diff::default()),
            };
            let (text, conflicts, has_base) = (merged.text, merged.conflicts, base.is_some());
            MergedTexts { text, conflicts, has_base, their_changes, my_changes }
        })
        .await
}

/// A text that was merged and sent, beside the current one.
///
/// # Errors
/// As `merge_texts`.
pub(super) async fn compare_texts(
    site: &Site,
    text: String,
    theirs: String,
) -> Result<MergedTexts> {
    site.renderer
        .run(move || {
            let (conflicts, their_changes) = (marks_left(&text, &theirs), diff(&theirs, &text));
            let my_changes = Diff::default();
            MergedTexts { text, conflicts, has_base: false, their_changes, my_changes }
        })
        .await
}

/// Refuses a merged text in which marks are left.
///
/// # Errors
/// `Invalid`, about `content`.
pub(super) fn refuse_marks(text: Option<&str>, theirs: &str) -> Result<()> {
    match text.map_or(0, |text| marks_left(text, theirs)) {
        0 => Ok(()),
        left => Err(FieldError::new("content", Rule::Unmerged).with("count", left).into()),
    }
}

/// The value of the side that changed it, and whether both did.
fn choose<T: PartialEq + Clone>(base: Option<&T>, mine: &T, theirs: &T) -> (T, bool) {
    if base == Some(mine) || mine == theirs {
        return (theirs.clone(), false);
    }
    (mine.clone(), base != Some(theirs))
}

/// What was sent beside the current version.
async fn beside(
    site: &Site,
    current: &Post,
    base: Option<&Fields>,
    mine: Fields,
    texts: MergedTexts,
) -> Result<PostMerge> {
    let (theirs, version) = (Fields::of(current), current.summary.version);
    let (title, title_differs) = choose(base.map(|base| &base.title), &mine.title, &theirs.title);
    let (tags, tags_differ) = choose(base.map(|base| &base.tags), &mine.tags, &theirs.tags);
    let fields = Fields { title, content: texts.text.clone(), tags };
    let present = revision::find(site, current, version).await?.map(|found| found.summary);
    let written_at = current.summary.updated_at.unwrap_or(current.summary.created_at);
    let editor = present.and_then(|present| present.editor);
    Ok(PostMerge {
        version,
        fields,
        title_differs,
        tags_differ,
        mine,
        theirs,
        editor,
        written_at,
        texts,
    })
}

/// Saves an edit; if somebody else has saved meanwhile, both are merged.
///
/// # Errors
/// As `edit::update`, but for `VersionConflict`; `Invalid`, about `content`, when it has marks that are
/// refused.
pub async fn update(
    site: &Site,
    actor: &Actor,
    id: i64,
    input: &PostUpdate,
    marks: Marks,
) -> Result<Resolution> {
    if marks == Marks::Refused {
        let current = edit::editable(site, actor, id).await?;
        refuse_marks(input.content.as_deref(), &current.content)?;
    }
    match edit::update(site, actor, id, input).await {
        Err(Error::VersionConflict) => resolve(site, actor, id, input).await,
        other => Ok(Resolution::Saved(Box::new(other?))),
    }
}

/// What was merged, sent and refused, beside the current version; and the post.
///
/// # Errors
/// `NotFound`; `Forbidden`; `Unavailable` when too many others are waiting.
pub async fn compare(
    site: &Site,
    actor: &Actor,
    id: i64,
    input: &PostUpdate,
) -> Result<(Post, PostMerge)> {
    let current = edit::editable(site, actor, id).await?;
    let Fields { title, content, tags } = Fields::of(&current);
    let theirs = content.clone();
    // As it was typed, whatever is wrong with it.
    let line = |text: &String| visible::parse_line("title", text).unwrap_or_else(|_| text.clone());
    let names =
        |texts: &Vec<String>| tag_name::parse("tags", texts).unwrap_or_else(|_| texts.clone());
    let mine = Fields {
        title: input.title.as_ref().map_or(title, line),
        content: input.content.as_ref().map_or(content, |text| text.replace("\r\n", "\n")),
        tags: input.tags.as_ref().map_or(tags, names),
    };
    let texts = compare_texts(site, mine.content.clone(), theirs).await?;
    let merge = beside(site, &current, None, mine, texts).await?;
    Ok((current, merge))
}

/// Merges an edit that was refused because there is a newer version; saves it at once if that one says
/// nothing else than the version that was edited.
async fn resolve(site: &Site, actor: &Actor, id: i64, input: &PostUpdate) -> Result<Resolution> {
    loop {
        let current = edit::editable(site, actor, id).await?;
        let version = current.summary.version;
        let edited = match input.version {
            Some(number) => revision::find(site, &current, number).await?,
            None => None,
        };
        let base = edited.map(|edited| Fields {
            title: edited.summary.title,
            content: edited.content,
            tags: edited.tags.0,
        });
        let theirs = Fields::of(&current);
        let mine = Fields::typed(input, base.as_ref().unwrap_or(&theirs))?;
        // What is saved if the texts are settled: the rest of the form.
        let rest = || PostUpdate {
            title: None,
            content: None,
            tags: None,
            version: Some(version),
            ..input.clone()
        };
        let mut settled = None;
        if mine == theirs {
            settled = Some(rest());
        } else if base.as_ref() == Some(&theirs) {
            settled = Some(PostUpdate { version: Some(version), ..input.clone() });
        }
        if let Some(update) = settled {
            match save(site, actor, id, &update).await? {
                Some(resolution) => return Ok(resolution),
                None => continue,
            }
        }
        let content = base.as_ref().map(|base| base.content.clone());
        let texts =
            merge_texts(site, content, mine.content.clone(), theirs.content.clone()).await?;
        let merge = beside(site, &current, base.as_ref(), mine, texts).await?;
        if merge.fields == merge.theirs {
            match save(site, actor, id, &rest()).await? {
                Some(resolution) => return Ok(resolution),
                None => continue,
            }
        }
        return Ok(Resolution::Merge(Box::new(merge)));
    }
}

/// `None` if somebody has saved another version this moment.
async fn save(
    site: &Site,
    actor: &Actor,
    id: i64,
    update: &PostUpdate,
) -> Result<Option<Resolution>> {
    match edit::update(site, actor, id, update).await {
        Err(Error::VersionConflict) => Ok(None),
        other => Ok(Some(Resolution::Saved(Box::new(other?)))),
    }
}

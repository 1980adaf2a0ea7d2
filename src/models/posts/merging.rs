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
use crate::models::posts::publication_state::Visibility;
use crate::models::posts::revision::{self, PostRevision};
use crate::models::posts::tag_name;
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
    pub summary_differs: bool,
    /// Who may read it once the form is saved, unless somebody chooses otherwise.
    pub visibility: Visibility,
    /// Who may read it according to what was sent, if this was changed meanwhile.
    pub my_visibility: Option<Visibility>,
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
    pub summary: String,
}

impl Fields {
    fn of(post: &Post) -> Fields {
        let Post { summary, content, .. } = post;
        Fields {
            title: summary.title.clone(),
            content: content.clone(),
            tags: summary.tags.0.clone(),
            summary: summary.summary.clone(),
        }
    }

    /// What was typed, in the spelling in which it is saved; what is missing stays as it was.
    fn typed(input: &PostUpdate, before: &Fields) -> Result<Fields> {
        let title = input.title.as_deref().map(|text| visible::parse_line("title", text));
        let content = input.content.as_deref();
        let content = content.map(|text| post_input::parse_content(text, MAX_CONTENT_LENGTH));
        let tags = input.tags.as_deref().map(|texts| tag_name::parse("tags", texts));
        let summary = input.summary.as_deref().map(post_input::parse_summary);
        Ok(Fields {
            title: title.transpose()?.unwrap_or_else(|| before.title.clone()),
            content: content.transpose()?.unwrap_or_else(|| before.content.clone()),
            tags: tags.transpose()?.unwrap_or_else(|| before.tags.clone()),
            summary: summary.transpose()?.unwrap_or_else(|| before.summary.clone()),
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

/// Who is to read a post according to what was sent, as far as that is a wish: what the form had when it was
/// opened is none. And what was sent if somebody has to choose, since it was changed meanwhile.
fn wish(
    input: &PostUpdate,
    base: Option<Visibility>,
    theirs: Visibility,
) -> (Option<Visibility>, Option<Visibility>) {
    let typed = input.visibility.as_deref().and_then(|text| text.trim().parse().ok());
    match typed {
        Some(mine) if mine == theirs || Some(mine) == base => (None, None),
        Some(mine) if base != Some(theirs) => (None, Some(mine)),
        typed => (typed, None),
    }
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
    let (summary, summary_differs) =
        choose(base.map(|base| &base.summary), &mine.summary, &theirs.summary);
    let fields = Fields { title, content: texts.text.clone(), tags, summary };
    let present = revision::find(site, current, version).await?.map(|found| found.summary);
    let written_at = current.summary.updated_at.unwrap_or(current.summary.created_at);
    let editor = present.and_then(|present| present.editor);
    Ok(PostMerge {
        version,
        fields,
        title_differs,
        tags_differ,
        summary_differs,
        visibility: current.summary.visibility,
        my_visibility: None,
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
    let Fields { title, content, tags, summary } = Fields::of(&current);
    let theirs = content.clone();
    // As it was typed, whatever is wrong with it.
    let line = |text: &String| visible::parse_line("title", text).unwrap_or_else(|_| text.clone());
    let names =
        |texts: &Vec<String>| tag_name::parse("tags", texts).unwrap_or_else(|_| texts.clone());
    let mine = Fields {
        title: input.title.as_ref().map_or(title, line),
        content: input.content.as_ref().map_or(content, |text| text.replace("\r\n", "\n")),
        tags: input.tags.as_ref().map_or(tags, names),
        summary: input.summary.as_ref().map_or(summary, line),
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
        let theirs = Fields::of(&current);
        let base_visibility = edited.as_ref().and_then(PostRevision::visibility);
        let base = edited.map(|edited| Fields {
            title: edited.summary.title,
            content: edited.content,
            tags: edited.tags.0,
            // Of old versions it is not known; the history has what is replaced.
            summary: edited.line.unwrap_or_else(|| theirs.summary.clone()),
        });
        let mine = Fields::typed(input, base.as_ref().unwrap_or(&theirs))?;
        let (visibility, my_visibility) = wish(input, base_visibility, current.summary.visibility);
        let is_clear = my_visibility.is_none();
        // What is saved if nothing of it has to be decided.
        let whole = PostUpdate {
            visibility: visibility.map(|wanted| <&str>::from(wanted).to_owned()),
            version: Some(version),
            ..input.clone()
        };
        // The same if the texts are settled: the rest of the form.
        let rest = || PostUpdate {
            title: None,
            content: None,
            tags: None,
            summary: None,
            ..whole.clone()
        };
        let mut settled = None;
        if mine == theirs && is_clear {
            settled = Some(rest());
        } else if base.as_ref() == Some(&theirs) && is_clear {
            settled = Some(whole.clone());
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
        let mut merge = beside(site, &current, base.as_ref(), mine, texts).await?;
        merge.visibility = visibility.unwrap_or(merge.visibility);
        merge.my_visibility = my_visibility;
        if merge.fields == merge.theirs && is_clear {
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

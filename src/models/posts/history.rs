//! The history of a text: its versions, and one of them beside another. Posts and comments have one.

use serde::Serialize;

use crate::db::{Row, Statement};
use crate::error::{Error, Result};
use crate::models::base::diff::{Diff, diff};
use crate::models::base::page::{Column, Keyset, Page, PageParams};
use crate::models::base::site::Site;

/// What is edited, and whose versions are kept.
pub trait Versioned: Sync {
    type Version: Send;

    /// A version, if it is kept.
    fn version(
        &self,
        site: &Site,
        number: i64,
    ) -> impl Future<Output = Result<Option<Self::Version>>> + Send;

    /// The number of the version that this one replaced, if it is kept.
    fn previous(
        &self,
        site: &Site,
        number: i64,
    ) -> impl Future<Output = Result<Option<i64>>> + Send;

    /// The text of a version, in Markdown.
    fn text(version: &Self::Version) -> &str;

    /// The safe HTML of a text that was published before.
    fn html(site: &Site, text: &str) -> impl Future<Output = Result<String>> + Send;
}

/// A version as a page shows it: its text, or how it differs from another version.
#[derive(Debug, Serialize)]
pub struct VersionPage<V> {
    pub revision: V,
    /// The number of the version that it replaced, if that is kept.
    pub previous: Option<i64>,
    pub content_html: Option<String>,
    pub comparison: Option<Comparison<V>>,
}

/// How a version differs from another one.
#[derive(Debug, Serialize)]
pub struct Comparison<V> {
    pub with: V,
    pub diff: Diff,
}

/// A page of versions, latest first. `kept` ends inside WHERE of those in the table of versions, whose
/// numbers are in `column`; `present` adds the present one, and ends inside WHERE of all, as `v`.
///
/// # Errors
/// `Invalid`, about the page.
pub(super) async fn list<V: Row>(
    site: &Site,
    params: &PageParams,
    (kept, column): (Statement, Column),
    present: impl FnOnce(Statement) -> Statement,
    number: fn(&V) -> i64,
) -> Result<Page<V>> {
    let keyset = Keyset::<1>::new(params)?;
    let query = present(keyset.apply(kept, [column]).push(") AS kept UNION ALL "));
    let rows: Vec<V> = keyset.apply(query, [Column::Int("v.number")]).all(&site.db).await?;
    Ok(keyset.page(rows, |row| [number(row)]))
}

/// One version; with `compare`, what has changed since the version of that number, or since the previous
/// one, if it is empty.
///
/// # Errors
/// `NotFound`, also when a version is no longer kept, and when `compare` is no number.
pub(super) async fn read<T: Versioned>(
    site: &Site,
    of: &T,
    number: i64,
    compare: Option<&str>,
) -> Result<VersionPage<T::Version>> {
    let revision = find(site, of, number).await?;
    let previous = of.previous(site, number).await?;
    let other = match compare {
        None => None,
        Some("") => previous,
        Some(text) => Some(text.parse().map_err(|_| Error::NotFound)?),
    };
    let Some(other) = other else {
        let content_html = Some(T::html(site, T::text(&revision)).await?);
        return Ok(VersionPage { revision, previous, content_html, comparison: None });
    };
    let with = find(site, of, other).await?;
    let (old, new) = (T::text(&with).to_owned(), T::text(&revision).to_owned());
    let diff = site.renderer.run(move || diff(&old, &new)).await?;
    let comparison = Some(Comparison { with, diff });
    Ok(VersionPage { revision, previous, content_html: None, comparison })
}

async fn find<T: Versioned>(site: &Site, of: &T, number: i64) -> Result<T::Version> {
    of.version(site, number).await?.ok_or(Error::NotFound)
}

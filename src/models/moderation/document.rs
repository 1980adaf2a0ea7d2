//! The documents of the site: its rules and its privacy policy. Every version is kept.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::FromRow;
use strum::{EnumString, IntoStaticStr};

use crate::db::{Db, Tx, now, sql};
use crate::error::{Error, Result};
use crate::models::base::page::{Column, Keyset, Page, PageParams};
use crate::models::base::site::Site;
use crate::models::posts::rendering;
use crate::validation::{FieldError, Rule};

/// Maximum length in characters, like that of a post.
const MAX_LENGTH: usize = 100_000;

/// Which document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumString, IntoStaticStr)]
#[strum(serialize_all = "lowercase")]
pub enum DocumentName {
    Rules,
    Privacy,
}

/// A version of a document.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct Document {
    /// `rules` or `privacy`.
    #[schema(example = "rules")]
    pub name: String,
    /// Counts from 1.
    pub version: i64,
    /// Whether it is the version in force.
    pub current: bool,
    /// Markdown.
    #[schema(example = "Be kind.")]
    pub content: String,
    /// The content as safe HTML.
    #[schema(example = "<p>Be kind.</p>")]
    pub content_html: String,
    /// Since when it was in force.
    pub created_at: DateTime<Utc>,
}

/// A version of a document, for lists.
#[derive(Debug, Serialize, FromRow, utoipa::ToSchema)]
pub struct DocumentVersion {
    /// Counts from 1.
    pub version: i64,
    /// Whether the document was withdrawn with this version.
    pub withdrawn: bool,
    /// Since when it was in force.
    pub created_at: DateTime<Utc>,
}

const SELECT: &str = "SELECT d.name, d.version, d.content, d.content_html, d.created_at, \
     d.version = (SELECT max(version) FROM documents WHERE name = d.name) AS current \
     FROM documents d";

/// The version in force.
///
/// # Errors
/// `NotFound` when there is none.
pub async fn current(site: &Site, name: DocumentName) -> Result<Document> {
    let latest: Document = sql(SELECT)
        .push_bind(" WHERE d.name = ", <&str>::from(name))
        .push(" ORDER BY d.version DESC LIMIT 1")
        .one(&site.db)
        .await?;
    if latest.content.is_empty() { Err(Error::NotFound) } else { Ok(latest) }
}

/// Any version.
///
/// # Errors
/// `NotFound` when there is none, or when the document was withdrawn with it.
pub async fn version(site: &Site, name: DocumentName, version: i64) -> Result<Document> {
    let found: Document = sql(SELECT)
        .push_bind(" WHERE d.name = ", <&str>::from(name))
        .push_bind(" AND d.version = ", version)
        .one(&site.db)
        .await?;
    if found.content.is_empty() { Err(Error::NotFound) } else { Ok(found) }
}

/// All versions, latest first.
pub async fn versions(
    site: &Site,
    name: DocumentName,
    params: &PageParams,
) -> Result<Page<DocumentVersion>> {
    let keyset = Keyset::<1>::new(params)?;
    let query = sql("SELECT version, content = '' AS withdrawn, created_at FROM documents")
        .push_bind(" WHERE name = ", <&str>::from(name));
    let rows = keyset.apply(query, [Column::Int("version")]).all(&site.db).await?;
    Ok(keyset.page(rows, |row: &DocumentVersion| [row.version]))
}

/// The Markdown of the version in force; empty if there is none.
pub async fn content(db: &Db, name: DocumentName) -> Result<String> {
    let content: Option<String> = sql("SELECT content FROM documents WHERE name = $1 \
         ORDER BY version DESC LIMIT 1")
    .bind(<&str>::from(name))
    .optional_scalar(db)
    .await?;
    Ok(content.unwrap_or_default())
}

/// A new version that was rendered and not yet stored.
pub struct PreparedDocument {
    name: DocumentName,
    content: String,
    html: String,
}

impl PreparedDocument {
    pub fn name(&self) -> DocumentName {
        self.name
    }
}

/// Renders a new version, outside of transactions; blank text withdraws the document.
///
/// # Errors
/// `Invalid`, about the document's name, when it is too long or too complex.
pub async fn prepare(site: &Site, name: DocumentName, text: &str) -> Result<PreparedDocument> {
    let field: &'static str = name.into();
    let content = text.replace("\r\n", "\n").trim().to_owned();
    let actual = content.chars().count();
    if actual > MAX_LENGTH {
        let error = FieldError::new(field, Rule::TooLong);
        return Err(error.with("max", MAX_LENGTH).with("actual", actual).into());
    }
    let html = match content.is_empty() {
        true => String::new(),
        false => match rendering::render(site, &content).await {
            Ok(rendered) => rendered.html,
            Err(Error::Invalid(_)) => return Err(Error::invalid(field, Rule::TooComplex)),
            Err(error) => return Err(error),
        },
    };
    Ok(PreparedDocument { name, content, html })
}

/// Stores a new version, unless it equals the one in force; returns whether it did. The caller holds
/// the lock of the settings.
pub async fn save(tx: &mut Tx, prepared: PreparedDocument) -> Result<bool> {
    let name: &'static str = prepared.name.into();
    let latest: Option<(i64, String)> = sql("SELECT version, content FROM documents \
         WHERE name = $1 ORDER BY version DESC LIMIT 1")
    .bind(name)
    .optional(&mut *tx)
    .await?;
    let (version, content) = latest.unwrap_or_default();
    if content == prepared.content {
        return Ok(false);
    }
    sql("INSERT INTO documents (name, version, content, content_html, created_at) \
         VALUES ($1, $2, $3, $4, $5)")
    .bind(name)
    .bind(version + 1)
    .bind(prepared.content)
    .bind(prepared.html)
    .bind(now())
    .execute(tx)
    .await?;
    Ok(true)
}

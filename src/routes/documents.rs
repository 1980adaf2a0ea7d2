//! The rules of the site and its privacy policy, with all their versions.

use rocket::get;
use serde::Serialize;

use crate::models::base::page::{Page, PageParams};
use crate::models::base::site::Site;
use crate::models::moderation::document::{self, Document, DocumentName, DocumentVersion};
use crate::web::{self, Id, Query, list, page, room};

room! {
    tag: ("documents", "The rules and the privacy policy"),
    both: [rules, rules_versions, rules_version, privacy, privacy_versions, privacy_version],
}

const SHOW: &str = "documents/show.html";
const VERSIONS: &str = "documents/versions.html";

/// The versions of a document, latest first.
#[derive(Serialize, utoipa::ToSchema)]
pub struct DocumentVersions {
    /// `rules` or `privacy`.
    #[schema(example = "rules")]
    name: &'static str,
    #[serde(flatten)]
    page: Page<DocumentVersion>,
}

async fn versions(site: &Site, name: DocumentName, query: &PageParams) -> web::Result {
    let versions = document::versions(site, name, query).await?;
    let name = name.into();
    Ok(list(VERSIONS, versions, |page| DocumentVersions { name, page }))
}

/// Get the rules in force
///
/// 404 when the site has none.
#[utoipa::path(get, path = "/rules", operation_id = "getRules", tag = "documents", security(()),
    responses((status = 200, body = Document), (status = 404)))]
#[get("/rules")]
async fn rules(site: &Site) -> web::Result {
    Ok(page(SHOW, document::current(site, DocumentName::Rules).await?))
}

/// List the versions of the rules
///
/// Latest first, also those that were withdrawn.
#[utoipa::path(get, path = "/rules/versions", operation_id = "listRulesVersions", tag = "documents",
    security(()), params(PageParams),
    responses((status = 200, body = DocumentVersions)))]
#[get("/rules/versions")]
async fn rules_versions(query: Query<PageParams>, site: &Site) -> web::Result {
    versions(site, DocumentName::Rules, &query).await
}

/// Get a version of the rules
///
/// 404 also when the rules were withdrawn with this version.
#[utoipa::path(get, path = "/rules/versions/{id}", operation_id = "getRulesVersion",
    tag = "documents", security(()), params(("id" = i64, Path)),
    responses((status = 200, body = Document)))]
#[get("/rules/versions/<id>")]
async fn rules_version(id: Id, site: &Site) -> web::Result {
    Ok(page(SHOW, document::version(site, DocumentName::Rules, *id).await?))
}

/// Get the privacy policy in force
///
/// 404 when the site has none.
#[utoipa::path(get, path = "/privacy", operation_id = "getPrivacyPolicy", tag = "documents",
    security(()),
    responses((status = 200, body = Document), (status = 404)))]
#[get("/privacy")]
async fn privacy(site: &Site) -> web::Result {
    Ok(page(SHOW, document::current(site, DocumentName::Privacy).await?))
}

/// List the versions of the privacy policy
///
/// Latest first, also those that were withdrawn.
#[utoipa::path(get, path = "/privacy/versions", operation_id = "listPrivacyPolicyVersions",
    tag = "documents", security(()), params(PageParams),
    responses((status = 200, body = DocumentVersions)))]
#[get("/privacy/versions")]
async fn privacy_versions(query: Query<PageParams>, site: &Site) -> web::Result {
    versions(site, DocumentName::Privacy, &query).await
}

/// Get a version of the privacy policy
///
/// 404 also when the policy was withdrawn with this version.
#[utoipa::path(get, path = "/privacy/versions/{id}", operation_id = "getPrivacyPolicyVersion",
    tag = "documents", security(()), params(("id" = i64, Path)),
    responses((status = 200, body = Document)))]
#[get("/privacy/versions/<id>")]
async fn privacy_version(id: Id, site: &Site) -> web::Result {
    Ok(page(SHOW, document::version(site, DocumentName::Privacy, *id).await?))
}

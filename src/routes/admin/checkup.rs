//! The examination of the site, for admins.

use chrono::{DateTime, Duration, Utc};
use rocket::{get, post};
use serde::Serialize;

use crate::db::now;
use crate::models::base::actor::Admin;
use crate::models::base::site::Site;
use crate::models::moderation::checkup::{self, Finding, Report, Severity, worst};
use crate::web::response::messages;
use crate::web::{self, Flash, OrForm, gone, page, room};

room! {
    both: [show, create],
}

const PAGE: &str = "admin/checkup.html";

/// The latest examination of the site.
#[derive(Debug, Default, Serialize, utoipa::ToSchema)]
pub struct CheckupView {
    /// When an admin last asked for one; null if there was never one.
    requested_at: Option<DateTime<Utc>>,
    /// When the latest one was finished; null if none was.
    finished_at: Option<DateTime<Utc>>,
    /// Whether one was asked for and is not finished.
    running: bool,
    /// The most serious finding; null without any.
    worst: Option<Severity>,
    /// One for each check.
    findings: Vec<FindingView>,
}

/// The result of one check.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct FindingView {
    /// What was checked.
    #[schema(example = "Disk")]
    check: String,
    /// How serious it is.
    severity: Severity,
    /// Stable and machine-readable.
    #[schema(example = "disk-low")]
    code: &'static str,
    /// A sentence for people.
    #[schema(example = "The disk is filling up.")]
    message: String,
    /// Files, numbers, answers of servers.
    details: Vec<String>,
}

impl From<Finding> for FindingView {
    fn from(finding: Finding) -> FindingView {
        let code = finding.diagnosis.into();
        FindingView {
            check: messages::check(code),
            severity: finding.diagnosis.severity(),
            code,
            message: messages::diagnosis(code),
            details: finding.details,
        }
    }
}

/// After this time, in minutes, an examination that is not finished has failed.
const PATIENCE: i64 = 15;

impl From<Report> for CheckupView {
    fn from(report: Report) -> CheckupView {
        let is_recent = now() - report.requested_at < Duration::minutes(PATIENCE);
        CheckupView {
            requested_at: Some(report.requested_at),
            finished_at: report.finished_at,
            running: is_recent
                && report.finished_at.is_none_or(|finished| finished < report.requested_at),
            worst: (!report.findings.is_empty()).then(|| worst(&report.findings)),
            findings: report.findings.into_iter().map(FindingView::from).collect(),
        }
    }
}

async fn latest(site: &Site, admin: &Admin) -> web::Result<CheckupView> {
    Ok(checkup::latest(site, admin).await?.map(CheckupView::from).unwrap_or_default())
}

/// Get the latest examination of the site
///
/// `running` tells whether a newer one is under way.
#[utoipa::path(get, path = "/admin/checkup", operation_id = "getCheckup", tag = "admin",
    security(("oauth2" = ["admin"])),
    responses((status = 200, body = CheckupView)))]
#[get("/admin/checkup")]
async fn show(admin: Admin, site: &Site) -> web::Result {
    Ok(page(PAGE, latest(site, &admin).await?))
}

/// Ask for an examination of the site
///
/// It runs in the background: see `running` of the latest one.
#[utoipa::path(post, path = "/admin/checkup", operation_id = "requestCheckup", tag = "admin",
    security(("oauth2" = ["admin"])),
    responses((status = 204), (status = 429)))]
#[post("/admin/checkup")]
async fn create(admin: Admin, site: &Site) -> web::Result {
    let view = latest(site, &admin).await?;
    let requested = checkup::request(site, &admin).await;
    requested.or_form(PAGE, serde_json::json!(view))?;
    Ok(gone("/admin/checkup", Flash("checkup-requested")))
}

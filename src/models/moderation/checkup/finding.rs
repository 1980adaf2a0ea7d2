//! What an examination can find.

use serde::Serialize;
use strum::{EnumIter, EnumString, IntoStaticStr};

/// How serious a diagnosis is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, IntoStaticStr, utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum Severity {
    Ok,
    /// Something could be better, or cannot be checked.
    Warning,
    /// Something is broken.
    Failed,
}

/// What a check found. The first word of the name is the check; the text is `check-…` in
/// `locales/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter, EnumString, IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum Diagnosis {
    ConfigurationOk,
    ConfigurationUnwise,
    FilesOk,
    FilesOpen,
    FilesMended,
    DiskOk,
    DiskLow,
    DiskFull,
    DiskElsewhere,
    DatabaseOk,
    DatabaseDamaged,
    SchemaOk,
    SchemaOther,
    CountersOk,
    CountersWrong,
    CountersMended,
    SearchOk,
    SearchIncomplete,
    SearchMended,
    QueueOk,
    QueueLate,
    QueueFailures,
    AuditOk,
    AuditBroken,
    ClockOk,
    ClockDiffers,
    ClockSetBack,
    MailOk,
    MailMissing,
    MailUnreachable,
    AddressOk,
    AddressUnreachable,
    BackupOk,
    BackupOld,
    BackupMissing,
    BackupElsewhere,
    /// A check could not be carried out; the details name it.
    CheckFailed,
}

impl Diagnosis {
    pub fn severity(self) -> Severity {
        match self {
            Self::ConfigurationOk
            | Self::FilesOk
            | Self::FilesMended
            | Self::DiskOk
            | Self::DiskElsewhere
            | Self::DatabaseOk
            | Self::SchemaOk
            | Self::CountersOk
            | Self::CountersMended
            | Self::SearchOk
            | Self::SearchMended
            | Self::QueueOk
            | Self::AuditOk
            | Self::ClockOk
            | Self::MailOk
            | Self::AddressOk
            | Self::BackupOk
            | Self::BackupElsewhere => Severity::Ok,
            Self::ConfigurationUnwise
            | Self::FilesOpen
            | Self::DiskLow
            | Self::SchemaOther
            | Self::QueueFailures
            | Self::ClockSetBack
            | Self::MailMissing
            | Self::AddressUnreachable
            | Self::BackupOld
            | Self::BackupMissing => Severity::Warning,
            Self::DiskFull
            | Self::DatabaseDamaged
            | Self::CountersWrong
            | Self::SearchIncomplete
            | Self::QueueLate
            | Self::AuditBroken
            | Self::ClockDiffers
            | Self::MailUnreachable
            | Self::CheckFailed => Severity::Failed,
        }
    }
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub diagnosis: Diagnosis,
    /// What it is about, in the words of the system: files, numbers, answers.
    pub details: Vec<String>,
}

/// How many details of a finding are kept, and how many characters of each.
const MAX_DETAILS: usize = 10;
const MAX_DETAIL_LENGTH: usize = 300;

impl Finding {
    pub fn new(diagnosis: Diagnosis) -> Finding {
        Finding { diagnosis, details: Vec::new() }
    }

    /// With details; those that are too many or too long are cut.
    pub fn about(
        diagnosis: Diagnosis,
        details: impl IntoIterator<Item = impl ToString>,
    ) -> Finding {
        let cut = |detail: String| detail.chars().take(MAX_DETAIL_LENGTH).collect();
        let details =
            details.into_iter().take(MAX_DETAILS).map(|detail| cut(detail.to_string())).collect();
        Finding { diagnosis, details }
    }
}

/// The worst of some findings.
pub fn worst(findings: &[Finding]) -> Severity {
    let severities = findings.iter().map(|finding| finding.diagnosis.severity());
    severities.max().unwrap_or(Severity::Ok)
}

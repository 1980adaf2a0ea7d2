//! `postly doctor`.

use std::process::ExitCode;

use clap::Args;

use super::operator::{self, Access};
use crate::config::Config;
use crate::error::Fatal;
use crate::jobs::checkup::{Mending, examine};
use crate::jobs::mailer::Mailer;
use crate::models::moderation::checkup::{Finding, Severity, worst};
use crate::web::response::messages;

/// Checks the configuration, the files, the database, the mail server and the public address. Exits
/// with 0 when all is well, with 1 when something could be better, and with 2 when something is
/// broken.
#[derive(Args)]
pub struct DoctorArguments {
    /// Also mend what can be mended safely: the modes of files, numbers that can be counted again,
    /// and the index of the search
    #[arg(long)]
    fix: bool,
}

pub async fn run(config: &Config, arguments: &DoctorArguments) -> Result<ExitCode, Fatal> {
    let site = operator::site(config, Access::Existing).await?;
    let mail = config.mail.clone();
    let mailer = Mailer::new(mail.transport, mail.from, config.public_url.origin());
    let mending = if arguments.fix { Mending::WhatIsSafe } else { Mending::Nothing };
    let findings = examine(&site, &mailer, &config.surroundings()?, mending).await;
    site.db.close().await;
    findings.iter().for_each(print);
    Ok(exit_code(worst(&findings)))
}

/// That the configuration or the database cannot be read at all is a finding, too.
pub fn report(error: &Fatal) -> ExitCode {
    println!("failed   {error}");
    exit_code(Severity::Failed)
}

/// As of Nagios and its successors.
fn exit_code(severity: Severity) -> ExitCode {
    ExitCode::from(match severity {
        Severity::Ok => 0,
        Severity::Warning => 1,
        Severity::Failed => 2,
    })
}

fn print(finding: &Finding) {
    let severity: &str = finding.diagnosis.severity().into();
    println!("{severity:<8} {}", messages::diagnosis(finding.diagnosis.into()));
    for detail in &finding.details {
        // The words of a mail server or a file may contain anything.
        let detail: String = detail.chars().filter(|c| !c.is_control()).collect();
        println!("         - {detail}");
    }
}

//! Changing the settings of the site.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;

use crate::db::{Tx, sql};
use crate::error::{Error, Result};
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::actor::Admin;
use crate::models::base::form_value;
use crate::models::base::job;
use crate::models::base::rate_limit::{self, Budget};
use crate::models::base::settings::{
    RegistrationPolicy, SiteSettings, parse_site_name, parse_text,
};
use crate::models::base::site::Site;
use crate::models::moderation::document::{self, DocumentName};
use crate::models::posts::word_index;
use crate::validation::{FieldError, Rule, ValidationErrors};

pub(super) const CHANGED: EventKind = EventKind("settings.changed");

/// Maximum length of the description in characters: search engines show no more.
const MAX_DESCRIPTION_LENGTH: usize = 160;
/// Maximum length of the footer and of the announcement in characters.
const MAX_LINE_LENGTH: usize = 300;
/// Longest time for which an account can be new.
const MAX_NEW_DAYS: i64 = 365;
/// Highest limit for new accounts; without a special limit, the ordinary ones hold.
const MAX_NEW_QUOTA: i64 = 1_000;

/// Changes to the settings; missing fields stay unchanged.
#[derive(Debug, Default, Clone, Deserialize, utoipa::ToSchema)]
pub struct SettingsInput {
    /// 1 to 40 characters.
    #[schema(example = "Harbour Lights", nullable = false, min_length = 1, max_length = 40)]
    pub site_name: Option<String>,
    /// One line about the site; may be empty.
    #[schema(example = "News of the harbour", nullable = false, max_length = 160)]
    pub description: Option<String>,
    /// A BCP 47 tag.
    #[schema(example = "en", nullable = false, max_length = 100)]
    pub language: Option<String>,
    /// `#` and six hexadecimal digits; empty for the default.
    #[schema(example = "#9c2b1b", nullable = false, pattern = "^(#[0-9A-Fa-f]{6})?$")]
    pub accent: Option<String>,
    /// A line at the end of each page; may be empty.
    #[schema(example = "Run by the harbour office", nullable = false, max_length = 300)]
    pub footer: Option<String>,
    /// An announcement at the top of each page; may be empty.
    #[schema(example = "", nullable = false, max_length = 300)]
    pub banner: Option<String>,
    /// Who can register.
    #[schema(value_type = RegistrationPolicy, required = false)]
    pub registration: Option<String>,
    #[serde(default, deserialize_with = "form_value::boolean")]
    /// Whether registering requires an e-mail address.
    #[schema(nullable = false)]
    pub email_required: Option<bool>,
    #[serde(default, deserialize_with = "form_value::boolean")]
    /// Whether posting requires a confirmed e-mail address, except of admins.
    #[schema(nullable = false)]
    pub posting_needs_verified_email: Option<bool>,
    /// For how many days an account is new; 0 if never.
    #[schema(nullable = false, minimum = 0, maximum = 365, example = 0)]
    #[serde(default, deserialize_with = "form_value::number")]
    pub new_account_days: Option<i64>,
    /// How many posts a new account may publish in an hour; 0 for no special limit.
    #[schema(nullable = false, minimum = 0, maximum = 1000, example = 0)]
    #[serde(default, deserialize_with = "form_value::number")]
    pub new_account_posts: Option<i64>,
    /// How many votes a new account may cast in an hour; 0 for no special limit.
    #[schema(nullable = false, minimum = 0, maximum = 1000, example = 0)]
    #[serde(default, deserialize_with = "form_value::number")]
    pub new_account_votes: Option<i64>,
    /// Markdown, at most 100,000 characters; empty to withdraw the rules.
    #[schema(example = "Be kind.", nullable = false, max_length = 100_000)]
    pub rules: Option<String>,
    /// Markdown, at most 100,000 characters; empty to withdraw the policy.
    #[schema(example = "We keep no logs.", nullable = false, max_length = 100_000)]
    pub privacy: Option<String>,
}

/// The settings, as admins see them.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct SettingsView {
    #[serde(flatten)]
    pub settings: SiteSettings,
    /// The rules in Markdown; empty if there are none.
    pub rules: String,
    /// The privacy policy in Markdown; empty if there is none.
    pub privacy: String,
    /// Settings that cannot be changed here, with the environment variable that fixes each.
    pub fixed: BTreeMap<&'static str, &'static str>,
}

/// The settings in force.
pub async fn show(site: &Site, _: &Admin) -> Result<SettingsView> {
    site.settings.refresh(&site.db).await?;
    Ok(SettingsView {
        settings: SiteSettings::clone(&site.settings.current()),
        rules: document::content(&site.db, DocumentName::Rules).await?,
        privacy: document::content(&site.db, DocumentName::Privacy).await?,
        fixed: site.settings.fixed().variables().into_iter().collect(),
    })
}

/// Changes settings. In force immediately in this instance, and within a second in all others.
///
/// # Errors
/// `Invalid`, with the rule `fixed` for what the configuration has fixed; `TooManyRequests`.
pub async fn update(site: &Site, admin: &Admin, input: &SettingsInput) -> Result<SettingsView> {
    let budget = budget(site, admin);
    if let Some(budget) = &budget {
        rate_limit::check(&site.db, admin.caller(), budget).await?;
    }
    site.settings.refresh(&site.db).await?;
    let before = site.settings.current();
    let mut errors = ValidationErrors::default();
    let after = errors.collect(parse(&before, input))?.unwrap_or_default();
    errors.collect(refuse_fixed(site, &before, &after))?;
    let mut documents = Vec::new();
    for (name, text) in
        [(DocumentName::Rules, &input.rules), (DocumentName::Privacy, &input.privacy)]
    {
        if let Some(text) = text {
            documents.extend(errors.collect(document::prepare(site, name, text).await)?);
        }
    }
    errors.into_result()?;
    let changed = difference(&before, &after);
    let mut tx = site.db.begin().await?;
    // Locks the row: changes come one after the other.
    sql("UPDATE settings_version SET number = number + 1").execute(&mut tx).await?;
    let mut names: Vec<&str> = changed.iter().map(|(name, _)| *name).collect();
    store(&mut tx, &changed).await?;
    if names.contains(&"language") {
        // Words have other stems.
        job::enqueue(&mut tx, word_index::JOB, None, &()).await?;
    }
    for prepared in documents {
        let name = prepared.name();
        if document::save(&mut tx, prepared).await? {
            names.push(name.into());
        }
    }
    if !names.is_empty() {
        if let Some(budget) = &budget {
            rate_limit::charge(&mut tx, admin.caller(), budget).await?;
        }
        AuditEvent::new(CHANGED)
            .by(admin.user())
            .detail(names.join(", "))
            .write(&mut tx, admin.caller())
            .await?;
        tx.commit().await?;
    }
    show(site, admin).await
}

/// The limit for changes by this admin; none for the operator.
pub(super) fn budget(site: &Site, admin: &Admin) -> Option<Budget> {
    admin.user().map(|user| Budget::new(site.limits.settings, &user.id.to_string()))
}

/// What is stored in another way after the change.
pub(super) fn difference(
    before: &SiteSettings,
    after: &SiteSettings,
) -> Vec<(&'static str, String)> {
    let before = before.stored();
    let mut changed = after.stored();
    changed.retain(|setting| !before.contains(setting));
    changed
}

/// Stores settings under their names.
pub(super) async fn store(tx: &mut Tx, settings: &[(&'static str, String)]) -> Result<()> {
    for (name, value) in settings {
        sql("INSERT INTO settings (name, value) VALUES ($1, $2) \
             ON CONFLICT (name) DO UPDATE SET value = excluded.value")
        .bind(*name)
        .bind(value.as_str())
        .execute(&mut *tx)
        .await?;
    }
    Ok(())
}

/// The settings after the change.
pub(super) fn parse(before: &SiteSettings, input: &SettingsInput) -> Result<SiteSettings> {
    let mut errors = ValidationErrors::default();
    let mut after = before.clone();
    macro_rules! set {
        ($field:ident, $parse:expr) => {
            if let Some(given) = &input.$field
                && let Some(value) = errors.collect($parse(given))?
            {
                after.$field = value;
            }
        };
    }
    set!(site_name, |text: &String| parse_site_name(text));
    set!(description, |text: &String| parse_text("description", text, MAX_DESCRIPTION_LENGTH));
    set!(language, |text: &String| parse_language(text));
    set!(accent, |text: &String| parse_accent(text));
    set!(footer, |text: &String| parse_text("footer", text, MAX_LINE_LENGTH));
    set!(banner, |text: &String| parse_text("banner", text, MAX_LINE_LENGTH));
    set!(registration, |text: &String| parse_registration(text));
    set!(email_required, |value: &bool| Ok(*value));
    set!(posting_needs_verified_email, |value: &bool| Ok(*value));
    set!(new_account_days, |days: &i64| in_range("new_account_days", *days, MAX_NEW_DAYS));
    set!(new_account_posts, |quota: &i64| in_range("new_account_posts", *quota, MAX_NEW_QUOTA));
    set!(new_account_votes, |quota: &i64| in_range("new_account_votes", *quota, MAX_NEW_QUOTA));
    errors.into_result()?;
    Ok(after)
}

/// # Errors
/// `Invalid`, when a setting differs that the configuration has fixed.
pub(super) fn refuse_fixed(site: &Site, before: &SiteSettings, after: &SiteSettings) -> Result<()> {
    let (before, after) = (before.stored(), after.stored());
    let mut errors = ValidationErrors::default();
    for (name, variable) in site.settings.fixed().variables() {
        let is_same = before.iter().any(|setting| setting.0 == name && after.contains(setting));
        if !is_same {
            let variable = variable.to_owned();
            errors.add(FieldError::new(name, Rule::Fixed).with("variable", variable));
        }
    }
    errors.into_result()
}

fn parse_language(text: &str) -> Result<String> {
    let malformed = |_| Error::invalid("language", Rule::Malformed);
    text.trim().parse::<LanguageIdentifier>().map(|tag| tag.to_string()).map_err(malformed)
}

fn parse_accent(text: &str) -> Result<String> {
    let color = text.trim().to_lowercase();
    let is_color = color.strip_prefix('#').is_some_and(|digits| {
        digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit())
    });
    match is_color || color.is_empty() {
        true => Ok(color),
        false => Err(Error::invalid("accent", Rule::Malformed)),
    }
}

fn parse_registration(text: &str) -> Result<RegistrationPolicy> {
    text.parse().map_err(|_| Error::invalid("registration", Rule::Unknown))
}

fn in_range(field: &'static str, number: i64, max: i64) -> Result<i64> {
    match (0..=max).contains(&number) {
        true => Ok(number),
        false => {
            Err(FieldError::new(field, Rule::OutOfRange).with("min", 0i64).with("max", max).into())
        }
    }
}

//! The settings of the site that admins change in pages: their values, and a copy of them in memory.
//! `moderation::settings` changes them.

use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use strum::{EnumString, IntoStaticStr};

use crate::db::{Db, sql};
use crate::error::{Error, Result};
use crate::models::base::visible;
use crate::validation::{FieldError, Rule};

/// Who may register.
#[derive(
    Debug,
    Clone,
    Copy,
    Default,
    PartialEq,
    Eq,
    Serialize,
    Deserialize,
    EnumString,
    IntoStaticStr,
    utoipa::ToSchema,
)]
#[serde(rename_all = "lowercase")]
#[strum(serialize_all = "lowercase")]
pub enum RegistrationPolicy {
    /// Anybody.
    #[default]
    Open,
    /// Nobody: only the operator creates accounts.
    Closed,
}

/// The settings, with their defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct SiteSettings {
    /// The name of the site, in titles, e-mails and the API document.
    #[schema(example = "Harbour Lights")]
    pub site_name: String,
    /// One line about the site; may be empty.
    pub description: String,
    /// The language that people write in: a BCP 47 tag.
    #[schema(example = "en")]
    pub language: String,
    /// The colour of links and buttons, `#` and six hexadecimal digits; empty for the default.
    #[schema(example = "#9c2b1b")]
    pub accent: String,
    /// What the address of the logo ends with: `/logo?v=…`; empty without a logo.
    #[schema(example = "9f86d081884c7d65")]
    pub logo: String,
    /// A line at the end of each page; may be empty.
    pub footer: String,
    /// An announcement at the top of each page; may be empty.
    pub banner: String,
    /// Who can register.
    pub registration: RegistrationPolicy,
    /// Whether registering requires an e-mail address.
    pub email_required: bool,
    /// Whether posting requires a confirmed e-mail address, except of admins.
    pub posting_needs_verified_email: bool,
    /// For how many days an account is new; 0 if never.
    pub new_account_days: i64,
    /// How many posts a new account may publish in an hour; 0 for no special limit.
    pub new_account_posts: i64,
    /// How many votes a new account may cast in an hour; 0 for no special limit.
    pub new_account_votes: i64,
}

impl Default for SiteSettings {
    fn default() -> SiteSettings {
        SiteSettings {
            site_name: "Postly".to_owned(),
            description: String::new(),
            language: "en".to_owned(),
            accent: String::new(),
            logo: String::new(),
            footer: String::new(),
            banner: String::new(),
            registration: RegistrationPolicy::Open,
            email_required: false,
            posting_needs_verified_email: false,
            new_account_days: 7,
            new_account_posts: 0,
            new_account_votes: 0,
        }
    }
}

impl SiteSettings {
    /// Every setting as it is stored.
    pub fn stored(&self) -> Vec<(&'static str, String)> {
        vec![
            ("site_name", self.site_name.clone()),
            ("description", self.description.clone()),
            ("language", self.language.clone()),
            ("accent", self.accent.clone()),
            ("logo", self.logo.clone()),
            ("footer", self.footer.clone()),
            ("banner", self.banner.clone()),
            ("registration", <&str>::from(self.registration).to_owned()),
            ("email_required", self.email_required.to_string()),
            ("posting_needs_verified_email", self.posting_needs_verified_email.to_string()),
            ("new_account_days", self.new_account_days.to_string()),
            ("new_account_posts", self.new_account_posts.to_string()),
            ("new_account_votes", self.new_account_votes.to_string()),
        ]
    }

    /// Sets what is stored under a name. What cannot be read keeps its default: a newer version may
    /// have written it.
    fn restore(&mut self, name: &str, value: String) {
        macro_rules! parse {
            ($field:ident) => {
                if let Ok(value) = value.parse() {
                    self.$field = value;
                }
            };
        }
        match name {
            "site_name" => self.site_name = value,
            "description" => self.description = value,
            "language" => self.language = value,
            "accent" => self.accent = value,
            "logo" => self.logo = value,
            "footer" => self.footer = value,
            "banner" => self.banner = value,
            "registration" => parse!(registration),
            "email_required" => parse!(email_required),
            "posting_needs_verified_email" => parse!(posting_needs_verified_email),
            "new_account_days" => parse!(new_account_days),
            "new_account_posts" => parse!(new_account_posts),
            "new_account_votes" => parse!(new_account_votes),
            _ => {}
        }
    }
}

/// Maximum length of the site's name in characters.
const MAX_NAME_LENGTH: usize = 40;

/// Parses the name of the site.
///
/// # Errors
/// `Invalid`, about `site_name`.
pub fn parse_site_name(text: &str) -> Result<String> {
    match parse_text("site_name", text, MAX_NAME_LENGTH)? {
        name if name.is_empty() => Err(Error::invalid("site_name", Rule::Required)),
        name => Ok(name),
    }
}

/// Parses a line of text, which may be empty.
///
/// # Errors
/// `Invalid`, about `field`.
pub fn parse_text(field: &'static str, text: &str, max: usize) -> Result<String> {
    let line = visible::parse_line(field, text)?;
    match line.chars().count() {
        actual if actual > max => Err(FieldError::new(field, Rule::TooLong)
            .with("max", max)
            .with("actual", actual)
            .into()),
        _ => Ok(line),
    }
}

/// The settings that the operator has fixed in the configuration.
#[derive(Debug, Clone, Default)]
pub struct FixedSettings {
    pub site_name: Option<String>,
    pub registration: Option<RegistrationPolicy>,
    pub email_required: Option<bool>,
    pub posting_needs_verified_email: Option<bool>,
}

impl FixedSettings {
    fn apply(&self, settings: &mut SiteSettings) {
        let FixedSettings { site_name, registration, email_required, posting_needs_verified_email } =
            self.clone();
        if let Some(name) = site_name {
            settings.site_name = name;
        }
        if let Some(registration) = registration {
            settings.registration = registration;
        }
        if let Some(required) = email_required {
            settings.email_required = required;
        }
        if let Some(needed) = posting_needs_verified_email {
            settings.posting_needs_verified_email = needed;
        }
    }

    /// The names of the fixed settings, with the environment variables that fix them.
    pub fn variables(&self) -> Vec<(&'static str, &'static str)> {
        let all = [
            (self.site_name.is_some(), "site_name", "POSTLY_SITE_NAME"),
            (self.registration.is_some(), "registration", "POSTLY_REGISTRATION"),
            (self.email_required.is_some(), "email_required", "POSTLY_EMAIL_REQUIRED"),
            (
                self.posting_needs_verified_email.is_some(),
                "posting_needs_verified_email",
                "POSTLY_POSTING_NEEDS_VERIFIED_EMAIL",
            ),
        ];
        all.into_iter().filter(|(is_fixed, ..)| *is_fixed).map(|(_, name, v)| (name, v)).collect()
    }
}

/// The settings as this instance knows them. Cheap to clone.
#[derive(Clone)]
pub struct Settings {
    fixed: Arc<FixedSettings>,
    known: Arc<RwLock<Known>>,
}

/// What was last read from the database.
#[derive(Clone, Default)]
struct Known {
    /// 0 before the first time.
    version: i64,
    settings: Arc<SiteSettings>,
    documents: Arc<Vec<String>>,
}

#[derive(FromRow)]
struct SettingRow {
    name: String,
    value: String,
}

impl Settings {
    /// The defaults, until they are read.
    pub fn new(fixed: FixedSettings) -> Settings {
        let mut settings = SiteSettings::default();
        fixed.apply(&mut settings);
        let known = Known { settings: Arc::new(settings), ..Known::default() };
        Settings { fixed: Arc::new(fixed), known: Arc::new(RwLock::new(known)) }
    }

    /// The settings in force.
    pub fn current(&self) -> Arc<SiteSettings> {
        self.known().settings
    }

    /// The names of the documents in force, such as `rules`.
    pub fn documents(&self) -> Arc<Vec<String>> {
        self.known().documents
    }

    /// Increases with each change of the settings that this instance has read.
    pub fn version(&self) -> i64 {
        self.known.read().unwrap_or_else(PoisonError::into_inner).version
    }

    pub fn fixed(&self) -> &FixedSettings {
        &self.fixed
    }

    fn known(&self) -> Known {
        self.known.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the settings if they have changed since the last time.
    ///
    /// # Errors
    /// When the database cannot be read; the known settings stay in force.
    pub async fn refresh(&self, db: &Db) -> Result<()> {
        // Read first: a change that comes in between is noticed the next time.
        let version: i64 = sql("SELECT number FROM settings_version").scalar(db).await?;
        if version == self.known().version {
            return Ok(());
        }
        let rows: Vec<SettingRow> = sql("SELECT name, value FROM settings").all(db).await?;
        let mut settings = SiteSettings::default();
        for SettingRow { name, value } in rows {
            settings.restore(&name, value);
        }
        self.fixed.apply(&mut settings);
        // Of each document, the latest version alone: there may be many.
        let documents: Vec<(String,)> = sql("SELECT names.name FROM \
             (SELECT 'privacy' AS name UNION ALL SELECT 'rules') AS names \
             WHERE (SELECT d.content FROM documents d WHERE d.name = names.name \
             ORDER BY d.version DESC LIMIT 1) <> ''")
        .all(db)
        .await?;
        let documents = documents.into_iter().map(|(name,)| name).collect();
        let known = Known { version, settings: Arc::new(settings), documents: Arc::new(documents) };
        let mut current = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // A slower reader must not bring older settings back.
        if known.version > current.version {
            *current = known;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_restored() {
        let settings = SiteSettings {
            site_name: "Harbour".to_owned(),
            registration: RegistrationPolicy::Closed,
            email_required: true,
            new_account_posts: 3,
            ..SiteSettings::default()
        };
        let mut restored = SiteSettings::default();
        for (name, value) in settings.stored() {
            restored.restore(name, value);
        }
        assert_eq!(restored, settings);
        restored.restore("registration", "by telegram".to_owned());
        restored.restore("from_the_future", "1".to_owned());
        assert_eq!(restored, settings, "what cannot be read changes nothing");
    }
}

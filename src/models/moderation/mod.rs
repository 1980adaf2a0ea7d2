//! Moderation: user administration, the settings of the site, its documents, and its first run.

pub mod administration;
pub mod document;
pub mod first_run;
pub mod overview;
pub mod settings;

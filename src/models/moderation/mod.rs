//! Moderation: user administration, the settings of the site, its documents, its
//! first run, and the demo.

pub mod administration;
pub mod bulk;
pub mod census;
pub mod checkup;
pub mod demo;
pub mod document;
pub mod first_run;
pub mod logo;
pub mod overview;
pub mod settings;

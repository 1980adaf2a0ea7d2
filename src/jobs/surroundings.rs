//! What surrounds a site, for the job that examines it.

use std::path::PathBuf;

/// What surrounds a site: as far as its configuration tells.
#[derive(Debug, Clone)]
pub struct Surroundings {
    pub database_url: String,
    /// Files and folders that only their owner may read.
    pub private: Vec<PathBuf>,
    /// Where the database and generated files are; none if PostgreSQL has everything.
    pub folder: Option<PathBuf>,
    /// The public origin of the site.
    pub origin: String,
    /// What is unwise about the configuration, in sentences.
    pub advice: Vec<String>,
}

//! Lists that can be searched.

use serde::{Deserialize, Serialize};

use super::reply::{Reply, page};
use crate::models::page::{Asked, Page};

/// A search in a list.
#[derive(Debug, Default, Deserialize)]
pub struct Search {
    pub q: Option<String>,
    #[serde(flatten)]
    pub part: Asked,
}

/// A list with what was searched for.
#[derive(Serialize)]
struct Found<T> {
    #[serde(flatten)]
    page: Page<T>,
    q: Option<String>,
}

impl Search {
    /// The list as a page, or as data with links to its neighbours.
    pub fn reply<T: Serialize + Send + 'static>(
        self,
        template: &'static str,
        found: Page<T>,
    ) -> Reply {
        let (previous, next) = (found.previous.clone(), found.next.clone());
        page(template, Found { page: found, q: self.q }).between(previous, next)
    }
}

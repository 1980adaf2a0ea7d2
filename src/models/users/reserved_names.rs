//! Usernames that nobody can register: those that seem to speak for the site, and words of its
//! addresses. Admins' tools and the command line may use them.

use std::sync::Arc;

use crate::models::users::skeleton::Skeletons;

const ALWAYS: &str = "about abuse account admin administrator anonymous api auth contact dashboard docs \
    everyone feed guest health help hostmaster info login logout mail me mod moderator new news nobody \
    noreply no-reply null official operator owner postly postmaster posts privacy register reset root \
    security settings site staff static sudo support system team terms undefined user users webmaster www";

/// The reserved names. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReservedNames(Arc<[Skeletons]>);

impl ReservedNames {
    /// The names that are always reserved, and `more`, separated by commas or spaces.
    pub fn new(more: &str) -> ReservedNames {
        let names = ALWAYS.split_whitespace().chain(more.split([',', ' ']));
        let names = names.filter(|name| !name.is_empty());
        let spellings = names.flat_map(|name| [name.to_owned(), name.to_uppercase()]);
        ReservedNames(spellings.map(|name| Skeletons::of(&name)).collect())
    }

    /// Whether the name is reserved, or looks like a reserved one.
    pub fn contain(&self, username: &str) -> bool {
        let skeletons = Skeletons::of(username);
        self.0.iter().any(|reserved| {
            reserved.folded == skeletons.folded || reserved.as_written == skeletons.as_written
        })
    }
}

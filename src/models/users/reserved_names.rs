//! Usernames that nobody can register: those that seem to speak for the site, and words of its
//! addresses. Admins' tools and the command line may use them.

use std::sync::Arc;

use unicode_security::skeleton;

use crate::models::users::user;

const ALWAYS: &str = "about abuse account admin administrator anonymous api auth contact dashboard docs \
    everyone feed guest health help hostmaster info login logout mail me mod moderator new news nobody \
    noreply no-reply null official operator owner postly postmaster posts privacy register reset root \
    security settings site staff static sudo support system team terms undefined user users webmaster www";

/// The reserved names. Cheap to clone.
#[derive(Debug, Clone)]
pub struct ReservedNames(Arc<[String]>);

impl ReservedNames {
    /// The names that are always reserved, and `more`, separated by commas or spaces.
    pub fn new(more: &str) -> ReservedNames {
        let names = ALWAYS.split_whitespace().chain(more.split([',', ' ']));
        ReservedNames(names.filter(|name| !name.is_empty()).map(look).collect())
    }

    /// Whether the name is reserved, or looks like a reserved one in letters of another script.
    pub fn contain(&self, username: &str) -> bool {
        self.0.contains(&look(username))
    }
}

/// What a name looks like: its skeleton (UTS #39), in lower case.
fn look(name: &str) -> String {
    skeleton(&user::canonical(name)).collect()
}

//! Devices that have logged in before. A known device has a budget of failed log-ins of its own for
//! each of its accounts, so that strangers who guess cannot keep the owner out (OWASP, "Slow Down
//! Online Guessing Attacks with Device Cookies").
//!
//! A device is known by a token that only this site can read or make: sealed, so that it reveals no
//! account. It is a browser's cookie, or the `device_token` of a program. It opens nothing by
//! itself.

use chrono::Duration;
use serde::{Deserialize, Serialize};

use crate::db::now;
use crate::error::{Error, Result};
use crate::models::accounts::identity::Identity;
use crate::models::base::keys::Keys;
use crate::models::base::random;

/// How long a device is remembered after a log-in.
pub fn lifetime() -> Duration {
    Duration::days(365)
}

/// How many accounts of one device are remembered; the oldest is forgotten.
const MAX_ACCOUNTS: usize = 8;

/// The place of a sealed token (see `Keys::seal`).
const PLACE: &str = "device";

/// A device, as its token describes it.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct Device {
    /// Random; identifies the budget.
    id: String,
    accounts: Vec<KnownAccount>,
}

#[derive(Debug, Serialize, Deserialize)]
struct KnownAccount {
    user_id: i64,
    /// SHA-256 of the stored password hash: with a new password, no device is known any more.
    stamp: String,
    /// When it was last logged in to, in seconds since 1970.
    at: i64,
}

impl Device {
    /// The device with this token; without a valid one, a device that knows no account.
    pub fn read(keys: &Keys, token: Option<&str>) -> Device {
        token
            .and_then(|token| keys.open(PLACE, token))
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// The id, if the device has logged in to this account, whose password hash is still the same.
    pub fn id_for(&self, user_id: i64, password_hash: &str) -> Option<&str> {
        let oldest = (now() - lifetime()).timestamp();
        let stamp = random::sha256(password_hash);
        self.accounts
            .iter()
            .any(|known| known.user_id == user_id && known.stamp == stamp && known.at > oldest)
            .then_some(self.id.as_str())
    }
}

/// The token of the device after a log-in; `previous` is the token that it had before.
pub fn remember(keys: &Keys, previous: Option<&str>, identity: &Identity) -> Result<String> {
    let mut device = Device::read(keys, previous);
    if device.id.is_empty() {
        device.id = random::id()?;
    }
    device.accounts.retain(|known| known.user_id != identity.user.id);
    if device.accounts.len() >= MAX_ACCOUNTS {
        device.accounts.remove(0);
    }
    device.accounts.push(KnownAccount {
        user_id: identity.user.id,
        stamp: random::sha256(&identity.password_hash),
        at: now().timestamp(),
    });
    let bytes = serde_json::to_vec(&device).map_err(|e| Error::Internal(e.to_string()))?;
    keys.seal(PLACE, &bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::users::user::{Role, User};

    fn keys() -> Keys {
        Keys::new("p7Jb1xkQ0vZr8mTn3wYc5uHd9sLf2aGe6", &[], "https://posts.example")
    }

    fn identity(id: i64, password_hash: &str) -> Identity {
        let user = User { id, username: format!("user{id}"), role: Role::User };
        Identity { user, password_hash: password_hash.to_owned() }
    }

    #[test]
    fn a_device_is_known_to_its_accounts_until_their_passwords_change() {
        let ann = remember(&keys(), None, &identity(1, "hash")).unwrap();
        let both = remember(&keys(), Some(&ann), &identity(2, "other")).unwrap();
        let id = |token: &str, user_id, hash| {
            Device::read(&keys(), Some(token)).id_for(user_id, hash).map(str::to_owned)
        };
        assert!(id(&ann, 1, "hash").is_some());
        assert_eq!(id(&ann, 2, "other"), None);
        assert_eq!(id(&ann, 2, "hash"), None, "whatever their passwords are");
        assert_eq!(id(&both, 1, "hash"), id(&ann, 1, "hash"), "it stays the same device");
        assert_eq!(id(&both, 2, "other"), id(&ann, 1, "hash"));
        assert_eq!(id(&both, 1, "new hash"), None);
        let other = remember(&keys(), None, &identity(1, "hash")).unwrap();
        assert_ne!(id(&other, 1, "hash"), id(&ann, 1, "hash"), "devices differ");
        let mut forged = ann.clone();
        forged.pop();
        for forged in ["", "x.y", &forged] {
            assert_eq!(id(forged, 1, "hash"), None, "{forged}");
        }
    }

    #[test]
    fn a_device_of_many_accounts_forgets_the_oldest() {
        let mut token = None;
        for user_id in 0..20 {
            token = Some(remember(&keys(), token.as_deref(), &identity(user_id, "x")).unwrap());
        }
        let device = Device::read(&keys(), token.as_deref());
        let known: Vec<i64> =
            (0..20).filter(|user_id| device.id_for(*user_id, "x").is_some()).collect();
        assert_eq!(known, [12, 13, 14, 15, 16, 17, 18, 19]);
        // Browsers keep cookies of at most 4 KiB.
        assert!(token.unwrap().len() < 2_000);
    }
}

//! The site's keys: they sign tokens, seal (encrypt) stored secrets, and derive values that only
//! this site can compute.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use jsonwebtoken::{DecodingKey, EncodingKey};

use crate::error::{Error, Result};
use crate::models::base::random;

/// The newest key signs and seals; all of them verify and open.
pub struct Keys {
    newest: Key,
    older: Vec<Key>,
    issuer: String,
}

struct Key {
    id: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    deriving: hmac::Key,
}

impl Key {
    fn new(secret: &str) -> Key {
        Key {
            id: key_id(secret),
            signing: EncodingKey::from_secret(secret.as_bytes()),
            verifying: DecodingKey::from_secret(secret.as_bytes()),
            deriving: hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
        }
    }

    fn derive(&self, purpose: &str, text: &str) -> String {
        let tag = hmac::sign(&self.deriving, for_purpose(purpose, text).as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(tag)
    }

    /// The key for sealing: different from the signing key, but derived from the same secret; and
    /// from one that the site does not keep, if there is one.
    fn sealing(&self, with: &str) -> Result<RandomizedNonceKey, aws_lc_rs::error::Unspecified> {
        let key = match with {
            "" => hmac::sign(&self.deriving, b"postly/seal/v1"),
            with => hmac::sign(&self.deriving, for_purpose("seal-with", with).as_bytes()),
        };
        RandomizedNonceKey::new(&AES_256_GCM, key.as_ref())
    }
}

/// What is signed for a purpose.
fn for_purpose(purpose: &str, text: &str) -> String {
    format!("postly/{purpose}/v1\n{text}")
}

/// The `kid` of a secret: 64 bits of its SHA-256.
pub fn key_id(secret: &str) -> String {
    random::sha256(secret)[..16].to_owned()
}

impl Keys {
    /// `issuer` is the site's public origin.
    pub fn new(newest: &str, older: &[String], issuer: &str) -> Keys {
        Keys {
            newest: Key::new(newest),
            older: older.iter().map(|secret| Key::new(secret)).collect(),
            issuer: issuer.to_owned(),
        }
    }

    /// The `iss` of tokens.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key that signs tokens, and its `kid`.
    pub fn signing(&self) -> (&str, &EncodingKey) {
        (&self.newest.id, &self.newest.signing)
    }

    /// The key with this `kid`, if it is one of ours.
    pub fn verifying(&self, kid: &str) -> Option<&DecodingKey> {
        self.all().find(|key| key.id == kid).map(|key| &key.verifying)
    }

    /// A secret value that only this site can compute from `text`: HMAC-SHA-256 in base64url.
    /// `purpose` separates the values of different uses.
    pub fn derive(&self, purpose: &str, text: &str) -> String {
        self.newest.derive(purpose, text)
    }

    /// What `derive` returns, and what it returned with each older key.
    pub fn derive_with_all(&self, purpose: &str, text: &str) -> impl Iterator<Item = String> {
        self.all().map(move |key| key.derive(purpose, text))
    }

    /// The id of the key that `derive` uses.
    pub fn newest_id(&self) -> &str {
        &self.newest.id
    }

    /// The ids of all keys, the newest first.
    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.all().map(|key| key.id.as_str())
    }

    /// Whether `derive` returned `value` when the key with this id was the newest; `None` when it
    /// is not one of ours.
    pub fn verify(&self, purpose: &str, text: &str, id: &str, value: &str) -> Option<bool> {
        let key = self.all().find(|key| key.id == id)?;
        let text = for_purpose(purpose, text);
        let tag = BASE64_URL_SAFE_NO_PAD.decode(value).unwrap_or_default();
        Some(hmac::verify(&key.deriving, text.as_bytes(), &tag).is_ok())
    }

    /// Seals bytes for storage (AES-256-GCM, with a key derived from the newest secret). They can
    /// be opened only with the same `place`, the associated data.
    pub fn seal(&self, place: &str, bytes: &[u8]) -> Result<String> {
        self.seal_with("", place, bytes)
    }

    /// Opens what was sealed; `None` when it was sealed at another place, or with a key that no
    /// longer exists.
    pub fn open(&self, place: &str, sealed: &str) -> Option<Vec<u8>> {
        self.open_with("", place, sealed)
    }

    /// `seal` with a key that is also derived from `secret`, which the site does not keep: even the
    /// operator cannot open it.
    pub fn seal_with(&self, secret: &str, place: &str, bytes: &[u8]) -> Result<String> {
        let failed = |_| Error::Internal("sealing failed".to_owned());
        let mut text = bytes.to_vec();
        let key = self.newest.sealing(secret).map_err(failed)?;
        let nonce = key.seal_in_place_append_tag(Aad::from(place), &mut text).map_err(failed)?;
        let sealed = [nonce.as_ref().as_slice(), &text].concat();
        Ok(format!("{}.{}", self.newest.id, BASE64_URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// Opens what `seal_with` has sealed; `None` also with another secret.
    pub fn open_with(&self, secret: &str, place: &str, sealed: &str) -> Option<Vec<u8>> {
        let (id, text) = sealed.split_once('.')?;
        let key = self.all().find(|key| key.id == id)?.sealing(secret).ok()?;
        let mut text = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
        if text.len() < NONCE_LEN {
            return None;
        }
        let nonce = Nonce::try_assume_unique_for_key(&text[..NONCE_LEN]).ok()?;
        let opened = key.open_in_place(nonce, Aad::from(place), &mut text[NONCE_LEN..]).ok()?;
        Some(opened.to_vec())
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.newest).chain(&self.older)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "p7Jb1xkQ0vZr8mTn3wYc5uHd9sLf2aGe6";

    fn keys() -> Keys {
        Keys::new(SECRET, &[], "https://posts.example")
    }

    #[test]
    fn what_is_sealed_opens_at_its_place_with_its_key_only() {
        let sealed = keys().seal("a/1", b"secret").unwrap();
        assert!(!sealed.contains("secret"));
        assert_eq!(keys().open("a/1", &sealed).as_deref(), Some(&b"secret"[..]));
        assert_eq!(keys().open("a/2", &sealed), None);
        const SECOND: &str = "Zq8Wn3vKc6Rt1yUj5oPx9aSd2fGh4mLe7";
        assert_eq!(Keys::new(SECOND, &[], "x").open("a/1", &sealed), None);
        assert!(Keys::new(SECOND, &[SECRET.to_owned()], "x").open("a/1", &sealed).is_some());
        let with = keys().seal_with("word", "a/1", b"secret").unwrap();
        assert_eq!(keys().open_with("word", "a/1", &with).as_deref(), Some(&b"secret"[..]));
        assert_eq!(
            (keys().open("a/1", &with), keys().open_with("other", "a/1", &with)),
            (None, None)
        );
        for broken in ["", ".", "x.y", &sealed[..20], &format!("{sealed}A")] {
            assert_eq!(keys().open("a/1", broken), None, "{broken}");
        }
    }

    #[test]
    fn derived_values_differ_by_purpose_text_and_key() {
        let keys = keys();
        assert_eq!(keys.derive("a", "x"), keys.derive("a", "x"));
        assert_ne!(keys.derive("a", "x"), keys.derive("b", "x"));
        assert_ne!(keys.derive("a", "x"), keys.derive("a", "y"));
    }

    #[test]
    fn derived_values_are_verified_with_the_key_of_their_time() {
        let (old, value) = (keys(), keys().derive("a", "x"));
        let new = Keys::new("Zq8Wn3vKc6Rt1yUj5oPx9aSd2fGh4mLe7", &[SECRET.to_owned()], "x");
        assert_eq!(new.verify("a", "x", old.newest_id(), &value), Some(true));
        assert_eq!(new.verify("a", "y", old.newest_id(), &value), Some(false));
        assert_eq!(new.verify("b", "x", old.newest_id(), &value), Some(false));
        assert_eq!(new.verify("a", "x", new.newest_id(), &value), Some(false));
        assert_eq!(old.verify("a", "x", new.newest_id(), &value), None, "not its key");
    }
}

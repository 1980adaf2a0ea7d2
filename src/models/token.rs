//! Access tokens: JSON Web Tokens (RFC 7519), signed with HMAC-SHA-256 and nothing else.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::hmac;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::models::secret;

/// Seconds by which the clocks of two instances may differ.
const LEEWAY: u64 = 5;

/// At which door a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// In the cookie, at the page door.
    Page,
    /// As bearer token, at the API door.
    Api,
}

impl Audience {
    fn as_str(self) -> &'static str {
        match self {
            Audience::Page => "postly:page",
            Audience::Api => "postly:api",
        }
    }

    /// What sessions of this kind are called.
    pub fn door(self) -> &'static str {
        match self {
            Audience::Page => "page",
            Audience::Api => "api",
        }
    }

    /// How long a token lasts. The session behind it may end earlier.
    pub fn lifetime(self) -> Duration {
        match self {
            Audience::Page => Duration::hours(24),
            Audience::Api => Duration::minutes(10),
        }
    }
}

/// What a token says. `sid` names the session row, which alone decides.
#[derive(Debug, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    sub: String,
    pub sid: String,
    typ: String,
    iat: i64,
    exp: i64,
}

/// The `typ` of the only tokens that open a door.
const ACCESS: &str = "access";

impl Claims {
    /// The user's id.
    pub fn user_id(&self) -> Result<i64> {
        self.sub.parse().map_err(|_| REFUSED)
    }

    pub fn issued_at(&self) -> DateTime<Utc> {
        DateTime::from_timestamp(self.iat, 0).unwrap_or_default()
    }
}

/// The signing keys: the first one signs, all of them verify.
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
}

impl Key {
    /// The key for sealing: another one than for signing, derived from the same secret.
    fn sealing(&self) -> Result<RandomizedNonceKey, aws_lc_rs::error::Unspecified> {
        let key = hmac::sign(&self.deriving, b"postly/seal/v1");
        RandomizedNonceKey::new(&AES_256_GCM, key.as_ref())
    }
}

/// The `kid` of a secret: 64 bits of its SHA-256.
pub fn key_id(secret: &str) -> String {
    secret::hashed(secret)[..16].to_owned()
}

const REFUSED: Error = Error::BadCredentials("The token is not valid. Log in again.");

impl Keys {
    /// `issuer` is the site's public origin.
    pub fn new(newest: &str, older: &[String], issuer: &str) -> Keys {
        Keys {
            newest: Key::new(newest),
            older: older.iter().map(|secret| Key::new(secret)).collect(),
            issuer: issuer.to_owned(),
        }
    }

    /// A secret value that only this site can tell from `text`: HMAC-SHA-256 in base64url.
    /// `purpose` keeps the values of different uses apart.
    pub fn derive(&self, purpose: &str, text: &str) -> String {
        let text = format!("postly/{purpose}/v1\n{text}");
        let tag = hmac::sign(&self.newest.deriving, text.as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(tag)
    }

    /// Seals bytes for keeping (AES-256-GCM, under a key derived from the newest secret); they open
    /// at the same `place` only.
    pub fn seal(&self, place: &str, bytes: &[u8]) -> Result<String> {
        let broken = |_| Error::Internal("sealing fails".to_owned());
        let mut text = bytes.to_vec();
        let key = self.newest.sealing().map_err(broken)?;
        let nonce = key.seal_in_place_append_tag(Aad::from(place), &mut text).map_err(broken)?;
        let sealed = [nonce.as_ref().as_slice(), &text].concat();
        Ok(format!("{}.{}", self.newest.id, BASE64_URL_SAFE_NO_PAD.encode(sealed)))
    }

    /// What was sealed; `None` when it was sealed elsewhere, or with a key that is gone.
    pub fn open(&self, place: &str, sealed: &str) -> Option<Vec<u8>> {
        let (id, text) = sealed.split_once('.')?;
        let key = self.all().find(|key| key.id == id)?.sealing().ok()?;
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

    /// Signs a token for a session.
    pub fn sign(&self, audience: Audience, user_id: i64, sid: &str) -> Result<String> {
        let now = Utc::now();
        let claims = Claims {
            iss: self.issuer.clone(),
            aud: audience.as_str().to_owned(),
            sub: user_id.to_string(),
            sid: sid.to_owned(),
            typ: ACCESS.to_owned(),
            iat: now.timestamp(),
            exp: (now + audience.lifetime()).timestamp(),
        };
        let header = Header { kid: Some(self.newest.id.clone()), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims, &self.newest.signing)
            .map_err(|e| Error::Internal(format!("jwt: {e}")))
    }

    /// Reads a token that was meant for `audience`.
    ///
    /// # Errors
    /// `BadCredentials` for anything but a token of ours that is valid now: every claim is
    /// required, and the header's `kid` is compared, never looked up.
    pub fn verify(&self, audience: Audience, token: &str) -> Result<Claims> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| REFUSED)?;
        // Keys come from the configuration alone, whatever a header points to (RFC 7515 §4.1).
        if header.jku.is_some()
            || header.jwk.is_some()
            || header.x5u.is_some()
            || header.x5c.is_some()
        {
            return Err(REFUSED);
        }
        let kid = header.kid.as_deref().ok_or(REFUSED)?;
        let key = self.all().find(|key| key.id == kid).ok_or(REFUSED)?;
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[audience.as_str()]);
        rules.validate_nbf = true;
        rules.leeway = LEEWAY;
        let claims = decode::<Claims>(token, &key.verifying, &rules).map_err(|_| REFUSED)?.claims;
        let newest = Utc::now().timestamp() + LEEWAY as i64;
        let sid = !claims.sid.is_empty() && claims.sid.bytes().all(|b| b.is_ascii_alphanumeric());
        if claims.typ != ACCESS || claims.iat > newest || !sid {
            return Err(REFUSED);
        }
        Ok(claims)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    const SECRET: &str = "p7Jb1xkQ0vZr8mTn3wYc5uHd9sLf2aGe6";

    fn keys() -> Keys {
        Keys::new(SECRET, &[], "https://posts.example")
    }

    fn good() -> Value {
        let now = Utc::now().timestamp();
        json!({"iss": "https://posts.example", "aud": "postly:api", "sub": "7", "sid": "s",
            "typ": "access", "iat": now, "exp": now + 60})
    }

    fn signed(header: &Header, claims: &Value) -> String {
        encode(header, claims, &EncodingKey::from_secret(SECRET.as_bytes())).unwrap()
    }

    fn header() -> Header {
        Header { kid: Some(key_id(SECRET)), ..Header::new(Algorithm::HS256) }
    }

    fn accepts(token: &str) -> bool {
        keys().verify(Audience::Api, token).is_ok()
    }

    #[test]
    fn a_token_opens_its_own_door_only() {
        let token = keys().sign(Audience::Api, 7, "s").unwrap();
        assert_eq!(keys().verify(Audience::Api, &token).unwrap().user_id().unwrap(), 7);
        assert!(keys().verify(Audience::Page, &token).is_err());
        assert!(
            Keys::new(SECRET, &[], "https://other.example").verify(Audience::Api, &token).is_err()
        );
    }

    #[test]
    fn a_second_key_keeps_tokens_alive_until_the_first_is_dropped() {
        const SECOND: &str = "Zq8Wn3vKc6Rt1yUj5oPx9aSd2fGh4mLe7";
        let old = keys().sign(Audience::Api, 7, "s").unwrap();
        let both = Keys::new(SECOND, &[SECRET.to_owned()], "https://posts.example");
        assert!(both.verify(Audience::Api, &old).is_ok());
        let new = both.sign(Audience::Api, 7, "s").unwrap();
        assert!(keys().verify(Audience::Api, &new).is_err(), "the newest key signs");
        let only = Keys::new(SECOND, &[], "https://posts.example");
        assert!(only.verify(Audience::Api, &old).is_err());
        assert!(only.verify(Audience::Api, &new).is_ok());
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
    fn every_claim_is_required_and_checked() {
        assert!(accepts(&signed(&header(), &good())));
        for claim in ["iss", "aud", "sub", "sid", "typ", "iat", "exp"] {
            let mut claims = good();
            claims.as_object_mut().unwrap().remove(claim);
            assert!(!accepts(&signed(&header(), &claims)), "without {claim}");
        }
        let now = Utc::now().timestamp();
        for (claim, value) in [
            ("exp", json!(now - 6)),
            ("exp", json!((now + 60).to_string())),
            ("iat", json!(now + 60)),
            ("nbf", json!(now + 60)),
            ("typ", json!("refresh")),
            ("iss", json!("https://evil.example")),
            ("aud", json!("postly:page")),
        ] {
            let mut claims = good();
            claims[claim] = value.clone();
            assert!(!accepts(&signed(&header(), &claims)), "{claim} = {value}");
        }
    }

    #[test]
    fn other_algorithms_keys_and_broken_signatures_are_refused() {
        let hs512 = Header { alg: Algorithm::HS512, ..header() };
        assert!(!accepts(&signed(&hs512, &good())));
        for kid in ["../../etc/passwd", "' OR 1=1 --", "", &"k".repeat(10_240)] {
            let strange = Header { kid: Some(kid.to_owned()), ..header() };
            assert!(!accepts(&signed(&strange, &good())), "{kid:.20}");
        }
        for pointing in [
            Header { jku: Some("https://evil.example/keys".to_owned()), ..header() },
            Header { x5u: Some("https://evil.example/cert".to_owned()), ..header() },
            Header { x5c: Some(vec!["MII".to_owned()]), ..header() },
        ] {
            assert!(!accepts(&signed(&pointing, &good())));
        }
        let token = signed(&header(), &good());
        let (head, rest) = token.split_once('.').unwrap();
        let (body, signature) = rest.split_once('.').unwrap();
        assert!(!accepts(&format!("{head}.{body}.")));
        assert!(!accepts(&format!("{head}.{body}")));
        let none = "eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0";
        assert!(!accepts(&format!("{none}.{body}.")));
        assert!(!accepts(&format!("{none}.{body}.{signature}")));
        let mut flipped = token.clone().into_bytes();
        flipped[token.len() - 10] ^= 1;
        assert!(!accepts(&String::from_utf8(flipped).unwrap()));
        for text in ["", ".", "..", "a.b.c", &"x".repeat(100_000)] {
            assert!(!accepts(text));
        }
    }
}

//! Access tokens: JSON Web Tokens (RFC 7519), signed with HMAC-SHA-256 and nothing else.

use aws_lc_rs::digest;
use chrono::{DateTime, Duration, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

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

    /// How long a token lasts. The session behind it may end earlier.
    pub fn lifetime(self) -> Duration {
        match self {
            Audience::Page => Duration::hours(24),
            Audience::Api => Duration::hours(1),
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

/// The signing key, with what is needed to sign and to verify.
pub struct Keys {
    id: String,
    signing: EncodingKey,
    verifying: DecodingKey,
    issuer: String,
}

const REFUSED: Error = Error::BadCredentials("The token is not valid. Log in again.");

impl Keys {
    /// `issuer` is the site's public origin.
    pub fn new(secret: &str, issuer: &str) -> Keys {
        let fingerprint = digest::digest(&digest::SHA256, secret.as_bytes());
        Keys {
            id: fingerprint.as_ref()[..4].iter().map(|byte| format!("{byte:02x}")).collect(),
            signing: EncodingKey::from_secret(secret.as_bytes()),
            verifying: DecodingKey::from_secret(secret.as_bytes()),
            issuer: issuer.to_owned(),
        }
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
        let header = Header { kid: Some(self.id.clone()), ..Header::new(Algorithm::HS256) };
        encode(&header, &claims, &self.signing).map_err(|e| Error::Internal(format!("jwt: {e}")))
    }

    /// Reads a token that was meant for `audience`.
    ///
    /// # Errors
    /// `BadCredentials` for anything but a token of ours that is valid now: every claim is
    /// required, and the header's `kid` is compared, never looked up.
    pub fn verify(&self, audience: Audience, token: &str) -> Result<Claims> {
        let header = jsonwebtoken::decode_header(token).map_err(|_| REFUSED)?;
        if header.kid.as_deref() != Some(self.id.as_str()) {
            return Err(REFUSED);
        }
        let mut rules = Validation::new(Algorithm::HS256);
        rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
        rules.set_issuer(&[&self.issuer]);
        rules.set_audience(&[audience.as_str()]);
        rules.validate_nbf = true;
        rules.leeway = LEEWAY;
        let claims = decode::<Claims>(token, &self.verifying, &rules).map_err(|_| REFUSED)?.claims;
        let newest = Utc::now().timestamp() + LEEWAY as i64;
        if claims.typ != ACCESS || claims.iat > newest {
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
        Keys::new(SECRET, "https://posts.example")
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
        Header { kid: Some(keys().id), ..Header::new(Algorithm::HS256) }
    }

    fn accepts(token: &str) -> bool {
        keys().verify(Audience::Api, token).is_ok()
    }

    #[test]
    fn a_token_opens_its_own_door_only() {
        let token = keys().sign(Audience::Api, 7, "s").unwrap();
        assert_eq!(keys().verify(Audience::Api, &token).unwrap().user_id().unwrap(), 7);
        assert!(keys().verify(Audience::Page, &token).is_err());
        assert!(Keys::new(SECRET, "https://other.example").verify(Audience::Api, &token).is_err());
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

//! Access tokens: JSON Web Tokens (RFC 7519), signed with HMAC-SHA-256 and nothing else.

use chrono::{Duration, Utc};
use jsonwebtoken::{Algorithm, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::error::{Credentials, Error, Result};
use crate::models::accounts::scope::Scopes;
use crate::models::base::keys::Keys;

/// How far `exp` and `nbf` may be off, in seconds.
const LEEWAY: u64 = 5;

/// How much the clocks of instances may differ.
fn clock_skew() -> Duration {
    Duration::seconds(60)
}

/// Which door accepts a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, IntoStaticStr)]
pub enum Audience {
    /// In the cookie, at the page door.
    #[strum(serialize = "postly:page")]
    Page,
    /// As a bearer token, at the API door.
    #[strum(serialize = "postly:api")]
    Api,
}

impl Audience {
    /// The kind of client with sessions of this audience, as named in the API.
    pub fn client(self) -> &'static str {
        match self {
            Audience::Page => "browser",
            Audience::Api => "api",
        }
    }

    /// How long a token lasts. The session behind it may end earlier.
    pub fn lifetime(self) -> Duration {
        match self {
            // As long as a session can last: the cookie is never renewed, since the late answer to
            // another tab could then replace a newer one.
            Audience::Page => Duration::days(14),
            Audience::Api => Duration::minutes(10),
        }
    }
}

/// The claims of a token. `sid` is the id of the session row, which determines whether it is valid.
#[derive(Debug, Serialize, Deserialize)]
pub struct Claims {
    iss: String,
    aud: String,
    sub: String,
    pub sid: String,
    typ: String,
    iat: i64,
    exp: i64,
    /// Restricts this token further than its session (RFC 9068 §2.2.3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// The `typ` of access tokens.
const ACCESS: &str = "access";

impl Claims {
    /// The user's id.
    pub fn user_id(&self) -> Result<i64> {
        self.sub.parse().map_err(|_| INVALID)
    }

    /// What the token may be used for with a session that has `session` (`None` for everything).
    pub fn scopes(&self, session: Option<Scopes>) -> Option<Scopes> {
        match (self.scope.clone().map(Scopes::from), session) {
            (Some(own), Some(session)) => Some(own.intersection(&session)),
            (own, session) => own.or(session),
        }
    }
}

const INVALID: Error = Error::InvalidCredentials(Credentials::AccessToken);

/// Signs a token for a session.
pub fn sign(keys: &Keys, audience: Audience, user_id: i64, sid: &str) -> Result<String> {
    sign_restricted(keys, audience, user_id, sid, None)
}

/// `sign`, restricted further than the session.
pub fn sign_restricted(
    keys: &Keys,
    audience: Audience,
    user_id: i64,
    sid: &str,
    scopes: Option<&Scopes>,
) -> Result<String> {
    let now = Utc::now();
    let aud: &str = audience.into();
    let claims = Claims {
        iss: keys.issuer().to_owned(),
        aud: aud.to_owned(),
        sub: user_id.to_string(),
        sid: sid.to_owned(),
        typ: ACCESS.to_owned(),
        iat: now.timestamp(),
        // On an instance whose clock is ahead, too, the token lasts as long as its client was told.
        exp: (now + audience.lifetime() + clock_skew()).timestamp(),
        scope: scopes.map(Scopes::to_string),
    };
    let (kid, key) = keys.signing();
    let header = Header { kid: Some(kid.to_owned()), ..Header::new(Algorithm::HS256) };
    encode(&header, &claims, key).map_err(|e| Error::Internal(format!("jwt: {e}")))
}

/// Verifies a token for `audience`.
///
/// # Errors
/// `InvalidCredentials` unless it is a currently valid token of this site: every claim is required,
/// and the header's `kid` is compared with our keys, never looked up elsewhere. A genuine token from
/// the future has an error of its own: the session behind it may be alive.
pub fn verify(keys: &Keys, audience: Audience, token: &str) -> Result<Claims> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| INVALID)?;
    // Keys come only from the configuration, whatever the header refers to (RFC 7515 §4.1).
    if header.jku.is_some() || header.jwk.is_some() || header.x5u.is_some() || header.x5c.is_some()
    {
        return Err(INVALID);
    }
    let key = header.kid.as_deref().and_then(|kid| keys.verifying(kid)).ok_or(INVALID)?;
    let mut rules = Validation::new(Algorithm::HS256);
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.set_issuer(&[keys.issuer()]);
    rules.set_audience(&[<&str>::from(audience)]);
    rules.validate_nbf = true;
    rules.leeway = LEEWAY;
    let claims = decode::<Claims>(token, key, &rules).map_err(|_| INVALID)?.claims;
    let is_sid = !claims.sid.is_empty() && claims.sid.bytes().all(|b| b.is_ascii_alphanumeric());
    if claims.typ != ACCESS || !is_sid {
        return Err(INVALID);
    }
    if claims.iat > (Utc::now() + clock_skew()).timestamp() {
        return Err(Error::InvalidCredentials(Credentials::FutureToken));
    }
    Ok(claims)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::base::keys::key_id;
    use jsonwebtoken::EncodingKey;
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
        verify(&keys(), Audience::Api, token).is_ok()
    }

    #[test]
    fn a_token_opens_its_own_door_only() {
        let token = sign(&keys(), Audience::Api, 7, "s").unwrap();
        assert_eq!(verify(&keys(), Audience::Api, &token).unwrap().user_id().unwrap(), 7);
        assert!(verify(&keys(), Audience::Page, &token).is_err());
        let other = Keys::new(SECRET, &[], "https://other.example");
        assert!(verify(&other, Audience::Api, &token).is_err());
    }

    #[test]
    fn a_second_key_keeps_tokens_alive_until_the_first_is_dropped() {
        const SECOND: &str = "Zq8Wn3vKc6Rt1yUj5oPx9aSd2fGh4mLe7";
        let old = sign(&keys(), Audience::Api, 7, "s").unwrap();
        let both = Keys::new(SECOND, &[SECRET.to_owned()], "https://posts.example");
        assert!(verify(&both, Audience::Api, &old).is_ok());
        let new = sign(&both, Audience::Api, 7, "s").unwrap();
        assert!(verify(&keys(), Audience::Api, &new).is_err(), "the newest key signs");
        let only = Keys::new(SECOND, &[], "https://posts.example");
        assert!(verify(&only, Audience::Api, &old).is_err());
        assert!(verify(&only, Audience::Api, &new).is_ok());
    }

    #[test]
    fn clocks_may_differ_by_a_minute() {
        let now = Utc::now().timestamp();
        let mut claims = good();
        claims["iat"] = json!(now + 59);
        assert!(accepts(&signed(&header(), &claims)), "signed where the clock is ahead");
        claims["iat"] = json!(now + 120);
        let refused = verify(&keys(), Audience::Api, &signed(&header(), &claims));
        assert!(matches!(refused, Err(Error::InvalidCredentials(Credentials::FutureToken))));
        let token = sign(&keys(), Audience::Api, 7, "s").unwrap();
        let claims = verify(&keys(), Audience::Api, &token).unwrap();
        assert_eq!(claims.exp - claims.iat, 600 + 60, "a minute longer than the client is told");
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
            ("iat", json!(now + 120)),
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

//! Random values, and the hash under which secrets are stored.

use aws_lc_rs::digest;
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use crate::error::{Error, Result};

/// Random bytes of the operating system. The generator of `aws_lc_rs` takes its seed from the jitter of the
/// processor, for which the first request of each thread would wait.
pub fn bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(|_| Error::Internal("no randomness".to_owned()))?;
    Ok(bytes)
}

/// An unguessable id: 128 random bits in hexadecimal.
pub fn id() -> Result<String> {
    Ok(hex(&bytes::<16>()?))
}

/// A secret for a client: 256 random bits in base64url after a prefix.
pub fn token(prefix: &str) -> Result<String> {
    Ok(format!("{prefix}{}", BASE64_URL_SAFE_NO_PAD.encode(bytes::<32>()?)))
}

/// SHA-256 in hexadecimal: the only form in which the database contains a secret. The secrets are
/// random enough that no slower hash is needed.
pub fn sha256(secret: impl AsRef<[u8]>) -> String {
    hex(digest::digest(&digest::SHA256, secret.as_ref()).as_ref())
}

/// Bytes in hexadecimal. Each request has an id, so this does not go through `format!`.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(*byte)]).collect()
}

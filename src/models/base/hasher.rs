//! Hashing passwords with bcrypt, outside the threads that serve requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};

use crate::error::{Error, Result};
use crate::models::base::pool::Pool;

/// Maximum length of a password in characters; longer ones are rejected before any work is done.
pub const MAX_LENGTH: usize = 256;

/// The outcome of comparing a password with a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, but the hash is weaker than the current settings and should be replaced.
    RightButOutdated,
}

/// Hashes passwords on threads of low priority, no more at once than there are cores, so that the site
/// stays responsive during a burst of log-ins.
#[derive(Clone)]
pub struct Hasher {
    cost: u32,
    pool: Pool,
    /// How many passwords have been hashed or compared so far.
    runs: Arc<AtomicU64>,
    /// Verified against when there is no such user, so that both cases take the same time.
    decoy: Arc<str>,
}

impl Hasher {
    /// `cost` is the bcrypt cost: the base-2 logarithm of the number of rounds.
    pub fn new(cost: u32) -> Hasher {
        let (pool, runs) = (Pool::with_low_priority(), Arc::default());
        Hasher { cost, pool, runs, decoy: decoy(cost).into() }
    }

    /// Hashes a password for storage.
    ///
    /// # Errors
    /// `Unavailable` when too many callers are already waiting.
    pub async fn hash(&self, password: &str) -> Result<String> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let (cost, password) = (self.cost, password.to_owned());
        self.run(move || hash(cost, &password)).await?
    }

    /// Compares a password with a stored hash, which is `None` when there is no such user.
    ///
    /// # Errors
    /// `Unavailable` when too many callers are already waiting.
    pub async fn verify(&self, password: &str, stored: Option<&str>) -> Result<Verdict> {
        if password.chars().count() > MAX_LENGTH {
            return Ok(Verdict::Wrong);
        }
        self.runs.fetch_add(1, Ordering::Relaxed);
        let (cost, password) = (self.cost, password.to_owned());
        let decoy = self.decoy.clone();
        let stored = stored.map(str::to_owned);
        self.run(move || {
            stored.and_then(|stored| verify(cost, &password, &stored)).unwrap_or_else(|| {
                // No such user, or a corrupt hash: this takes as long as a wrong password.
                verify(cost, &password, &decoy);
                Verdict::Wrong
            })
        })
        .await
    }

    /// How many passwords have been hashed or compared since the start; for tests.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// Runs expensive work on a blocking thread, after earlier callers.
    ///
    /// # Errors
    /// `Unavailable` when too many callers are already waiting.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        self.pool.run(work).await
    }
}

/// The prefix of a hash over `digest`, which distinguishes it from plain bcrypt of other programs.
const MARK: &str = "$postly-hs384";

/// Not a secret: it only keeps our digests apart from others' ("password shucking").
const DIGEST_KEY: &[u8] = b"postly/password/v1";

/// base64(HMAC-SHA-384(key, password)): 64 characters without NUL for any password, since bcrypt
/// itself uses only the first 72 bytes.
fn digest(password: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA384, DIGEST_KEY);
    BASE64_STANDARD_NO_PAD.encode(hmac::sign(&key, password.as_bytes()))
}

/// A hash of this cost that no password has. It was not computed, which would take as long as comparing
/// with it, at each start.
fn decoy(cost: u32) -> String {
    const SALT: &str = "decoyDecoyDecoyDecoyDe";
    const DIGEST: &str = "nobodyHasThisPasswordNobodyHas.";
    format!("{MARK}$2b${cost:02}${SALT}{DIGEST}")
}

fn hash(cost: u32, password: &str) -> Result<String> {
    let hash = bcrypt::non_truncating_hash(digest(password), cost)
        .map_err(|e| Error::Internal(format!("bcrypt: {e}")))?;
    Ok(format!("{MARK}{hash}"))
}

/// `None` when `stored` is not a hash at all.
fn verify(cost: u32, password: &str, stored: &str) -> Option<Verdict> {
    let (right, ours) = match stored.strip_prefix(MARK) {
        Some(hash) => (bcrypt::non_truncating_verify(digest(password), hash).ok()?, true),
        None => (bcrypt::verify(password, stored).ok()?, false),
    };
    let cheap = stored
        .strip_prefix(MARK)
        .unwrap_or(stored)
        .split('$')
        .nth(2)
        .and_then(|cost| cost.parse::<u32>().ok())
        .is_none_or(|found| found < cost);
    Some(match (right, ours && !cheap) {
        (false, _) => Verdict::Wrong,
        (true, true) => Verdict::Right,
        (true, false) => Verdict::RightButOutdated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_of_a_long_password_counts() {
        let long = "k".repeat(72);
        let stored = hash(4, &long).unwrap();
        assert_eq!(verify(4, &long, &stored), Some(Verdict::Right));
        assert_eq!(verify(4, &format!("{long}x"), &stored), Some(Verdict::Wrong));
        let accents = "é".repeat(64);
        let stored = hash(4, &accents).unwrap();
        assert_eq!(verify(4, &accents, &stored), Some(Verdict::Right));
    }

    #[test]
    fn comparing_with_the_decoy_takes_its_time() {
        for cost in [4, 10] {
            assert_eq!(verify(cost, "decoy", &decoy(cost)), Some(Verdict::Wrong));
        }
        let took = |stored: &str| {
            let began = std::time::Instant::now();
            verify(10, "decoy", stored);
            began.elapsed()
        };
        let (real, decoy) = (hash(10, "password").unwrap(), decoy(10));
        // Compared in turn, the quickest of each: other programs can only make it longer.
        let quickest = |stored: &str| (0..5).map(|_| took(stored)).min().unwrap().as_secs_f64();
        let ratio = quickest(&decoy) / quickest(&real);
        assert!((0.3..3.0).contains(&ratio), "{ratio}");
    }

    #[test]
    fn foreign_and_cheap_hashes_are_outdated_and_corrupt_ones_are_none() {
        let foreign = bcrypt::hash("old password", 4).unwrap();
        assert_eq!(verify(4, "old password", &foreign), Some(Verdict::RightButOutdated));
        assert_eq!(verify(4, "other", &foreign), Some(Verdict::Wrong));
        let cheap = hash(4, "old password").unwrap();
        assert_eq!(verify(5, "old password", &cheap), Some(Verdict::RightButOutdated));
        assert_eq!(verify(4, "old password", "$postly-hs384$2b$oops"), None);
        assert_eq!(verify(4, "old password", ""), None);
    }
}

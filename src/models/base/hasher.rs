//! Hashing passwords with bcrypt, off the threads that serve requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use tokio::sync::Semaphore;

use crate::error::{Error, Result};

/// Most characters of a password; what is longer is refused before any work is done on it.
pub const MAX_LENGTH: usize = 256;

/// The outcome of comparing a password with a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, but hashed in a weaker form than today's: to be hashed again.
    RightButOutdated,
}

/// Hashes passwords on threads made for blocking, no more at once than there are cores, so that a
/// storm of log-ins leaves the rest of the site responsive.
#[derive(Clone)]
pub struct Hasher {
    cost: u32,
    cores: Arc<Semaphore>,
    /// Places to wait in; when all are taken, further callers are turned away at once.
    queue: Arc<Semaphore>,
    /// How many passwords were hashed or compared so far.
    runs: Arc<AtomicU64>,
    /// Verified against when there is no such person, so that both cases take the same time.
    decoy: Arc<str>,
}

impl Hasher {
    /// `cost` is bcrypt's: the logarithm to base 2 of its rounds.
    pub fn new(cost: u32) -> Result<Hasher> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Ok(Hasher {
            cost,
            cores: Arc::new(Semaphore::new(cores)),
            queue: Arc::new(Semaphore::new(cores * 64)),
            runs: Arc::default(),
            decoy: hash(cost, "nobody has this password")?.into(),
        })
    }

    /// The form in which a password is stored.
    ///
    /// # Errors
    /// `Unavailable` when too many callers wait already.
    pub async fn hash(&self, password: &str) -> Result<String> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let (cost, password) = (self.cost, password.to_owned());
        self.run(move || hash(cost, &password)).await?
    }

    /// Compares a password with a stored hash; `None` when there is no such person.
    ///
    /// # Errors
    /// `Unavailable` when too many callers wait already.
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
                // No such person, or a corrupt hash: an ordinary failure that takes as long as one.
                verify(cost, &password, &decoy);
                Verdict::Wrong
            })
        })
        .await
    }

    /// How many passwords were hashed or compared since the start; for tests.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// Does expensive work on a thread made for blocking, after those who came earlier.
    ///
    /// # Errors
    /// `Unavailable` when too many callers wait already.
    pub async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let _place = self.queue.try_acquire().map_err(|_| Error::Unavailable)?;
        let _core = self.cores.acquire().await.map_err(|_| Error::Unavailable)?;
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::Internal(e.to_string()))
    }
}

/// Marks a hash that was made over `digest`, to tell it from plain bcrypt of other programs.
const MARK: &str = "$postly-hs384";

/// Not a secret: it only keeps our digests apart from others' ("password shucking").
const DIGEST_KEY: &[u8] = b"postly/password/v1";

/// base64(HMAC-SHA-384(key, password)): 64 characters without NUL for any password, since bcrypt
/// itself reads no further than 72 bytes.
fn digest(password: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA384, DIGEST_KEY);
    BASE64_STANDARD_NO_PAD.encode(hmac::sign(&key, password.as_bytes()))
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

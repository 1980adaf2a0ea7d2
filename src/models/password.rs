//! Passwords: which are good enough, and their hashing with bcrypt.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::hmac;
use base64::prelude::{BASE64_STANDARD_NO_PAD, Engine};
use tokio::sync::Semaphore;
use zxcvbn::{Score, zxcvbn};

use crate::error::{Error, Result};

/// Fewest characters.
const LEAST: usize = 10;
/// Most characters; what is longer is refused before any work is done on it.
const MOST: usize = 256;

/// Refuses passwords that are too short, too long, easy to guess, or that contain the username.
///
/// # Errors
/// `Invalid`, with the reason beside `password`.
pub fn check(password: &str, username: &str, email: Option<&str>) -> Result<()> {
    measure(password)?;
    let lower = password.to_lowercase();
    if !username.is_empty() && lower.contains(&username.to_lowercase()) {
        return Err(Error::invalid("password", "The password must not contain your username."));
    }
    let guess = zxcvbn(password, &[username, email.unwrap_or_default(), "postly"]);
    if guess.score() < Score::Three {
        let why = guess.feedback().and_then(|f| f.warning()).map(|w| w.to_string());
        let why = why.unwrap_or_else(|| "It follows a common pattern.".to_owned());
        return Err(Error::invalid(
            "password",
            format!("This password is easy to guess. {why} A few unrelated words do well."),
        ));
    }
    Ok(())
}

/// Refuses what is too short or too long to be worth a look.
fn measure(password: &str) -> Result<()> {
    let why = match password.chars().count() {
        ..LEAST => format!("Use at least {LEAST} characters. A few unrelated words do well."),
        LEAST..=MOST => return Ok(()),
        _ => format!("Use at most {MOST} characters."),
    };
    Err(Error::invalid("password", why))
}

/// What a password proved to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Wrong,
    Right,
    /// Right, but kept in a weaker form than today's: to be hashed anew.
    RightButOutdated,
}

/// Hashes passwords on threads made for blocking, no more at once than there are cores, so that a
/// storm of log-ins leaves the rest of the site alive.
#[derive(Clone)]
pub struct Hasher {
    cost: u32,
    cores: Arc<Semaphore>,
    /// Places to wait in; when all are taken, further callers are turned away at once.
    queue: Arc<Semaphore>,
    /// How many passwords were worked on so far.
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

    /// `check`, on a thread made for blocking: guessing how easy a long password is takes a while.
    ///
    /// # Errors
    /// As `check`; `Unavailable` when too many callers wait already.
    pub async fn vet(&self, password: &str, username: &str, email: Option<&str>) -> Result<()> {
        measure(password)?;
        let (password, username) = (password.to_owned(), username.to_owned());
        let email = email.map(str::to_owned);
        self.run(move || check(&password, &username, email.as_deref())).await?
    }

    /// The form in which a password is kept.
    ///
    /// # Errors
    /// `Unavailable` when too many callers wait already.
    pub async fn hash(&self, password: &str) -> Result<String> {
        self.runs.fetch_add(1, Ordering::Relaxed);
        let (cost, password) = (self.cost, password.to_owned());
        self.run(move || hash(cost, &password)).await?
    }

    /// Compares a password with what is kept; `None` when there is no such person.
    ///
    /// # Errors
    /// `Unavailable` when too many callers wait already.
    pub async fn verify(&self, password: &str, kept: Option<&str>) -> Result<Verdict> {
        if password.chars().count() > MOST {
            return Ok(Verdict::Wrong);
        }
        self.runs.fetch_add(1, Ordering::Relaxed);
        let (cost, password) = (self.cost, password.to_owned());
        let decoy = self.decoy.clone();
        let kept = kept.map(str::to_owned);
        self.run(move || match kept {
            Some(kept) => verify(cost, &password, &kept).unwrap_or_else(|| {
                // A corrupt hash is an ordinary failure, and takes as long as one.
                verify(cost, &password, &decoy);
                Verdict::Wrong
            }),
            None => {
                verify(cost, &password, &decoy);
                Verdict::Wrong
            }
        })
        .await
    }

    /// How many passwords were hashed or compared since the start.
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    async fn run<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
        let _place = self.queue.try_acquire().map_err(|_| Error::Unavailable)?;
        let _core = self.cores.acquire().await.map_err(|_| Error::Unavailable)?;
        tokio::task::spawn_blocking(work).await.map_err(|e| Error::Internal(e.to_string()))
    }
}

/// Marks a hash that was made over `digest`, to tell it from plain bcrypt of elsewhere.
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

/// `None` when `kept` is not a hash at all.
fn verify(cost: u32, password: &str, kept: &str) -> Option<Verdict> {
    let (right, ours) = match kept.strip_prefix(MARK) {
        Some(hash) => (bcrypt::non_truncating_verify(digest(password), hash).ok()?, true),
        None => (bcrypt::verify(password, kept).ok()?, false),
    };
    let cheap = kept
        .strip_prefix(MARK)
        .unwrap_or(kept)
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
        let kept = hash(4, &long).unwrap();
        assert_eq!(verify(4, &long, &kept), Some(Verdict::Right));
        assert_eq!(verify(4, &format!("{long}x"), &kept), Some(Verdict::Wrong));
        let accents = "é".repeat(64);
        let kept = hash(4, &accents).unwrap();
        assert_eq!(verify(4, &accents, &kept), Some(Verdict::Right));
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

    #[test]
    fn the_policy_says_why() {
        let why = |password| match check(password, "ann-marie", None) {
            Err(Error::Invalid(c)) => c.iter().next().unwrap().message.clone(),
            other => panic!("{password:?}: {other:?}"),
        };
        assert!(why("short").contains("at least 10"));
        assert!(why("password123").contains("easy to guess"));
        assert!(why("qwertyuiop").contains("easy to guess"));
        assert!(why("xK9-Ann-Marie-2p").contains("username"));
        assert!(why(&"violet ".repeat(40)).contains("at most"));
        assert!(check("violet otter paddles upstream", "ann-marie", None).is_ok());
    }
}

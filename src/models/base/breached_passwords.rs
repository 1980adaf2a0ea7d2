//! An optional list of passwords from known breaches: a file that is sorted by SHA-1, as the
//! downloader of Have I Been Pwned writes it. It is searched by bisection and never loaded.

use std::cmp::Ordering;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::FileExt;
use std::path::Path;

use aws_lc_rs::digest;

use crate::error::Fatal;
use crate::models::base::random;

/// No line is longer, in bytes: a hash, a colon, a number and a line break.
const MAX_LINE: usize = 128;

/// Hexadecimal digits in a line. With fewer, too many innocent passwords would have the same prefix.
const DIGITS: std::ops::RangeInclusive<usize> = 10..=40;

/// Lines that are checked when the file is opened, evenly spread.
const SAMPLES: u64 = 1_000;

/// The open file.
pub struct BreachedPasswords {
    file: File,
    /// Bytes without trailing white space.
    length: u64,
}

struct Line {
    start: u64,
    /// The first byte of the next line.
    end: u64,
    /// The hash or its beginning, in upper case.
    hash: String,
}

impl BreachedPasswords {
    /// # Errors
    /// One sentence for the operator, when it cannot be such a file.
    pub fn open(path: &Path) -> std::result::Result<BreachedPasswords, Fatal> {
        Self::try_open(path)
            .map_err(|e| Fatal(format!("POSTLY_BREACHED_PASSWORDS: {}: {e}", path.display())))
    }

    fn try_open(path: &Path) -> Result<BreachedPasswords> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(wrong("it is not a file".to_owned()));
        }
        let mut list = BreachedPasswords { file, length: metadata.len() };
        let start = list.length.saturating_sub(MAX_LINE as u64);
        let end = list.read(start, MAX_LINE)?;
        list.length = start + end.trim_ascii_end().len() as u64;
        if list.length == 0 {
            return Err(wrong("it is empty".to_owned()));
        }
        let mut previous = String::new();
        for sample in 0..=SAMPLES {
            let last = u128::from(list.length - 1);
            let place = last * u128::from(sample) / u128::from(SAMPLES);
            let line = list.line_at(u64::try_from(place).unwrap_or_default())?;
            if line.hash < previous {
                return Err(wrong(format!(
                    "it is not sorted by hash: {} comes after {previous}",
                    line.hash
                )));
            }
            previous = line.hash;
        }
        Ok(list)
    }

    /// Whether a password is in the list. Reads about thirty blocks of the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn contains(&self, password: &str) -> Result<bool> {
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let hash = random::hex(hash.as_ref()).to_uppercase();
        let (mut low, mut high) = (0, self.length);
        while low < high {
            let line = self.line_at(low + (high - low) / 2)?;
            match line.hash.as_str().cmp(&hash[..line.hash.len()]) {
                Ordering::Equal => return Ok(true),
                Ordering::Less => low = line.end,
                Ordering::Greater => high = line.start,
            }
        }
        Ok(false)
    }

    /// The line that contains this byte.
    fn line_at(&self, place: u64) -> Result<Line> {
        let from = place.saturating_sub(MAX_LINE as u64);
        let bytes = self.read(from, 2 * MAX_LINE)?;
        let middle = usize::try_from(place - from).unwrap_or_default().min(bytes.len());
        let start = bytes[..middle].iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let end = bytes[middle..].iter().position(|&b| b == b'\n');
        let end = end.map_or(bytes.len(), |at| middle + at + 1);
        let text = std::str::from_utf8(&bytes[start..end]).unwrap_or_default();
        let hash = text.split(':').next().unwrap_or_default().trim().to_uppercase();
        let is_hash = DIGITS.contains(&hash.len()) && hash.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_hash || hash.len() == 32 {
            return Err(wrong(format!(
                "the line at byte {} is no SHA-1 hash or prefix in hexadecimal, as the downloader \
                 of Have I Been Pwned writes them (without its option for NTLM)",
                from + start as u64
            )));
        }
        Ok(Line { start: from + start as u64, end: from + end as u64, hash })
    }

    fn read(&self, from: u64, count: usize) -> Result<Vec<u8>> {
        let left = usize::try_from(self.length.saturating_sub(from)).unwrap_or(usize::MAX);
        let mut bytes = vec![0; count.min(left)];
        self.file.read_exact_at(&mut bytes, from)?;
        Ok(bytes)
    }
}

fn wrong(why: String) -> Error {
    Error::new(ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sha1(password: &str) -> String {
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        random::hex(hash.as_ref()).to_uppercase()
    }

    fn list(lines: &[String], line_break: &str) -> std::result::Result<BreachedPasswords, Fatal> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), lines.join(line_break) + line_break).unwrap();
        BreachedPasswords::open(file.path())
    }

    #[test]
    fn exactly_the_listed_passwords_are_found() {
        let name = |n: usize| format!("password number {n}");
        for line_break in ["\n", "\r\n"] {
            for count in [1, 2, 3, 500] {
                let lines = (0..count).map(|n| format!("{}:{}", sha1(&name(n)), n * n + 1));
                let mut lines: Vec<String> = lines.collect();
                lines.sort();
                let list = list(&lines, line_break).unwrap();
                for n in 0..count + 20 {
                    assert_eq!(list.contains(&name(n)).unwrap(), n < count, "{n} of {count}");
                }
            }
        }
    }

    #[test]
    fn prefixes_in_lower_case_are_enough() {
        let mut lines: Vec<String> =
            ["a", "b", "c"].iter().map(|word| sha1(word)[..16].to_lowercase()).collect();
        lines.sort();
        let list = list(&lines, "\n").unwrap();
        assert!(list.contains("b").unwrap() && !list.contains("d").unwrap());
    }

    #[test]
    fn a_wrong_file_is_described() {
        let hashes = |count: usize| (0..count).map(|n| sha1(&n.to_string())).collect::<Vec<_>>();
        let why = |lines: &[String]| list(lines, "\n").err().unwrap().0;
        let mut upside_down = hashes(50);
        upside_down.sort_by(|a, b| b.cmp(a));
        assert!(why(&upside_down).contains("not sorted"));
        assert!(why(&[]).contains("empty"));
        assert!(why(&["password1".to_owned()]).contains("no SHA-1 hash"));
        assert!(why(&["0".repeat(32)]).contains("NTLM"));
        assert!(why(&["x".repeat(100_000)]).contains("no SHA-1 hash"));
        let missing = BreachedPasswords::open(Path::new("/nowhere/at/all")).err().unwrap().0;
        assert!(missing.contains("POSTLY_BREACHED_PASSWORDS: /nowhere/at/all"), "{missing}");
    }
}

//! The coding of a body that a client prefers (RFC 9110 §12.5.3).

use std::io::{Result, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use rocket::Request;

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    Brotli,
    Gzip,
}

impl Encoding {
    /// Its name in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::Brotli => "br",
            Encoding::Gzip => "gzip",
        }
    }
}

/// The best coding that the client accepts. Browsers ask for Brotli where nobody in between can change
/// the answer: over https, and on their own machine.
pub fn accepted(request: &Request<'_>) -> Option<Encoding> {
    best(request.headers().get("Accept-Encoding"))
}

fn best<'a>(lines: impl Iterator<Item = &'a str>) -> Option<Encoding> {
    let mut gzip = None;
    for coding in lines.flat_map(|line| line.split(',')) {
        let (name, weight) = coding.split_once(';').unwrap_or((coding, ""));
        let weight = weight.trim().strip_prefix("q=").and_then(|q| q.parse::<f32>().ok());
        if weight == Some(0.0) {
            continue;
        }
        match name.trim() {
            name if name.eq_ignore_ascii_case("br") => return Some(Encoding::Brotli),
            name if name.eq_ignore_ascii_case("gzip") => gzip = Some(Encoding::Gzip),
            _ => {}
        }
    }
    gzip
}

/// Brotli's window, as the power of two of its bytes.
const WINDOW: u32 = 20;

/// Compresses a body; `quality` (0 to 11) is Brotli's.
///
/// # Errors
/// None that is known: there is nothing but memory to write to.
pub fn compress(encoding: Encoding, body: &[u8], quality: u32) -> Result<Vec<u8>> {
    let estimate = Vec::with_capacity(body.len() / 3);
    match encoding {
        Encoding::Brotli => {
            let mut writer = brotli::CompressorWriter::new(estimate, 4096, quality, WINDOW);
            writer.write_all(body)?;
            writer.flush()?;
            Ok(writer.into_inner())
        }
        Encoding::Gzip => {
            let mut writer = GzEncoder::new(estimate, Compression::new(6));
            writer.write_all(body)?;
            writer.finish()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_accepted_coding_is_chosen() {
        for (line, expected) in [
            ("gzip, deflate, br, zstd", Some(Encoding::Brotli)),
            ("GZIP;q=0.5, identity", Some(Encoding::Gzip)),
            ("br;q=0, gzip", Some(Encoding::Gzip)),
            ("br; q=0.000, gzip;q=0", None),
            ("identity", None),
            ("*", None),
            ("", None),
        ] {
            assert_eq!(best([line].into_iter()), expected, "{line}");
        }
        assert_eq!(best(["deflate", "br"].into_iter()), Some(Encoding::Brotli));
    }
}

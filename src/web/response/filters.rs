//! Filters that templates use.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use tera::Value;

/// Everything but the unreserved characters (RFC 3986 §2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

type Arguments = HashMap<String, Value>;

/// `{{ name | encoded }}`: a part of an address. Tera's own filter also encodes hyphens, which shows
/// in the address bar.
pub fn encoded(value: &Value, _: &Arguments) -> tera::Result<Value> {
    Ok(Value::String(percent_encoded(value.as_str().unwrap_or_default())))
}

/// A part of an address, as templates write it.
pub fn percent_encoded(text: &str) -> String {
    utf8_percent_encode(text, RESERVED).to_string()
}

/// `{{ time | datetime }}`: for `<time datetime>`, which may have three fraction digits at most
/// (HTML, 2.3.5.4).
pub fn datetime(value: &Value, _: &Arguments) -> tera::Result<Value> {
    let time = value.as_str().and_then(|text| text.parse::<DateTime<Utc>>().ok());
    let time = time.ok_or_else(|| tera::Error::msg(format!("{value} is not a time")))?;
    Ok(Value::String(time.to_rfc3339_opts(SecondsFormat::Millis, true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_means_something_in_an_address_is_encoded() {
        for (text, expected) in [
            ("tobias-k_2", "tobias-k_2"),
            ("a.b~c", "a.b~c"),
            ("50%&a=b/c?d#e+f \"'<", "50%25%26a%3Db%2Fc%3Fd%23e%2Bf%20%22%27%3C"),
            ("zoë", "zo%C3%AB"),
        ] {
            assert_eq!(encoded(&text.into(), &Arguments::new()).unwrap(), expected);
        }
    }

    #[test]
    fn a_time_has_three_fraction_digits() {
        let filtered = |text: &str| datetime(&text.into(), &Arguments::new());
        assert_eq!(filtered("2026-11-28T17:00:00.123456Z").unwrap(), "2026-11-28T17:00:00.123Z");
        assert_eq!(filtered("2026-11-28T17:00:00Z").unwrap(), "2026-11-28T17:00:00.000Z");
        assert!(filtered("soon").is_err());
    }
}

//! Values that are bound to placeholders.

use chrono::{DateTime, SubsecRound, Utc};

/// A value bound to a placeholder.
#[derive(Debug, Clone)]
pub enum Value {
    Bool(Option<bool>),
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
    Time(Option<DateTime<Utc>>),
}

/// Conversions into one kind of value, nullable or not.
macro_rules! from {
    ($kind:ident, $type:ty) => {
        impl From<$type> for Value {
            fn from(value: $type) -> Self {
                Value::$kind(Some(value))
            }
        }
        impl From<Option<$type>> for Value {
            fn from(value: Option<$type>) -> Self {
                Value::$kind(value)
            }
        }
    };
}

from!(Bool, bool);
from!(Int, i64);
from!(Text, String);
from!(Bytes, Vec<u8>);
from!(Time, DateTime<Utc>);

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(Some(value.to_owned()))
    }
}

/// The current time, truncated to microseconds as both engines store it.
pub fn now() -> DateTime<Utc> {
    Utc::now().trunc_subsecs(6)
}

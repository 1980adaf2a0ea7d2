//! A hash of the rows of a table, in whatever order they are read.

use aws_lc_rs::digest::{Context, SHA256};

use crate::db::value::Value;

/// The number of rows, and the sum (modulo 2^256) of their SHA-256: two tables with the same rows
/// have the same sum. It notices what was lost or changed by accident.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowsDigest {
    pub rows: u64,
    /// Beginning with the lowest digits.
    sum: [u64; 4],
}

impl RowsDigest {
    /// Adds a row. Both engines must have read it as the same kinds of values.
    pub fn add(&mut self, row: &[Value]) {
        let mut context = Context::new(&SHA256);
        for value in row {
            // With kind and length, no two rows are written alike.
            let mut put = |kind: u8, bytes: Option<&[u8]>| {
                context.update(&[kind, u8::from(bytes.is_some())]);
                let bytes = bytes.unwrap_or_default();
                context.update(&(bytes.len() as u64).to_be_bytes());
                context.update(bytes);
            };
            match value {
                Value::Bool(v) => put(b'b', v.map(|v| [u8::from(v)]).as_ref().map(|v| &v[..])),
                Value::Int(v) => put(b'i', v.map(i64::to_be_bytes).as_ref().map(|v| &v[..])),
                Value::Text(v) => put(b't', v.as_ref().map(|v| v.as_bytes())),
                Value::Bytes(v) => put(b'x', v.as_deref()),
                Value::Time(v) => {
                    // PostgreSQL stores microseconds.
                    let micros = v.map(|v| v.timestamp_micros().to_be_bytes());
                    put(b'd', micros.as_ref().map(|v| &v[..]));
                }
            }
        }
        let hash = context.finish();
        let mut carry = 0;
        let words = hash.as_ref().chunks_exact(8).rev();
        for (sum, word) in self.sum.iter_mut().zip(words) {
            let word = word.iter().fold(0u64, |word, byte| word << 8 | u64::from(*byte));
            let total = u128::from(*sum) + u128::from(word) + carry;
            (*sum, carry) = (total as u64, total >> 64);
        }
        self.rows += 1;
    }

    /// 64 hexadecimal digits.
    pub fn hash(&self) -> String {
        self.sum.iter().rev().map(|word| format!("{word:016x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(rows: &[&[Value]]) -> RowsDigest {
        let mut digest = RowsDigest::default();
        rows.iter().for_each(|row| digest.add(row));
        digest
    }

    #[test]
    fn it_does_not_depend_on_the_order_of_rows_but_on_everything_in_them() {
        let text = |text: &str| Value::Text(Some(text.to_owned()));
        let (one, two) = ([text("a"), Value::Int(Some(1))], [text("b"), Value::Int(None)]);
        let both = digest(&[&one, &two]);
        assert_eq!(both, digest(&[&two, &one]));
        assert_eq!((both.rows, both.hash().len()), (2, 64));
        for other in [
            digest(&[&one]),
            digest(&[&one, &two, &two]),
            digest(&[&one, &[text("b"), Value::Int(Some(0))]]),
            digest(&[&one, &[text(""), Value::Int(None)]]),
            digest(&[&[text("a"), Value::Int(None)], &[text("b"), Value::Int(Some(1))]]),
        ] {
            assert_ne!(both.hash(), other.hash());
        }
        // "ab" and "c" are not "a" and "bc".
        let split = digest(&[&[text("ab"), text("c")]]);
        assert_ne!(split.hash(), digest(&[&[text("a"), text("bc")]]).hash());
        // A carry goes through all words: a sum of many.
        let many = vec![&one[..]; 1_000];
        assert_ne!(digest(&many).hash(), digest(&many[..999]).hash());
    }
}

//! The forms of an e-mail address: as it is compared, and as it is sent.

use std::borrow::Cow;

use crate::db::{Backfill, Step, Tx, sql};
use crate::error::Result;
use crate::models::users::user;

/// The form in which addresses are unique: the local part in NFKC and lower case, the domain in
/// ASCII, so that `bücher.example` and `xn--bcher-kva.example` are one domain.
pub fn canonical(address: &str) -> String {
    with_ascii_domain(&user::canonical(address)).into_owned()
}

/// The address with its domain in ASCII (IDNA, UTS #46); unchanged if that is impossible.
pub fn with_ascii_domain(address: &str) -> Cow<'_, str> {
    match address.rsplit_once('@') {
        Some((local, domain)) if !domain.is_ascii() => match idna::domain_to_ascii(domain) {
            Ok(domain) => Cow::Owned(format!("{local}@{domain}")),
            Err(_) => Cow::Borrowed(address),
        },
        _ => Cow::Borrowed(address),
    }
}

/// The domain of an address, as it is compared; empty if there is none.
pub fn domain(address: &str) -> String {
    canonical(address).rsplit_once('@').map(|(_, domain)| domain.to_owned()).unwrap_or_default()
}

/// Rewrites keys whose domain is not in ASCII. Where another account already has the new key, the
/// two were registered as different addresses: the older key stays, and so does the account.
pub const BACKFILL: Backfill =
    Backfill { name: "email-keys-1", after: 13, run: |tx| Box::pin(rewrite_keys(tx)) };

async fn rewrite_keys(tx: &mut Tx) -> Result<Step> {
    // Few addresses have other letters than ASCII: one batch.
    let keys: Vec<(i64, String)> = sql("SELECT id, email_key FROM users \
         WHERE length(email_key) <> octet_length(email_key) ORDER BY id")
    .all(&mut *tx)
    .await?;
    for (id, key) in keys {
        sql("UPDATE users SET email_key = $1 WHERE id = $2 \
             AND NOT EXISTS (SELECT 1 FROM users other WHERE other.email_key = $1)")
        .bind(with_ascii_domain(&key).into_owned())
        .bind(id)
        .execute(&mut *tx)
        .await?;
    }
    Ok(Step::Finished)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_compared_in_ascii() {
        for same in ["ann@bücher.example", "Ann@BÜCHER.example", "ann@xn--bcher-kva.Example"] {
            assert_eq!(canonical(same), "ann@xn--bcher-kva.example");
        }
        for same in ["ann@bu\u{308}cher.example", "ann@bücher\u{3002}example"] {
            assert_eq!(canonical(same), "ann@xn--bcher-kva.example");
        }
        assert_eq!(canonical("jürgen@bücher.example"), "jürgen@xn--bcher-kva.example");
        assert_eq!(canonical("ANN@Mail.example"), "ann@mail.example");
        assert_eq!(canonical("Ann"), "ann");
        assert_eq!(domain("Ann@BÜCHER.example"), "xn--bcher-kva.example");
        assert_eq!(with_ascii_domain("Ann@Bücher.example"), "Ann@xn--bcher-kva.example");
        assert_eq!(with_ascii_domain("Ann@Mail.example"), "Ann@Mail.example");
    }
}

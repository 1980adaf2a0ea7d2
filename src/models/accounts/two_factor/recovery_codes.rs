//! Recovery codes, for when the authenticator is lost.

use serde::Serialize;

use crate::db::{Db, Tx, sql};
use crate::error::Result;
use crate::models::audit::{AuditEvent, EventKind};
use crate::models::base::caller::Caller;
use crate::models::base::random;
use crate::models::users::user::User;

/// How many codes a user gets.
const COUNT: usize = 10;

/// New recovery codes, which are shown only once.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct NewRecoveryCodes {
    /// Each works once, in place of a code from the authenticator.
    #[schema(example = json!(["k3v9-x2mq-7hpd-w4tz-9abn-e6ru"]))]
    pub recovery_codes: Vec<String>,
}

/// How many codes are left.
pub async fn count(db: &Db, user: &User) -> Result<i64> {
    sql("SELECT count(*) FROM recovery_codes WHERE user_id = $1").bind(user.id).scalar(db).await
}

/// Replaces a user's codes with new ones.
pub async fn replace(tx: &mut Tx, user: &User) -> Result<NewRecoveryCodes> {
    sql("DELETE FROM recovery_codes WHERE user_id = $1").bind(user.id).execute(&mut *tx).await?;
    let mut recovery_codes = Vec::new();
    for _ in 0..COUNT {
        let code = generate()?;
        sql("INSERT INTO recovery_codes (user_id, hash) VALUES ($1, $2)")
            .bind(user.id)
            .bind(random::sha256(normalised(&code)))
            .execute(&mut *tx)
            .await?;
        recovery_codes.push(code);
    }
    Ok(NewRecoveryCodes { recovery_codes })
}

/// Twenty-four unambiguous letters and digits, in groups of four: 120 bits. From 112 bits on, a plain
/// hash does not give a secret away (ASVS 6.5.2).
fn generate() -> Result<String> {
    const ALPHABET: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz234567890";
    let letters = random::bytes::<24>()?;
    let letters: Vec<char> =
        letters.iter().map(|byte| char::from(ALPHABET[usize::from(byte % 32)])).collect();
    Ok(letters.chunks(4).map(String::from_iter).collect::<Vec<_>>().join("-"))
}

/// The form in which codes are compared: without spaces and hyphens, in lower case.
pub fn normalised(code: &str) -> String {
    code.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_lowercase()
}

/// Consumes a normalised code; returns whether it was one of the user's.
pub async fn consume(db: &Db, caller: &Caller, user: &User, code: &str) -> Result<bool> {
    let mut tx = db.begin().await?;
    let used = sql("DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2")
        .bind(user.id)
        .bind(random::sha256(code))
        .execute(&mut tx)
        .await?;
    if used > 0 {
        AuditEvent::own(EventKind::RECOVERY_CODE_USED, user).write(&mut tx, caller).await?;
    }
    tx.commit().await?;
    Ok(used > 0)
}

//! The authenticator app on a user's phone.

use serde_json::json;
use totp_rs::{Builder, Secret, Totp};

use super::{Person, Response};

pub struct Phone(pub Totp);

impl Phone {
    pub fn new(secret: &str) -> Phone {
        let secret = Secret::try_from_base32(secret).unwrap();
        Phone(Builder::new().with_secret(secret).build().unwrap())
    }

    /// The key on the page that sets two-factor authentication up, without the marks of its groups.
    pub fn key_on(page: &str) -> String {
        let (_, rest) = page.split_once("class=\"secret-text\">").unwrap();
        let (key, _) = rest.split_once("</code>").unwrap();
        let parts = key.split('<').map(|part| part.rsplit('>').next().unwrap_or_default());
        parts.collect()
    }

    /// Turns two-factor authentication on; returns the phone and the recovery codes. The code of
    /// the previous step is consumed.
    pub async fn set_up(person: &Person<'_>) -> (Phone, Vec<String>) {
        let setup = person.api().post("/me/two-factor", json!({})).await;
        assert_eq!(setup.status, 201, "{}", setup.body);
        let phone = Phone::new(setup.json()["secret"].as_str().unwrap());
        let send =
            async |code: String| person.api().put("/me/two-factor", json!({"code": code})).await;
        let on = phone.turn_on(send).await;
        assert_eq!(on.status, 201, "{}", on.body);
        let codes = on.json()["recovery_codes"].as_array().unwrap().clone();
        (phone, codes.iter().map(|code| code.as_str().unwrap().to_owned()).collect())
    }

    /// Sends the code of the previous step; once more if that was refused and a step ended meanwhile, which
    /// makes this code too old.
    pub async fn turn_on(&self, send: impl AsyncFn(String) -> Response) -> Response {
        loop {
            let step = Phone::step();
            let answer = send(self.code(-1)).await;
            if answer.status < 400 || Phone::step() == step {
                return answer;
            }
        }
    }

    /// The number of the present step.
    fn step() -> i64 {
        chrono::Utc::now().timestamp() / 30
    }

    /// The code that is valid this many steps of 30 seconds later.
    pub fn code(&self, ahead: i64) -> String {
        let now = chrono::Utc::now().timestamp() + ahead * 30;
        self.0.generate(now as u64).to_string()
    }
}

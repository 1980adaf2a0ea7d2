//! A real mail server, and sites that send e-mail to it.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};

use super::{App, PASSWORD, Response};

/// A mail server in its own process, killed when dropped.
pub struct MailServer {
    process: Child,
    output: Arc<Mutex<Receiver<Value>>>,
    pub port: u16,
}

impl MailServer {
    /// Mode `take` accepts e-mails; smtp.mjs explains the others.
    pub async fn start(mode: &str, port: u16) -> MailServer {
        MailServer::start_with(mode, port, json!({})).await
    }

    /// With options of smtp-server.
    pub async fn start_with(mode: &str, port: u16, options: Value) -> MailServer {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/support/smtp.mjs");
        let mut process = Command::new("node")
            .arg(script)
            .args([mode, &port.to_string(), &options.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node is needed, with `npm ci` in tests/browser; ./test sees to both");
        let (sender, receiver) = channel();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let _ = sender.send(serde_json::from_str(&line).unwrap());
            }
        });
        let mut server = MailServer { process, output: Arc::new(Mutex::new(receiver)), port: 0 };
        server.port = server.next().await["port"].as_u64().unwrap() as u16;
        server
    }

    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port)
    }

    /// The next event that the server reports.
    pub async fn next(&self) -> Value {
        let output = self.output.clone();
        let wait = move || output.lock().unwrap().recv_timeout(Duration::from_secs(120));
        rocket::tokio::task::spawn_blocking(wait)
            .await
            .unwrap()
            .expect("the mail server reports nothing; are its packages there? ./test installs them")
    }

    /// A site that sends its e-mail here.
    pub async fn site(&self) -> App {
        self.site_with(&[]).await
    }

    pub async fn site_with(&self, more: &[(&str, &str)]) -> App {
        let url = self.url();
        let mut options =
            vec![("mail_url", url.as_str()), ("mail_from", "Postly <post@postly.test>")];
        options.extend(more);
        App::with(&options).await
    }

    /// The events that it has reported and no test has read.
    pub fn seen(&self) -> Vec<Value> {
        self.output.lock().unwrap().try_iter().collect()
    }

    /// In mode `hold`: accepts the e-mails that wait for it.
    pub fn release(&mut self) {
        self.process.stdin.as_mut().unwrap().write_all(b"go\n").unwrap();
    }

    /// The next e-mail: its recipient and its text.
    pub async fn mail(&self) -> (String, String) {
        let mail = self.next().await;
        (mail["to"][0].as_str().unwrap().to_owned(), mail["raw"].as_str().unwrap().to_owned())
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The Message-ID of an e-mail.
pub fn message_id(mail: &str) -> &str {
    mail.lines().find_map(|line| line.strip_prefix("Message-ID: ")).expect("a Message-ID")
}

/// The token in the link of an e-mail.
pub fn link_token(mail: &str) -> String {
    let start = mail.find("?token=").unwrap_or_else(|| panic!("no link in {mail}")) + 7;
    mail[start..].chars().take_while(|c| c.is_ascii_alphanumeric() || "-_".contains(*c)).collect()
}

pub async fn register(app: &App, name: &str, email: &str) -> Response {
    let form = json!({"username": name, "email": email, "password": PASSWORD});
    app.nobody().api().post("/auth/register", form).await
}

pub async fn request_reset(app: &App, email: &str) -> Response {
    app.nobody().api().post("/auth/password-reset", json!({"email": email})).await
}

//! Encryption of the connection to the mail server, with certificates of our own authority.

use std::path::Path;

use serde_json::{Value, json};

use super::all_failed_once;
use crate::support::App;
use crate::support::certificates::{Authority, Certificate, Validity};
use crate::support::internals::{pending_mails, sql};
use crate::support::mail_server::{MailServer, register};

async fn server(certificate: &Certificate, secure: bool) -> MailServer {
    let options = json!({"secure": secure, "login": true,
        "cert": certificate.cert, "key": certificate.key});
    MailServer::start_with("take", 0, options).await
}

/// A site that sends its mail there with a password, trusting this authority.
async fn site(server: &MailServer, scheme: &str, query: &str, ca: Option<&Path>) -> App {
    let url = format!("{scheme}://postly:right@127.0.0.1:{}{query}", server.port);
    let mut options = vec![("mail_url", url.as_str()), ("mail_from", "post@postly.test")];
    let file = ca.map(|file| file.to_str().unwrap());
    options.extend(file.map(|file| ("mail_ca", file)));
    App::with(&options).await
}

async fn last_error(app: &App) -> String {
    all_failed_once(app).await;
    sql("SELECT last_error FROM jobs WHERE kind = 'mail'").scalar(&app.db).await.unwrap()
}

#[rocket::async_test]
async fn mail_and_password_are_encrypted_with_both_kinds_of_tls() {
    let authority = Authority::new();
    let certificate = authority.certificate("IP:127.0.0.1", Validity::Now);
    for (scheme, query, secure) in [("smtp", "?tls=required", false), ("smtps", "", true)] {
        let server = server(&certificate, secure).await;
        let app = site(&server, scheme, query, Some(&authority.file())).await;
        assert_eq!(register(&app, "ann", "ann@mail.example").await.status, 201);
        let login = server.next().await;
        assert_eq!(login, json!({"password": "right", "secure": true}), "{scheme}");
        let mail = server.next().await;
        assert_eq!((&mail["secure"], &mail["to"]), (&json!(true), &json!(["ann@mail.example"])));
        assert_eq!(mail["hello"], "postly.test", "the name of the site, from its public URL");
    }
}

#[rocket::async_test]
async fn a_certificate_that_is_not_good_gets_neither_mail_nor_password() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    let ca = authority.file();
    for (name, validity, ca, expected) in [
        ("IP:127.0.0.1", Validity::Past, Some(&ca), "certificate expired"),
        ("DNS:other.example", Validity::Now, Some(&ca), "not valid for name"),
        ("IP:127.0.0.1", Validity::Now, Some(&stranger.file()), "UnknownIssuer"),
        ("IP:127.0.0.1", Validity::Now, None, "UnknownIssuer"),
    ] {
        let certificate = authority.certificate(name, validity);
        for (scheme, query, secure) in [("smtp", "?tls=required", false), ("smtps", "", true)] {
            let server = server(&certificate, secure).await;
            let app = site(&server, scheme, query, ca.map(AsRef::as_ref)).await;
            assert_eq!(register(&app, "ann", "ann@mail.example").await.status, 201);
            let error = last_error(&app).await;
            assert!(error.contains(expected), "{scheme} {expected}: {error}");
            assert_eq!(pending_mails(&app.db).await.unwrap(), 1, "it is tried again later");
            assert_eq!(server.seen(), Vec::<Value>::new(), "{scheme} {expected}");
        }
    }
}

#[rocket::async_test]
async fn a_server_without_starttls_gets_nothing_when_it_is_required() {
    let server = MailServer::start_with("take", 0, json!({"login": true})).await;
    let app = site(&server, "smtp", "?tls=required", None).await;
    assert_eq!(register(&app, "ann", "ann@mail.example").await.status, 201);
    let error = last_error(&app).await;
    assert!(error.contains("STARTTLS is not supported"), "{error}");
    assert_eq!(server.seen(), Vec::<Value>::new());
}

#[rocket::async_test]
async fn a_wrong_password_of_the_site_costs_no_mail() {
    let server = MailServer::start_with("take", 0, json!({"login": true})).await;
    let url = format!("smtp://postly:canary@127.0.0.1:{}", server.port);
    let app = App::with(&[("mail_url", &url), ("mail_from", "post@postly.test")]).await;
    assert_eq!(register(&app, "ann", "ann@mail.example").await.status, 201);
    let error = last_error(&app).await;
    assert!(error.contains("535") && !error.contains("canary"), "{error}");
    assert_eq!(pending_mails(&app.db).await.unwrap(), 1, "it is tried again later");
    let me = app.log_in("ann").await.api().get("/me").await.json();
    assert_eq!(me["mail_failed_to"], Value::Null, "it is not about the address");
}

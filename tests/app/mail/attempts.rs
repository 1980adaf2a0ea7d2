//! The attempts of one e-mail: the same Message-ID and link each time, several e-mails at once, and
//! the end of the process.

use rocket::futures::future::join;
use rocket::tokio::task::yield_now;
use serde_json::{Value, json};

use super::{all_failed_once, retry_now};
use crate::support::binary::{Server, Site, Starting, eventually, wait_for};
use crate::support::internals::{MAIL, job, now, pending_mails, sha256, sql};
use crate::support::mail_server::{MailServer, link_token, message_id, register, request_reset};
use crate::support::{App, PASSWORD, SECRET};

const OTHER: &str = "Zq8Wn3vKc6Rt1yUj5oPx9aSd2fGh4mLe7";
const NEW: &str = "seven marble lanterns drift";

/// Ends the site's own worker, so that only another instance sends e-mail.
fn stop_worker(app: &App) {
    app.client.rocket().shutdown().notify();
}

async fn reset(app: &App, token: &str) -> u16 {
    let body = json!({"token": token, "password": NEW});
    app.nobody().api().post("/auth/password-reset/new", body).await.status
}

/// A request for a new password, whose e-mail the server took without saying so. Returns that
/// e-mail, and the next one that another instance (the first in the array) with this key sends.
async fn sent_twice(key: &str) -> ([App; 2], String, String) {
    let bad = MailServer::start("swallow", 0).await;
    let app = bad.site().await;
    app.user("ann").await;
    request_reset(&app, "ann@mail.example").await;
    let first = bad.mail().await.1;
    stop_worker(&app);
    let port = bad.port;
    drop(bad);
    all_failed_once(&app).await;
    retry_now(&app).await;
    let good = MailServer::start("take", port).await;
    let later = app.another_with(&[("secret_key", key)]).await;
    let second = good.mail().await.1;
    ([later, app], first, second)
}

#[rocket::async_test]
async fn a_mail_that_was_taken_in_silence_goes_out_again_with_the_same_id_and_link() {
    for key in [SECRET.to_owned(), format!("{OTHER},{SECRET}")] {
        let ([app, _earlier], first, second) = sent_twice(&key).await;
        assert_eq!(message_id(&first), message_id(&second));
        assert_eq!(link_token(&first), link_token(&second), "also after a new signing key");
        let stored: Vec<(String,)> =
            sql("SELECT hash FROM link_tokens").all(&app.db).await.unwrap();
        assert_eq!(stored, [(sha256(link_token(&first)),)], "only the hash is stored");
        assert_eq!(reset(&app, &link_token(&first)).await, 204);
        assert_eq!(reset(&app, &link_token(&second)).await, 401, "it works once");
    }
}

#[rocket::async_test]
async fn without_the_old_key_the_link_that_arrived_stays_good() {
    let ([app, _earlier], first, second) = sent_twice(OTHER).await;
    assert_eq!(message_id(&first), message_id(&second));
    assert_ne!(link_token(&first), link_token(&second));
    assert_eq!(reset(&app, &link_token(&first)).await, 204);
    assert_eq!(reset(&app, &link_token(&second)).await, 401, "one of them works, once");
}

#[rocket::async_test]
async fn another_attempt_does_not_bring_a_used_link_back() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    app.user("ann").await;
    request_reset(&app, "ann@mail.example").await;
    let token = link_token(&server.mail().await.1);
    assert_eq!(reset(&app, &token).await, 204);
    assert!(server.mail().await.1.contains("Your password has changed"));
    while pending_mails(&app.db).await.unwrap() > 0 {
        yield_now().await;
    }
    // The process died before it could record that the first mail was sent.
    sql("UPDATE jobs SET finished_at = NULL, run_at = $1 WHERE payload LIKE '%reset%'")
        .bind(now())
        .execute(app.db.writer())
        .await
        .unwrap();
    request_reset(&app, "nobody@mail.example").await; // Wakes the worker.
    while pending_mails(&app.db).await.unwrap() > 0 {
        yield_now().await;
    }
    assert_eq!(server.seen(), Vec::<Value>::new(), "it is not sent again");
    assert_eq!(reset(&app, &token).await, 401);
}

#[rocket::async_test]
async fn a_recipient_whose_server_hangs_delays_no_other() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    for i in 0..10 {
        register(&app, &format!("p{i}"), &format!("p{i}@hang.example")).await;
    }
    let hanging = [server.next().await, server.next().await];
    assert!(hanging.iter().all(|event| event["hanging"].is_string()), "{hanging:?}");
    for name in ["ann", "bob", "eve"] {
        register(&app, name, &format!("{name}@mail.example")).await;
        assert_eq!(server.mail().await.0, format!("{name}@mail.example"));
    }
    assert_eq!(server.seen(), Vec::<Value>::new(), "two at a time go to hang.example");
}

#[rocket::async_test]
async fn of_two_instances_one_sends_each_mail() {
    let server = MailServer::start("take", 0).await;
    let app = server.site().await;
    let second = app.another().await;
    let ann = app.user("ann").await;
    let mut tx = app.db.begin().await.unwrap();
    for i in 0..40 {
        let mail = json!({"kind": "password-changed", "recipient": format!("p{i}@mail.example"),
            "user_id": ann.id, "detail": ""});
        job::enqueue(&mut tx, MAIL, None, &mail).await.unwrap();
    }
    tx.commit().await.unwrap();
    // Wakes the workers of both.
    let nobody = "nobody@mail.example";
    join(request_reset(&app, nobody), request_reset(&second, nobody)).await;
    let mut to = Vec::new();
    for _ in 0..40 {
        to.push(server.mail().await.0);
    }
    while pending_mails(&app.db).await.unwrap() > 0 {
        yield_now().await;
    }
    to.extend(server.seen().iter().map(Value::to_string));
    let count = to.len();
    to.sort();
    to.dedup();
    assert_eq!((to.len(), count), (40, 40), "{to:?}");
}

/// A server that sends its e-mail there, and its first user, ann, who has not confirmed her address.
fn registered(site: &Site, mail: &MailServer) -> Server {
    let server = start(site, mail);
    let account = json!({"username": "ann", "email": "ann@mail.example", "password": PASSWORD});
    let registered = server.nobody().ask("POST", "/auth/register", Some(account));
    assert_eq!(registered.status, 201);
    server
}

fn start(site: &Site, mail: &MailServer) -> Server {
    let mut command = site.postly();
    command.env("POSTLY_MAIL_URL", mail.url()).env("POSTLY_MAIL_FROM", "post@postly.test");
    Starting::of(&mut command).ready()
}

#[test]
fn a_mail_that_was_accepted_and_not_recorded_goes_out_again_with_the_same_id_and_link() {
    let mut mail = wait_for(MailServer::start("hold", 0));
    let site = Site::new();
    let mut server = registered(&site, &mail);
    let first = wait_for(mail.mail()).1;
    mail.release();
    assert_eq!(wait_for(mail.next()), json!({"closed": true}), "it was accepted");
    server.child.kill().unwrap(); // SIGKILL
    server.child.wait().unwrap();
    // Before it could record that; three minutes later, its claim is over.
    wait_for(async {
        sql("UPDATE jobs SET finished_at = NULL, claimed_until = $1 WHERE kind = 'mail'")
            .bind(now())
            .execute(site.db().await.writer())
            .await
            .unwrap()
    });
    let server = start(&site, &mail);
    let second = wait_for(mail.mail()).1;
    mail.release();
    assert_eq!(message_id(&first), message_id(&second));
    assert_eq!(link_token(&first), link_token(&second));
    let body = json!({"token": link_token(&first)});
    assert_eq!(server.nobody().ask("POST", "/auth/verify-email", Some(body)).status, 204);
}

#[test]
fn a_mail_under_way_is_finished_when_the_server_stops() {
    let mut mail = wait_for(MailServer::start("hold", 0));
    let site = Site::new();
    let mut server = registered(&site, &mail);
    assert_eq!(wait_for(mail.mail()).0, "ann@mail.example");
    server.signal("TERM");
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    eventually("it accepts nobody", || std::net::TcpStream::connect(&address).is_err());
    mail.release();
    assert_eq!(server.child.wait().unwrap().code(), Some(0));
    let waiting = wait_for(async { pending_mails(&site.db().await).await.unwrap() });
    assert_eq!(waiting, 0, "it is recorded as sent");
}

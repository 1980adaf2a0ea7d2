//! Health checks, `security.txt` and static files.

use std::path::PathBuf;

use chrono::Duration;
use rocket::http::Status;
use rocket::{State, get};

use crate::db::{Readiness, now};
use crate::error::Error;
use crate::models::base::site::Site;
use crate::web::drain::Draining;
use crate::web::public_url::PublicUrl;
use crate::web::response::assets::Asset;
use crate::web::{self, room};

room! {
    pages: [healthz, readyz, security_txt, asset],
}

/// Where vulnerabilities are reported, if anywhere.
pub struct SecurityContact(pub Option<String>);

/// Liveness: the process is running.
#[get("/healthz")]
fn healthz() -> &'static str {
    "ok\n"
}

/// Readiness, in a word. Only what other instances may not share takes this one out: a full disk or
/// a locked table would take out all of them.
#[get("/readyz")]
async fn readyz(draining: &State<Draining>, site: &Site) -> (Status, String) {
    if draining.has_begun() {
        return (Status::ServiceUnavailable, "shutting down\n".to_owned());
    }
    let readiness = site.db.readiness().await;
    let status = match readiness {
        Readiness::Gone | Readiness::Damaged => Status::ServiceUnavailable,
        Readiness::Ready | Readiness::Busy | Readiness::Full | Readiness::ReadOnly => Status::Ok,
    };
    (status, format!("{}\n", <&str>::from(readiness)))
}

/// Whom to tell of a vulnerability (RFC 9116); there is no such file unless a contact is configured.
#[get("/.well-known/security.txt")]
fn security_txt(contact: &State<SecurityContact>, url: &State<PublicUrl>) -> web::Result<String> {
    let SecurityContact(Some(contact)) = contact.inner() else {
        return Err(Error::NotFound.into());
    };
    // Required. The file is made anew for each request, and whoever keeps it asks again in time.
    let expires = (now() + Duration::days(180)).format("%Y-%m-%dT00:00:00Z");
    Ok(format!(
        "Contact: {contact}\nExpires: {expires}\nPreferred-Languages: en\n\
         Canonical: {}/.well-known/security.txt\n",
        url.origin()
    ))
}

#[get("/static/<path..>")]
fn asset(path: PathBuf) -> web::Result<Asset> {
    Ok(Asset::get(&path)?)
}

//! Writes responses in one piece.

use rocket::fairing::{Fairing, Info, Kind};
use rocket::{Request, Response};

/// The largest piece, in bytes; of larger responses, which exist in memory anyway, one is copied at
/// a time.
const MOST: usize = 64 * 1024;

/// Rocket would hand over pieces of 4 KiB. A proxy passes the first of them on at once, and cannot
/// ask another instance any more if this one crashes before the last.
pub struct Whole;

#[rocket::async_trait]
impl Fairing for Whole {
    fn info(&self) -> Info {
        Info { name: "whole responses", kind: Kind::Response }
    }

    async fn on_response<'r>(&self, _: &'r Request<'_>, response: &mut Response<'r>) {
        if let Some(size) = response.body().preset_size() {
            response.set_max_chunk_size(size.clamp(1, MOST));
        }
    }
}

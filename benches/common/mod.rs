//! What the benchmarks share: the servers, wrk, and people who read or log in.

pub mod bare;
pub mod fill;
pub mod interrupt;
pub mod log_ins;
pub mod postgres;
pub mod readers;
pub mod report;
pub mod server;

/// One kind of request.
#[derive(Clone)]
pub struct Scenario {
    pub name: &'static str,
    pub method: &'static str,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    /// wrk makes another number of `<n>` in each request.
    pub body: Option<String>,
}

impl Scenario {
    pub fn get(name: &'static str, path: &str, headers: Vec<(&'static str, String)>) -> Scenario {
        Scenario { name, method: "GET", path: path.to_owned(), headers, body: None }
    }
}

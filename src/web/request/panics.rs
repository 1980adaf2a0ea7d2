//! Panics of requests: their words reach the line of the log that has the id of the request.

use std::collections::HashMap;
use std::panic::PanicHookInfo;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use tokio::task::{self, Id};

type Words = Arc<Mutex<Option<String>>>;

/// The requests under way. Rocket serves each in a task of its own, and drops what a panic says.
static REQUESTS: LazyLock<Mutex<HashMap<Id, Words>>> = LazyLock::new(Mutex::default);

/// Keeps what the panic of one request says.
pub struct PanicWatch {
    task: Option<Id>,
    words: Words,
}

impl PanicWatch {
    pub fn of_this_task() -> PanicWatch {
        let (task, words) = (task::try_id(), Words::default());
        if let Some(task) = task {
            requests(|all| all.insert(task, words.clone()));
        }
        PanicWatch { task, words }
    }

    /// What the panic said and where it happened, if there was one.
    pub fn take(&self) -> Option<String> {
        self.words.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Drop for PanicWatch {
    fn drop(&mut self) {
        if let Some(task) = self.task {
            requests(|all| all.remove(&task));
        }
    }
}

/// Keeps the words of panics in requests for the line that says why the request failed; passes all
/// other panics on to `others`.
pub fn set_hook(others: impl Fn(&PanicHookInfo<'_>) + Send + Sync + 'static) {
    std::panic::set_hook(Box::new(move |info| {
        let request = task::try_id().and_then(|task| requests(|all| all.get(&task).cloned()));
        match request {
            Some(words) => {
                *words.lock().unwrap_or_else(PoisonError::into_inner) = Some(describe(info));
            }
            None => others(info),
        }
    }));
}

/// What a panic says and where it happened, in one line.
pub fn describe(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    let words = text.unwrap_or("no message").replace(['\r', '\n'], " ");
    match info.location() {
        Some(location) => format!("panicked at {location}: {words}"),
        None => format!("panicked: {words}"),
    }
}

fn requests<T>(use_them: impl FnOnce(&mut HashMap<Id, Words>) -> T) -> T {
    use_them(&mut REQUESTS.lock().unwrap_or_else(PoisonError::into_inner))
}

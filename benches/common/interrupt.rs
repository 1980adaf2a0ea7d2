//! An interrupt ends what the benchmark has started, instead of leaving it behind.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::signal::unix::{SignalKind, signal};

static INTERRUPTED: AtomicBool = AtomicBool::new(false);

/// From now on SIGINT and SIGTERM no longer end this process at once: `check` does.
pub fn listen() {
    std::thread::spawn(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut int = signal(SignalKind::interrupt()).unwrap();
            let mut term = signal(SignalKind::terminate()).unwrap();
            loop {
                tokio::select! { _ = int.recv() => {}, _ = term.recv() => {} }
                INTERRUPTED.store(true, Ordering::SeqCst);
            }
        });
    });
}

/// Unwinds after an interrupt, so that every server is ended and every folder removed.
pub fn check() {
    if INTERRUPTED.load(Ordering::SeqCst) && !std::thread::panicking() {
        eprintln!("interrupted; ending what was started");
        std::panic::resume_unwind(Box::new("interrupted"));
    }
}

//! Small writes that no request waits for, such as when a session was last used.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use tokio::sync::Mutex as AsyncMutex;

/// How many writes may wait. Another one is left out.
const LIMIT: usize = 100;

/// The queue of such writes: one at a time, so that they never occupy a whole pool.
#[derive(Clone, Default)]
pub struct Deferred {
    turn: Arc<AsyncMutex<()>>,
    keys: Arc<Mutex<HashSet<String>>>,
}

impl Deferred {
    /// Runs `work` soon, in its turn. It is left out when work with the same key is still waiting,
    /// and when too much is.
    pub fn run(&self, key: String, work: impl Future<Output = ()> + Send + 'static) {
        let Deferred { turn, keys } = self.clone();
        let is_new =
            keys.lock().is_ok_and(|mut keys| keys.len() < LIMIT && keys.insert(key.clone()));
        if !is_new {
            return;
        }
        tokio::spawn(async move {
            let turn = turn.lock().await;
            work.await;
            drop(turn);
            if let Ok(mut keys) = keys.lock() {
                keys.remove(&key);
            }
        });
    }
}

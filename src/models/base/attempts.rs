//! Attempts at a secret, such as a password: only failures are counted, and only once they are
//! known. Attempts that are still being verified hold a place of their budget, so that a hundred
//! concurrent guesses never exceed it, while concurrent right answers wait for each other instead
//! of being refused.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

use crate::db::{Db, sql};
use crate::error::{Error, Result};
use crate::models::base::caller::Caller;
use crate::models::base::rate_limit::{self, Budget};

/// How many attempts at one budget may wait or be verified at once in this instance; further ones
/// are refused immediately.
const MAX_WAITING: usize = 128;

/// The attempts that are being verified in this instance. Cheap to clone.
#[derive(Clone, Default)]
pub struct Attempts(Arc<Mutex<HashMap<String, Weak<Gate>>>>);

/// The attempts at one budget.
#[derive(Default)]
struct Gate {
    /// Held while an attempt waits for a place: they are admitted one after the other.
    admission: tokio::sync::Mutex<()>,
    /// How many have a place. Only the holder of `admission` increases it.
    verifying: AtomicI64,
    /// Signals that a place became free.
    freed: Notify,
}

/// Places of an attempt in its budgets. Dropping it frees them: the attempt did not fail.
pub struct Attempt {
    places: Vec<Place>,
}

struct Place {
    budget: Budget,
    gate: Arc<Gate>,
    attempts: Attempts,
}

impl Attempts {
    /// Waits for a place in each of these budgets, in this order.
    ///
    /// # Errors
    /// `TooManyRequests` when one is used up, before any work is done; `first` marks the first
    /// refusal in a window.
    pub async fn begin(&self, db: &Db, caller: &Caller, budgets: Vec<Budget>) -> Result<Attempt> {
        let mut places = Vec::new();
        for budget in budgets {
            places.push(self.admit(db, caller, budget).await?);
        }
        Ok(Attempt { places })
    }

    async fn admit(&self, db: &Db, caller: &Caller, budget: Budget) -> Result<Place> {
        let gate = self.gate(&budget)?;
        let _turn = gate.admission.lock().await;
        loop {
            // In this order: an attempt that fails is counted before it frees its place, so that
            // none is overlooked.
            let verifying = gate.verifying.load(Ordering::SeqCst);
            let used = rate_limit::read(db, &budget).await?;
            caller.record(used.status(budget.policy));
            if used.count >= budget.policy.quota {
                return Err(used.refusal(is_first_refusal(db, &budget, used.count).await?));
            }
            if used.count + verifying < budget.policy.quota {
                gate.verifying.fetch_add(1, Ordering::SeqCst);
                let gate = gate.clone();
                return Ok(Place { budget, gate, attempts: self.clone() });
            }
            gate.freed.notified().await;
        }
    }

    fn gate(&self, budget: &Budget) -> Result<Arc<Gate>> {
        let mut gates = self.lock();
        if let Some(gate) = gates.get(budget.stored_key()).and_then(Weak::upgrade) {
            return match Arc::strong_count(&gate) > MAX_WAITING {
                true => Err(Error::TooManyRequests { retry_after: 1, first: false }),
                false => Ok(gate),
            };
        }
        // Forgets the gates of earlier attempts, before the map would grow.
        if gates.len() == gates.capacity() {
            gates.retain(|_, gate| gate.strong_count() > 0);
        }
        let gate = Arc::new(Gate::default());
        gates.insert(budget.stored_key().to_owned(), Arc::downgrade(&gate));
        Ok(gate)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Weak<Gate>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Marks the first refusal: one of several concurrent ones, in any instance.
async fn is_first_refusal(db: &Db, budget: &Budget, count: i64) -> Result<bool> {
    if count > budget.policy.quota {
        return Ok(false);
    }
    let marked = sql("UPDATE throttles SET count = count + 1 WHERE key = $1 AND count = $2")
        .bind(budget.stored_key())
        .bind(count)
        .execute(db.writer())
        .await?;
    Ok(marked > 0)
}

impl Attempt {
    /// Counts a failure in each budget, then frees the places.
    pub async fn fail(self, db: &Db, caller: &Caller) -> Result<()> {
        for place in &self.places {
            let used = rate_limit::count(db.writer(), &place.budget).await?;
            caller.record(used.status(place.budget.policy));
        }
        Ok(())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.verifying.fetch_sub(1, Ordering::SeqCst);
        self.gate.freed.notify_one();
        let mut gates = self.attempts.lock();
        // The map has no strong reference, and new ones are taken only under its lock.
        if Arc::strong_count(&self.gate) == 1 {
            gates.remove(self.budget.stored_key());
        }
    }
}

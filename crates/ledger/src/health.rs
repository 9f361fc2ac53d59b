//! Whether the store can commit, seen from every thread. Must never hold up a reader: the hot path reads
//! one atomic.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The current trouble, if any.
#[derive(Debug, Default)]
pub(crate) struct Health {
    troubled: AtomicBool,
    why: Mutex<Option<String>>,
}

impl Health {
    /// Why the store cannot commit; `None` while it can.
    pub(crate) fn trouble(&self) -> Option<String> {
        if !self.troubled.load(Ordering::Acquire) {
            return None;
        }
        self.why.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Sets or clears the trouble.
    pub(crate) fn set(&self, trouble: Option<String>) {
        let mut why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        self.troubled.store(trouble.is_some(), Ordering::Release);
        *why = trouble;
    }
}

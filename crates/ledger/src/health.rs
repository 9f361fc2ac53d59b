//! Whether the store can commit, seen from every thread. Must never hold up a reader: the hot path reads
//! one atomic.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// The current trouble, if any.
#[derive(Debug, Default)]
pub(crate) struct Health {
    troubled: AtomicBool,
    /// The trouble stays until a restart.
    ended: AtomicBool,
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

    /// Why the store will not commit any more.
    pub(crate) fn ended(&self) -> Option<String> {
        if self.ended.load(Ordering::Acquire) { self.trouble() } else { None }
    }

    /// Sets the trouble for good.
    pub(crate) fn end(&self, trouble: String) {
        let mut why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.ended.swap(true, Ordering::AcqRel) {
            *why = Some(trouble);
            self.troubled.store(true, Ordering::Release);
        }
    }

    /// Sets or clears the trouble, unless it is for good.
    pub(crate) fn set(&self, trouble: Option<String>) {
        let mut why = self.why.lock().unwrap_or_else(PoisonError::into_inner);
        if self.ended.load(Ordering::Acquire) {
            return;
        }
        self.troubled.store(trouble.is_some(), Ordering::Release);
        *why = trouble;
    }
}

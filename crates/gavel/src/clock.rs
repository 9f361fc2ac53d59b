//! The one place where real time and real randomness enter.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use lead::Clock;

/// The system's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the clock that is handed to everyone else"
    )]
    fn timestamp(&self) -> Timestamp {
        Timestamp::now()
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// Bytes from the operating system; without them nothing may be named.
pub(crate) fn entropy() -> engine::Entropy {
    Arc::new(|bytes: &mut [u8]| {
        if getrandom::fill(bytes).is_err() {
            std::process::abort();
        }
    })
}

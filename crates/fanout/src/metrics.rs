//! Every metric of the wire: names here and nowhere else.

use metrics::{Counter, Unit, counter, describe_counter};

/// Handles, resolved once.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) made: Counter,
    pub(crate) reused: Counter,
    pub(crate) failed: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            made: counter!("gavel_buyer_connections_made_total"),
            reused: counter!("gavel_buyer_connections_reused_total"),
            failed: counter!("gavel_buyer_connections_failed_total"),
        }
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// Registers help texts.
pub fn describe() {
    describe_counter!(
        "gavel_buyer_connections_made_total",
        Unit::Count,
        "Connections opened to buyers."
    );
    describe_counter!(
        "gavel_buyer_connections_reused_total",
        Unit::Count,
        "Calls sent on a kept connection."
    );
    describe_counter!(
        "gavel_buyer_connections_failed_total",
        Unit::Count,
        "Connections to buyers that could not be opened."
    );
}

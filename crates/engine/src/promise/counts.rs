//! What is counted of publishers' pings. Decides nothing.

use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

/// All handles.
pub(super) struct Counts {
    open: Gauge,
    reserved: Counter,
    posted: Counter,
    expired: Counter,
}

impl Default for Counts {
    fn default() -> Self {
        Self {
            open: gauge!("gavel_pings_open"),
            reserved: counter!("gavel_pings_reserved_total"),
            posted: counter!("gavel_pings_posted_total"),
            expired: counter!("gavel_pings_expired_total"),
        }
    }
}

impl Counts {
    pub(super) fn opened(&self) {
        self.open.increment(1);
        self.reserved.increment(1);
    }

    /// It is open no longer.
    pub(super) fn closed(&self) {
        self.open.decrement(1);
    }

    pub(super) fn posted(&self) {
        self.posted.increment(1);
    }

    pub(super) fn expired(&self) {
        self.expired.increment(1);
    }
}

/// Says what is counted.
pub(crate) fn describe() {
    describe_gauge!(
        "gavel_pings_open",
        Unit::Count,
        "Accepted pings of publishers that hold room until their post or their end."
    );
    describe_counter!(
        "gavel_pings_reserved_total",
        Unit::Count,
        "Pings of publishers that were accepted."
    );
    describe_counter!("gavel_pings_posted_total", Unit::Count, "Accepted pings that were posted.");
    describe_counter!(
        "gavel_pings_expired_total",
        Unit::Count,
        "Accepted pings whose post did not come in time."
    );
}

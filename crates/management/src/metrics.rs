//! Every metric of the management API: names here and nowhere else.

use metrics::{Counter, Unit, counter, describe_counter};

/// Handles, resolved once.
pub(crate) struct Metrics([Counter; 6]);

const CLASSES: [&str; 6] = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];

impl Metrics {
    pub(crate) fn new() -> Self {
        Self(CLASSES.map(|class| counter!("gavel_management_replies_total", "class" => class)))
    }

    pub(crate) fn replied(&self, status: hyper::StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(counter) = self.0.get(class).or(self.0.first()) {
            counter.increment(1);
        }
    }
}

/// Registers help texts.
pub fn describe() {
    describe_counter!(
        "gavel_management_replies_total",
        Unit::Count,
        "Replies of the management API by status class."
    );
}

//! Every metric of the edge: names here and nowhere else.

use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

/// Handles, resolved once.
#[derive(Clone)]
pub(crate) struct Metrics {
    replies: [Counter; 6],
    pub(crate) connections: Gauge,
    pub(crate) connections_refused: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let classes = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];
        Self {
            replies: classes.map(|class| counter!("gavel_http_replies_total", "class" => class)),
            connections: gauge!("gavel_http_connections"),
            connections_refused: counter!("gavel_http_connections_refused_total"),
        }
    }

    pub(crate) fn replied(&self, status: hyper::StatusCode) {
        let class = usize::from(status.as_u16() / 100);
        if let Some(counter) = self.replies.get(class).or(self.replies.first()) {
            counter.increment(1);
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
        "gavel_http_replies_total",
        Unit::Count,
        "Replies to publishers by status class."
    );
    describe_gauge!("gavel_http_connections", Unit::Count, "Open connections of publishers.");
    describe_counter!(
        "gavel_http_connections_refused_total",
        Unit::Count,
        "Connections closed at once because there were too many."
    );
}

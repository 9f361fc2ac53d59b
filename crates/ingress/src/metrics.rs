//! Every metric of the edge: names here and nowhere else.

use metrics::{Counter, Gauge, Unit, counter, describe_counter, describe_gauge, gauge};

use crate::Reply;

/// Handles, resolved once.
#[derive(Clone)]
pub(crate) struct Metrics {
    replies: [Counter; 6],
    invalid: Counter,
    pub(crate) connections: Gauge,
    pub(crate) connections_refused: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let classes = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];
        Self {
            replies: classes.map(|class| counter!("gavel_http_replies_total", "class" => class)),
            invalid: counter!("gavel_http_invalid_total"),
            connections: gauge!("gavel_http_connections"),
            connections_refused: counter!("gavel_http_connections_refused_total"),
        }
    }

    pub(crate) fn replied(&self, reply: &Reply) {
        if reply.invalid {
            self.invalid.increment(1);
        }
        let class = usize::from(reply.status.as_u16() / 100);
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
    describe_counter!(
        "gavel_http_invalid_total",
        Unit::Count,
        "Requests of publishers whose fields were not valid, whatever their door's status says."
    );
    describe_gauge!("gavel_http_connections", Unit::Count, "Open connections of publishers.");
    describe_counter!(
        "gavel_http_connections_refused_total",
        Unit::Count,
        "Connections closed at once because there were too many."
    );
}

//! Every metric of the wire: names here and nowhere else.

use metrics::{Counter, Unit, counter, describe_counter};
use rustls::HandshakeKind;

/// Handles, resolved once.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) made: Counter,
    pub(crate) reused: Counter,
    pub(crate) failed: Counter,
    pub(crate) refused: Counter,
    full: Counter,
    resumed: Counter,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        Self {
            made: counter!("gavel_buyer_connections_made_total"),
            reused: counter!("gavel_buyer_connections_reused_total"),
            failed: counter!("gavel_buyer_connections_failed_total"),
            refused: counter!("gavel_buyer_addresses_refused_total"),
            full: counter!("gavel_buyer_handshakes_total", "kind" => "full"),
            resumed: counter!("gavel_buyer_handshakes_total", "kind" => "resumed"),
        }
    }

    /// A TLS handshake is done.
    pub(crate) fn shaken(&self, kind: Option<HandshakeKind>) {
        match kind {
            Some(HandshakeKind::Resumed) => self.resumed.increment(1),
            _ => self.full.increment(1),
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
    describe_counter!(
        "gavel_buyer_addresses_refused_total",
        Unit::Count,
        "Addresses of buyers that were not dialled: neither public nor allowed, or not encrypted."
    );
    describe_counter!(
        "gavel_buyer_handshakes_total",
        Unit::Count,
        "TLS handshakes with buyers; resumed ones are shorter."
    );
}

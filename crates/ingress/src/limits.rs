//! The edge's bounds, each with its reason.

use std::time::Duration;

/// Bounds on what a stranger can make us hold or wait for.
#[derive(Debug, Clone)]
pub struct Limits {
    /// From the first byte of a request to the end of its header; also how long an idle connection
    /// is kept, since hyper has one timer for both. Publishers' pools should be set shorter.
    pub header_read: Duration,
    /// Largest header.
    pub header_bytes_max: usize,
    /// Largest body.
    pub body_bytes_max: usize,
    /// From the end of the header to the end of the body; hyper has no such limit of its own.
    pub body_read: Duration,
    /// Most connections at once.
    pub connections_max: usize,
    /// What a publisher is told to wait when we are busy.
    pub retry_after: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_read: Duration::from_secs(10),
            header_bytes_max: 16 * 1024,
            body_bytes_max: 64 * 1024,
            body_read: Duration::from_secs(5),
            connections_max: 10_000,
            retry_after: Duration::from_secs(1),
        }
    }
}

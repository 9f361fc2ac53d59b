//! The binary and the workspace as a whole, from outside.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

mod bad_buyers;
mod brainysoft;
mod bright_horizons;
mod canonical;
mod caps;
mod cards;
mod crash;
mod decisions;
mod dialects;
mod doubt;
mod end_to_end;
mod events;
mod explain;
mod full_disk;
mod fuzz;
mod lines;
mod manage;
mod outcomes;
mod paste;
mod pings;
mod pingtree;
mod printed;
mod privacy;
mod process;
mod repeats;
mod shared;
mod workspace;

use std::sync::Arc;

use fanout::{Allowed, Guard, HttpBuyers, Limits, Tls, TlsFiles};
use lead::Clock;

/// The product's own wire, to buyers on this machine and without TLS.
fn local_buyers(clock: &Arc<dyn Clock>) -> HttpBuyers {
    let allowed = vec![Allowed { network: "127.0.0.0/8".parse().unwrap(), ports: Vec::new() }];
    let guard = Guard { allowed, plain_http: true };
    let tls = Tls::new(&TlsFiles::default(), clock).unwrap();
    HttpBuyers::new(Limits::default(), guard, tls, Arc::clone(clock))
}

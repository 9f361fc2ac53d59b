//! Publishers: posts leads in a closed loop, or in an open one, where each lead has its time and its latency
//! counts from then whether or not it could leave. A thread a connection, blocking, for exact timers and little
//! work per lead: `gavel sim publishers` cannot do it, its runtime's timers count whole milliseconds.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Barrier, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use benches::Round;
use benches::http::Connection;

/// How leads come.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Load {
    pub(crate) connections: usize,
    /// Leads a second, or as many as are answered.
    pub(crate) rate: Option<u64>,
    pub(crate) time: Duration,
}

/// On a machine that others use too, one lead of so many may fail; more is a fault of what is measured.
const ONE_MAY_FAIL_OF: u64 = 1_000;

/// Posts what `request` makes. Stops everything unless the answers satisfy `done`.
pub(crate) fn run(
    at: SocketAddr,
    load: &Load,
    request: &(impl Fn() -> Vec<u8> + Sync),
    done: fn(&[u8]) -> bool,
) -> Round {
    let (ready, began, next) = (Barrier::new(load.connections), OnceLock::new(), AtomicU64::new(0));
    let failed = Mutex::new(Vec::new());
    let publisher = || {
        let mut connection = Connection::open(at).unwrap();
        let mut waits = Vec::new();
        ready.wait();
        let began = *began.get_or_init(Instant::now);
        while let Some(due) = load.due(began, &next) {
            let request = request();
            thread::sleep(due.saturating_duration_since(Instant::now()));
            connection.send(&request).unwrap();
            let reply = connection.receive().unwrap().unwrap_or_default();
            let took = due.elapsed();
            if done(reply) {
                waits.push(took);
            } else {
                failed.lock().unwrap().push(String::from_utf8_lossy(reply).into_owned());
            }
        }
        waits
    };
    let round = thread::scope(|scope| {
        let small = || thread::Builder::new().stack_size(64 * 1024);
        let threads =
            (0..load.connections).map(|_| small().spawn_scoped(scope, publisher).unwrap());
        let threads: Vec<_> = threads.collect();
        let waits = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        Round::new(began.get().unwrap().elapsed(), waits)
    });
    let failed = failed.into_inner().unwrap();
    let few = failed.len() as u64 <= round.done / ONE_MAY_FAIL_OF;
    assert!(few, "{} beside {}, the first: {:?}", failed.len(), round.done, failed.first());
    round
}

impl Load {
    /// When the next lead is to be posted; `None` when there is none.
    fn due(&self, began: Instant, next: &AtomicU64) -> Option<Instant> {
        let due = match self.rate {
            None => Instant::now(),
            Some(rate) => {
                let index = next.fetch_add(1, Ordering::Relaxed);
                began + Duration::from_nanos(index * 1_000_000_000 / rate)
            }
        };
        (due < began + self.time).then_some(due)
    }
}

//! Publishers: posts leads in a closed loop, or in an open one, where each lead has its time and its latency
//! counts from then whether or not it could leave. A thread a connection, blocking, for exact timers and little
//! work per lead: `gavel sim publishers` cannot do it, its runtime's timers count whole milliseconds.

use std::fmt;
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
    /// An answer that holds it is good.
    pub(crate) good: &'static [u8],
}

/// Why a round says nothing: what was measured did less than it should have.
#[derive(Debug, Clone)]
pub(crate) struct Void(pub(crate) String);

impl fmt::Display for Void {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "void: {}", self.0)
    }
}

/// What came of a load.
#[derive(Debug)]
pub(crate) struct Answered {
    /// Every lead.
    pub(crate) round: Round,
    /// Leads that were not sold.
    pub(crate) unsold: u64,
    /// What one of them was answered.
    answer: String,
}

impl Answered {
    /// The round, which counts only if every lead was sold.
    pub(crate) fn all_sold(self) -> Result<Round, Void> {
        match self.unsold {
            0 => Ok(self.round),
            some => Err(Void(format!("{some} of {} not sold: {}", self.round.done, self.answer))),
        }
    }
}

/// Posts what `request` makes; a good answer is a sale.
pub(crate) fn run(
    at: SocketAddr,
    load: &Load,
    request: &(impl Fn() -> Vec<u8> + Sync),
) -> Answered {
    let (ready, began, next) = (Barrier::new(load.connections), OnceLock::new(), AtomicU64::new(0));
    let bad = Mutex::new(Vec::new());
    let publisher = || {
        let mut connection = Connection::open(at).unwrap();
        let mut waits = Vec::new();
        ready.wait();
        let began = *began.get_or_init(Instant::now);
        while let Some(due) = load.due(began, &next) {
            let request = request();
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let reply = connection.send(&request).and_then(|()| connection.receive());
            waits.push(due.elapsed());
            let broken = match reply {
                Ok(Some(reply)) if holds(reply, load.good) => continue,
                Ok(Some(reply)) => {
                    bad.lock().unwrap().push(body(reply));
                    continue;
                }
                Ok(None) => "closed".to_owned(),
                Err(error) => error.to_string(),
            };
            bad.lock().unwrap().push(broken);
            break;
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
    let bad = bad.into_inner().unwrap();
    let unsold = bad.len() as u64;
    Answered { round, unsold, answer: bad.into_iter().next().unwrap_or_default() }
}

fn holds(reply: &[u8], part: &[u8]) -> bool {
    reply.windows(part.len()).any(|window| window == part)
}

fn body(reply: &[u8]) -> String {
    let text = String::from_utf8_lossy(reply);
    text.split("\r\n\r\n").last().unwrap_or_default().to_owned()
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

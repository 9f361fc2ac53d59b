//! From a host's name to its addresses, without ever blocking a thread that leads run on. It must never
//! judge an address: that is the guard's part, at the moment of dialling.
//!
//! The system's own resolver is asked, since only that one follows the machine's files, search lists and
//! split name servers; it blocks, cannot be cancelled and tells no TTL. So it is asked on threads of its
//! own, few and made on demand, one question a name. What is known is used at once and looked up again
//! behind the lead's back; a name server that hangs delays only those whose name was never known, and
//! those no longer than their own limit. Names that failed before may hold half of the threads at most,
//! so that they cannot keep new names waiting.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// Looked up again after this.
const FRESH: Duration = Duration::from_secs(30);
/// Used no longer than this, however often looking it up fails.
const USABLE: Duration = Duration::from_secs(600);
/// A failure stands for so long.
const FAILED: Duration = Duration::from_secs(2);
/// So many names are remembered.
const NAMES_MAX: usize = 4_096;
/// Addresses kept of one name.
const ADDRESSES_MAX: usize = 16;
/// Look-ups at once.
pub(crate) const THREADS_MAX: usize = 32;

/// Asks for a name's addresses, and blocks meanwhile.
pub(crate) type Lookup = Arc<dyn Fn(&str) -> std::io::Result<Vec<IpAddr>> + Send + Sync>;

/// The system's resolver.
pub(crate) fn system() -> Lookup {
    Arc::new(|name| Ok((name, 0).to_socket_addrs()?.map(|address| address.ip()).collect()))
}

type Addresses = Arc<[IpAddr]>;

/// Names and their addresses.
pub(crate) struct Resolver(Arc<Shared>);

struct Shared {
    lookup: Lookup,
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    known: HashMap<Arc<str>, Name>,
    /// Names that wait for a thread, and since when.
    queue: VecDeque<(Arc<str>, Instant)>,
    threads: usize,
}

#[derive(Default)]
struct Name {
    found: Option<(Instant, Addresses)>,
    failed: Option<Instant>,
    /// A look-up is under way: it tells what it finds, or ends without a word.
    asking: Option<watch::Sender<Option<Addresses>>>,
    used: Option<Instant>,
}

impl Resolver {
    pub(crate) fn new(lookup: Lookup) -> Self {
        Self(Arc::new(Shared { lookup, names: Mutex::default() }))
    }

    /// The addresses of `name`; `None` if there are none. Waits only for a name of which nothing usable
    /// is known.
    pub(crate) async fn addresses(&self, name: &str, now: Instant) -> Option<Addresses> {
        let mut answer = match self.known(name, now) {
            Known::Here(addresses) => return Some(addresses),
            Known::Nothing => return None,
            Known::Asking(answer) => answer,
        };
        answer.changed().await.ok()?;
        answer.borrow().clone()
    }

    fn known(&self, name: &str, now: Instant) -> Known {
        let mut names = self.0.names();
        let since = |at: Instant| now.saturating_duration_since(at);
        let entry = names.entry(name);
        entry.used = Some(now);
        let failed_lately = entry.failed.is_some_and(|at| since(at) < FAILED);
        let found = entry.found.clone().filter(|(at, _)| since(*at) < USABLE);
        let is_fresh = found.as_ref().is_some_and(|(at, _)| since(*at) < FRESH);
        let asked = if is_fresh || failed_lately { None } else { self.ask(&mut names, name, now) };
        match (found, asked) {
            (Some((_, addresses)), _) => Known::Here(addresses),
            (None, Some(answer)) => Known::Asking(answer),
            (None, None) => Known::Nothing,
        }
    }

    /// Looks a name up, unless that is under way; `None` if it must not take one of the last threads.
    fn ask(
        &self,
        names: &mut Names,
        name: &str,
        now: Instant,
    ) -> Option<watch::Receiver<Option<Addresses>>> {
        let threads = names.threads;
        let entry = names.entry(name);
        if let Some(asking) = &entry.asking {
            return Some(asking.subscribe());
        }
        if entry.failed.is_some() && threads >= THREADS_MAX / 2 {
            return None;
        }
        let (asking, answer) = watch::channel(None);
        entry.asking = Some(asking);
        let name: Arc<str> = name.into();
        if threads >= THREADS_MAX {
            names.queue.push_back((name, now));
            return Some(answer);
        }
        let (shared, asked) = (Arc::clone(&self.0), Arc::clone(&name));
        let thread = std::thread::Builder::new().name("gavel-dns".to_owned());
        match thread.spawn(move || shared.look_up(asked, now)) {
            Ok(_detached) => names.threads += 1,
            Err(_) => names.answer(&name, now, None),
        }
        Some(answer)
    }
}

enum Known {
    Here(Addresses),
    Asking(watch::Receiver<Option<Addresses>>),
    Nothing,
}

impl Shared {
    /// Looks up one name after another until none waits.
    fn look_up(&self, mut name: Arc<str>, mut asked: Instant) {
        loop {
            let found = (self.lookup)(&name).ok();
            let mut names = self.names();
            names.answer(&name, asked, found);
            let Some(next) = names.queue.pop_front() else {
                names.threads -= 1;
                return;
            };
            (name, asked) = next;
        }
    }

    fn names(&self) -> MutexGuard<'_, Names> {
        self.names.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Names {
    fn entry(&mut self, name: &str) -> &mut Name {
        if !self.known.contains_key(name) && self.known.len() >= NAMES_MAX {
            self.forget_one();
        }
        self.known.entry(name.into()).or_default()
    }

    /// Forgets the name that was not used for longest.
    fn forget_one(&mut self) {
        let idle = self.known.iter().filter(|(_, name)| name.asking.is_none());
        let oldest = idle.min_by_key(|(_, name)| name.used).map(|(name, _)| Arc::clone(name));
        if let Some(oldest) = oldest {
            self.known.remove(&oldest);
        }
    }

    /// What a look-up that began at `asked` found.
    fn answer(&mut self, name: &str, asked: Instant, found: Option<Vec<IpAddr>>) {
        let entry = self.entry(name);
        let asking = entry.asking.take();
        let Some(mut found) = found.filter(|found| !found.is_empty()) else {
            entry.failed = Some(asked);
            return;
        };
        found.truncate(ADDRESSES_MAX);
        let addresses: Addresses = found.into();
        entry.found = Some((asked, Arc::clone(&addresses)));
        entry.failed = None;
        if let Some(asking) = asking {
            asking.send_replace(Some(addresses));
        }
    }
}

impl std::fmt::Debug for Resolver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resolver").field("names", &self.0.names().known.len()).finish()
    }
}

#[cfg(test)]
mod tests;

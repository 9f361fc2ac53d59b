//! The publisher: sends leads at a steady rate whatever the engine does, repeats what got no answer
//! under the same key, and now and then what did. Writes down everything that it is told.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use hyper::Request;
use hyper::http;
use sim::publishers::{Load, Reply, run};

use super::history::{Answer, Op, Outcome};
use super::town;

/// Of this many requests one repeats an answered one.
const REPEATS: usize = 12;
/// Of this many requests one is sent again while it is under way.
const TWINS: usize = 24;
/// How often what is left is sent again when nothing crashes any more.
const LAST_ROUNDS: usize = 20;
/// How fast what is left is sent, and leads are looked up.
const FAST: u32 = 1500;

/// What the publisher knows. Shared with the load that it runs.
#[derive(Debug, Clone)]
pub(crate) struct Publisher {
    book: Arc<Mutex<Book>>,
    /// Set at the moment of a crash: nothing is sent to whoever comes after at that address.
    silent: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Book {
    rng: fastrand::Rng,
    ops: Vec<Op>,
    answered: Vec<usize>,
    /// To be sent next, before anything new.
    due: VecDeque<usize>,
    /// Which request, and which sending of it, each of the present load's is.
    sent: Vec<(usize, usize)>,
}

impl Publisher {
    pub(crate) fn new(seed: u64) -> Self {
        let rng = fastrand::Rng::with_seed(seed);
        let book = Book {
            rng,
            ops: Vec::new(),
            answered: Vec::new(),
            due: VecDeque::new(),
            sent: Vec::new(),
        };
        Self { book: Arc::new(Mutex::new(book)), silent: Arc::default() }
    }

    /// Sends at `rate` for `time`, or until it is told to be silent. Says how many requests were sent.
    pub(crate) async fn offer(&self, to: SocketAddr, rate: u32, time: Duration) -> u64 {
        let total = u64::from(rate) * u64::try_from(time.as_millis()).unwrap() / 1000 + 1;
        let rng = |book: &mut Book| book.next();
        self.send(Load::new(to, rate, total, self.builder(rng)), time + Duration::from_secs(2))
            .await
    }

    /// Sends until every request has been answered, or often enough.
    pub(crate) async fn finish(&self, to: SocketAddr) {
        for _ in 0..LAST_ROUNDS {
            let left = self.book().due.len() as u64;
            if left == 0 {
                return;
            }
            let load = Load::new(to, FAST, left, self.builder(|book| book.due.pop_front()));
            self.send(load, Duration::from_secs(30)).await;
        }
    }

    /// Nothing more leaves until the next load.
    pub(crate) fn hush(&self) {
        self.silent.store(true, Ordering::SeqCst);
    }

    /// Everything that was sent, and what came of it.
    pub(crate) fn ops(&self) -> Vec<Op> {
        self.book().ops.clone()
    }

    fn builder(
        &self,
        mut choose: impl FnMut(&mut Book) -> Option<usize> + Send + 'static,
    ) -> impl FnMut(u64) -> http::Result<Request<Bytes>> + Send + 'static {
        let Self { book, silent } = self.clone();
        move |_| {
            let mut book = lock(&book);
            let chosen = if silent.load(Ordering::SeqCst) { None } else { choose(&mut book) };
            let Some(n) = chosen else {
                book.sent.push((usize::MAX, 0));
                return Err(nothing_to_send());
            };
            let Some(op) = book.ops.get_mut(n) else { return Err(nothing_to_send()) };
            op.outcomes.push(Outcome::Info);
            let (key, sending) = (op.key.clone(), op.outcomes.len() - 1);
            book.sent.push((n, sending));
            let headers =
                [("authorization", &*format!("Bearer {}", town::KEY)), ("idempotency-key", &key)];
            sim::publishers::post("/v1/leads", &headers, &town::lead(n, &key))
        }
    }

    async fn send(&self, load: Load, limit: Duration) -> u64 {
        self.silent.store(false, Ordering::SeqCst);
        self.book().sent.clear();
        let book = Arc::clone(&self.book);
        let load = load.limit(limit).on_reply(move |reply| lock(&book).note(&reply));
        run(load).await.unwrap();
        self.book().sort()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        lock(&self.book)
    }
}

impl Book {
    /// A twin, a repeat, what is due, or a new lead.
    fn next(&mut self) -> Option<usize> {
        if self.rng.usize(..TWINS) == 0
            && let Some((n, _)) = self.sent.last().filter(|(n, _)| *n != usize::MAX)
        {
            return Some(*n);
        }
        if !self.answered.is_empty() && self.rng.usize(..REPEATS) == 0 {
            return self.answered.get(self.rng.usize(..self.answered.len())).copied();
        }
        if let Some(due) = self.due.pop_front() {
            return Some(due);
        }
        let n = self.ops.len();
        self.ops.push(Op { key: format!("key-{n}"), outcomes: Vec::new() });
        Some(n)
    }

    fn note(&mut self, reply: &Reply) {
        let sent = usize::try_from(reply.index).ok().and_then(|index| self.sent.get(index));
        let Some((n, sending)) = sent.copied() else { return };
        let outcome = match (reply.status, serde_json::from_slice(&reply.body)) {
            (200, Ok(body)) => Outcome::Ok(Answer::read(&body)),
            (status, _) => Outcome::Fail(status),
        };
        if let Some(op) = self.ops.get_mut(n) {
            op.outcomes[sending] = outcome;
        }
    }

    /// After a load: what has its answer, and what is due again.
    fn sort(&mut self) -> u64 {
        let sent: BTreeSet<usize> =
            self.sent.iter().map(|(n, _)| *n).filter(|n| *n != usize::MAX).collect();
        let count = self.sent.iter().filter(|(n, _)| *n != usize::MAX).count();
        for n in sent {
            match self.ops.get(n) {
                Some(op) if op.is_answered() => self.answered.push(n),
                _ => self.due.push_back(n),
            }
        }
        count as u64
    }
}

fn lock(book: &Mutex<Book>) -> MutexGuard<'_, Book> {
    book.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A load counts it as failed and sends nothing.
fn nothing_to_send() -> http::Error {
    http::Method::from_bytes(b" ").unwrap_err().into()
}

/// How every lead stands, as the engine says; `None` for one that it does not know.
pub(crate) async fn find(
    at: SocketAddr,
    leads: BTreeSet<String>,
) -> BTreeMap<String, Option<Answer>> {
    let found: Arc<Mutex<BTreeMap<String, Option<Answer>>>> = Arc::default();
    for _ in 0..LAST_ROUNDS {
        let known = found.lock().unwrap().clone();
        let left: Vec<String> =
            leads.iter().filter(|lead| !known.contains_key(*lead)).cloned().collect();
        if left.is_empty() {
            return known;
        }
        let (asked, notes) = (left.clone(), Arc::clone(&found));
        let build = move |index: u64| {
            Request::get(format!("/v1/leads/{}", left[usize::try_from(index).unwrap()]))
                .header("authorization", format!("Bearer {}", town::KEY))
                .body(Bytes::new())
        };
        let note = move |reply: Reply| {
            let lead = asked[usize::try_from(reply.index).unwrap()].clone();
            let answer = match (reply.status, serde_json::from_slice(&reply.body)) {
                (200, Ok(body)) => Some(Answer::read(&body)),
                (404, _) => None,
                _ => return,
            };
            notes.lock().unwrap().insert(lead, answer);
        };
        let total = leads.len() - known.len();
        run(Load::new(at, FAST, total as u64, build).connections(16).on_reply(note)).await.unwrap();
    }
    panic!("leads cannot be looked up");
}

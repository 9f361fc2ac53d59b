//! The resolver over scripted look-ups, some of which hang until they are let go.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use super::*;

const MS: Duration = Duration::from_millis(1);

/// Names that begin with `hang` hang until their gate is dropped; those with `none` have no address.
struct Script {
    resolver: Resolver,
    asked: Arc<Mutex<Vec<String>>>,
    most: Arc<AtomicUsize>,
    gate: Option<mpsc::Sender<()>>,
}

fn script() -> Script {
    let (gate, closed) = mpsc::channel::<()>();
    let closed = Mutex::new(closed);
    let (asked, most) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    let (journal, peak) = (Arc::clone(&asked), Arc::clone(&most));
    let at_once = AtomicUsize::new(0);
    let lookup: Lookup = Arc::new(move |name| {
        journal.lock().unwrap().push(name.to_owned());
        peak.fetch_max(at_once.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        if name.starts_with("hang") {
            // Each look-up in turn learns that the gate is gone.
            assert!(closed.lock().unwrap().recv().is_err());
        }
        at_once.fetch_sub(1, Ordering::SeqCst);
        if name.starts_with("none") {
            return Err(std::io::Error::other("no such name"));
        }
        let count = journal.lock().unwrap().iter().filter(|asked| *asked == name).count();
        Ok(vec![IpAddr::from([192, 0, 2, u8::try_from(count).unwrap()])])
    });
    Script { resolver: Resolver::new(lookup), asked, most, gate: Some(gate) }
}

impl Script {
    async fn last_octet(&self, name: &str, now: Instant) -> Option<u8> {
        let found = self.resolver.addresses(name, now).await?;
        match found.first()? {
            IpAddr::V4(address) => Some(address.octets()[3]),
            IpAddr::V6(_) => None,
        }
    }

    fn asked(&self, name: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == name).count()
    }

    /// Waits until the names that are asked for are known or have failed.
    async fn settle(&self) {
        while self.resolver.0.names().threads > 0 {
            tokio::time::sleep(MS).await;
        }
    }
}

fn start() -> Instant {
    tokio::time::Instant::now().into_std()
}

#[tokio::test]
async fn a_name_is_asked_once_and_looked_up_again_behind_the_leads_back() {
    let (script, now) = (script(), start());
    let all = (0..50).map(|_| script.last_octet("a.example", now));
    assert_eq!(futures_util::future::join_all(all).await, vec![Some(1); 50]);
    assert_eq!(script.asked("a.example"), 1);
    assert_eq!(script.last_octet("a.example", now + FRESH - MS).await, Some(1));
    assert_eq!(script.asked("a.example"), 1);
    assert_eq!(script.last_octet("a.example", now + FRESH).await, Some(1), "used while looked up");
    script.settle().await;
    assert_eq!(script.last_octet("a.example", now + FRESH).await, Some(2));
    script.settle().await;
    assert_eq!(
        script.last_octet("a.example", now + FRESH + USABLE).await,
        Some(3),
        "waits: too old"
    );
}

#[tokio::test]
async fn a_failure_stands_for_a_moment() {
    let (script, now) = (script(), start());
    assert_eq!(script.last_octet("none.example", now).await, None);
    assert_eq!(script.last_octet("none.example", now + FAILED - MS).await, None);
    assert_eq!(script.asked("none.example"), 1);
    assert_eq!(script.last_octet("none.example", now + FAILED).await, None);
    assert_eq!(script.asked("none.example"), 2);
}

/// Every thread but one hangs, and then every thread: who is known is not delayed at all, who is new not
/// as long as a thread is left, and who is new and finds none gets the first that comes free.
#[tokio::test]
async fn names_that_hang_delay_nobody_who_is_known() {
    let (mut script, now) = (script(), start());
    assert_eq!(script.last_octet("known.example", now).await, Some(1));
    script.settle().await;
    let hanging: Vec<_> = (0..THREADS_MAX).map(|n| format!("hang{n}.example")).collect();
    let wait = |name: String| {
        let answer = script.resolver.known(&name, now);
        assert!(matches!(answer, Known::Asking(_)), "{name}");
    };
    hanging.iter().take(THREADS_MAX - 1).cloned().for_each(wait);
    assert_eq!(script.last_octet("new.example", now).await, Some(1));
    while script.resolver.0.names().threads >= THREADS_MAX {
        tokio::time::sleep(MS).await;
    }
    hanging.iter().skip(THREADS_MAX - 1).cloned().for_each(wait);
    assert_eq!(script.last_octet("known.example", now).await, Some(1));
    let stale = now + FRESH;
    assert_eq!(script.last_octet("known.example", stale).await, Some(1), "looked up later");
    let newest = script.resolver.addresses("newest.example", now);
    let impatient = tokio::time::timeout(50 * MS, newest).await;
    assert!(impatient.is_err(), "all threads hang");
    assert_eq!(script.asked("newest.example"), 0);
    drop(script.gate.take());
    script.settle().await;
    assert_eq!(script.last_octet("newest.example", now).await, Some(1));
    assert_eq!((script.asked("newest.example"), script.asked("known.example")), (1, 2));
    assert!(script.most.load(Ordering::SeqCst) <= THREADS_MAX);
}

/// Names that failed before, and now hang, leave half of the threads to others.
#[tokio::test]
async fn names_that_failed_take_half_of_the_threads_at_most() {
    let (script, now) = (script(), start());
    {
        let mut names = script.resolver.0.names();
        for n in 0..THREADS_MAX {
            names.answer(&format!("hang{n}.example"), now, None);
        }
    }
    let later = now + FAILED;
    let mut asking = 0;
    for n in 0..THREADS_MAX {
        let known = script.resolver.known(&format!("hang{n}.example"), later);
        asking += usize::from(matches!(known, Known::Asking(_)));
    }
    assert_eq!(asking, THREADS_MAX / 2);
    assert_eq!(script.last_octet("new.example", later).await, Some(1));
}

#[tokio::test]
async fn so_many_names_are_remembered() {
    let (script, now) = (script(), start());
    for n in 0..=NAMES_MAX {
        let at = now + MS * u32::try_from(n).unwrap();
        script.resolver.0.names().answer(
            &format!("{n}.example"),
            at,
            Some(vec![[192, 0, 2, 1].into()]),
        );
        script.resolver.0.names().entry(&format!("{n}.example")).used = Some(at);
    }
    let names = script.resolver.0.names();
    assert_eq!(names.known.len(), NAMES_MAX);
    assert!(!names.known.contains_key("0.example") && names.known.contains_key("1.example"));
}

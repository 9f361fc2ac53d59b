//! What the buyers received, in memory and in a file per buyer. A post is on record before its answer
//! leaves. Must never keep more than it was told to, nor write outside its directory.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::json;

use super::Options;

/// What a post is told as that the buyer knows nothing of.
pub(super) const UNREAD: &str = "unread";

/// Names come with requests, so there is an end to them.
const BUYERS_MAX: usize = 1000;

/// A ping as it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ping {
    /// To whom.
    pub buyer: String,
    /// The body, byte for byte.
    pub body: Bytes,
}

/// A post and what the buyer made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// To whom.
    pub buyer: String,
    /// The lead; empty if the body named none.
    pub lead_id: String,
    /// The header's value without its quotes.
    pub idempotency_key: Option<String>,
    /// The price that the post named, as written.
    pub bid: String,
    /// `accepted`, `rejected`, `duplicate`, or what a fault said instead: `nothing`, `garbage`,
    /// `no-verdict`, `both-verdicts`, `half`, `status-NNN`, or `unread` for a post that it dropped
    /// without a look. A repeat under the key of an accepted post reads `accepted` again.
    pub answered: String,
    /// Whether the buyer itself holds that it bought the lead, whatever it answered.
    pub bought: bool,
}

/// A post before it is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received<'a> {
    pub(super) buyer: &'a str,
    pub(super) lead_id: &'a str,
    pub(super) idempotency_key: Option<&'a str>,
    pub(super) bid: &'a str,
}

/// How a post is judged.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) bought: bool,
    pub(super) answered: String,
}

/// What a buyer remembers of a lead.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// How often it was posted before.
    pub(super) visits: u32,
    /// Bought, under this key.
    pub(super) bought: Option<Option<String>>,
    /// Read and refused, at least once.
    refused: bool,
    kept: u32,
}

#[derive(Debug, Default)]
struct Counts {
    pings: u64,
    file: Option<File>,
    seen: HashMap<String, Seen>,
}

#[derive(Debug, Default)]
struct Book {
    pings: VecDeque<Ping>,
    posts: VecDeque<Post>,
    buyers: BTreeMap<String, Counts>,
}

#[derive(Debug)]
pub(super) struct Journal {
    dir: Option<PathBuf>,
    keep_pings: usize,
    keep_posts: usize,
    book: Mutex<Book>,
}

impl Journal {
    /// Opens the files of the buyers that are known by name, so that a bad directory shows at once.
    pub(super) fn open<'a>(
        options: &Options,
        names: impl Iterator<Item = &'a String>,
    ) -> io::Result<Self> {
        let Options { journal: dir, keep_pings, keep_posts, .. } = options.clone();
        if let Some(dir) = &dir {
            fs::create_dir_all(dir)?;
        }
        let journal = Self { dir, keep_pings, keep_posts, book: Mutex::default() };
        let mut book = journal.book();
        for name in names {
            journal.counts(&mut book, name)?;
        }
        drop(book);
        Ok(journal)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts<'b>(&self, book: &'b mut Book, buyer: &str) -> io::Result<&'b mut Counts> {
        if !book.buyers.contains_key(buyer) {
            if book.buyers.len() >= BUYERS_MAX {
                return Err(io::Error::other("too many buyers"));
            }
            let mut counts = Counts::default();
            if let Some(dir) = &self.dir {
                let path = dir.join(format!("{buyer}.jsonl"));
                counts.file = Some(OpenOptions::new().create(true).append(true).open(path)?);
            }
            book.buyers.insert(buyer.to_owned(), counts);
        }
        book.buyers.get_mut(buyer).ok_or_else(|| io::Error::other("no such buyer"))
    }

    pub(super) fn ping(&self, buyer: &str, body: &Bytes) -> io::Result<()> {
        let mut book = self.book();
        self.counts(&mut book, buyer)?.pings += 1;
        book.pings.push_back(Ping { buyer: buyer.to_owned(), body: body.clone() });
        while book.pings.len() > self.keep_pings {
            book.pings.pop_front();
        }
        Ok(())
    }

    /// Judges a post and writes it down, one at a time so that repeats are told from first calls.
    pub(super) fn post(
        &self,
        received: Received<'_>,
        judge: impl FnOnce(&Seen) -> Judged,
    ) -> io::Result<()> {
        let Received { buyer, lead_id, idempotency_key, bid } = received;
        let mut book = self.book();
        let counts = self.counts(&mut book, buyer)?;
        let seen = counts.seen.entry(lead_id.to_owned()).or_default();
        let Judged { bought, answered } = judge(seen);
        seen.visits += 1;
        seen.kept += 1;
        let key = idempotency_key.map(str::to_owned);
        seen.refused |= !bought && answered != UNREAD;
        if bought && seen.bought.is_none() {
            seen.bought = Some(key.clone());
        }
        let line = json!({
            "lead_id": lead_id, "idempotency_key": key, "bid": bid, "answered": answered,
        });
        // One write each: a killed process leaves whole lines.
        let written = match &mut counts.file {
            Some(file) => {
                file.write_all(format!("{line}\n").as_bytes()).and_then(|()| file.flush())
            }
            None => Ok(()),
        };
        let (buyer, lead_id, bid) = (buyer.to_owned(), lead_id.to_owned(), bid.to_owned());
        let post = Post { buyer, lead_id, idempotency_key: key, bid, answered, bought };
        book.posts.push_back(post);
        while book.posts.len() > self.keep_posts {
            book.forget_oldest_post();
        }
        written
    }

    pub(super) fn posts(&self) -> Vec<Post> {
        self.book().posts.iter().cloned().collect()
    }

    /// What a buyer holds of a lead: `accepted`, `rejected` or `unknown`.
    pub(super) fn standing(&self, buyer: &str, lead_id: &str) -> &'static str {
        let book = self.book();
        let seen = book.buyers.get(buyer).and_then(|counts| counts.seen.get(lead_id));
        match seen {
            Some(seen) if seen.bought.is_some() => "accepted",
            Some(seen) if seen.refused => "rejected",
            _ => "unknown",
        }
    }

    pub(super) fn pings(&self) -> u64 {
        self.book().buyers.values().map(|counts| counts.pings).sum()
    }

    pub(super) fn pings_to(&self, buyer: &str) -> u64 {
        self.book().buyers.get(buyer).map_or(0, |counts| counts.pings)
    }

    pub(super) fn ping_bodies(&self) -> Vec<Ping> {
        self.book().pings.iter().cloned().collect()
    }
}

impl Book {
    /// With its last post a lead is forgotten too, else memory would grow with every lead.
    fn forget_oldest_post(&mut self) {
        let Some(post) = self.posts.pop_front() else {
            return;
        };
        let Some(counts) = self.buyers.get_mut(&post.buyer) else {
            return;
        };
        if let Some(seen) = counts.seen.get_mut(&post.lead_id) {
            seen.kept -= 1;
            if seen.kept == 0 {
                counts.seen.remove(&post.lead_id);
            }
        }
    }
}

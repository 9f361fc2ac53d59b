//! Simulated buyers: many on one port, each with its own behaviour, speaking the native delivery
//! format. Must never let the order of requests change what a buyer says.

mod answer;
mod behaviour;
mod draw;
mod journal;
mod server;
mod spec;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lead::CampaignId;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use behaviour::{Behaviour, Fault, Latency, Stage};
use journal::Journal;
pub use journal::{Ping, Post};
pub use spec::SpecError;

/// The name whose behaviour every buyer has that is not named.
pub const ANYONE: &str = "*";

/// A name in the path, and how it behaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buyer {
    /// A slug, or [`ANYONE`].
    pub name: String,
    /// What it does with pings and posts.
    pub behaviour: Behaviour,
}

impl Buyer {
    /// A buyer; the name is checked when the buyers start.
    pub fn new(name: impl Into<String>, behaviour: Behaviour) -> Self {
        Self { name: name.into(), behaviour }
    }
}

/// What holds for all buyers of one listener.
#[derive(Debug, Clone)]
pub struct Options {
    /// Same seed, buyer and ping or lead: same answer.
    pub seed: u64,
    /// Where each buyer's posts are also written, as `<name>.jsonl`.
    pub journal: Option<PathBuf>,
    /// How many of the latest ping bodies are kept.
    pub keep_pings: usize,
    /// How many of the latest posts are kept in memory.
    pub keep_posts: usize,
    /// A connection without a request for this long is closed.
    pub idle_close: Duration,
    /// Larger bodies are answered 413.
    pub max_body: usize,
    /// Further connections wait to be accepted.
    pub max_connections: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 0,
            journal: None,
            keep_pings: 256,
            keep_posts: 100_000,
            idle_close: Duration::from_secs(60),
            max_body: 1 << 20,
            max_connections: 4096,
        }
    }
}

/// What every connection shares.
#[derive(Debug)]
struct World {
    seed: u64,
    max_body: usize,
    named: BTreeMap<String, Behaviour>,
    anyone: Option<Behaviour>,
    journal: Journal,
}

impl World {
    fn behaviour(&self, name: &str) -> Option<&Behaviour> {
        self.named.get(name).or_else(|| {
            // The name becomes part of a file's path.
            name.parse::<CampaignId>().ok()?;
            self.anyone.as_ref()
        })
    }
}

/// The simulated buyers.
#[derive(Debug)]
pub struct Buyers;

impl Buyers {
    /// Listens on `bind` and answers until the handle is stopped or dropped.
    ///
    /// # Errors
    /// The address is taken, the journal cannot be written, or a name is bad or given twice
    /// (`InvalidInput`).
    pub async fn start(
        bind: SocketAddr,
        buyers: impl IntoIterator<Item = Buyer>,
        options: Options,
    ) -> io::Result<Handle> {
        let (named, anyone) = sort(buyers)?;
        let journal = Journal::open(&options, named.keys())?;
        let listener = TcpListener::bind(bind).await?;
        let addr = listener.local_addr()?;
        let world = Arc::new(World {
            seed: options.seed,
            max_body: options.max_body,
            named,
            anyone,
            journal,
        });
        let (stop, stopped) = watch::channel(());
        let serving = server::run(listener, Arc::clone(&world), options, stopped);
        Ok(Handle { addr, world, stop, task: tokio::spawn(serving) })
    }
}

fn sort(
    buyers: impl IntoIterator<Item = Buyer>,
) -> io::Result<(BTreeMap<String, Behaviour>, Option<Behaviour>)> {
    let refuse = |text: String| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    let mut named = BTreeMap::new();
    let mut anyone = None;
    for Buyer { name, behaviour } in buyers {
        let earlier = if name == ANYONE {
            anyone.replace(behaviour)
        } else if name.parse::<CampaignId>().is_err() {
            return refuse(format!("buyer {name:?}: a name is {}", lead::id::SLUG));
        } else {
            named.insert(name.clone(), behaviour)
        };
        if earlier.is_some() {
            return refuse(format!("buyer {name:?} is given twice"));
        }
    }
    Ok((named, anyone))
}

/// Running buyers. Dropping it stops them too, without waiting.
#[derive(Debug)]
pub struct Handle {
    addr: SocketAddr,
    world: Arc<World>,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Handle {
    /// Where they listen.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// A buyer's address for pings.
    #[must_use]
    pub fn ping_url(&self, name: &str) -> String {
        format!("http://{}/{name}/ping", self.addr)
    }

    /// A buyer's address for posts.
    #[must_use]
    pub fn post_url(&self, name: &str) -> String {
        format!("http://{}/{name}/post", self.addr)
    }

    /// A buyer's address for questions about posts.
    #[must_use]
    pub fn status_url(&self, name: &str) -> String {
        format!("http://{}/{name}/status", self.addr)
    }

    /// The posts received, oldest first, as far as they are kept.
    #[must_use]
    pub fn posts(&self) -> Vec<Post> {
        self.world.journal.posts()
    }

    /// The posts that one buyer received.
    #[must_use]
    pub fn posts_to(&self, name: &str) -> Vec<Post> {
        self.posts().into_iter().filter(|post| post.buyer == name).collect()
    }

    /// How many pings were received.
    #[must_use]
    pub fn pings(&self) -> u64 {
        self.world.journal.pings()
    }

    /// How many pings one buyer received.
    #[must_use]
    pub fn pings_to(&self, name: &str) -> u64 {
        self.world.journal.pings_to(name)
    }

    /// The latest ping bodies, oldest first, byte for byte.
    #[must_use]
    pub fn ping_bodies(&self) -> Vec<Ping> {
        self.world.journal.ping_bodies()
    }

    /// Closes the listener and every connection, answered or not, and waits until they are closed.
    pub async fn stop(self) {
        drop(self.stop);
        drop(self.task.await);
    }
}

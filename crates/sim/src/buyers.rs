//! Simulated buyers: many on one port, each with its own behaviour, speaking the native delivery
//! format. Must never let the order of requests change what a buyer says.

mod answer;
mod behaviour;
pub mod check;
mod draw;
mod entrance;
mod fault;
mod faulty;
mod journal;
mod secure;
mod server;
mod spec;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lead::CampaignId;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

pub use behaviour::{Behaviour, Latency, Stage};
use entrance::{Bar, Entrance, Held, Place, is_of_tls};
pub use fault::{FAULTS, Fault, Kind, Known, Phase, UnknownFault, list as fault_list};
use journal::Journal;
pub use journal::{Ping, Post};
use secure::Authority;
use server::Front;
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
    /// What is drawn follows from the attributes that a call carries, not from its id: a consumer who comes
    /// again under another id meets the same answers.
    pub by_attributes: bool,
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
            by_attributes: false,
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
    by_attributes: bool,
    max_body: usize,
    named: BTreeMap<String, Behaviour>,
    anyone: Option<Behaviour>,
    journal: Journal,
}

impl World {
    /// From what the draws for a call follow.
    fn about(&self, call: &serde_json::Value, id: String) -> String {
        if self.by_attributes { call["attributes"].to_string() } else { id }
    }

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
    /// Listens on `bind` and answers until the handle is stopped or dropped. Faults before a request are
    /// met on further ports, which the handle's addresses name.
    ///
    /// # Errors
    /// The address is taken, the journal cannot be written, or a name is bad or given twice, or
    /// [`ANYONE`] has a fault before a request (`InvalidInput`).
    pub async fn start(
        bind: SocketAddr,
        buyers: impl IntoIterator<Item = Buyer>,
        options: Options,
    ) -> io::Result<Handle> {
        let (named, anyone) = sort(buyers)?;
        let journal = Journal::open(&options, named.keys())?;
        let listener = TcpListener::bind(bind).await?;
        let addr = listener.local_addr()?;
        let Options { seed, by_attributes, max_body, .. } = options;
        let world = Arc::new(World { seed, by_attributes, max_body, named, anyone, journal });
        let (places, fronts) = Places::open(addr.ip(), &world.named).await?;
        let (stop, stopped) = watch::channel(());
        let mut tasks = Vec::new();
        let main = (listener, Entrance::open());
        for (listener, entrance) in fronts.into_iter().chain([main]) {
            let (world, options) = (Arc::clone(&world), options.clone());
            let front = Front { listener, world, options, entrance };
            tasks.push(tokio::spawn(server::run(front, stopped.clone())));
        }
        Ok(Handle { addr, world, places, stop, tasks })
    }
}

/// Where calls go that do not come in at the front.
#[derive(Debug, Default)]
struct Places {
    /// What the URLs of a buyer's pings or posts begin with.
    bases: BTreeMap<(String, Stage), String>,
    _held: Vec<Held>,
    authority: Option<Authority>,
}

impl Places {
    /// The places, and the listeners among them that are served.
    async fn open(
        ip: IpAddr,
        named: &BTreeMap<String, Behaviour>,
    ) -> io::Result<(Self, Vec<(TcpListener, Entrance)>)> {
        let (mut places, mut fronts) = (Self::default(), Vec::new());
        for (name, behaviour) in named {
            for stage in [Stage::Ping, Stage::Post] {
                let Some(fault) = behaviour.bars(stage) else { continue };
                if is_of_tls(fault) && places.authority.is_none() {
                    places.authority = Some(Authority::new()?);
                }
                let bar = Bar { name, fault, per_mille: behaviour.faults };
                let place = Place::open(ip, bar, places.authority.as_ref()).await?;
                places.bases.insert((name.clone(), stage), place.base);
                fronts.extend(place.front);
                places._held.push(place.held);
            }
        }
        Ok((places, fronts))
    }
}

fn sort(
    buyers: impl IntoIterator<Item = Buyer>,
) -> io::Result<(BTreeMap<String, Behaviour>, Option<Behaviour>)> {
    let refuse = |text: String| Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    let mut named = BTreeMap::new();
    let mut anyone = None;
    for Buyer { name, behaviour } in buyers {
        let bars = |stage| behaviour.bars(stage).is_some();
        if name == ANYONE && (bars(Stage::Ping) || bars(Stage::Post)) {
            return refuse(format!("buyer {name:?}: its fault needs a buyer with a name"));
        }
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
    places: Places,
    stop: watch::Sender<()>,
    tasks: Vec<JoinHandle<()>>,
}

impl Handle {
    /// Where they listen.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Who has addresses of their own for pings or posts, for they fail before a request.
    #[must_use]
    pub fn apart(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.places.bases.keys().map(|(name, _)| name.as_str()).collect();
        names.dedup();
        names
    }

    /// The certificate, as PEM, of the authority behind buyers that are reached over https.
    #[must_use]
    pub fn authority(&self) -> Option<String> {
        self.places.authority.as_ref().map(Authority::pem)
    }

    fn url(&self, name: &str, stage: Stage, call: &str) -> String {
        match self.places.bases.get(&(name.to_owned(), stage)) {
            Some(base) => format!("{base}/{name}/{call}"),
            None => format!("http://{}/{name}/{call}", self.addr),
        }
    }

    /// A buyer's address for pings.
    #[must_use]
    pub fn ping_url(&self, name: &str) -> String {
        self.url(name, Stage::Ping, "ping")
    }

    /// A buyer's address for posts.
    #[must_use]
    pub fn post_url(&self, name: &str) -> String {
        self.url(name, Stage::Post, "post")
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

    /// Closes the listeners and every connection, answered or not, and waits until they are closed.
    pub async fn stop(self) {
        drop(self.stop);
        for task in self.tasks {
            drop(task.await);
        }
    }
}

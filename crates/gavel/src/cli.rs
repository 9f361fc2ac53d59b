//! The command line. Parses and dispatches; does nothing itself.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::failure::Failure;
use crate::{check, demo, explain, records, serve, sim, spec};

/// A self-hosted real-time ping-tree engine.
#[derive(Debug, Parser)]
#[command(name = "gavel", version, about, propagate_version = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the engine.
    Serve {
        /// The configuration file.
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Check a configuration and its market; print every fault with file, line and column.
    Check {
        /// A configuration file, or market files.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print how a publisher posts, to hand to it: requests, fields, a sample, every answer.
    Spec(Spec),
    /// Say of every campaign why it does or does not want a lead. Asks nobody.
    Explain(Explain),
    /// Check the invariants of a data directory that no engine is using.
    Verify(Data),
    /// List the posts whose answer is unknown and that wait for review.
    Review(Data),
    /// Sell sample leads to simulated buyers and print what came of them.
    Demo(Demo),
    /// Simulated buyers and publishers, on this machine only.
    #[command(subcommand)]
    Sim(Sim),
}

/// Whose specification, and how.
#[derive(Debug, Args)]
pub(crate) struct Spec {
    /// The configuration file.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: PathBuf,
    /// The publisher's id in the market.
    #[arg(long, value_name = "ID")]
    pub(crate) publisher: String,
    /// Where publishers reach the public listener (default: http and its address).
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// As an HTML page instead of Markdown.
    #[arg(long)]
    pub(crate) html: bool,
}

/// A lead, and the market to explain it by.
#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// The lead as the native door takes it: JSON of product and attributes.
    #[arg(long, value_name = "FILE")]
    pub(crate) lead: PathBuf,
    /// A configuration file, or a market file; a market of several files names each.
    #[arg(long, value_name = "FILE", required_unless_present = "demo")]
    pub(crate) config: Vec<PathBuf>,
    /// The demo's market.
    #[arg(long, conflicts_with = "config")]
    pub(crate) demo: bool,
    /// The product, if the lead is to be offered for another one than it names.
    #[arg(long, value_name = "ID")]
    pub(crate) product: Option<String>,
    /// Whose lead it is, for filters that ask for publishers.
    #[arg(long, value_name = "ID")]
    pub(crate) publisher: Option<String>,
    /// Only this buyer's campaigns.
    #[arg(long, value_name = "ID")]
    pub(crate) buyer: Option<String>,
}

/// A data directory.
#[derive(Debug, Args)]
pub(crate) struct Data {
    /// The data directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The root key (default: root.key in the data directory).
    #[arg(long, value_name = "FILE")]
    pub(crate) root_key: Option<PathBuf>,
}

/// What the demo may be told.
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Keep serving afterwards, and print requests to try.
    #[arg(long)]
    pub(crate) stay: bool,
    /// Where publishers post, with --stay.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) public: SocketAddr,
    /// The management API, with --stay.
    #[arg(long, default_value = "127.0.0.1:8081")]
    pub(crate) management: SocketAddr,
    /// Metrics and health, with --stay.
    #[arg(long, default_value = "127.0.0.1:9464")]
    pub(crate) ops: SocketAddr,
    /// Keep the data here between runs (default: a temporary directory).
    #[arg(long, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,
    /// How many generated leads to post.
    #[arg(long, default_value_t = 400)]
    pub(crate) leads: u64,
    /// How many of them a second.
    #[arg(long, default_value_t = 200)]
    pub(crate) rate: u32,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sim {
    /// Answer pings and posts like buyers, or check a real one's endpoint with --check.
    Buyers(Buyers),
    /// Post generated leads at a steady rate and report latencies.
    Publishers(Publishers),
}

/// Simulated buyers.
#[derive(Debug, Args)]
#[command(after_long_help = faults())]
pub(crate) struct Buyers {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:9900")]
    pub(crate) listen: SocketAddr,
    /// A buyer, as NAME:latency=20..60ms,bid=5.00..30.00,bids=900,accepts=950,fault=none,faults=1000; the
    /// name `*` answers for all others. May be given many times.
    #[arg(
        long = "buyer",
        value_name = "SPEC",
        default_value = "*:latency=20..60ms,bid=5.00..30.00,bids=900,accepts=950"
    )]
    pub(crate) buyers: Vec<String>,
    /// What goes wrong at every buyer that has no fault of its own; --help lists the faults.
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: Option<String>,
    /// With how many calls in a thousand --fault goes wrong.
    #[arg(long, value_name = "PER_MILLE", default_value_t = 1000, requires = "fault")]
    pub(crate) faults: u16,
    /// Outcomes follow from this number (default: 1), and with --check the consumers (default: others each
    /// time).
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Outcomes follow from a call's attributes, not from its id: the same consumer, the same bids.
    #[arg(long)]
    pub(crate) by_attributes: bool,
    /// Write every post to a file per buyer in this directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) journal: Option<PathBuf>,
    /// Write the certificate of the authority behind https buyers to this file (for tls- faults).
    #[arg(long, value_name = "FILE")]
    pub(crate) authority: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) check: Check,
}

/// How a buyer's own endpoint is checked.
#[derive(Debug, Args)]
#[command(next_help_heading = "Checking a buyer's endpoint")]
pub(crate) struct Check {
    /// Send pings to this address, print a line for each check and exit with 1 if anything is wrong,
    /// instead of playing buyers.
    #[arg(long = "check", value_name = "PING_URL")]
    pub(crate) ping: Option<String>,
    /// Check posts, too: made-up consumers are posted as real leads, so name a sandbox.
    #[arg(long, value_name = "POST_URL", requires = "ping")]
    pub(crate) post: Option<String>,
    /// Check the status call, too.
    #[arg(long, value_name = "STATUS_URL", requires = "post")]
    pub(crate) status: Option<String>,
    /// Sent with every call, as NAME:VALUE. May be given many times.
    #[arg(long = "header", value_name = "HEADER", requires = "ping")]
    pub(crate) headers: Vec<String>,
    /// Trust these authorities (PEM) for https, beside the public ones.
    #[arg(long, value_name = "FILE", requires = "ping")]
    pub(crate) ca_file: Option<PathBuf>,
    /// What the consumers ask for.
    #[arg(long, default_value = "personal-loan-es")]
    pub(crate) product: String,
    /// How long a ping may take, which it tells in Gavel-Timeout-Ms.
    #[arg(long, value_name = "MS", default_value_t = 500, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub(crate) ping_timeout_ms: u64,
    /// How long a post may take.
    #[arg(long, value_name = "MS", default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    pub(crate) post_timeout_ms: u64,
    /// A sale must name a redirect_url.
    #[arg(long, requires = "post")]
    pub(crate) requires_redirect: bool,
}

/// The faults that simulated buyers know, for --help.
fn faults() -> String {
    format!(
        "Faults, by how far a call gets. A name alone strikes pings and posts; NAME-on-ping or\n\
         NAME-on-post only those, and faults=PER_MILLE only some. Buyers that fail before a request\n\
         listen at addresses of their own, which are printed.\n\n{}",
        ::sim::buyers::fault_list()
    )
}

/// Simulated publishers.
#[derive(Debug, Args)]
pub(crate) struct Publishers {
    /// The engine's public listener; a loopback address.
    #[arg(long, default_value = "127.0.0.1:8080")]
    pub(crate) target: SocketAddr,
    /// Through which door.
    #[arg(long, default_value = "native", value_parser = ["native", "leadhub", "bright_horizons", "pingtree", "brainysoft"])]
    pub(crate) door: String,
    /// The publisher's key (default: the demo market's).
    #[arg(long)]
    pub(crate) key: Option<String>,
    /// The product, at the native door.
    #[arg(long, default_value = "personal-loan-es")]
    pub(crate) product: String,
    /// Leads a second.
    #[arg(long, default_value_t = 100)]
    pub(crate) rate: u32,
    /// How many leads.
    #[arg(long, default_value_t = 1_000)]
    pub(crate) leads: u64,
    /// Most connections.
    #[arg(long, default_value_t = 64)]
    pub(crate) connections: usize,
    /// Which leads are made up.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
}

/// Reads the command line; prints help or usage faults and exits by itself.
pub(crate) fn parse() -> Cli {
    Cli::parse()
}

/// Does what was asked.
pub(crate) fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Serve { config } => serve::run(&config),
        Command::Check { files } => check::run(&files),
        Command::Spec(options) => spec::run(&options),
        Command::Explain(options) => explain::run(&options),
        Command::Verify(options) => records::verify(&options),
        Command::Review(options) => records::review(&options),
        Command::Demo(options) => demo::run(&options),
        Command::Sim(Sim::Buyers(options)) => sim::buyers(&options),
        Command::Sim(Sim::Publishers(options)) => sim::publishers(&options),
    }
}

//! The processes: what is measured, each alone on its core, and the simulated buyers. Starts them, reads what
//! they used, ends them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::figures;
use crate::market::{self, Scene};

/// The core of what is measured; everything else is on the other.
const MEASURED: &str = "1";
const OTHERS: &str = "0";

/// A child process that ends with its owner.
#[derive(Debug)]
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It may be gone already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Puts this process, and those that it starts, on the one core.
pub(crate) fn pin_self() -> bool {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let pin = || {
        let own = std::process::id().to_string();
        Command::new("taskset").args(["-acp", OTHERS, &own]).stdout(Stdio::null()).status()
    };
    cores > 1 && pin().is_ok_and(|status| status.success())
}

fn measured(program: &Path, pinned: bool) -> Command {
    let mut command = if pinned { Command::new("taskset") } else { Command::new(program) };
    if pinned {
        command.args(["-c", MEASURED]).arg(program);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// The simulated buyers.
#[derive(Debug)]
pub(crate) struct Buyers {
    _process: Process,
    pub(crate) at: Vec<SocketAddr>,
}

impl Buyers {
    pub(crate) fn start() -> Self {
        let manners = market::manners();
        let mut command = Command::new(env!("CARGO_BIN_EXE_buyers"));
        let mut child = command.args(&manners).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let at = lines.take(manners.len()).map(|line| line.unwrap().parse().unwrap()).collect();
        Self { _process: Process(child), at }
    }
}

/// What stands in for a ping tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Engine,
    Floor,
    Node,
}

/// Something that sells leads.
#[derive(Debug)]
pub(crate) struct Subject {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    process: Process,
    pub(crate) at: SocketAddr,
    /// The engine's listener for operators.
    ops: Option<SocketAddr>,
}

impl Subject {
    /// The engine, with its data and configuration in `dir`.
    pub(crate) fn engine(
        (program, dir): (&Path, &Path),
        buyers: &Buyers,
        campaigns: usize,
        pinned: bool,
    ) -> Self {
        let (at, ops) = (free(), free());
        let dir = dir.join(campaigns.to_string());
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("market.toml"), market::market(&buyers.at, campaigns)).unwrap();
        let config = dir.join("gavel.toml");
        fs::write(&config, market::configuration(at, ops)).unwrap();
        let mut command = measured(program, pinned);
        command.arg("serve").arg("--config").arg(config);
        let process = Process(command.spawn().unwrap());
        let name = format!("engine, {campaigns} campaigns");
        Self { name, kind: Kind::Engine, process, at, ops: Some(ops) }.ready()
    }

    pub(crate) fn floor(buyers: &Buyers, pinned: bool) -> Self {
        let mut command = measured(Path::new(env!("CARGO_BIN_EXE_floor")), pinned);
        Self::comparator(Kind::Floor, &mut command, buyers)
    }

    /// Node with its packages, which are fetched if they are missing; `None` without Node or network.
    pub(crate) fn node(buyers: &Buyers, pinned: bool) -> Option<Self> {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("node");
        let works = |command: &mut Command| {
            command.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        if !works(Command::new("node").arg("--version")) {
            return None;
        }
        if !dir.join("node_modules").exists()
            && !works(Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&dir))
        {
            return None;
        }
        let mut command = measured(Path::new("node"), pinned);
        command.env("NODE_ENV", "production").arg(dir.join("server.js"));
        Some(Self::comparator(Kind::Node, &mut command, buyers))
    }

    fn comparator(kind: Kind, command: &mut Command, buyers: &Buyers) -> Self {
        let at = free();
        command.arg(at.port().to_string()).args(buyers.at.iter().map(ToString::to_string));
        let process = Process(command.spawn().unwrap());
        let name = format!("{kind:?}").to_lowercase();
        Self { name, kind, process, at, ops: None }.ready()
    }

    fn ready(mut self) -> Self {
        while TcpStream::connect(self.at).is_err() {
            assert!(self.process.0.try_wait().unwrap().is_none(), "{} ended", self.name);
            thread::sleep(Duration::from_millis(50));
        }
        self
    }

    /// A lead as a request. `budget` is in milliseconds, for the engine.
    pub(crate) fn request(&self, scene: Scene, number: u64, budget: Option<u32>) -> Vec<u8> {
        let body = market::lead(scene, number);
        let (at, length) = (self.at, body.len());
        let path = match self.ops {
            Some(_) => "/v1/leads".to_owned(),
            None => format!("/{}/{}", scene.first, scene.count),
        };
        let budget = budget.map_or_else(String::new, |ms| format!("gavel-budget-ms: {ms}\r\n"));
        format!(
            "POST {path} HTTP/1.1\r\nhost: {at}\r\nauthorization: Bearer bench\r\n{budget}content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .into_bytes()
    }

    /// Processor time used so far, by all threads that are or were; exact to 10 ms.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.process.0.id())).unwrap();
        // After the command's name: state is the first field, user and system time the 12th and 13th.
        let fields = stat.rsplit(')').next().unwrap().split_whitespace();
        let ticks = fields.skip(11).take(2).map(|field| field.parse::<u64>().unwrap());
        Duration::from_millis(10 * ticks.sum::<u64>())
    }

    /// How many pings the engine has sent.
    pub(crate) fn pings(&self) -> Option<u64> {
        self.ops?;
        Some(figures::total(&self.metrics(), "gavel_pings_total{"))
    }

    /// The engine's metrics, as text.
    pub(crate) fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(self.ops.unwrap()).unwrap();
        stream
            .write_all(b"GET /metrics HTTP/1.1\r\nhost: ops\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }
}

/// Builds the engine as it is released; for a smoke run, as it is tested, and only if that was not done yet.
pub(crate) fn build_engine(smoke: bool) -> PathBuf {
    // Beside target/PROFILE/deps/journey-HASH.
    let own = std::env::current_exe().unwrap();
    let engine = own.ancestors().nth(2).unwrap().join("gavel");
    if smoke && engine.exists() {
        return engine;
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--package", "gavel"]).current_dir(root);
    if !smoke {
        command.arg("--release");
    }
    assert!(command.status().unwrap().success(), "the engine does not build");
    engine
}

/// An address where nobody listens.
fn free() -> SocketAddr {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap()
}

//! Wiring: one small function a part, each telling what it is made of. No decisions.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use engine::{Engine, FraudRules, Parts, Recovered, Reserves, Snapshot, Stored, Suppressions};
use fanout::HttpBuyers;
use ingress::{Server, Stop};
use lead::Clock;
use ledger::{Options, RootKey, SqliteLedger};
use management::{Management, Operator};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::clock::{SystemClock, entropy};
use crate::desk::{Desk, Gavel};
use crate::failure::Failure;
use crate::ops::Ops;
use crate::settings::{self, Loaded, Settings};

/// So many objects that differ are named.
const DIFFERENCES_NAMED: usize = 20;

/// A running engine.
pub(crate) struct Running {
    pub(crate) engine: Gavel,
    pub(crate) public: SocketAddr,
    pub(crate) ops: SocketAddr,
    pub(crate) management: Option<SocketAddr>,
    draining: Arc<AtomicBool>,
    stop: Stop,
    server: JoinHandle<()>,
    management_task: Option<JoinHandle<()>>,
    ops_task: JoinHandle<()>,
    holds_task: JoinHandle<()>,
}

/// The runtime that everything runs on.
pub(crate) fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::System("start the runtime", error))
}

/// Opens everything and starts serving. Nothing listens unless all of it could be opened.
pub(crate) async fn start(
    settings: &Settings,
    market: Loaded,
    metrics: PrometheusHandle,
) -> Result<Running, Failure> {
    let public = listen("publishers", settings.public).await?;
    let ops = listen("metrics and health", settings.ops).await?;
    let management = listen_management(settings.management.as_ref()).await?;
    let ledger = open_ledger(settings)?;
    let snapshot = versioned(market, settings, &ledger).await?;
    let suppressions = load_suppressions(settings, &snapshot, &ledger)?;
    let buyers = buyers(settings)?;
    let fraud = fraud_rules(settings)?;
    let engine = engine(settings, snapshot, (buyers, ledger), (suppressions, fraud));
    recover(&engine).await?;
    let draining = Arc::new(AtomicBool::new(false));
    let stop = Stop::new();
    let (public_at, ops_at) = (local(&public)?, local(&ops)?);
    let management_at = management.as_ref().map(|(_, listener)| local(listener)).transpose()?;
    let managing = management.map(|(operators, listener)| {
        let management = Management::new(engine.clone(), operators);
        tokio::spawn(management.run(listener, stop.clone()))
    });
    let desk = Desk(engine.clone());
    let server = Server::new(desk, settings.limits.ingress.clone());
    let keeper = engine.clone();
    let watch = Ops { metrics, engine: engine.clone(), draining: Arc::clone(&draining) };
    Ok(Running {
        engine,
        public: public_at,
        ops: ops_at,
        management: management_at,
        draining,
        server: tokio::spawn(server.run(public, stop.clone())),
        stop,
        management_task: managing,
        ops_task: tokio::spawn(watch.run(ops)),
        holds_task: tokio::spawn(async move { keeper.keep_holds().await }),
    })
}

impl Running {
    /// Stops cleanly: not ready at once, then no new connections, then no journeys, then no store.
    pub(crate) async fn shut_down(self, delay: std::time::Duration) {
        self.draining.store(true, std::sync::atomic::Ordering::Relaxed);
        tokio::time::sleep(delay).await;
        self.stop.stop();
        drop(self.server.await);
        if let Some(task) = self.management_task {
            drop(task.await);
        }
        self.engine.drain().await;
        self.ops_task.abort();
        self.holds_task.abort();
        let engine = self.engine;
        drop(tokio::task::spawn_blocking(move || engine.ledger().close()).await);
    }
}

/// The market to sell by: the store's. Files seed an empty store; where they say something else later,
/// that is logged and changes nothing.
async fn versioned(
    files: Loaded,
    settings: &Settings,
    ledger: &SqliteLedger,
) -> Result<Snapshot, Failure> {
    let refuse = |error| Failure::Ledger(format!("the market cannot be kept or read: {error}"));
    let Some(stored) = Stored::newest(ledger).await.map_err(refuse)? else {
        let source = engine::source(&files.texts);
        let version = engine::version_of(ledger, &source).await.map_err(refuse)?;
        let mut snapshot = files.snapshot;
        snapshot.version = version;
        return Ok(snapshot);
    };
    let differences = stored.differences(&files.texts).map_err(Failure::Invalid)?;
    if !differences.is_empty() {
        let named: Vec<&str> =
            differences.iter().take(DIFFERENCES_NAMED).map(String::as_str).collect();
        let (count, objects) = (differences.len(), named.join(", "));
        tracing::warn!(count, objects, "the market's files differ from the store, which holds");
    }
    let place = |text: &str| files.place(text);
    let places = Arc::clone(&files.snapshot.market.places);
    let snapshot = stored.compile(&files.vault, places, &place).map_err(Failure::Invalid)?;
    match settings.reach.check(&snapshot.market).first() {
        Some(defect) => Err(Failure::Ledger(format!("the stored market: {defect}"))),
        None => Ok(snapshot),
    }
}

async fn listen_management(
    settings: Option<&settings::Management>,
) -> Result<Option<(Vec<Operator>, TcpListener)>, Failure> {
    let Some(settings) = settings else { return Ok(None) };
    let listener = listen("management", settings.listen).await?;
    Ok(Some((settings.operators.clone(), listener)))
}

/// Settles what a crash left open, before the first lead is taken.
async fn recover(engine: &Gavel) -> Result<(), Failure> {
    let recovered = engine
        .recover()
        .await
        .map_err(|error| Failure::Ledger(format!("the last run could not be settled: {error}")))?;
    if recovered != Recovered::default() {
        tracing::warn!(held = recovered.held, settled = recovered.settled, "settled the last run");
    }
    Ok(())
}

fn load_suppressions(
    settings: &Settings,
    snapshot: &Snapshot,
    ledger: &SqliteLedger,
) -> Result<Suppressions, Failure> {
    let mut suppressions = Suppressions::default();
    for (name, file) in &settings.suppressions {
        let text =
            std::fs::read_to_string(file).map_err(|error| Failure::unreadable(file, error))?;
        let users = snapshot.market.products.values().filter(|p| p.suppress.contains(name));
        let countries = users.map(|product| product.country.as_str()).collect();
        suppressions.add(ledger, name, &text, &countries);
    }
    for product in snapshot.market.products.values() {
        if let Some(list) = product.suppress.iter().find(|list| !suppressions.has(list)) {
            let product = &product.id;
            return Err(Failure::Usage(format!(
                "product {product} uses the suppression list {list}, which [suppressions] does not name"
            )));
        }
    }
    Ok(suppressions)
}

/// A domain a line; blank lines and lines that begin with `#` are skipped.
fn fraud_rules(settings: &Settings) -> Result<FraudRules, Failure> {
    let text = match &settings.disposable_domains {
        Some(file) => {
            std::fs::read_to_string(file).map_err(|error| Failure::unreadable(file, error))?
        }
        None => String::new(),
    };
    let lines = text.lines().map(|line| line.trim().to_lowercase());
    Ok(FraudRules {
        leads_per_device_minute: settings.limits.leads_per_device_minute,
        leads_per_phone_minute: settings.limits.leads_per_phone_minute,
        disposable_domains: lines.filter(|it| !it.is_empty() && !it.starts_with('#')).collect(),
    })
}

/// The wire to buyers.
fn buyers(settings: &Settings) -> Result<HttpBuyers, Failure> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let tls = settings.reach.tls(&clock)?;
    let (limits, guard) = (settings.limits.fanout.clone(), settings.reach.guard.clone());
    Ok(HttpBuyers::new(limits, guard, tls, clock))
}

fn engine(
    settings: &Settings,
    snapshot: Snapshot,
    (buyers, ledger): (HttpBuyers, SqliteLedger),
    (suppressions, fraud): (Suppressions, FraudRules),
) -> Gavel {
    let limits = &settings.limits;
    Engine::new(Parts {
        snapshot,
        buyers,
        ledger,
        clock: Arc::new(SystemClock),
        entropy: entropy(),
        reserves: Reserves::default(),
        in_flight_max: limits.in_flight_leads,
        suppressions,
        leads_per_ip_minute: limits.leads_per_ip_minute,
        fraud,
        breakers: settings.breakers,
    })
}

pub(crate) fn open_ledger(settings: &Settings) -> Result<SqliteLedger, Failure> {
    let refuse = |why: &dyn std::fmt::Display| Failure::Ledger(why.to_string());
    std::fs::create_dir_all(&settings.data_dir).map_err(|error| {
        Failure::Ledger(format!(
            "cannot create the data directory {}: {error}",
            settings.data_dir.display()
        ))
    })?;
    let root_key = root_key(&settings.root_key_file).map_err(|error| refuse(&error))?;
    let options = Options {
        queue: settings.limits.ledger_queue,
        ..Options::new(&settings.data_dir, root_key)
    };
    SqliteLedger::open(options).map_err(|error| refuse(&error))
}

/// The root key, made on first use: without it nothing stored can be read.
fn root_key(file: &Path) -> Result<RootKey, ledger::KeyError> {
    if file.exists() { RootKey::load(file) } else { RootKey::create(file) }
}

async fn listen(what: &'static str, at: SocketAddr) -> Result<TcpListener, Failure> {
    TcpListener::bind(at).await.map_err(|error| Failure::Listen(what, at, error))
}

fn local(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    listener.local_addr().map_err(|error| Failure::System("name a listener", error))
}

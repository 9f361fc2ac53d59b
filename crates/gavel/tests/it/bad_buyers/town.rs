//! One run: buyers, an engine of its own, and publishers that do not wait for answers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lead::LeadId;
use ledger::{LeadRecord, Ledger, RootKey, SqliteLedger};
use serde_json::{Value, json};
use sim::buyers::{Buyer, Buyers, Fault, Handle, Options};
use sim::publishers::{Histogram, Load, Reply, post};

use super::{BAD, BUDGET, Form, HAS_BREAKER, MAX_IN_FLIGHT, SEED, SOUND};
use crate::process::{Gavel, LOCAL};

/// Connections of the publishers; more leads are never under way.
const CONNECTIONS: usize = 256;

/// What came of one run.
pub(super) struct Run {
    /// `None`: the sound buyers alone.
    pub(super) fault: Option<Fault>,
    pub(super) form: Form,
    /// How long the publishers posted.
    pub(super) took: Duration,
    /// From a lead's intended time to its answer.
    pub(super) latency: Histogram,
    /// By lead number; only those that were answered 200.
    pub(super) records: BTreeMap<u64, LeadRecord>,
    /// The leads that `gavel review` lists, each as often as it does.
    pub(super) listed: Vec<String>,
    /// By how much the process grew at most.
    pub(super) growth_kib: u64,
}

/// Whether a campaign is one of the bad ones.
pub(super) fn is_bad(buyer: &str) -> bool {
    buyer.starts_with("bad")
}

/// The buyers, in the order of the market: what a sound one bids does not depend on who else is there. The
/// bad ones bid a little higher, so that enough leads meet their posts.
async fn buyers(fault: Option<Fault>) -> Handle {
    let sound = (0..SOUND).map(|n| format!("sound{n}:latency=5..25ms,bid=5.00..30.00"));
    let bad = fault.iter().flat_map(|fault| {
        (0..BAD).map(move |n| format!("bad{n}:latency=5..25ms,bid=10.00..32.00,fault={fault}"))
    });
    let specs: Vec<Buyer> = sound.chain(bad).map(|spec| spec.parse().unwrap()).collect();
    let options = Options { seed: SEED, by_attributes: true, keep_pings: 0, ..Options::default() };
    Buyers::start("127.0.0.1:0".parse().unwrap(), specs, options).await.unwrap()
}

fn host(url: &str) -> &str {
    let rest = url.split_once("://").unwrap().1;
    rest.split([':', '/']).next().unwrap()
}

fn market(buyers: &Handle, bad: usize, form: Form) -> String {
    let mut text = format!(
        r#"
        [publishers.demo]
        name = "Demo"
        doors.native.keys = ["demo-native"]
        [products.loan]
        name = "Loan"
        vertical = "loans"
        country = "ES"
        currency = "EUR"
        timezone = "UTC"
        budget_ms = {}
        tiers = [{{ mode = "auction" }}]
        "#,
        BUDGET.as_millis()
    );
    let names = (0..SOUND).map(|n| format!("sound{n}")).chain((0..bad).map(|n| format!("bad{n}")));
    for name in names {
        let (ping, post) = (buyers.ping_url(&name), buyers.post_url(&name));
        let limit = match HAS_BREAKER && is_bad(&name) {
            true => format!("max_in_flight = {MAX_IN_FLIGHT}"),
            false => String::new(),
        };
        write!(
            text,
            r#"
            [buyers.{name}]
            name = "B"
            allowed_hosts = ["{}", "{}"]
            [buyers.{name}.campaigns.main]
            product = "loan"
            filter = {{}}
            price.bid = {{ min = "1.00", max = "60.00" }}
            {limit}
            delivery.ping = {{ url = "{ping}", timeout_ms = {} }}
            delivery.post = {{ url = "{post}", timeout_ms = {} }}
            "#,
            host(&ping),
            host(&post),
            form.ping_timeout.as_millis(),
            form.post_timeout.as_millis(),
        )
        .unwrap();
    }
    text
}

/// A lead of the same consumer in every run, and of another for every number.
fn lead(number: u64) -> Value {
    json!({
        "product": "loan",
        "attributes": { "age": 30, "amount": 1_000 + number },
        "contact": { "email": format!("consumer{number}@leads.example") },
    })
}

/// A line of `/proc/PID/status`, in KiB.
fn memory(pid: u32, line: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let found = status.lines().find_map(|it| it.strip_prefix(line)).unwrap();
    found.trim_start_matches(':').trim().trim_end_matches(" kB").parse().unwrap()
}

/// An engine that reaches these buyers.
fn engine(dir: &Path, buyers: &Handle, (bad, form): (usize, Form)) -> Gavel {
    let mut delivery = LOCAL.to_owned();
    if let Some(authority) = buyers.authority() {
        std::fs::write(dir.join("ca.pem"), authority).unwrap();
        delivery.push_str("ca_file = \"ca.pem\"\n");
    }
    Gavel::start_reaching(dir, &market(buyers, bad, form), &delivery)
}

/// So many leads, so many a second, and what the ledger says of them afterwards.
pub(super) async fn run(fault: Option<Fault>, form: Form) -> Run {
    let dir = tempfile::tempdir().unwrap();
    let buyers = buyers(fault).await;
    let bad = if fault.is_some() { BAD } else { 0 };
    let gavel = tokio::task::block_in_place(|| engine(dir.path(), &buyers, (bad, form)));
    let before = memory(gavel.pid(), "VmRSS");
    let replies: Arc<Mutex<Vec<Reply>>> = Arc::default();
    let seen = Arc::clone(&replies);
    let token = [("authorization", "Bearer demo-native")];
    let rate = u32::try_from(form.rate).unwrap();
    let load = Load::new(gavel.public, rate, form.leads as u64, move |number| {
        post("/v1/leads", &token, &lead(number))
    });
    let load = load.connections(CONNECTIONS).timeout(Duration::from_secs(20));
    let load = load.on_reply(move |reply| seen.lock().unwrap().push(reply));
    let report = sim::publishers::run(load).await.unwrap();
    let growth_kib = memory(gavel.pid(), "VmHWM").saturating_sub(before);
    // Posts go on after their publisher was answered.
    let ended = tokio::task::block_in_place(|| gavel.terminate());
    assert!(ended.success(), "{fault:?}: {ended}");
    let listed = tokio::task::block_in_place(|| review(dir.path()));
    let replies = std::mem::take(&mut *replies.lock().unwrap());
    let records = records(dir.path(), &replies).await;
    let (latency, took) = (report.latency, report.elapsed);
    Run { fault, form, took, latency, records, listed, growth_kib }
}

/// Which leads `gavel review` lists.
fn review(dir: &Path) -> Vec<String> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gavel"));
    let output = command.arg("review").arg("--data").arg(dir.join("data")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let leads = text.lines().filter(|line| line.contains("  since "));
    leads.filter_map(|line| line.split("  ").next()).map(str::to_owned).collect()
}

async fn records(dir: &Path, replies: &[Reply]) -> BTreeMap<u64, LeadRecord> {
    let data = dir.join("data");
    let key = RootKey::load(&data.join("root.key")).unwrap();
    let ledger = SqliteLedger::open(ledger::Options::new(data, key)).unwrap();
    let mut records = BTreeMap::new();
    for reply in replies.iter().filter(|reply| reply.status == 200) {
        let answer: Value = serde_json::from_slice(&reply.body).unwrap();
        let id: LeadId = answer["lead_id"].as_str().unwrap().parse().unwrap();
        records.insert(reply.index, ledger.lead(id).await.unwrap().unwrap());
    }
    ledger.close();
    records
}

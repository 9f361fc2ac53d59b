//! Every outcome of every door, provoked through the real binary in the demo's market. `outcomes/*.json` is a
//! table for each call: an outcome, how the request differs from the documentation's sample, and what the
//! answer must hold. What a publisher's specification says can happen must have a row, or a reason why none
//! can be had from outside. With `--nocapture` it prints what was asked and answered, as Markdown.

mod rows;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use ingress::spec::{Example, Spec, specs};
use market::Sources;
use serde_json::{Map, Value};
use sim::buyers::{Buyer, Buyers, Handle, Options};

use crate::process::Gavel;
use rows::{Row, Table, Twin};
use wire::{Ask, Told};

const MARKET: &str = include_str!("../../../../config/demo/market.toml");
const TAIL: &str = include_str!("outcomes/tail.toml");

/// How the demo's buyers behave here; a lead's amount, income or state says who wants it.
const BUYERS: [&str; 11] = [
    "nova-es-prime:bid=20.00",
    "nova-es-basic:latency=2000ms",
    "nova-es-doubt:fault=status-500-on-post",
    "nova-us-near-prime:bid=30.00",
    "nova-us-debt-relief:bid=20.00",
    "orion-us-small-debt:latency=2000ms",
    "nova-us-slow:latency=2000ms",
    "sokol-ru-short:bid=700.00",
    "sokol-ru-slow:latency=2000ms",
    "berkut-ru-regions:fault=status-500-on-post",
    "*:bids=0",
];

/// What of the demo's market is another way here, so that there is an occasion for everything.
const CHANGES: [(&str, &str); 11] = [
    (
        r#"duplicates = { keys = ["email"] } # one customer"#,
        r#"duplicates = { keys = ["email", "phone"] } # one customer"#,
    ),
    ("term_months = { max = 120 }", "term_months = { max = 72 }"),
    (
        r#"eligibility = { age = { min = 18 }, countries = ["US"] }"#,
        "suppress = [\"do-not-contact\"]\nconsents = [\"tcpa\"]\neligibility = { age = { min = 18 }, monthly_income = { min = 600 }, term_months = { max = 72 }, countries = [\"US\"] }",
    ),
    (
        "eligibility = { age = { min = 18 }, amount",
        "eligibility = { age = { min = 18 }, monthly_income = { min = 1000 }, amount",
    ),
    ("consents = [\"tcpa\"]\nduplicates", "consents = [\"tcpa\"]\nping_ttl = \"1s\"\nduplicates"),
    ("attributes.credit_score = {", "suppress = [\"do-not-contact\"]\nattributes.credit_score = {"),
    ("duplicates = { keys = [] }", "suppress = [\"do-not-contact\"]\nduplicates = { keys = [] }"),
    // What waits for a processor is not late here.
    ("timeout_ms = 400", "timeout_ms = 1500"),
    ("time_limit_ms = 800", "time_limit_ms = 1500"),
    ("time_limit_ms = 600", "time_limit_ms = 900"),
    ("127.0.0.1:9900", "BUYERS"),
];

/// What no request provokes on a machine that is well: where it is shown instead.
const UNTRIED: [(&str, &str); 6] = [
    ("the body did not come in time", "takes 5 s; `ingress/tests/it/limits.rs`"),
    ("the body stopped early", "nobody is left to be answered; `ingress/tests/it/limits.rs`"),
    ("too busy; post again", "takes thousands of leads at once; `ingress/tests/it/limits.rs`"),
    ("nothing can be stored; post again", "takes a full disk; `full_disk.rs`"),
    ("nothing can be read; ask again", "takes a broken disk"),
    ("our own fault", "there is none that we know"),
];

/// After it a ping of a product has expired that `CHANGES` gives a second.
const EXPIRED: std::time::Duration = std::time::Duration::from_millis(1_050);

struct World {
    gavel: Gavel,
    buyers: Handle,
    market: market::Market,
    /// What rows kept for later ones.
    kept: Map<String, Value>,
    /// How many consumers there were.
    people: u32,
}

async fn world(dir: &std::path::Path) -> World {
    let specs: Vec<Buyer> = BUYERS.iter().map(|spec| spec.parse().unwrap()).collect();
    let buyers =
        Buyers::start("127.0.0.1:0".parse().unwrap(), specs, Options::default()).await.unwrap();
    let mut text = format!("{MARKET}{TAIL}");
    for (from, to) in CHANGES {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let text = text.replace("BUYERS", &buyers.addr().to_string());
    let market =
        Sources::parse([("market.toml".to_owned(), text.clone())]).unwrap().market().unwrap();
    let gavel = Gavel::start(dir, &text);
    World { gavel, buyers, market, kept: Map::new(), people: 0 }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_outcome_of_every_door_has_a_request_that_shows_it() {
    let dir = tempfile::tempdir().unwrap();
    let mut world = world(dir.path()).await;
    let mut page = vec!["| call | outcome | status | request | answer |".to_owned()];
    page.push("|---|---|---|---|---|".to_owned());
    let (mut known, mut wrong) = (BTreeSet::new(), Vec::new());
    for table in rows::tables() {
        let examples = world.examples(&table);
        let mut shown = BTreeSet::new();
        let is_known = |row: &Row| examples.iter().any(|example| example.when == row.outcome);
        let common = table.common_rows().into_iter().filter(is_known);
        for row in table.rows.iter().cloned().chain(common) {
            let (ask, told) = world.provoke(&table, &row).await;
            let example = examples.iter().find(|example| example.when == row.outcome);
            wrong.extend(faults(&table, &world.filled(&row), example, &told));
            page.push(line(&table, &row, &ask, &told));
            shown.insert(row.outcome.clone());
        }
        for example in &examples {
            let untried = UNTRIED.iter().map(|(when, why)| (*when, (*why).to_owned()));
            let own = table.untried.iter().map(|(when, why)| (when.as_str(), why.clone()));
            let why = own.chain(untried).find(|(when, _)| *when == example.when);
            let has = shown.contains(&example.when);
            if has == why.is_some() {
                let when = &example.when;
                wrong.push(format!(
                    "{}: {when:?} must have a row, or a reason: {why:?}",
                    table.door
                ));
            }
            if let Some((when, why)) = why {
                page.push(format!(
                    "| {} | {when} | {} | not tried: {why} | |",
                    table.door,
                    example.status.as_u16()
                ));
            }
        }
        known.insert(table.call.clone());
    }
    world.every_call_has_a_table(&known);
    println!("{}", page.join("\n"));
    assert_eq!(wrong, Vec::<String>::new(), "{}", wrong.join("\n"));
    assert!(world.gavel.terminate().success());
}

/// How the answer differs from what its row and the specification say.
fn faults(table: &Table, row: &Row, example: Option<&Example>, told: &Told) -> Vec<String> {
    let mut faults = Vec::new();
    let status = row.status.or(example.map(|example| example.status.as_u16()));
    if Some(told.status) != status {
        faults.push(format!("the status is not {status:?}"));
    }
    for (pointer, expected) in &row.answer {
        let found = told.body.pointer(pointer);
        let is_right = match expected {
            Value::String(any) if any == "*" => found.is_some_and(|it| !it.is_null() && it != ""),
            Value::String(none) if none == "-" => found.is_none(),
            expected => found == Some(expected),
        };
        if !is_right {
            faults.push(format!("{pointer} is not {expected}"));
        }
    }
    for (name, expected) in &row.headers_told {
        let found = told.header(name);
        if !found.is_some_and(|it| expected == "*" || it == expected) {
            faults.push(format!("the header {name} is not {expected}"));
        }
    }
    if let Some(example) = example
        && shape(&told.body) != shape(&example.body)
    {
        faults.push(format!("it has another shape than {}", example.body));
    }
    let at = format!("{}, {}: {} {}", table.door, row.outcome, told.status, told.body);
    faults.iter().map(|fault| format!("{fault}: {at}")).collect()
}

/// The names of an answer's members, and whether something stands there.
fn shape(body: &Value) -> Option<Vec<(&str, bool)>> {
    let members = body.as_object()?.iter();
    Some(members.map(|(name, value)| (name.as_str(), !value.is_null() && value != 0)).collect())
}

fn line(table: &Table, row: &Row, ask: &Ask, told: &Told) -> String {
    let body: String = told.body.to_string().chars().take(240).collect();
    let cells = [
        table.door.clone(),
        row.outcome.clone(),
        told.status.to_string(),
        format!("`{}`", ask.told),
        format!("`{body}`"),
    ];
    format!("| {} |", cells.map(|cell| cell.replace('|', "\\|")).join(" | "))
}

impl World {
    /// What the specification says that a call may answer.
    fn examples(&self, table: &Table) -> Vec<Example> {
        let publisher = &self.market.publishers[&table.publisher.parse().unwrap()];
        let specs = specs(&self.market, publisher);
        let own = |spec: &&Spec| format!("{} {}", spec.method, spec.path) == table.call;
        let mut examples: Vec<Example> = Vec::new();
        for example in specs.iter().filter(own).flat_map(|spec| &spec.answers) {
            if !examples.iter().any(|known| known.when == example.when) {
                examples.push(example.clone());
            }
        }
        examples
    }

    fn every_call_has_a_table(&self, known: &BTreeSet<String>) {
        for (id, publisher) in &self.market.publishers {
            // Those of the tail are there for single rows.
            if !MARKET.contains(&format!("[publishers.{id}]")) {
                continue;
            }
            for spec in specs(&self.market, publisher) {
                let call = format!("{} {}", spec.method, spec.path);
                assert!(known.contains(&call), "no rows for {call}");
            }
        }
    }

    /// Sends what a row asks for, after what must come before it.
    async fn provoke(&mut self, table: &Table, row: &Row) -> (Ask, Told) {
        if let Some(before) = &row.before {
            let path = table.pings.then(|| "/v1/leads".to_owned());
            let first = self.ask(table, &Row { set: before.clone(), path, ..Row::default() });
            let told = first.send(self.gavel.public);
            assert!(told.status < 300, "{}: {}", row.outcome, told.body);
        }
        let (ask, ping) = self.prepared(table, row).await;
        let told = match row.twin {
            Some(Twin::InFlight) => self.while_under_way(&ask),
            Some(Twin::KeyReused) => {
                let (first, _) = self.prepared(table, row).await;
                let told = first.send(self.gavel.public);
                assert!(told.status < 300, "{}: {}", table.door, told.body);
                ask.send(self.gavel.public)
            }
            None => ask.send(self.gavel.public),
        };
        for (name, pointer) in &row.keep {
            let value = match pointer.as_str() {
                "ping" => ping.clone(),
                pointer => told.body.pointer(pointer).cloned(),
            };
            self.kept.insert(name.clone(), value.unwrap_or_default());
        }
        (ask, told)
    }

    /// The row's request and the id of the ping that it names, if one comes before it.
    async fn prepared(&mut self, table: &Table, row: &Row) -> (Ask, Option<Value>) {
        let pings = table.pings && !row.set.contains_key("/ping_id");
        let ping = if pings { self.ping(table, row) } else { None };
        let mut ask = self.ask(table, row);
        let Some(id) = ping else { return (ask, None) };
        ask.change(&BTreeMap::from([("/ping_id".to_owned(), id.clone())]));
        if row.expires {
            tokio::time::sleep(EXPIRED).await;
        }
        (ask, Some(id))
    }

    /// A row with what was kept in its answer.
    fn filled(&self, row: &Row) -> Row {
        let mut row = row.clone();
        for expected in row.answer.values_mut() {
            let name = expected.as_str().and_then(|it| it.strip_prefix('{')?.strip_suffix('}'));
            if let Some(kept) = name.and_then(|name| self.kept.get(name)) {
                *expected = kept.clone();
            }
        }
        row
    }

    /// The row's request; every one is about somebody else.
    fn ask(&mut self, table: &Table, row: &Row) -> Ask {
        self.people += 1;
        Ask::new(table, row, self.people, &self.kept)
    }

    /// The id of a ping for the row's lead, if it is accepted.
    fn ping(&mut self, table: &Table, row: &Row) -> Option<Value> {
        let row = Row { then: BTreeMap::new(), ..row.clone() };
        let mut ask = self.ask(table, &row);
        ask.path = "/v1/ping".to_owned();
        ask.headers.remove("idempotency-key");
        ask.change(&BTreeMap::from([("/contact".to_owned(), Value::Null)]));
        let told = ask.send(self.gavel.public);
        told.body.get("ping_id").filter(|id| id.is_string()).cloned()
    }

    /// A request with less time, while the same is under way.
    fn while_under_way(&self, ask: &Ask) -> Told {
        let posts = self.buyers.posts().len();
        let (first, to) = (ask.clone(), self.gavel.public);
        let first = std::thread::spawn(move || first.send(to));
        while self.buyers.posts().len() == posts && !first.is_finished() {
            std::thread::yield_now();
        }
        let mut second = ask.clone();
        second.headers.insert("gavel-budget-ms".to_owned(), "100".to_owned());
        let told = second.send(self.gavel.public);
        let first = first.join().unwrap();
        assert!(first.status < 300, "{}", first.body);
        told
    }
}

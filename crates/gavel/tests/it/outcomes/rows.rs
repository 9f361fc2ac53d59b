//! The tables of outcomes, and the rows that every call has.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

/// JSON pointers and what stands there; `null` is nothing.
pub(super) type Changes = BTreeMap<String, Value>;

/// A call, and what can come of it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Table {
    pub(super) door: String,
    pub(super) publisher: String,
    /// Method and path, as the specification has them.
    pub(super) call: String,
    /// The path, where that one stands for many.
    pub(super) path: Option<String>,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) sample: String,
    /// Where the consumer's addresses stand.
    pub(super) email: Option<String>,
    pub(super) phone: Option<String>,
    /// Changes of the sample for every row.
    #[serde(default)]
    pub(super) base: Changes,
    /// Changes that make a key wrong which is in the body.
    wrong_key: Option<Changes>,
    /// A lead whose post takes longer than its twin's budget.
    slow: Option<Slow>,
    /// A ping comes before each.
    #[serde(default)]
    pub(super) pings: bool,
    #[serde(default)]
    pub(super) untried: BTreeMap<String, String>,
    pub(super) rows: Vec<Row>,
}

#[derive(Debug, Clone, Deserialize)]
struct Slow {
    set: Changes,
}

/// One outcome.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Row {
    pub(super) outcome: String,
    pub(super) method: Option<String>,
    pub(super) path: Option<String>,
    /// `null` takes one away.
    pub(super) headers: BTreeMap<String, Option<String>>,
    pub(super) set: Changes,
    pub(super) remove: Vec<String>,
    /// Changes that the ping of a post does not have.
    pub(super) then: Changes,
    /// A lead that is sent first.
    pub(super) before: Option<Changes>,
    /// The body, whatever the sample is.
    pub(super) raw: Option<String>,
    /// The same of a query.
    pub(super) as_sent: Option<String>,
    pub(super) keep: BTreeMap<String, String>,
    /// As the specification says, if nothing stands here.
    pub(super) status: Option<u16>,
    /// `*` is anything but nothing, `-` nothing.
    pub(super) answer: BTreeMap<String, Value>,
    pub(super) headers_told: BTreeMap<String, String>,
    /// Waits until the ping has expired.
    pub(super) expires: bool,
    #[serde(skip)]
    pub(super) twin: Option<Twin>,
    #[serde(skip)]
    pub(super) content_length: Option<usize>,
    #[serde(skip)]
    pub(super) no_host: bool,
}

/// What there is beside a request.
#[derive(Debug, Clone, Copy)]
pub(super) enum Twin {
    /// The same, under way.
    InFlight,
    /// Another body under the same key, before.
    KeyReused,
}

/// A ping's id that nobody has.
const NO_PING: &str = "01010101-0101-4101-8101-010101010101";

/// Every table.
pub(super) fn tables() -> Vec<Table> {
    let files = [
        include_str!("leadhub.json"),
        include_str!("bright_horizons.json"),
        include_str!("bright_horizons_ping.json"),
        include_str!("pingtree.json"),
        include_str!("pingtree_slug.json"),
        include_str!("pingtree_query.json"),
        include_str!("pingtree_fetch.json"),
        include_str!("pingtree_slug_fetch.json"),
        include_str!("brainysoft.json"),
        include_str!("brainysoft_find.json"),
        include_str!("brainysoft_check.json"),
        include_str!("brainysoft_statuses.json"),
        include_str!("brainysoft_many.json"),
        include_str!("brainysoft_login.json"),
        include_str!("native.json"),
        include_str!("native_find.json"),
        include_str!("native_decisions.json"),
        include_str!("native_ping.json"),
        include_str!("native_post.json"),
    ];
    files.map(|text| serde_json::from_str(text).unwrap()).into()
}

impl Table {
    /// The rows that every call has, as far as its specification knows them.
    pub(super) fn common_rows(&self) -> Vec<Row> {
        let named = |outcome: &str| Row { outcome: outcome.to_owned(), ..Row::default() };
        let with = |outcome: &str, name: &str, value: Option<&str>| Row {
            headers: BTreeMap::from([(name.to_owned(), value.map(str::to_owned))]),
            ..named(outcome)
        };
        let mut rows = vec![
            Row { method: Some("DELETE".to_owned()), ..named("another method") },
            Row { no_host: true, ..named("no Host header, or several") },
            with("an Idempotency-Key that cannot be one", "idempotency-key", Some("a b")),
            with("a budget that is none", "gavel-budget-ms", Some("soon")),
            // A ping with it would be refused, so none comes before.
            Row {
                set: match self.pings {
                    true => Changes::from([("/ping_id".to_owned(), json!(NO_PING))]),
                    false => Changes::new(),
                },
                ..with("an outcome asked of a live lead", "gavel-test-outcome", Some("sold"))
            },
            Row { raw: Some("{".to_owned()), ..named("the body cannot be read") },
            Row { content_length: Some(70_000), ..named("the body is too large") },
        ];
        rows.push(match &self.wrong_key {
            Some(changes) => Row { set: changes.clone(), ..named("the credentials are wrong") },
            None => {
                let name = self.headers.keys().next().unwrap();
                with("the key is missing or wrong", name, Some("Bearer nobody"))
            }
        });
        if let Some(slow) = &self.slow {
            let twin = Some(Twin::InFlight);
            let outcome = "the same lead is still being processed";
            rows.push(Row { set: slow.set.clone(), twin, ..named(outcome) });
            let outcome = "an Idempotency-Key with another body";
            let row = with(
                outcome,
                "idempotency-key",
                Some(&format!("key-{}", self.door.replace(' ', "-"))),
            );
            rows.push(Row { twin: Some(Twin::KeyReused), ..row });
        }
        rows
    }

    /// The documentation's sample as it is changed for every row.
    pub(super) fn sample(&self) -> Value {
        match self.sample.as_str() {
            "leadhub" => sim::samples::leadhub(),
            "bright_horizons" => sim::samples::bright_horizons(),
            "pingtree" => sim::samples::pingtree(),
            "brainysoft" => sim::samples::brainysoft(),
            "native" => sim::samples::native(),
            _ => Value::Null,
        }
    }

    /// A phone number that nobody else has, as the sample's country writes it.
    pub(super) fn phone_of(&self, person: u32) -> Value {
        json!(match self.sample.as_str() {
            "leadhub" => format!("61{person:07}"),
            "bright_horizons" => format!("7755{person:06}"),
            "pingtree" => format!("2125{person:06}"),
            "brainysoft" => format!("7903{person:07}"),
            _ => format!("+3461{person:07}"),
        })
    }
}

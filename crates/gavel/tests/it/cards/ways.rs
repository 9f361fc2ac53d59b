//! The ways in which a body, a form, a query, a path or a header may bring a card, as a table: a new door
//! is some new rows.

use std::fmt::Write as _;

use bytes::Bytes;
use hyper::Request;
use serde_json::{Value, json};

type Key = (&'static str, &'static str);

const HUB: Key = ("apikey", "demo-leadhub");
const NATIVE: Key = ("authorization", "Bearer demo-native");
const HORIZONS: Key = ("accept", "application/json");
const TREE: Key = ("authorization", "Bearer demo-pingtree");
const BRAINY: Key = ("bsauth", "demo-brainysoft");

const SLUG_PATH: &str = "/api/v1/database-source/us-loans/create";

/// What is said to a body that holds a card.
const REFUSED: &str = "payment card";

/// A check code that no number is mistaken for.
pub(super) const CHECK_CODE: &str = "q7vz3kc";

/// A card as somebody writes it.
pub(super) struct Card {
    pub(super) number: String,
    pub(super) text: String,
}

/// One way in.
pub(super) struct Way {
    pub(super) name: &'static str,
    method: &'static str,
    path: &'static str,
    key: Key,
    carrier: Carrier,
    /// The status of the answer and what stands in it.
    pub(super) answer: (u16, &'static str),
}

/// Where a card stands.
#[derive(Clone, Copy)]
enum Carrier {
    /// In a JSON body, at a place; and deep in what no door knows, as a number, and as a name.
    Json(fn() -> Value, &'static [&'static str]),
    /// In a JSON body where it is at home: its number and its check code.
    Home(fn() -> Value),
    /// In a form or query: these fields, and the name of the one that holds the card.
    Form(&'static str, &'static [&'static str]),
    /// The same behind the path.
    Query(&'static str, &'static [&'static str]),
    /// At the end of the path.
    Path,
    /// In the header Idempotency-Key.
    Header(fn() -> Value),
}

const fn way(
    name: &'static str,
    (path, key): (&'static str, Key),
    carrier: Carrier,
    answer: (u16, &'static str),
) -> Way {
    let method = match carrier {
        Query(..) | Path => "GET",
        _ => "POST",
    };
    Way { name, method, path, key, carrier, answer }
}

use Carrier::{Form, Header, Home, Json, Path, Query};

pub(super) const WAYS: &[Way] = &[
    way("leadhub", ("/api/v1/lead", HUB), Json(sim::samples::leadhub, LEADHUB), (400, REFUSED)),
    way("native", ("/v1/leads", NATIVE), Json(native, LEAD), (422, REFUSED)),
    way("native ping", ("/v1/ping", NATIVE), Json(native_ping, &["/tags/note"]), (422, REFUSED)),
    way("native post", ("/v1/post", NATIVE), Json(native, LEAD), (422, REFUSED)),
    way("native key", ("/v1/leads", NATIVE), Header(native), (200, "\"lead_id\"")),
    way("native question", ("/v1/leads/", NATIVE), Path, (404, "not_found")),
    way(
        "bright horizons",
        ("/post/debt/sub10k/", HORIZONS),
        Json(sim::samples::bright_horizons, TRANSACTION),
        (200, REFUSED),
    ),
    way(
        "bright horizons ping",
        ("/ping/debt/sub10k/", HORIZONS),
        Json(sim::samples::bright_horizons, TRANSACTION),
        (200, REFUSED),
    ),
    way(
        "bright horizons form",
        ("/post/debt/sub10k/", HORIZONS),
        Form(
            "xauth[affiliateid]=123456&xauth[key]=zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz&transaction[firstname]=A",
            &["transaction[lastname]", "transaction[x][y]", "note"],
        ),
        (200, REFUSED),
    ),
    way(
        "pingtree",
        (sim::samples::PINGTREE_PATH, TREE),
        Json(sim::samples::pingtree, &["/first_name", "/transaction_id", "/gclid", "/sub1"]),
        (400, REFUSED),
    ),
    way("pingtree form", (sim::samples::PINGTREE_PATH, TREE), Form(PERSON, FIELDS), (400, REFUSED)),
    way(
        "pingtree query",
        (sim::samples::PINGTREE_PATH, TREE),
        Query(PERSON, FIELDS),
        (400, REFUSED),
    ),
    way("pingtree slug form", (SLUG_PATH, TREE), Form(PERSON, FIELDS), (400, REFUSED)),
    way(
        "pingtree fetch",
        ("/api/lead/fetch/65f0c0ffee65f0c0ffee65f0", TREE),
        Query("page=1", &["email", "transaction_id"]),
        (200, "\"leads\":["),
    ),
    way(
        "brainysoft",
        ("/bs-core/main/leads", BRAINY),
        Json(
            sim::samples::brainysoft,
            &["/firstName", "/passport/manager", "/relatives/0/lastName", "/goods", "/orderCode"],
        ),
        (400, REFUSED),
    ),
    way("brainysoft card", ("/bs-core/main/leads", BRAINY), Home(card), (200, "\"ok\"")),
    way("brainysoft extra", ("/bs-core/main/leads", BRAINY), Home(extra_card), (200, "\"ok\"")),
    way("brainysoft question", ("/bs-core/main/leads/", BRAINY), Path, (404, "NOT_FOUND")),
];

const LEADHUB: &[&str] =
    &["/customer/personal_data/first_name", "/customer/external_id", "/tracking"];
const LEAD: &[&str] = &["/contact/last_name", "/contact/extra/note", "/tags/note", "/sub_id"];
const TRANSACTION: &[&str] = &["/transaction/firstname", "/transaction/sub2", "/note"];
const PERSON: &str = "first_name=Ana&last_name=Form&email=ana.form@example.com&mobile=2125550144";
const FIELDS: &[&str] = &["city", "transaction_id", "unheard", "sub1"];

fn native() -> Value {
    json!({
        "product": "personal-loan-es", "sub_id": "s", "tags": {},
        "attributes": { "region": "Girona", "zip": "17001", "monthly_income": 2100, "amount": 4000, "term_months": 24 },
        "contact": {
            "first_name": "Lucia", "last_name": "Ferrer", "email": "lucia.ferrer@example.org",
            "birth_date": "1990-11-02", "extra": {},
        },
        "consent": { "entries": [{ "type": "terms", "accepted": true }, { "type": "privacy_policy", "accepted": true }] },
    })
}

fn native_ping() -> Value {
    let mut ping = native();
    ping.as_object_mut().unwrap().remove("contact");
    ping
}

fn card() -> Value {
    let mut lead = sim::samples::brainysoft();
    lead["cardNumber"] = Value::Null;
    lead["cardCvc"] = json!(CHECK_CODE);
    lead
}

fn extra_card() -> Value {
    let mut lead = sim::samples::brainysoft();
    lead["extraFields"] = json!([
        { "key": "client.cardNumber", "value": null },
        { "key": "client.cardCvc", "value": CHECK_CODE },
    ]);
    lead
}

impl Way {
    /// The request that brings a card; `number` chooses among its places.
    pub(super) fn request(
        &self,
        card: &Card,
        number: usize,
    ) -> hyper::http::Result<Request<Bytes>> {
        let mut request = Request::builder().method(self.method).header(self.key.0, self.key.1);
        let mut path = self.path.to_owned();
        let body = match self.carrier {
            Json(body, places) => posted(body(), places, card, number),
            Home(body) => at_home(body(), card, number),
            Header(body) => {
                request = request.header("idempotency-key", &card.number);
                let mut body = body();
                body["contact"]["email"] = json!(format!("lucia.{number}@example.org"));
                body.to_string()
            }
            Form(start, names) => {
                request = request.header("content-type", "application/x-www-form-urlencoded");
                format!("{start}&{}", pair(names, card, number))
            }
            Query(start, names) => {
                path.push_str(&format!("?{start}&{}", pair(names, card, number)));
                String::new()
            }
            Path => {
                path.push_str(&card.number);
                String::new()
            }
        };
        request.uri(path).header("host", "gavel.test").body(Bytes::from(body))
    }
}

/// A JSON body with the card in one of its places.
fn posted(mut body: Value, places: &[&str], card: &Card, number: usize) -> String {
    let plain: u64 = card.number.parse().unwrap();
    match number % 6 {
        0 => body["unheard"] = json!({ "of": [1, { "it": card.text }] }),
        1 => body["unheard"] = json!([{ "number": plain }]),
        2 => body[format!("a {}", card.text)] = json!("x"),
        _ => {
            let place = places[number / 6 % places.len()];
            let (parent, name) = place.rsplit_once('/').unwrap();
            body.pointer_mut(parent).unwrap()[name] = json!(card.text);
        }
    }
    body.to_string()
}

/// A lead of a publisher that sends cards by contract.
fn at_home(mut body: Value, card: &Card, number: usize) -> String {
    let plain: u64 = card.number.parse().unwrap();
    let value = if number.is_multiple_of(4) { json!(plain) } else { json!(card.text) };
    match body["extraFields"][0]["key"] == "client.cardNumber" {
        true => body["extraFields"][0]["value"] = value,
        false => body["cardNumber"] = value,
    }
    body["orderCode"] = json!(format!("order-{number}"));
    body.to_string()
}

/// `name=card`, with what must be escaped escaped, or everything.
fn pair(names: &[&str], card: &Card, number: usize) -> String {
    let name = names[number % names.len()];
    let mut out = format!("{name}=");
    for byte in card.text.bytes() {
        let plain = byte.is_ascii_alphanumeric() && !number.is_multiple_of(3);
        match (plain, byte) {
            (true, byte) => out.push(char::from(byte)),
            (false, b' ') if number.is_multiple_of(2) => out.push('+'),
            (false, byte) => write!(out, "%{byte:02x}").unwrap(),
        }
    }
    out
}

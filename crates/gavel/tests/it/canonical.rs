//! One consumer's lead is one lead, through whichever door and however it is written; and no door lets the
//! number of a card come to the disk.

mod people;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use crate::dialects::{Answers, Counterpart};
use crate::process::{Gavel, LOCAL, call, request};
use people::{PEOPLE, leadhub, native};

const MARKET: &str = include_str!("../../../../config/demo/market.toml");

/// A door, and the same consumer as its publishers write.
struct Row {
    door: &'static str,
    path: &'static str,
    key: (&'static str, &'static str),
    body: fn() -> Value,
    /// Where a field of a consumer's own stands, and where a defect says that it does.
    fields: &'static [(&'static str, &'static str)],
    refused: u16,
}

/// Add a door by a row.
const ROWS: &[Row] = &[
    Row {
        door: "leadhub",
        path: "/api/v1/lead",
        key: ("apikey", "demo-leadhub"),
        body: leadhub,
        fields: &[
            ("/customer/personal_data/first_name", "customer.personal_data.first_name"),
            ("/customer/external_id", "customer.external_id"),
            ("/unknown", "unknown"),
        ],
        refused: 400,
    },
    Row {
        door: "native",
        path: "/v1/leads",
        key: ("authorization", "Bearer demo-native"),
        body: native,
        fields: &[
            ("/contact/first_name", "/contact/first_name"),
            ("/sub_id", "/sub_id"),
            ("/tags/note", "/tags/note"),
            ("/contact/extra/comment", "/contact/extra/comment"),
        ],
        refused: 422,
    },
];

/// Doors whose publishers write of other consumers; no card comes in there either.
const ELSEWHERE: &[Row] = &[
    Row {
        door: "pingtree",
        path: sim::samples::PINGTREE_PATH,
        key: ("authorization", "Bearer demo-pingtree"),
        body: sim::samples::pingtree,
        fields: &[("/first_name", "first_name"), ("/gclid", "gclid")],
        refused: 400,
    },
    Row {
        door: "brainysoft",
        path: "/bs-core/main/leads",
        key: ("bsauth", "demo-brainysoft"),
        body: sim::samples::brainysoft,
        fields: &[("/firstName", "firstName"), ("/passport/manager", "passport.manager")],
        refused: 400,
    },
];

async fn start(dir: &Path) -> (Gavel, Counterpart) {
    let sale = Answers {
        ping: (200, "", r#"{"status":"bid","price":"30.00","ping_id":"p"}"#),
        post: (200, "", r#"{"status":"accepted","redirect_url":"https://x.example/a"}"#),
        status: (404, "", "{}"),
    };
    let buyer = Counterpart::start(|seen| seen.target.contains("/post"), sale).await;
    // What is bought is asked here, not how fast: every limit of a call that the demo sets, a tier's among
    // them, is one that a busy machine does not reach.
    let mut market = MARKET.replace("127.0.0.1:9900", &buyer.at.to_string());
    for (limit, far) in [
        ("time_limit_ms = 800", "time_limit_ms = 30000"),
        ("time_limit_ms = 600", "time_limit_ms = 30000"),
        ("timeout_ms = 3000", "timeout_ms = 25000"),
        ("timeout_ms = 400", "timeout_ms = 25000"),
        ("budget_ms = 2000", "budget_ms = 60000"),
    ] {
        assert!(market.contains(limit), "{limit}");
        market = market.replace(limit, far);
    }
    let delivery = format!("{LOCAL}[limits]\nbuyer_connect_ms = 20000\n");
    (Gavel::start_reaching(dir, &market, &delivery), buyer)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_lead_through_every_door_is_the_same_canonical_lead() {
    let mut doors = BTreeSet::new();
    for person in PEOPLE {
        for way in person.ways {
            let dir = tempfile::tempdir().unwrap();
            let (gavel, buyer) = start(dir.path()).await;
            let (status, answer) = call(gavel.public, way.request()).await;
            assert!(matches!(status, 200 | 201), "{}: {answer}", way.door);
            let posts = buyer.take().into_iter().filter(|seen| seen.target.contains("/post"));
            let posts: Vec<Value> =
                posts.map(|seen| serde_json::from_str(&seen.body).unwrap()).collect();
            let [post] = &posts[..] else {
                panic!("{} of {}: {} posts: {answer}", way.door, person.name, posts.len())
            };
            assert_eq!(way.seen(post), way.expected(person), "{} of {}", way.door, person.name);
            doors.insert(way.door);
        }
    }
    assert_eq!(doors.len(), lead::Door::ALL.len(), "{doors:?}");
}

/// Where each door's publishers put a field that the door does not know; the native door has a place for it.
const PROOFS: &[(&str, &str)] = &[
    ("leadhub", "/tracking"),
    ("native", "/contact/extra/universal_leadid"),
    ("pingtree", "/jornaya_lead_id"),
    ("bright_horizons", "/transaction/leadid_token"),
    ("brainysoft", "/leadid_token"),
];

#[tokio::test(flavor = "multi_thread")]
async fn an_id_of_jornaya_is_evidence_at_every_door() {
    let elsewhere = Row {
        door: "bright_horizons",
        path: "/post/debt/sub10k/",
        key: ("accept", "application/json"),
        body: sim::samples::bright_horizons,
        fields: &[],
        refused: 200,
    };
    let rows: Vec<&Row> = ROWS.iter().chain(ELSEWHERE).chain([&elsewhere]).collect();
    assert_eq!(rows.len(), PROOFS.len(), "a door is missing");
    for row in rows {
        let (_, field) = PROOFS.iter().find(|(door, _)| *door == row.door).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let (gavel, buyer) = start(dir.path()).await;
        let mut body = (row.body)();
        let (parent, name) = field.rsplit_once('/').unwrap();
        let proof = json!(" 7A1C-0001 ");
        body.pointer_mut(parent).unwrap()[name] = match name {
            "tracking" => json!({ "sub1": "fb", "leadid_token": proof }),
            _ => proof,
        };
        let sent = request("POST", row.path, row.key, &body);
        let (_, answer) = call(gavel.public, sent).await;
        let posts = buyer.take();
        let post = posts.iter().find(|seen| seen.target.contains("/post"));
        let post = post.unwrap_or_else(|| panic!("{}: {answer}", row.door));
        let post: Value = serde_json::from_str(&post.body).unwrap();
        assert_eq!(post["consent"]["evidence"]["jornaya"], "7A1C-0001", "{}: {post}", row.door);
    }
}

/// Cards of four networks in all separators, none of them anybody's.
const CARDS: &[&str] = &[
    "4111111111111111",
    "4111 1111 1111 1111",
    "5500-0055-5555-5559",
    "3782.822463.10005",
    "pay 2223000048400011 please",
    "6011 0009 9013 9424",
];

#[tokio::test(flavor = "multi_thread")]
async fn no_card_comes_to_the_disk_through_any_field_of_any_door() {
    let dir = tempfile::tempdir().unwrap();
    let (gavel, buyer) = start(dir.path()).await;
    for row in ROWS.iter().chain(ELSEWHERE) {
        for card in CARDS {
            for (field, named) in row.fields {
                let mut body = (row.body)();
                let (parent, name) = field.rsplit_once('/').unwrap();
                body.pointer_mut(parent).unwrap()[name] = json!(card);
                let sent = request("POST", row.path, row.key, &body);
                let (status, mut answer) = call(gavel.public, sent).await;
                // When it was answered, in milliseconds, has as many digits as a card.
                answer.as_object_mut().unwrap().remove("timestamp");
                let answer = answer.to_string();
                assert_eq!(status, row.refused, "{}: {answer}", row.door);
                assert!(answer.contains(named) && answer.contains("payment card"), "{answer}");
                let digits = |text: &str| text.chars().filter(char::is_ascii_digit).count();
                assert!(digits(&answer) < 13, "{answer}");
            }
        }
    }
    // Its twin without a card is sold, so that there is something on the disk.
    let row = &ROWS[1];
    let (_, answer) = call(gavel.public, request("POST", row.path, row.key, &native())).await;
    assert_eq!(answer["status"], "distributed", "{answer}");
    assert!(buyer.take().iter().all(|seen| CARDS.iter().all(|card| !seen.body.contains(card))));
    assert!(gavel.terminate().success());
    let mut read = 0;
    for file in std::fs::read_dir(dir.path().join("data")).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        read += bytes.len();
        for card in CARDS {
            let plain: String = card.chars().filter(char::is_ascii_digit).collect();
            for text in [*card, plain.as_str()] {
                assert!(!bytes.windows(text.len()).any(|part| part == text.as_bytes()), "{card}");
            }
        }
    }
    assert!(read > 0);
}

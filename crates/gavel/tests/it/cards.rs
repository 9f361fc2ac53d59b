//! Cards at scale: synthetic numbers of every network, however written, in every way that a request can
//! bring them, through every door of the real binary. None is stored, logged, counted, told or passed on:
//! all but one door refuse the lead, and that one keeps the last four digits.
//!
//! `GAVEL_CARDS=100000` runs it longer.

mod ways;

#[path = "../../../lead/src/card/synthetic.rs"]
mod synthetic;

use std::collections::HashSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;
use sim::publishers::{Load, Reply, run};

use crate::dialects::{Answers, Counterpart, Seen};
use crate::process::{Gavel, call, request};
use synthetic::{Dice, card, written};
use ways::{CHECK_CODE, Card, WAYS, Way};

const MARKET: &str = include_str!("../../../../config/demo/market.toml");

/// Cards, unless the environment says otherwise.
const CARDS: usize = 3_600;

/// Requests a second.
const RATE: u32 = 400;

/// Longest run; what has not left by then fails the test.
const RUN_MAX: Duration = Duration::from_secs(1_800);

/// Digits of a card's number.
const DIGITS: std::ops::RangeInclusive<usize> = 13..=19;

/// An address that stands in every form and query, and in nothing that is taken.
const FORM_EMAIL: &str = "ana.form";

#[tokio::test(flavor = "multi_thread")]
async fn no_card_is_stored_logged_told_or_passed_on() {
    let cards = Arc::new(cards());
    let dir = tempfile::tempdir().unwrap();
    let sale = Answers {
        ping: (200, "", r#"{"status":"bid","price":"30.00","ping_id":"p"}"#),
        post: (200, "", r#"{"status":"accepted","redirect_url":"https://x.example/a"}"#),
        status: (404, "", "{}"),
    };
    let buyer = Counterpart::start(|seen| seen.target.contains("/post"), sale).await;
    let market = MARKET.replace("127.0.0.1:9900", &buyer.at.to_string());
    let gavel = Gavel::start_kept(dir.path(), &market);
    let replies = publish(&gavel, &cards).await;
    let shown = ask_again(&gavel).await;
    let metrics = request("GET", "/metrics", ("accept", "*/*"), &Value::Null);
    let (_, metrics) = call(gavel.ops, metrics).await;
    let live = files(&dir.path().join("data"));
    let ended = tokio::task::block_in_place(|| gavel.terminate());
    assert!(ended.success(), "{ended}");

    let search = Search(cards.iter().map(|card| card.number.as_str()).collect());
    // It must find each of them, or it would prove nothing.
    assert!(cards.iter().all(|card| search.finds(card.text.as_bytes())));
    for reply in &replies {
        search.proves_clean(WAYS[way(reply.index)].name, &reply.body);
    }
    search.proves_clean("what a publisher is shown", shown.as_bytes());
    search.proves_clean("the metrics", metrics.to_string().as_bytes());
    let mail = buyer.take();
    let kept = mail.iter().filter(|seen| keeps_four_digits(seen, &cards)).count();
    assert!(kept * WAYS.len() > cards.len(), "only {kept} of {} leads reached buyers", cards.len());
    for seen in &mail {
        search.proves_clean("a buyer's mail", seen.body.as_bytes());
    }
    let stored: usize = live.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(stored > 100_000, "only {stored} bytes are stored");
    let said = files(dir.path());
    assert!(said.iter().any(|(name, bytes)| name == "stdout" && bytes.len() > 1_000));
    for (name, bytes) in live.iter().chain(&said).chain(&files(&dir.path().join("data"))) {
        search.proves_clean(name, bytes);
    }
}

#[expect(clippy::disallowed_methods, reason = "a longer run is asked for by its caller")]
fn cards() -> Vec<Card> {
    let given = std::env::var("GAVEL_CARDS").ok();
    let count = given.map_or(CARDS, |text| text.parse().unwrap());
    let mut dice = Dice(3);
    let made = (0..count).map(|_| {
        let number = card(&mut dice);
        let text = written(&mut dice, &number);
        Card { number, text }
    });
    made.collect()
}

/// Which way a request takes: each in turn.
fn way(index: u64) -> usize {
    usize::try_from(index).unwrap() % WAYS.len()
}

/// Sends every card its way; each answer must be what that way answers.
async fn publish(gavel: &Gavel, cards: &Arc<Vec<Card>>) -> Vec<Reply> {
    let replies: Arc<Mutex<Vec<Reply>>> = Arc::default();
    let (seen, sent) = (Arc::clone(&replies), Arc::clone(cards));
    let load = Load::new(gavel.public, RATE, cards.len() as u64, move |index| {
        let number = usize::try_from(index).unwrap();
        WAYS[way(index)].request(&sent[number], number)
    });
    let load = load.timeout(Duration::from_secs(20)).limit(RUN_MAX);
    let report = run(load.on_reply(move |reply| seen.lock().unwrap().push(reply))).await.unwrap();
    assert_eq!(report.unsent, 0, "the machine is too slow for {} cards", cards.len());
    let replies = std::mem::take(&mut *replies.lock().unwrap());
    assert_eq!(replies.len(), cards.len(), "{:?}", report.outcomes);
    for reply in &replies {
        let Way { name, answer: (status, says), .. } = &WAYS[way(reply.index)];
        let body = String::from_utf8_lossy(&reply.body);
        let text = &cards[usize::try_from(reply.index).unwrap()].text;
        assert_eq!(reply.status, *status, "{name} {text}: {body}");
        assert!(body.contains(says), "{name} {text}: {body}");
    }
    replies
}

/// What a publisher that sends cards by contract is told of its leads afterwards.
async fn ask_again(gavel: &Gavel) -> String {
    let ids: Vec<String> = (1..=100).map(|id: u32| id.to_string()).collect();
    let path = format!("/bs-core/main/leads/find/{}", ids.join(","));
    let key = ("bsauth", "demo-brainysoft");
    let (status, body) = call(gavel.public, request("GET", &path, key, &Value::Null)).await;
    let shown = body["data"].as_array().map_or(0, Vec::len);
    assert!(status == 200 && shown > 20, "{shown} leads: {status}");
    body.to_string()
}

/// Whether a post is of a lead that was sent with its card, of which it must hold the last four digits.
fn keeps_four_digits(seen: &Seen, cards: &[Card]) -> bool {
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    let Some(order) = body["external_id"].as_str().and_then(|id| id.strip_prefix("order-")) else {
        return false;
    };
    let number = &cards[order.parse::<usize>().unwrap()].number;
    let (own, extra) = (&body["contact"]["bank"]["card_last_four"], &body["contact"]["extra"]);
    let extra = &extra["extra_fields"]["client.cardNumber"];
    let four = own.as_str().or(extra.as_str()).unwrap();
    assert!(four.len() == 4 && number.contains(four), "{four}");
    true
}

/// Numbers to be found however they are written.
struct Search<'c>(HashSet<&'c str>);

impl Search<'_> {
    fn finds(&self, bytes: &[u8]) -> bool {
        let mut digits = String::new();
        let mut between = 0;
        for byte in bytes.iter().chain(b"\n") {
            match byte {
                b'0'..=b'9' => {
                    digits.push(char::from(*byte));
                    between = 0;
                }
                // Separators of one byte, and all of more.
                b' ' | b'-' | b'.' | b'/' | b'_' | 0x80.. if between < 9 => between += 1,
                _ => {
                    if self.is_in(&digits) {
                        return true;
                    }
                    digits.clear();
                    between = 0;
                }
            }
        }
        false
    }

    fn is_in(&self, digits: &str) -> bool {
        (0..digits.len()).any(|start| {
            DIGITS
                .filter_map(|length| digits.get(start..start + length))
                .any(|part| self.0.contains(part))
        })
    }

    fn proves_clean(&self, place: &str, bytes: &[u8]) {
        assert!(!self.finds(bytes), "{place} holds a card");
        for marker in [CHECK_CODE, FORM_EMAIL] {
            let found = bytes.windows(marker.len()).any(|part| part == marker.as_bytes());
            assert!(!found, "{place} holds {marker}");
        }
    }
}

/// The files directly in a folder.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let plain = entries.filter(|entry| entry.file_type().unwrap().is_file());
    let read = |entry: std::fs::DirEntry| {
        let name = entry.file_name().into_string().unwrap();
        (name, std::fs::read(entry.path()).unwrap())
    };
    plain.map(read).collect()
}

//! Every outcome of a lead, of a ping and of a question has a golden pair with its whole body at every door.
//! A new outcome does not compile here before it has a row.

use lead::{Money, NoQuote, Outlook, PayoutBasis, RejectionReason, Status};
use serde_json::Value;

/// Doors by their golden files.
const DOORS: &[(&str, &[&str])] = &[
    ("leadhub", &[include_str!("../golden/leadhub/answers.json")]),
    ("native", &[include_str!("../golden/native/answers.json")]),
    ("bright_horizons", &[include_str!("../golden/bright_horizons/answers.json")]),
    ("pingtree, by id", &[include_str!("../golden/pingtree/answers.json")]),
    ("pingtree, by slug", &[include_str!("../golden/pingtree/slug.json")]),
    ("brainysoft", &[include_str!("../golden/brainysoft/answers.json")]),
];

/// What the scripted engine says, as golden files write it: `""` stands for absent.
type Word = (String, String, &'static str);

/// The compiler asks here for the words of a new status.
fn words_of(status: &Status) -> Vec<Word> {
    let word = |status: &str, reason: &str, flag| (status.to_owned(), reason.to_owned(), flag);
    match status {
        Status::New => ["", "open"].map(|flag| word("new", "", flag)).into(),
        Status::Distributed { .. } => {
            let flags = ["", "due_on_outcome", "redirect_url", "sales"];
            flags.map(|flag| word("distributed", "", flag)).into()
        }
        Status::Rejected(reason) => {
            ["", "not_created"].map(|flag| word("rejected", reason.name(), flag)).into()
        }
    }
}

fn words() -> Vec<Word> {
    let payout = Money { amount: 1.into(), currency: "EUR".parse().unwrap() };
    let (basis, sales) = (PayoutBasis::Sale, Vec::new());
    let sold = Status::Distributed { redirect_url: None, payout, basis, sales };
    let rejected = RejectionReason::ALL.iter().map(|reason| Status::Rejected(*reason));
    [Status::New, sold].into_iter().chain(rejected).flat_map(|status| words_of(&status)).collect()
}

/// Whether a case is of that word: it has that flag and none beside it.
fn is_of(case: &Value, part: &str, (status, reason, flag): &Word) -> bool {
    let word = &case[part];
    let flagged = |name: &str| !matches!(&word[name], Value::Null | Value::Bool(false));
    let flags = ["open", "not_created", "due_on_outcome", "redirect_url", "sales"];
    word["status"] == status.as_str()
        && word["reason"].as_str().unwrap_or_default() == reason
        // A sale of several slots may have a redirect, too.
        && flags.iter().all(|name| flagged(name) == (name == flag) || (*name == "redirect_url" && *flag == "sales"))
        && case["expect"]["body"].is_object()
}

fn cases(texts: &[&str]) -> Vec<Value> {
    texts.iter().flat_map(|text| serde_json::from_str::<Vec<Value>>(text).unwrap()).collect()
}

#[test]
fn every_outcome_has_a_golden_pair_at_every_door() {
    let mut missing = Vec::new();
    for (door, texts) in DOORS {
        let cases = cases(texts);
        let unseen = words().into_iter();
        let unseen =
            unseen.filter(|word| !cases.iter().any(|case| is_of(case, "distribute", word)));
        missing.extend(unseen.map(|word| format!("{door}: {word:?}")));
    }
    assert!(missing.is_empty(), "no golden pair for\n{}", missing.join("\n"));
}

#[test]
fn every_answer_to_a_ping_has_a_golden_pair() {
    let native = cases(&[include_str!("../golden/native/pings.json")]);
    let lead = RejectionReason::ALL.iter().map(|reason| NoQuote::Lead(*reason));
    let others = [NoQuote::Unmatched, NoQuote::Unsold, NoQuote::Reserved, NoQuote::TooManyPings];
    // The compiler asks here for a new one.
    let name = |why: NoQuote| match why {
        NoQuote::Lead(_)
        | NoQuote::Unmatched
        | NoQuote::Unsold
        | NoQuote::Reserved
        | NoQuote::TooManyPings => why.name(),
    };
    let quotes = others.into_iter().chain(lead).map(name).chain(["accepted"]);
    for quote in quotes {
        let word = (quote.to_owned(), String::new(), "");
        assert!(native.iter().any(|case| is_of(case, "ping", &word)), "native: {quote}");
    }
    let horizons = cases(&[include_str!("../golden/bright_horizons/answers.json")]);
    let rejected = RejectionReason::ALL.iter().map(|reason| Outlook::Rejected(*reason));
    for outlook in [Outlook::Nobody, Outlook::Open(None)].into_iter().chain(rejected) {
        let (status, reason) = match outlook {
            Outlook::Nobody => ("nobody", ""),
            Outlook::Open(_) => ("open", ""),
            Outlook::Rejected(reason) => ("rejected", reason.name()),
        };
        let word = (status.to_owned(), reason.to_owned(), "");
        assert!(horizons.iter().any(|case| is_of(case, "outlook", &word)), "{word:?}");
    }
}

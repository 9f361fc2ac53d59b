//! Leads and entries to write. Every contact field holds the marker, so that one search finds any leak.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use lead::{
    Address, Attributes, BuyerEvent, CampaignKey, Code, Consent, ConsentEntry, Contact,
    Disposition, Door, LeadId, Money, OfferOutcome, PostClass, Reading, RejectionReason, Standard,
    Submission,
};
use ledger::{
    Answered, Claim, ClaimKind, Decision, Digest, Entry, Intent, Limit, NewLead, Options, Party,
    PostRow, Posted, Recovery, Refused, Reported, RequestKey, RootKey, Settled, SqliteLedger,
    Write,
};
use market::{Cap, CapLimit, CapOf, Window};
use serde_json::json;

pub(crate) const MARKER: &str = "zq-marker-77";

pub(crate) fn options(dir: &Path) -> Options {
    Options::new(dir, RootKey::from_bytes([42; 32]))
}

pub(crate) fn sqlite(dir: &Path) -> SqliteLedger {
    SqliteLedger::open(options(dir)).unwrap()
}

pub(crate) fn at(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(1_780_000_000_000 + millis).unwrap()
}

pub(crate) fn id(number: u16) -> LeadId {
    id_at(number, 0)
}

/// The id of a lead that came at `millis`.
pub(crate) fn id_at(number: u16, millis: i64) -> LeadId {
    let mut entropy = [9; 10];
    entropy[8..].copy_from_slice(&number.to_be_bytes());
    LeadId::new(at(millis), entropy)
}

pub(crate) fn money(text: &str) -> Money {
    Money { amount: text.parse().unwrap(), currency: "EUR".parse().unwrap() }
}

pub(crate) fn campaign(buyer: &str) -> CampaignKey {
    CampaignKey { buyer: buyer.parse().unwrap(), campaign: "prime".parse().unwrap() }
}

fn contact() -> Contact {
    let text = || Some(format!("{MARKER} ñ"));
    let map = || json!({"iban": MARKER, "ratio": 0.1, "odd": 123_456_789.123_456_79, "n": null});
    Contact {
        first_name: text(),
        middle_name: text(),
        last_name: text(),
        second_last_name: text(),
        email: text(),
        phone: text(),
        birth_date: Some("1988-05-10".parse().unwrap()),
        national_id: text(),
        address: Some(Address { street: text(), postal_code: text(), ..Address::default() }),
        bank: map().as_object().unwrap().clone(),
        employer: map().as_object().unwrap().clone(),
        documents: vec![map()],
        extra: map().as_object().unwrap().clone(),
    }
}

pub(crate) fn submission() -> Submission {
    let mut attributes = Attributes::new();
    attributes.set_number(Standard::MonthlyIncome, rust_decimal::Decimal::new(250_050, 2));
    attributes.set_text(Standard::City, MARKER);
    attributes.set(Standard::Amount, Reading::Unreadable);
    Submission {
        door: Door::ALL[0],
        publisher: "acme-leads".parse().unwrap(),
        product: "personal-loan-es".parse().unwrap(),
        sub_id: Some(MARKER.to_owned()),
        external_id: Some(MARKER.to_owned()),
        min_payout: Some(money("5.00")),
        tags: BTreeMap::from([("click".to_owned(), MARKER.to_owned())]),
        source_url: Some(format!("https://example.test/?e={MARKER}")),
        user_agent: Some(MARKER.to_owned()),
        attributes,
        contact: contact(),
        consent: Consent {
            entries: vec![ConsentEntry {
                kind: "terms".to_owned(),
                accepted: true,
                accepted_at: Some("2026-01-01T00:00:00.123456789Z".parse().unwrap()),
                version: Some("2".to_owned()),
            }],
            ip: Some("203.0.113.9".parse().unwrap()),
            ..Consent::default()
        },
        test: false,
        requested: None,
    }
}

pub(crate) fn write(lead: LeadId, entries: Vec<Entry>) -> Write {
    Write { lead, created: None, entries }
}

pub(crate) fn created(lead: LeadId, entries: Vec<Entry>) -> Write {
    let new = NewLead {
        received_at: at(1),
        market_version: u64::MAX - 1,
        submission: Arc::new(submission()),
        claims: Vec::new(),
        request: None,
        signals: Vec::new(),
    };
    Write { lead, created: Some(Box::new(new)), entries }
}

/// A lead that came at `millis` and claims `keys`.
pub(crate) fn claiming(number: u16, millis: i64, keys: &[(ClaimKind, u8)]) -> Write {
    let mut write = created(id(number), vec![]);
    let new = write.created.as_mut().unwrap();
    new.received_at = at(millis);
    new.claims = keys.iter().map(|(kind, key)| Claim { kind: *kind, key: digest(*key) }).collect();
    write
}

/// A lead that came at `millis` by the request `key` with the body `body`.
pub(crate) fn requested(number: u16, millis: i64, key: u8, body: u8) -> Write {
    let mut write = claiming(number, millis, &[]);
    write.created.as_mut().unwrap().request =
        Some(RequestKey { key: digest(key), body: digest(body) });
    write
}

pub(crate) fn digest(byte: u8) -> Digest {
    Digest([byte; 16])
}

pub(crate) fn intent(buyer: &str, slot: u16) -> Intent {
    Intent {
        campaign: campaign(buyer),
        attempt: 0,
        slot,
        price: money("12.500"),
        payout: money("8.10"),
        expected: None,
        at: at(20),
    }
}

pub(crate) fn opened(buyer: &str, slot: u16) -> Entry {
    Entry::Intent(intent(buyer, slot))
}

pub(crate) fn posted(buyer: &str, class: PostClass) -> Posted {
    let code = match class {
        PostClass::Accepted => Code::Sold,
        PostClass::Rejected => Code::Operator(512),
        PostClass::NotSent => Code::Connect,
        PostClass::Unknown => Code::Unknown,
    };
    let accepted = class == PostClass::Accepted;
    Posted {
        campaign: campaign(buyer),
        attempt: 0,
        class,
        code,
        price: money("11.00"),
        payout: money("7.00"),
        redirect_url: accepted.then(|| format!("https://buyer.test/{MARKER}")),
        reference: Some(format!("ref-1 {MARKER}")),
        at: at(300),
    }
}

pub(crate) fn classed(buyer: &str, class: PostClass) -> Entry {
    Entry::Posted(posted(buyer, class))
}

/// A loan that `buyer` reports, known again by `mark`.
pub(crate) fn reported(buyer: &str, mark: u8) -> Reported {
    Reported {
        campaign: campaign(buyer),
        event: BuyerEvent::LoanIssued,
        mark: digest(mark),
        reference: Some(format!("loan {MARKER}")),
        metadata: json!({"amount_issued": 0.1, "who": MARKER}).as_object().unwrap().clone(),
        at: at(900),
    }
}

/// A cap of spend in a month that began at a known second.
pub(crate) fn limit() -> Limit {
    let (per, of) = (Window::Month, CapOf::Sold);
    let moment = |text: &str| text.parse().unwrap();
    Limit {
        party: Party::Buyer,
        cap: Cap { per, limit: CapLimit::Spend(money("500.00")), of },
        used: CapLimit::Spend(money("499.990")),
        window: Some((moment("2026-02-28T23:00:00Z"), moment("2026-03-31T22:00:00Z"))),
    }
}

pub(crate) fn settlement(outcome: OfferOutcome, disposition: Option<Disposition>) -> Settled {
    let decisions = vec![
        Decision {
            campaign: campaign("nova"),
            tier: 1,
            code: Code::Sold,
            bid: Some("12.500".parse().unwrap()),
            score: Some("11.8750".parse().unwrap()),
            ping_ms: Some(80),
            post_ms: Some(300),
            limit: None,
            reason: None,
        },
        Decision {
            campaign: campaign("orion"),
            tier: 2,
            code: Code::NoBid,
            bid: None,
            score: None,
            ping_ms: Some(75),
            post_ms: None,
            limit: None,
            reason: Some(format!("knows {MARKER} already")),
        },
        Decision {
            campaign: campaign("vega"),
            tier: 2,
            code: Code::Cap,
            bid: None,
            score: None,
            ping_ms: None,
            post_ms: None,
            limit: Some(Box::new(limit())),
            reason: None,
        },
    ];
    let answered = match outcome {
        OfferOutcome::Sold => Answered::Distributed,
        OfferOutcome::Unmatched | OfferOutcome::Unsold | OfferOutcome::Expired => {
            Answered::NewFinal
        }
        OfferOutcome::Indeterminate | OfferOutcome::Pending => Answered::New,
    };
    Settled {
        outcome: Some(outcome),
        disposition,
        reason: None,
        decisions,
        answered: Some(answered),
        at: at(301),
    }
}

pub(crate) fn settled(outcome: OfferOutcome) -> Entry {
    Entry::Settled(settlement(outcome, outcome.disposition()))
}

pub(crate) fn rejected(reason: Option<RejectionReason>) -> Entry {
    let disposition = Some(Disposition::Rejected);
    Entry::Settled(Settled {
        outcome: None,
        disposition,
        reason,
        decisions: Vec::new(),
        answered: Some(Answered::Rejected),
        at: at(2),
    })
}

/// Every post, in the order of campaigns and classes.
pub(crate) fn posts_of(ledger: &impl Recovery) -> Result<Vec<PostRow>, Refused> {
    let posts = Mutex::new(Vec::new());
    ledger.visit_posts(&|some| posts.lock().unwrap().extend(some))?;
    let mut posts = posts.into_inner().unwrap();
    posts.sort_by_key(|post: &PostRow| format!("{} {post:?}", post.campaign));
    Ok(posts)
}

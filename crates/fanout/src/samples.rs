//! Calls tried before they are used: their templates on specimen leads, and their mappings on the
//! replies that the campaign names itself. A mapping that misunderstands its own samples is refused
//! before it can misunderstand a sale. Sends nothing.

use document::{Defect, Path};
use hyper::HeaderMap;
use lead::{Code, Currency, PostClass};
use market::call::{Expect, Sample};
use market::{Call, CallKind, Campaign, Market, Product};
use rust_decimal::Decimal;

use crate::reply::{self, Raw};
use crate::{classify, specimen};

/// Every template of a market that makes something unreadable and every sample that does not read as it
/// says, with its place in the market's document.
#[must_use]
pub fn check_calls(market: &Market) -> Vec<Defect> {
    let check = |campaign: &Campaign| {
        let place = Market::campaign_path(&campaign.key);
        let product = market.products.get(&campaign.product);
        let defects = product.map(|product| check_campaign(campaign, product)).unwrap_or_default();
        defects.into_iter().map(move |it| Defect { path: it.path.under(&place), ..it })
    };
    market.campaigns.values().flat_map(|campaign| check(campaign)).collect()
}

/// The same of one campaign, with paths from its own object.
#[must_use]
pub fn check_campaign(campaign: &Campaign, product: &Product) -> Vec<Defect> {
    let delivery = &campaign.delivery;
    let calls = [
        (CallKind::Ping, delivery.ping.as_ref()),
        (CallKind::Post, Some(&delivery.post)),
        (CallKind::Status, delivery.status.as_ref()),
    ];
    let mut defects = Vec::new();
    for (kind, call) in calls {
        let Some(call) = call else { continue };
        let place = Path::default().key("delivery").key(kind.name());
        if let Some(issue) = specimen::unreadable(campaign, product, (call, kind)) {
            defects.push(defect(place.key("body"), issue.to_owned()));
        }
        let samples = call.response.iter().flat_map(|response| &response.samples);
        for (index, sample) in samples.enumerate() {
            if let Some(issue) = misread(call, kind, sample, product.currency) {
                defects.push(defect(place.key("response").key("samples").index(index), issue));
            }
        }
    }
    defects
}

/// What a complete reply to a call reads as, and at what price: the same reading that sells leads.
/// `reply` is its status, its headers and its body.
#[must_use]
pub fn reads_as(
    call: &Call,
    kind: CallKind,
    (status, headers, body): (u16, HeaderMap, Vec<u8>),
    currency: Currency,
) -> (Expect, Option<Decimal>) {
    read(call, kind, Raw { status, headers, body }, currency)
}

fn defect(path: Path, issue: String) -> Defect {
    Defect { path, issue, missing: false }
}

fn misread(call: &Call, kind: CallKind, sample: &Sample, currency: Currency) -> Option<String> {
    let Some(raw) = raw(sample) else {
        return Some("has a header that cannot be one".to_owned());
    };
    let (read, price) = read(call, kind, raw, currency);
    if read != sample.expect {
        let (expected, read) = (sample.expect.name(), read.name());
        return Some(format!("must read as {expected}, found {read}"));
    }
    match sample.price {
        Some(expected) if price != Some(expected) => {
            let read = price.map_or("no price".to_owned(), |price| price.to_string());
            Some(format!("must have the price {expected}, found {read}"))
        }
        _ => None,
    }
}

fn raw(sample: &Sample) -> Option<Raw> {
    let mut headers = HeaderMap::new();
    for (name, value) in &sample.headers {
        let name = hyper::header::HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.append(name, value.parse().ok()?);
    }
    Some(Raw { status: sample.status, headers, body: sample.body.clone().into_bytes() })
}

fn read(
    call: &Call,
    kind: CallKind,
    mut raw: Raw,
    currency: Currency,
) -> (Expect, Option<Decimal>) {
    if kind == CallKind::Ping {
        return match reply::bid(call, raw, currency) {
            Ok(bid) => (Expect::Accept, Some(bid.price.amount)),
            Err(no_bid) if no_bid.code == Code::NoBid => (Expect::Reject, None),
            Err(no_bid) if no_bid.code == Code::BuyerDuplicate => (Expect::Duplicate, None),
            Err(_) => (Expect::Unknown, None),
        };
    }
    let answer = reply::post_answer(call, &mut raw);
    let judge = if kind == CallKind::Post { classify::complete } else { classify::second };
    let reply = judge(raw.status, answer);
    let read = match (reply.class, reply.code) {
        (PostClass::Accepted, _) => Expect::Accept,
        (PostClass::Rejected, Code::BuyerDuplicate) => Expect::Duplicate,
        (PostClass::Rejected, _) => Expect::Reject,
        _ => Expect::Unknown,
    };
    (read, reply.price)
}

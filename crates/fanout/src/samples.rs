//! Replies that a campaign names itself, read as the wire would read them: a mapping that
//! misunderstands its own samples is refused before it can misunderstand a sale.

use document::{Defect, Path};
use hyper::HeaderMap;
use lead::{Code, Currency, PostClass};
use market::call::{Expect, Sample};
use market::{Call, CallKind, Campaign, Market};
use rust_decimal::Decimal;

use crate::classify;
use crate::reply::{self, Raw};

/// Every sample of a market that does not read as it says, with its place in the market's document.
#[must_use]
pub fn check_samples(market: &Market) -> Vec<Defect> {
    market.campaigns.values().flat_map(|campaign| check(market, campaign)).collect()
}

fn check(market: &Market, campaign: &Campaign) -> Vec<Defect> {
    let Some(product) = market.products.get(&campaign.product) else {
        return Vec::new();
    };
    let delivery = &campaign.delivery;
    let calls = [
        (CallKind::Ping, delivery.ping.as_ref()),
        (CallKind::Post, Some(&delivery.post)),
        (CallKind::Status, delivery.status.as_ref()),
    ];
    let mut defects = Vec::new();
    for (kind, call) in calls {
        let Some((call, response)) = call.and_then(|call| Some((call, call.response.as_ref()?)))
        else {
            continue;
        };
        let place = Market::campaign_path(&campaign.key);
        let place = place.key("delivery").key(kind.name()).key("response").key("samples");
        for (index, sample) in response.samples.iter().enumerate() {
            if let Some(issue) = misread(call, kind, sample, product.currency) {
                defects.push(defect(place.index(index), issue));
            }
        }
    }
    defects
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

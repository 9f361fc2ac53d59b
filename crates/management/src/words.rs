//! How small things are written in every answer.

use lead::{CampaignKey, Code, Currency, Money};
use ledger::Limit;
use market::CapLimit;
use rules::Failure;
use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// The members of an object.
pub(crate) type Members = Map<String, Value>;

/// `{"buyer","campaign"}`, to be filled on.
pub(crate) fn campaign(key: &CampaignKey) -> Members {
    let mut members = Members::new();
    members.insert("buyer".to_owned(), key.buyer.as_str().into());
    members.insert("campaign".to_owned(), key.campaign.as_str().into());
    members
}

/// Adds members; a name that is there is replaced.
pub(crate) fn add<const N: usize>(members: &mut Members, more: [(&str, Value); N]) {
    members.extend(more.into_iter().map(|(name, value)| (name.to_owned(), value)));
}

/// `code`, `reason` and `text`.
pub(crate) fn code(code: Option<Code>) -> [(&'static str, Value); 3] {
    [
        ("code", code.map(Code::number).into()),
        ("reason", code.map(Code::name).into()),
        ("text", code.map(Code::text).into()),
    ]
}

/// An amount; with the digits of its currency where that is known.
pub(crate) fn amount(amount: Option<Decimal>, currency: Option<Currency>) -> Value {
    let wire = |amount: Decimal| match currency {
        Some(currency) => Money { amount, currency }.to_wire(),
        None => amount.to_string(),
    };
    amount.map(wire).into()
}

/// Money without its currency.
pub(crate) fn money(money: Option<Money>) -> Value {
    money.map(Money::to_wire).into()
}

/// A cap as campaigns write it, with whose it is, what was used, and its window.
pub(crate) fn limit(limit: Option<&Limit>) -> Value {
    let Some(Limit { party, cap, used, window }) = limit else { return Value::Null };
    let mut members = Members::new();
    add(
        &mut members,
        [
            ("party", party.name().into()),
            ("per", cap.per.name().into()),
            ("of", cap.of.name().into()),
        ],
    );
    let (name, most) = of(cap.limit);
    add(&mut members, [(name, most), ("used", of(*used).1)]);
    if let CapLimit::Spend(money) = cap.limit {
        add(&mut members, [("currency", money.currency.as_str().into())]);
    }
    let time = |time: jiff::Timestamp| Value::from(time.to_string());
    let (from, until) = window.map_or((None, None), |(from, until)| (Some(from), Some(until)));
    add(&mut members, [("from", from.map(time).into()), ("until", until.map(time).into())]);
    members.into()
}

fn of(limit: CapLimit) -> (&'static str, Value) {
    match limit {
        CapLimit::Leads(leads) => ("leads", leads.into()),
        CapLimit::Spend(money) => ("spend", money.to_wire().into()),
    }
}

/// What kept a filter from being true.
pub(crate) fn failures(failures: &[Failure]) -> Value {
    let failure = |failure: &Failure| {
        json!({
            "path": failure.path,
            "attribute": failure.attribute,
            "expected": failure.expected,
            "actual": failure.actual,
            "verdict": failure.verdict.name(),
        })
    };
    failures.iter().map(failure).collect()
}

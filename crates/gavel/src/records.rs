//! `gavel verify` and `gavel review`: what a data directory says. Changes nothing.

use std::collections::BTreeMap;

use ledger::RootKey;

use crate::cli::Data;
use crate::failure::Failure;
use crate::out;

/// Checks every invariant of a data directory that no engine is using.
pub(crate) fn verify(options: &Data) -> Result<(), Failure> {
    let report = ledger::verify(&options.data, &root_key(options)?).map_err(refused)?;
    for finding in &report.findings {
        out::line(&finding.to_string());
    }
    let totals = &report.totals;
    out::line(&format!(
        "{} lead(s), {} post(s), {} sale(s), {} claim(s), {} request(s), {} event(s)",
        totals.leads, totals.posts, totals.sales, totals.claims, totals.requests, totals.events
    ));
    for (currency, money) in &totals.money {
        let ledger::MoneyTotals { price, payout, margin } = money;
        out::line(&format!("{currency}: price {price}, payout {payout}, margin {margin}"));
    }
    if report.is_sound() {
        out::line("every invariant holds");
        return Ok(());
    }
    Err(Failure::Ledger("some invariants do not hold".to_owned()))
}

/// Lists the posts whose answer is unknown, also beside a running engine.
pub(crate) fn review(options: &Data) -> Result<(), Failure> {
    let held = ledger::held(&options.data, &root_key(options)?).map_err(refused)?;
    let mut money: BTreeMap<String, lead::Money> = BTreeMap::new();
    for intent in &held {
        let post = &intent.post;
        let since = post.intent_at;
        out::line(&format!("{}  {}  {}  since {since}", intent.lead, post.campaign, post.price));
        let sum = money
            .entry(post.price.currency.to_string())
            .or_insert(lead::Money::zero(post.price.currency));
        *sum = sum.plus(post.expected.unwrap_or(post.price)).unwrap_or(*sum);
    }
    let sums: Vec<String> = money.values().map(ToString::to_string).collect();
    let worth =
        if sums.is_empty() { String::new() } else { format!(", worth {}", sums.join(" and ")) };
    out::line(&format!("{} post(s) wait for review{worth}", held.len()));
    Ok(())
}

fn root_key(options: &Data) -> Result<RootKey, Failure> {
    let file = options.root_key.clone().unwrap_or_else(|| options.data.join("root.key"));
    RootKey::load(&file).map_err(|error| Failure::Ledger(error.to_string()))
}

fn refused(error: ledger::OpenError) -> Failure {
    Failure::Ledger(error.to_string())
}

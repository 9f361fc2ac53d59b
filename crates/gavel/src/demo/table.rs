//! What the demo prints. Formats; counts nothing that a report has not counted.

use std::collections::BTreeMap;
use std::time::Duration;

use lead::Currency;
use rust_decimal::Decimal;
use serde_json::Value;
use sim::buyers::Post;
use sim::publishers::Outcome;

use super::drive::{Door, Results};

/// What the simulated buyers have on their books.
pub(crate) struct Books<'a> {
    pub(crate) posts: &'a [Post],
    pub(crate) currencies: &'a BTreeMap<String, Currency>,
}

/// The whole report.
pub(crate) fn render(results: &Results, books: &Books<'_>, metrics: &str) -> String {
    let mut out = String::new();
    doors(&mut out, results);
    buyers(&mut out, books);
    time(&mut out, metrics);
    line(&mut out, "\nthe documentations' own samples were answered");
    for (what, answer) in &results.samples {
        line(&mut out, &format!("  {what:<17} {answer}"));
    }
    out
}

fn doors(out: &mut String, results: &Results) {
    line(
        out,
        "door              leads  distributed   new  rejected  errors   p50 ms   p99 ms   budget ms   payout",
    );
    for door in &results.doors {
        let report = &door.report;
        let count = |ending| {
            let same = |(outcome, _): &(&Outcome, &u64)| Ending::of(outcome) == Some(ending);
            report.outcomes.iter().filter(same).map(|(_, count)| count).sum::<u64>()
        };
        let (sold, new) = (count(Ending::Sold), count(Ending::New));
        let rejected = count(Ending::Rejected);
        let errors = report.sent().saturating_sub(sold + new + rejected);
        line(
            out,
            &format!(
                "{:<17} {:>5} {:>12} {:>5} {:>9} {:>7} {:>8} {:>8} {:>11} {:>8}",
                door.name,
                report.sent(),
                sold,
                new,
                rejected,
                errors,
                millis(report.latency.p50()),
                millis(report.latency.p99()),
                2_000,
                payouts(door),
            ),
        );
    }
    let reasons: BTreeMap<(&str, &str), u64> = results
        .doors
        .iter()
        .flat_map(|door| {
            door.report
                .outcomes
                .iter()
                .filter(|(outcome, _)| Ending::of(outcome) == Some(Ending::Rejected))
                .map(move |(outcome, count)| ((door.name, why(outcome)), *count))
        })
        .fold(BTreeMap::new(), |mut sums, (key, count)| {
            *sums.entry(key).or_default() += count;
            sums
        });
    line(out, "new: stored and not sold; at native ping/post also a ping that no campaign takes");
    line(out, "\nrejected by reason");
    for ((door, reason), count) in reasons {
        line(out, &format!("  {door:<17} {reason:<26} {count:>5}"));
    }
}

/// How a lead ended, whatever its door calls that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    Sold,
    New,
    Rejected,
}

impl Ending {
    /// `None` for what is no answer to a lead.
    fn of(outcome: &Outcome) -> Option<Self> {
        let nobody = matches!(outcome.reason.as_str(), "unmatched" | "unsold" | "reserved");
        match (outcome.http, outcome.status.as_str()) {
            (200, "distributed" | "SOLD") | (201, "sold") => Some(Self::Sold),
            (200, "new" | "NO BUYERS" | "PENDING") | (201, "unsold" | "pending") => Some(Self::New),
            // A ping that no campaign takes is what elsewhere is a new lead.
            (200, "rejected") if nobody => Some(Self::New),
            // One door answers so, without a disposition, to what is not valid.
            (200, "rejected" | "REJECTED" | "DUPLICATE" | "") => Some(Self::Rejected),
            (201, "duplicate") | (400, "missingField" | "invalidField" | "rejected") => {
                Some(Self::Rejected)
            }
            _ => None,
        }
    }
}

/// The reason of a rejection, or as much as the door says of it.
fn why(outcome: &Outcome) -> &str {
    match (outcome.reason.as_str(), outcome.status.as_str()) {
        ("", "") => "not valid",
        ("", status) => status,
        (reason, _) => reason,
    }
}

fn payouts(door: &Door) -> String {
    let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
    for reply in &door.payouts {
        // One door writes numbers, of the product's currency, which it does not name.
        let (payout, currency) = match &reply["payout"] {
            Value::Number(number) => (number.to_string().parse().ok(), Some("USD")),
            payout => (payout.as_str().and_then(|it| it.parse().ok()), reply["currency"].as_str()),
        };
        let payout = payout.filter(|payout: &Decimal| !payout.is_zero());
        if let (Some(payout), Some(currency)) = (payout, currency) {
            *sums.entry(currency).or_default() += payout;
        }
    }
    let parts: Vec<String> =
        sums.iter().map(|(currency, sum)| format!("{sum:.2} {currency}")).collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(" + ") }
}

fn buyers(out: &mut String, books: &Books<'_>) {
    let mut rows: BTreeMap<&str, (u64, u64, Decimal)> = BTreeMap::new();
    for post in books.posts {
        let row = rows.entry(&post.buyer).or_default();
        row.0 += 1;
        if post.bought {
            row.1 += 1;
            row.2 += post.bid.parse::<Decimal>().unwrap_or_default();
        }
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by_key(|(_, (_, bought, _))| std::cmp::Reverse(*bought));
    line(out, "\ntop buyers (by their own books)     posts  bought      paid");
    for (name, (posts, bought, paid)) in rows.into_iter().take(8) {
        let currency = books.currencies.get(name).map(Currency::as_str).unwrap_or_default();
        line(out, &format!("  {name:<32} {posts:>6} {bought:>7} {paid:>9} {currency}"));
    }
}

/// Where a lead's time went, from the engine's own histograms.
fn time(out: &mut String, metrics: &str) {
    line(out, "\nwhere the time went (mean a time, from /metrics)");
    for (what, metric) in [
        ("the whole journey", "gavel_journey_seconds"),
        ("  waiting for one ping", "gavel_ping_seconds"),
        ("  waiting for one post", "gavel_post_seconds"),
        ("  one ledger commit", "gavel_ledger_commit_seconds"),
        ("  all but waiting for buyers", "gavel_own_seconds"),
    ] {
        if let Some((mean, count)) = mean(metrics, metric) {
            line(out, &format!("  {what:<32} {:>9} ms  ({count} times)", mean.round_dp(3)));
        }
    }
}

fn mean(metrics: &str, name: &str) -> Option<(Decimal, u64)> {
    let value = |suffix: &str| {
        let prefix = format!("{name}{suffix} ");
        metrics.lines().find_map(|line| line.strip_prefix(prefix.as_str())).map(str::to_owned)
    };
    let sum = value("_sum").and_then(|text| {
        text.parse::<Decimal>().or_else(|_| Decimal::from_scientific(&text)).ok()
    })?;
    let count: u64 = value("_count")?.parse().ok().filter(|count| *count > 0)?;
    Some((sum * Decimal::from(1_000) / Decimal::from(count), count))
}

fn millis(time: Duration) -> String {
    let micros = time.as_micros();
    format!("{}.{}", micros / 1_000, (micros % 1_000) / 100)
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

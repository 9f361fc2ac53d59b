//! What the demo prints. Formats; counts nothing that a report has not counted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use rust_decimal::Decimal;
use sim::buyers::Post;

use super::drive::{Door, Results};
use crate::wire::Running;

/// The whole report.
pub(crate) fn render(results: &Results, posts: &[Post], metrics: &str) -> String {
    let mut out = String::new();
    doors(&mut out, results);
    buyers(&mut out, posts);
    time(&mut out, metrics);
    if let Some(sample) = &results.sample {
        line(&mut out, &format!("\nThe Leadhub documentation's sample answered: {sample}"));
    }
    if let Some(sample) = &results.brainysoft {
        line(&mut out, &format!("The BrainySoft door's sample answered: {sample}"));
    }
    out
}

/// Requests that work when pasted.
pub(crate) fn invitation(running: &Running) -> String {
    let (public, ops) = (running.public, running.ops);
    let management = running.management.map(management).unwrap_or_default();
    format!(
        r#"Serving. Publishers: http://{public}   metrics and health: http://{ops}   (Ctrl-C stops)

A lead at the Leadhub door:
  curl -s http://{public}/api/v1/lead -H 'apikey: demo-leadhub' -H 'content-type: application/json' -d '{leadhub}'

A lead at Gavel's own door:
  curl -s http://{public}/v1/leads -H 'authorization: Bearer demo-native' -H 'content-type: application/json' -d '{native}'

(A second time either answers rejected, customer_already_exists: change the address.)

A lead at the BrainySoft door; how it stands (put the id from its data in); a token for the header bsauth:
  curl -si http://{public}/bs-core/main/leads -H 'bsauth: demo-brainysoft' -H 'content-type: application/json' -d '{brainysoft}'
  curl -s http://{public}/bs-core/main/leads/ID -H 'bsauth: demo-brainysoft'
  curl -si http://{public}/bs-core/main/login -H 'customer-key: demo' -d '{{"userName":"demo","password":"demo-brainysoft-password"}}'

How a lead stands (put its lead_id in):
  curl -s http://{public}/v1/leads/LEAD_ID -H 'authorization: Bearer demo-native'

Why it ended so, as its publisher may know it:
  curl -s http://{public}/v1/leads/LEAD_ID/decisions -H 'authorization: Bearer demo-native'
{management}
Metrics:
  curl -s http://{ops}/metrics | grep gavel_leads_total"#,
        leadhub = leadhub(),
        brainysoft = sim::samples::brainysoft(),
        native = NATIVE,
    )
}

/// What operators and buyers may ask.
fn management(at: SocketAddr) -> String {
    format!(
        r#"
Why it ended so, as an operator sees it; and as a buyer sees its own part of it:
  curl -s http://{at}/v1/leads/LEAD_ID/decisions -H 'authorization: Bearer demo-operator'
  curl -s http://{at}/v1/leads/LEAD_ID/decisions -H 'authorization: Bearer demo-nova'

The record of it:
  curl -s http://{at}/v1/leads/LEAD_ID -H 'authorization: Bearer demo-operator'

Who would want a lead, and would be asked now:
  curl -s http://{at}/v1/explain -H 'authorization: Bearer demo-operator' -d '{EXPLAIN}'

Posts whose answer nobody knows; and what a person says of one:
  curl -s http://{at}/v1/review -H 'authorization: Bearer demo-operator'
  curl -s http://{at}/v1/review/LEAD_ID/BUYER/CAMPAIGN -H 'authorization: Bearer demo-operator' -d '{{"outcome":"not_sold"}}'
"#
    )
}

/// Somebody whom one campaign wants and others do not.
const EXPLAIN: &str = r#"{"product":"personal-loan-es","attributes":{"country":"ES","age":38,"monthly_income":900,"amount":3000}}"#;

/// A lead that the demo market buys.
const NATIVE: &str = r#"{"product":"personal-loan-es","sub_id":"fb-17","external_id":"aff-123","attributes":{"country":"ES","region":"Madrid","postal_code":"28001","monthly_income":2500,"amount":10000,"term_months":36,"purpose":"home_improvement"},"contact":{"first_name":"Ana","last_name":"Prueba","email":"ana.prueba@example.org","phone":"+34600111222","birth_date":"1988-05-10"},"consent":{"entries":[{"type":"terms","accepted":true},{"type":"privacy_policy","accepted":true}],"ip":"203.0.113.9"}}"#;

/// The sample with another address: the demo has posted the documentation's own, and one address is
/// one customer.
fn leadhub() -> String {
    let mut lead = sim::samples::leadhub();
    lead["customer"]["contact"]["email"]["address"] = "lucia.prueba@example.org".into();
    lead.to_string()
}

fn doors(out: &mut String, results: &Results) {
    line(
        out,
        "door      leads  distributed   new  rejected  errors   p50 ms   p99 ms   budget ms   payout",
    );
    for door in &results.doors {
        let report = &door.report;
        let (sold, new) = (report.count(200, "distributed"), report.count(200, "new"));
        let rejected = report.count(200, "rejected");
        let errors = report.sent().saturating_sub(sold + new + rejected);
        line(
            out,
            &format!(
                "{:<9} {:>5} {:>12} {:>5} {:>9} {:>7} {:>8} {:>8} {:>11} {:>8}",
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
                .map(move |(outcome, count)| ((door.name, outcome.reason.as_str()), *count))
        })
        .filter(|((_, reason), _)| !reason.is_empty())
        .fold(BTreeMap::new(), |mut sums, (key, count)| {
            *sums.entry(key).or_default() += count;
            sums
        });
    line(out, "\nrejected by reason");
    for ((door, reason), count) in reasons {
        line(out, &format!("  {door:<9} {reason:<26} {count:>5}"));
    }
}

fn payouts(door: &Door) -> String {
    let mut sums: BTreeMap<&str, Decimal> = BTreeMap::new();
    for reply in &door.payouts {
        let payout = reply["payout"].as_str().and_then(|text| text.parse::<Decimal>().ok());
        if let (Some(payout), Some(currency)) = (payout, reply["currency"].as_str()) {
            *sums.entry(currency).or_default() += payout;
        }
    }
    let parts: Vec<String> =
        sums.iter().map(|(currency, sum)| format!("{sum} {currency}")).collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(" + ") }
}

fn buyers(out: &mut String, posts: &[Post]) {
    let mut rows: BTreeMap<&str, (u64, u64, Decimal)> = BTreeMap::new();
    for post in posts {
        let row = rows.entry(&post.buyer).or_default();
        row.0 += 1;
        if post.bought {
            row.1 += 1;
            row.2 += post.bid.parse::<Decimal>().unwrap_or_default();
        }
    }
    let mut rows: Vec<_> = rows.into_iter().collect();
    rows.sort_by_key(|(_, (_, _, paid))| std::cmp::Reverse(*paid));
    line(out, "\ntop buyers (by their own books)     posts  bought      paid");
    for (name, (posts, bought, paid)) in rows.into_iter().take(6) {
        line(out, &format!("  {name:<32} {posts:>6} {bought:>7} {paid:>9}"));
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

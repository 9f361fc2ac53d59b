//! What the demo prints. Formats; counts nothing that a report has not counted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use lead::Currency;
use rust_decimal::Decimal;
use serde_json::Value;
use sim::buyers::Post;
use sim::publishers::Outcome;

use super::drive::{Door, Results};
use crate::wire::Running;

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

/// Requests that work when pasted.
pub(crate) fn invitation(running: &Running, buyers: SocketAddr) -> String {
    let (public, ops) = (running.public, running.ops);
    let management = running.management.map(|at| management(at, buyers)).unwrap_or_default();
    format!(
        r#"Serving. Publishers: http://{public}   metrics and health: http://{ops}   (Ctrl-C stops)

A lead at the Leadhub door:
  curl -s http://{public}/api/v1/lead -H 'apikey: demo-leadhub' -H 'content-type: application/json' -d '{leadhub}'

A lead at Gavel's own door:
  curl -s http://{public}/v1/leads -H 'authorization: Bearer demo-native' -H 'content-type: application/json' -d '{native}'

A lead at the Bright Horizons door, and what it would find, of which nothing is kept:
  curl -s http://{public}/post/debt/sub10k/ -H 'content-type: application/json' -d '{debt}'
  curl -s http://{public}/ping/debt/sub10k/ -H 'content-type: application/json' -d '{ping}'

A lead at the Pingtree door, as JSON and as a query:
  curl -s http://{public}{pingtree} -H 'authorization: Bearer demo-pingtree' -H 'content-type: application/json' -d '{loan}'
  curl -s 'http://{public}{pingtree}?first_name=Ana&last_name=Query&email=ana.query@example.com&mobile=2125550144' -H 'authorization: Bearer demo-pingtree'

(A second time each answers that it is a duplicate: change the address, and the phone number.)

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
        debt = debt(),
        ping = ping(),
        pingtree = sim::samples::PINGTREE_PATH,
        loan = loan(),
    )
}

/// What operators and buyers may ask.
fn management(at: SocketAddr, buyers: SocketAddr) -> String {
    let campaign = campaign(buyers);
    format!(
        r#"
Why it ended so, as an operator sees it; and as a buyer sees its own part of it:
  curl -s http://{at}/v1/leads/LEAD_ID/decisions -H 'authorization: Bearer demo-operator'
  curl -s http://{at}/v1/leads/LEAD_ID/decisions -H 'authorization: Bearer demo-nova'

The record of it:
  curl -s http://{at}/v1/leads/LEAD_ID -H 'authorization: Bearer demo-operator'

Who would want a lead, and would be asked now:
  curl -s http://{at}/v1/explain -H 'authorization: Bearer demo-operator' -d '{EXPLAIN}'

A campaign of nova's own, live for the next lead (201; once more: 200); and who would want a lead now:
  curl -si -X PUT http://{at}/v1/buyers/nova/campaigns/es-modest -H 'authorization: Bearer demo-nova' -d '{campaign}'
  curl -s http://{at}/v1/explain -H 'authorization: Bearer demo-nova' -d '{EXPLAIN}'
  curl -s http://{at}/v1/buyers/nova/campaigns -H 'authorization: Bearer demo-nova'
  curl -si -X DELETE http://{at}/v1/buyers/nova/campaigns/es-modest -H 'authorization: Bearer demo-nova'

Posts whose answer nobody knows; and what a person says of one:
  curl -s http://{at}/v1/review -H 'authorization: Bearer demo-operator'
  curl -s http://{at}/v1/review/LEAD_ID/BUYER/CAMPAIGN -H 'authorization: Bearer demo-operator' -d '{{"outcome":"not_sold"}}'
"#
    )
}

/// A campaign that a simulated buyer answers for.
fn campaign(buyers: SocketAddr) -> String {
    format!(
        r#"{{"product":"personal-loan-es","filter":{{"monthly_income":{{"between":[800,1200]}}}},"price":{{"bid":{{"min":"5.00","max":"60.00"}}}},"caps":[{{"per":"day","leads":100}}],"delivery":{{"ping":{{"url":"http://{buyers}/nova-es-prime/ping"}},"post":{{"url":"http://{buyers}/nova-es-prime/post"}}}}}}"#
    )
}

/// Somebody whom one campaign wants and others do not.
const EXPLAIN: &str = r#"{"product":"personal-loan-es","attributes":{"country":"ES","age":38,"monthly_income":900,"amount":3000}}"#;

/// A lead that the demo market buys.
const NATIVE: &str = r#"{"product":"personal-loan-es","sub_id":"fb-17","external_id":"aff-123","attributes":{"country":"ES","region":"Madrid","postal_code":"28001","monthly_income":2500,"amount":10000,"term_months":36,"purpose":"home_improvement"},"contact":{"first_name":"Ana","last_name":"Prueba","email":"ana.prueba@example.org","phone":"+34600111222","birth_date":"1988-05-10"},"consent":{"entries":[{"type":"terms","accepted":true},{"type":"privacy_policy","accepted":true}],"ip":"203.0.113.9"}}"#;

/// The sample of another consumer, as for [`leadhub`].
fn debt() -> String {
    let mut lead = sim::samples::bright_horizons();
    lead["transaction"]["email"] = "jj.prueba@example.com".into();
    lead["transaction"]["phone"] = "7025550143".into();
    lead.to_string()
}

/// The sample without the consumer.
fn ping() -> String {
    let mut ping = sim::samples::bright_horizons();
    if let Some(members) = ping["transaction"].as_object_mut() {
        members.retain(|name, _| matches!(name.as_str(), "state" | "zip" | "finances" | "credit"));
    }
    ping.to_string()
}

fn loan() -> String {
    let mut lead = sim::samples::pingtree();
    lead["email"] = "dana.prueba@example.com".into();
    lead.to_string()
}

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

//! What pings show: a bid or a no-bid in time, from anyone, for anything, on a kept connection.

use std::time::Duration;

use bytes::Bytes;
use rust_decimal::Decimal;
use serde_json::Value;

use super::calls::Calls;
use super::client::{Answer, Client, REPLY_MAX, Trouble};
use super::read::{Said, said, shown, verdict};
use super::{Finding, Plan, Report};

/// Pings of made-up consumers.
const PINGS: usize = 5;
/// Larger than any buyer need read.
const OVERSIZED: usize = 2 << 20;
/// No bid is higher.
const PRICE_MAX: u32 = 1_000_000;

pub(super) type Reply = Result<Answer, Trouble>;

/// Checks pings; the highest sound bid is for the posts.
pub(super) async fn check(
    plan: &Plan,
    calls: &mut Calls,
    client: &mut Client,
) -> (Vec<Finding>, Option<Decimal>) {
    let mut report = Report::new("ping");
    let first = ask(plan, calls, client, |_| {}).await;
    if let Err(Trouble::Connect(why)) = &first {
        report.wrong("connects", "a connection", why);
        return (report.findings, None);
    }
    report.ok("connects", "");
    let mut replies = vec![first];
    // What never answers need not be waited for again.
    while replies.len() < PINGS && replies.iter().all(Result::is_ok) {
        client.close();
        replies.push(ask(plan, calls, client, |_| {}).await);
    }
    answered(&mut report, &replies);
    report.judge("needs no contact data", contact(&replies));
    in_time(&mut report, &replies, plan.ping_timeout);
    bounded(&mut report, &replies);
    let bid = prices(&mut report, &replies);
    if replies.iter().all(Result::is_err) {
        return (report.findings, bid);
    }
    client.close();
    let pair = [ask(plan, calls, client, |_| {}).await, ask(plan, calls, client, |_| {}).await];
    kept(&mut report, &pair);
    let stranger = ask(plan, calls, client, |ping| {
        ping["attributes"]["gavel_check_unknown"] = "an attribute that nobody declared".into();
    });
    alike(&mut report, "tolerates an attribute", &stranger.await);
    let rehearsal = ask(plan, calls, client, |ping| ping["test"] = true.into()).await;
    alike(&mut report, "answers a test", &rehearsal);
    refusals(&mut report, client, plan.ping_timeout).await;
    (report.findings, bid)
}

/// A ping about somebody new, changed a little.
async fn ask(
    plan: &Plan,
    calls: &mut Calls,
    client: &mut Client,
    change: impl FnOnce(&mut Value),
) -> Reply {
    let consumer = calls.consumer();
    let mut ping = calls.ping(&consumer);
    change(&mut ping);
    let timeout = plan.ping_timeout.as_millis().to_string();
    let request = client.request(Bytes::from(ping.to_string()), &[("gavel-timeout-ms", timeout)]);
    client.call(request, plan.ping_timeout).await
}

/// Each reply that came is a bid or a no-bid.
fn answered(report: &mut Report, replies: &[Reply]) {
    let (check, expected) = ("answers bid or no-bid", "a bid or a no-bid");
    let (mut bids, mut no_bids) = (0, 0);
    for reply in replies {
        match reply {
            Ok(answer) => match said(answer) {
                Ok(Said::Bid(..)) => bids += 1,
                Ok(Said::NoBid) => no_bids += 1,
                Err(found) => return report.wrong(check, expected, found),
            },
            Err(Trouble::Silent | Trouble::TooLong) => {}
            Err(trouble) => return report.wrong(check, expected, trouble.text()),
        }
    }
    match bids + no_bids {
        0 => report.skip(check, "nothing was answered that can be read"),
        _ => report.ok(check, format!("{bids} bid(s), {no_bids} no-bid(s)")),
    }
}

/// Pings hold no contact data, and are not refused for it.
fn contact(replies: &[Reply]) -> Result<String, (String, String)> {
    let refused = replies.iter().flatten().find(|answer| matches!(answer.status, 400 | 422));
    match refused {
        Some(answer) => {
            Err(("an answer to attributes without contact data".to_owned(), shown(answer)))
        }
        None => Ok(String::new()),
    }
}

/// All came within the time told.
pub(super) fn in_time(report: &mut Report, replies: &[Reply], limit: Duration) {
    let check = "answers in time";
    let expected = format!("an answer within {limit:?}");
    let slowest = replies.iter().flatten().map(|answer| answer.took).max();
    if replies.iter().any(|reply| *reply == Err(Trouble::Silent)) {
        return report.wrong(check, expected, "none");
    }
    match slowest {
        Some(slowest) if slowest > limit => {
            report.wrong(check, expected, format!("one after {slowest:.0?}"));
        }
        Some(slowest) => report.ok(check, format!("the slowest took {slowest:.0?} of {limit:?}")),
        None => report.skip(check, "nothing was answered"),
    }
}

/// All could be read within the bound.
pub(super) fn bounded(report: &mut Report, replies: &[Reply]) {
    let check = "answers are short";
    let longest = replies.iter().flatten().map(|answer| answer.body.len()).max();
    if replies.iter().any(|reply| *reply == Err(Trouble::TooLong)) {
        return report.wrong(check, format!("at most {REPLY_MAX} bytes"), "more");
    }
    match longest {
        Some(longest) => report.ok(check, format!("the longest has {longest} bytes")),
        None => report.skip(check, "nothing was answered"),
    }
}

/// Every bid names a price. The highest is given back.
fn prices(report: &mut Report, replies: &[Reply]) -> Option<Decimal> {
    let (check, expected) = ("prices", "an amount such as \"12.50\", zero or more");
    let mut highest = None;
    for answer in replies.iter().flatten() {
        let Ok(Said::Bid(text, amount)) = said(answer) else { continue };
        let sound = amount
            .filter(|amount| !amount.is_sign_negative() && *amount < Decimal::from(PRICE_MAX));
        if sound.is_none() {
            report.wrong(check, expected, text);
            return None;
        }
        highest = highest.max(sound);
    }
    match highest {
        Some(highest) => report.ok(check, format!("the highest is {highest}")),
        None => report.skip(check, "nobody was bid for"),
    }
    highest
}

/// Two calls, one connection.
pub(super) fn kept(report: &mut Report, pair: &[Reply; 2]) {
    let (check, expected) = ("keeps connections", "two calls answered on one connection");
    match pair {
        [Ok(_), Ok(second)] if second.was_kept => report.ok(check, ""),
        [Ok(_), Ok(_)] => report.wrong(check, expected, "the connection closed after one"),
        [Ok(_), Err(trouble)] => report.wrong(check, expected, trouble.text()),
        [Err(_), _] => report.skip(check, "the first was not answered"),
    }
}

/// A ping with something unusual is answered like any other.
fn alike(report: &mut Report, check: &'static str, reply: &Reply) {
    match reply {
        Ok(answer) => match said(answer) {
            Ok(Said::Bid(text, _)) => report.ok(check, format!("a bid of {text}")),
            Ok(Said::NoBid) => report.ok(check, "a no-bid"),
            Err(found) => report.wrong(check, "a bid or a no-bid", found),
        },
        Err(trouble) => report.wrong(check, "a bid or a no-bid", trouble.text()),
    }
}

/// Whether the answer itself says no.
fn is_refused(answer: &Answer) -> bool {
    let rejected = verdict(answer).is_ok_and(|verdict| verdict.is("rejected"));
    rejected || said(answer) == Ok(Said::NoBid)
}

/// What is no call is refused.
pub(super) async fn refusals(report: &mut Report, client: &mut Client, limit: Duration) {
    let long = format!("{{\"filling\":\"{}\"}}", "a".repeat(OVERSIZED));
    let cases = [
        ("refuses what is not JSON", Bytes::from_static(b"{\"broken\"")),
        ("refuses what says nothing", Bytes::from_static(b"{}")),
        ("refuses 2 MiB", Bytes::from(long)),
    ];
    for (check, body) in cases {
        client.close();
        let request = client.request(body, &[]);
        match client.call(request, limit).await {
            Ok(answer) if (400..500).contains(&answer.status) => {
                report.ok(check, format!("status {}", answer.status));
            }
            Ok(answer) if is_refused(&answer) => report.ok(check, "in words"),
            Ok(answer) => report.wrong(check, "a status of 400 to 499, or a no", shown(&answer)),
            // Whoever closes early has not taken it.
            Err(Trouble::Broken(_)) if check == "refuses 2 MiB" => {
                report.ok(check, "closed without reading on");
            }
            Err(trouble) => report.wrong(check, "a status of 400 to 499, or a no", trouble.text()),
        }
    }
    client.close();
}

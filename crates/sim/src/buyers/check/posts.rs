//! What posts show: a verdict, the same again under the same key, no second sale under another.

use bytes::Bytes;
use rust_decimal::Decimal;
use serde_json::json;

use super::calls::{Calls, Consumer, Post};
use super::client::{Client, Trouble};
use super::pings::{Reply, bounded, in_time, kept, refusals};
use super::read::{Verdict, redirect_fault, standing, verdict};
use super::{Finding, Plan, Report};

/// So many leads are posted at most until one is accepted.
const TRIES: usize = 10;
/// The price of posts where no bid is known.
const USUAL: &str = "10.00";
const VERDICT: &str = "a verdict: accepted, rejected or duplicate";

/// One buyer under check.
struct Desk<'a> {
    plan: &'a Plan,
    calls: &'a mut Calls,
    client: &'a mut Client,
    bid: String,
}

impl Desk<'_> {
    async fn send(&mut self, post: &Post, attempt: u32) -> Reply {
        let key = [("idempotency-key", post.key(attempt))];
        let request = self.client.request(post.bytes(), &key);
        self.client.call(request, self.plan.post_timeout).await
    }

    fn lead(&mut self, is_test: bool) -> (Consumer, Post) {
        let consumer = self.calls.consumer();
        let post = self.calls.post(&consumer, &self.bid, is_test);
        (consumer, post)
    }
}

/// Checks posts, and the status call if there is one.
pub(super) async fn check(
    plan: &Plan,
    (calls, bid): (&mut Calls, Option<&Decimal>),
    client: &mut Client,
    status: Option<&mut Client>,
) -> Vec<Finding> {
    let mut report = Report::new("post");
    let bid = bid.map_or(USUAL.to_owned(), ToString::to_string);
    let mut desk = Desk { plan, calls, client, bid };
    let mut replies = Vec::new();
    let mut bought = None;
    for _ in 0..TRIES {
        let (_, post) = desk.lead(false);
        desk.client.close();
        let reply = desk.send(&post, 0).await;
        let verdict = reply.as_ref().ok().and_then(|answer| verdict(answer).ok());
        replies.push(reply);
        match verdict {
            Some(verdict) if verdict.is("accepted") => {
                bought = Some((post, verdict));
                break;
            }
            Some(_) => {}
            // What is wrong once need not be tried ten times on somebody's sandbox.
            None => break,
        }
    }
    if let Some(Err(Trouble::Connect(why))) = replies.last() {
        report.wrong("connects", "a connection", why);
        return report.findings;
    }
    report.ok("connects", "");
    answered(&mut report, &replies);
    in_time(&mut report, &replies, plan.post_timeout);
    bounded(&mut report, &replies);
    terms(&mut report, &desk, bought.as_ref().map(|(_, verdict)| verdict));
    if replies.iter().any(Result::is_ok) {
        again(&mut report, &mut desk, bought.as_ref()).await;
        rehearsal(&mut report, &mut desk).await;
        let pair = {
            desk.client.close();
            let (first, second) = (desk.lead(false).1, desk.lead(false).1);
            [desk.send(&first, 0).await, desk.send(&second, 0).await]
        };
        kept(&mut report, &pair);
        refusals(&mut report, desk.client, plan.post_timeout).await;
    }
    let mut findings = report.findings;
    findings.extend(asked(&mut desk, status, bought.as_ref().map(|(post, _)| post)).await);
    findings
}

fn answered(report: &mut Report, replies: &[Reply]) {
    let check = "answers with a verdict";
    let mut seen = Vec::new();
    for reply in replies {
        match reply {
            Ok(answer) => match verdict(answer) {
                Ok(verdict) => seen.push(verdict.status),
                Err(found) => return report.wrong(check, VERDICT, found),
            },
            Err(Trouble::Silent | Trouble::TooLong) => {}
            Err(trouble) => return report.wrong(check, VERDICT, trouble.text()),
        }
    }
    let accepted = seen.iter().filter(|status| *status == "accepted").count();
    match seen.len() {
        0 => report.skip(check, "nothing was answered that can be read"),
        all => report.ok(check, format!("{accepted} of {all} lead(s) accepted")),
    }
}

/// What an accepted post says of price and place.
fn terms(report: &mut Report, desk: &Desk<'_>, bought: Option<&Verdict>) {
    let Some(verdict) = bought else {
        report.skip("price of a sale", "no lead was accepted");
        report.skip("redirect of a sale", "no lead was accepted");
        return;
    };
    let bid: Decimal = desk.bid.parse().unwrap_or_default();
    let check = "price of a sale";
    match &verdict.price {
        None => report.ok(check, format!("none stated, so the bid of {bid}")),
        Some((_, Some(price))) if !price.is_sign_negative() && *price <= bid => {
            report.ok(check, format!("{price} of {bid}"));
        }
        Some((text, _)) => report.wrong(check, format!("none, or one of 0 to {bid}"), text.clone()),
    }
    let (check, expected) = ("redirect of a sale", "an https address without user information");
    match &verdict.redirect_url {
        Some(url) => match redirect_fault(url) {
            None => report.ok(check, "https"),
            Some(fault) => report.wrong(check, expected, fault),
        },
        None if desk.plan.requires_redirect => report.wrong(check, expected, "none"),
        None => report.skip(check, "none was given, and none was required"),
    }
}

/// The same lead under the same key, and under another.
async fn again(report: &mut Report, desk: &mut Desk<'_>, bought: Option<&(Post, Verdict)>) {
    let (same, other) = ("same key, same answer", "other key, no second sale");
    let Some((post, first)) = bought else {
        report.skip(same, "no lead was accepted");
        report.skip(other, "no lead was accepted");
        return;
    };
    let expected = first.text();
    match said(&desk.send(post, 0).await) {
        Ok(second) if second.is("accepted") && second.reference == first.reference => {
            report.ok(same, expected);
        }
        Ok(second) => report.wrong(same, expected, second.text()),
        Err(found) => report.wrong(same, expected, found),
    }
    let expected = "a duplicate, for the lead is sold";
    match said(&desk.send(post, 1).await) {
        Ok(third) if third.is("accepted") => report.wrong(other, expected, third.text()),
        Ok(third) => report.ok(other, third.text()),
        Err(found) => report.wrong(other, expected, found),
    }
}

fn said(reply: &Reply) -> Result<Verdict, String> {
    match reply {
        Ok(answer) => verdict(answer),
        Err(trouble) => Err(trouble.text()),
    }
}

/// A test is answered, and is no sale.
async fn rehearsal(report: &mut Report, desk: &mut Desk<'_>) {
    let (answers, sale) = ("answers a test", "a test is no sale");
    let (consumer, test) = desk.lead(true);
    let rehearsed = match said(&desk.send(&test, 0).await) {
        Ok(verdict) => {
            report.ok(answers, verdict.text());
            verdict
        }
        Err(found) => {
            report.wrong(answers, VERDICT, found);
            report.skip(sale, "the test was not answered");
            return;
        }
    };
    let real = desk.calls.post(&consumer, &desk.bid, false);
    match said(&desk.send(&real, 0).await) {
        Ok(verdict) if verdict.is("duplicate") => {
            let expected = "the same consumer's real lead to be new";
            report.wrong(sale, expected, verdict.text());
        }
        Ok(verdict) if rehearsed.is("accepted") => {
            report.ok(sale, format!("then {}", verdict.status));
        }
        Ok(_) => report.skip(sale, format!("the test was {}", rehearsed.status)),
        Err(found) => report.wrong(sale, VERDICT, found),
    }
}

/// What the status call says of a lead that is sold, and of one that was never posted.
async fn asked(
    desk: &mut Desk<'_>,
    status: Option<&mut Client>,
    bought: Option<&Post>,
) -> Vec<Finding> {
    let mut report = Report::new("status");
    let Some(client) = status else {
        report.skip("everything", "no address for status calls was given");
        return report.findings;
    };
    let never = desk.lead(false).1;
    let cases = [
        ("knows what it bought", bought, "accepted"),
        ("knows what it never saw", Some(&never), "neither accepted nor rejected"),
    ];
    for (check, post, expected) in cases {
        let Some(post) = post else {
            report.skip(check, "no lead was accepted");
            continue;
        };
        let key = post.key(0).trim_matches('"').to_owned();
        let product = desk.plan.product.id();
        let body = json!({ "lead_id": post.lead_id, "idempotency_key": key, "product": product });
        let request = client.request(Bytes::from(body.to_string()), &[]);
        let reply = client.call(request, desk.plan.post_timeout).await;
        let found = match &reply {
            Ok(answer) => standing(answer),
            Err(trouble) => Err(trouble.text()),
        };
        let is_sold = check == "knows what it bought";
        match found {
            Ok(word) if is_sold == (word == "accepted") && (is_sold || word != "rejected") => {
                report.ok(check, word);
            }
            Ok(found) | Err(found) => report.wrong(check, expected, found),
        }
    }
    report.findings
}

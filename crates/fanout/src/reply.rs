//! What a complete reply says, in the native shape or in the buyer's own. Whatever cannot be read
//! plainly is no verdict and no bid. Pure; decides nothing about a sale.

use hyper::HeaderMap;
use lead::{Bid, Code, Currency, Money, NoBid};
use market::Call;
use market::call::{Check, Response, Selector, Test, Wanted};
use rust_decimal::Decimal;

use crate::find::{Found, Parsed, plain_decimal};
use crate::native::{self, PostAnswer, Verdict};

/// A complete reply as it came.
#[derive(Default)]
pub(crate) struct Raw {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Raw {
    fn is_success(&self) -> bool {
        (200..=299).contains(&self.status)
    }
}

/// Reads the answer to a ping.
pub(crate) fn bid(call: &Call, mut reply: Raw, currency: Currency) -> Result<Bid, NoBid> {
    if reply.status == 204 {
        return Err(NoBid::new(Code::NoBid));
    }
    match &call.response {
        Some(response) => own_bid(response, &reply, currency),
        None if reply.is_success() => native::read_bid(&mut reply.body, currency),
        None => Err(NoBid::new(Code::HttpStatus)),
    }
}

/// Reads the answer to a post or to a status call.
pub(crate) fn post_answer(call: &Call, reply: &mut Raw) -> PostAnswer {
    match &call.response {
        Some(response) => own_post_answer(response, reply),
        None => native::read_post_answer(&mut reply.body),
    }
}

fn own_bid(response: &Response, reply: &Raw, currency: Currency) -> Result<Bid, NoBid> {
    let parsed = Parsed::new(&reply.headers, &reply.body, response);
    let reason = || word(&parsed, response.reason.as_ref());
    match verdict(response, &parsed) {
        Some(Verdict::Rejected) => {
            return Err(NoBid { reason: reason(), ..NoBid::new(Code::NoBid) });
        }
        Some(Verdict::Duplicate) => {
            return Err(NoBid { reason: reason(), ..NoBid::new(Code::BuyerDuplicate) });
        }
        _ if !reply.is_success() => return Err(NoBid::new(Code::HttpStatus)),
        Some(Verdict::Accepted) => {}
        None if response.accept.is_none() && is_decided(response, &parsed) => {}
        None | Some(Verdict::Both) => return Err(NoBid::new(Code::Unreadable)),
    }
    let amount = price(response, &parsed).ok_or(NoBid::new(Code::Unreadable))?;
    let reference = first(&parsed, response.ping_id.as_ref());
    if reference.as_deref().is_some_and(|id| !is_ping_id(id)) {
        return Err(NoBid::new(Code::Unreadable));
    }
    Ok(Bid { price: Money { amount, currency }, reference })
}

/// Longest id of a bid, in bytes: some are signed tokens.
const PING_ID_BYTES_MAX: usize = 1_024;

/// An id that the post can carry as it is: cut or cleaned it would name nothing.
fn is_ping_id(text: &str) -> bool {
    text.len() <= PING_ID_BYTES_MAX && !text.chars().any(char::is_control)
}

fn own_post_answer(response: &Response, reply: &Raw) -> PostAnswer {
    let parsed = Parsed::new(&reply.headers, &reply.body, response);
    let redirect_url = first(&parsed, response.redirect_url.as_ref());
    PostAnswer {
        verdict: verdict(response, &parsed),
        price: price(response, &parsed),
        redirect_url: redirect_url.as_deref().and_then(native::redirect),
        reference: word(&parsed, response.reference.as_ref()),
        reason: word(&parsed, response.reason.as_ref()),
    }
}

/// What the tests say together. A yes counts only if every no could be read and was not said.
fn verdict(response: &Response, parsed: &Parsed<'_>) -> Option<Verdict> {
    let ask = |test: &Option<Test>| test.as_ref().map_or(Some(false), |test| holds(test, parsed));
    let (accept, reject, duplicate) =
        (ask(&response.accept), ask(&response.reject), ask(&response.duplicate));
    let refused = reject == Some(true) || duplicate == Some(true);
    match accept {
        Some(true) if refused => Some(Verdict::Both),
        Some(true) => (reject.is_some() && duplicate.is_some()).then_some(Verdict::Accepted),
        _ if duplicate == Some(true) => Some(Verdict::Duplicate),
        _ => refused.then_some(Verdict::Rejected),
    }
}

/// Whether every no could be read.
fn is_decided(response: &Response, parsed: &Parsed<'_>) -> bool {
    let tests = [&response.reject, &response.duplicate];
    tests.into_iter().flatten().all(|test| holds(test, parsed).is_some())
}

/// `None`: the reply cannot be read as the test needs it.
fn holds(test: &Test, parsed: &Parsed<'_>) -> Option<bool> {
    let found = parsed.find(&test.value)?;
    let mut texts = found.iter().filter_map(|value| match value {
        Found::Text(text) => Some(text.as_ref()),
        Found::Empty | Found::More => None,
    });
    Some(match &test.check {
        Check::In(wanted) => texts.any(|text| wanted.iter().any(|wanted| is_wanted(wanted, text))),
        Check::Matches(pattern, _) => texts.any(|text| pattern.is_match(text)),
        Check::Exists(wanted) => found.iter().any(|value| *value != Found::Empty) == *wanted,
    })
}

fn is_wanted(wanted: &Wanted, text: &str) -> bool {
    match wanted {
        Wanted::Text(wanted) => wanted == text,
        Wanted::Number(wanted) => text.parse() == Ok(*wanted),
    }
}

/// The price that a reply names, else the call's own; `None` if what it names cannot be read. Naming
/// several is naming none, unless they are equal.
fn price(response: &Response, parsed: &Parsed<'_>) -> Option<Decimal> {
    let Some(selector) = &response.price else { return response.price_default };
    let found = parsed.find(selector)?;
    let mut named = found.iter().filter(|value| **value != Found::Empty);
    let Some(first) = named.next() else { return response.price_default };
    let decimal = |value: &Found<'_>| match value {
        Found::Text(text) => plain_decimal(text),
        Found::Empty | Found::More => None,
    };
    let price = decimal(first)?;
    named.all(|other| decimal(other) == Some(price)).then_some(price)
}

fn first(parsed: &Parsed<'_>, selector: Option<&Selector>) -> Option<String> {
    let found = parsed.find(selector?)?;
    found.into_iter().find_map(|value| match value {
        Found::Text(text) => Some(text.into_owned()),
        Found::Empty | Found::More => None,
    })
}

fn word(parsed: &Parsed<'_>, selector: Option<&Selector>) -> Option<String> {
    native::clean_word(&first(parsed, selector)?)
}

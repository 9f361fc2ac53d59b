//! The Bright Horizons door: `POST /post/{path}/` and its twin `/ping/{path}/`, credentials in the body
//! (`xauth`). Which paths there are, and which fields each takes, is configuration.
//!
//! Where its documentation is silent: every body that can be read is answered 200, also one whose lead is
//! not valid; 400 not readable, 401 credentials, 403 not enabled for this path, 404 and 405, all in the
//! shape of the failed response. Forms (`transaction[phone]=…`) are read as JSON is, and JSON that is called
//! a form as JSON. `optin` may be left
//! out, as the documentation's own sample does; `false` is an error unless the publisher may send it. A
//! query string is cut from `source`, which must have none. Numbers may be texts and texts numbers. A
//! lead of which there is no record has the ids 0. `payout` is 0 unless the publisher is shown it, and for
//! what is due only with an outcome. `PENDING` is accepted 1, sold 0: a post is still running, or its answer was
//! lost and is held for review, so that nobody else may buy the lead meanwhile. A ping's fields are all optional;
//! it asks no buyer, keeps nothing, and passes if some campaign would be asked now. A consumer whom a ping tells by
//! phone or e-mail address and who came before does not pass; a hash of one (`phonemd5`) goes unread, for what
//! came before is kept as keyed hashes, which no other hash can be compared with. Must never decide whether a
//! lead is eligible.

mod fields;
mod spec;
mod states;
#[cfg(test)]
mod tests;
mod values;

pub(crate) use spec::spec;

use document::Node;
use hyper::StatusCode;
use lead::attribute::Plain;
use lead::{Answer, Door, Outlook, PayoutBasis, RejectionReason, Status, Submission};
use market::{Affiliate, BrightHorizons, Market, Product, Publisher};
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::doors::Decoded;
use crate::reply::{Fault, Reply};

/// What is posted to, and by whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Desk<'m> {
    pub(crate) publisher: &'m Publisher,
    pub(crate) affiliate: &'m Affiliate,
    pub(crate) product: &'m Product,
    pub(crate) door: &'m BrightHorizons,
}

/// A lead, and what its answer may have to name.
#[derive(Debug)]
pub(crate) struct Posted {
    pub(crate) submission: Submission,
    /// The consumer's state, as given or as the postal code says.
    pub(crate) state: Option<&'static str>,
}

/// Why a body is not taken, before anything of its transaction counts.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Another publisher's credentials, or nobody's.
    Credentials,
    /// The publisher may not post to this path.
    NotEnabled,
    /// Every field that is not valid.
    Invalid(Vec<String>),
}

/// Finds out who posts.
///
/// # Errors
/// `Credentials` or `NotEnabled`.
pub(crate) fn authenticate<'m>(
    root: &Node<'_>,
    product: &'m Product,
    market: &'m Market,
) -> Result<Desk<'m>, Refused> {
    let xauth = root.member("xauth");
    let id = xauth.and_then(|xauth| xauth.member("affiliateid")).and_then(integer);
    let key = xauth.and_then(|xauth| xauth.member("key")).and_then(Node::as_text);
    let publisher = id.zip(key).and_then(|(id, key)| market.publisher_by_affiliate(id, key.trim()));
    let publisher = publisher.ok_or(Refused::Credentials)?;
    let affiliate = publisher.affiliate.as_ref().ok_or(Refused::Credentials)?;
    let door = product.bright_horizons.as_ref().ok_or(Refused::NotEnabled)?;
    if !affiliate.products.contains(&product.id) {
        return Err(Refused::NotEnabled);
    }
    Ok(Desk { publisher, affiliate, product, door })
}

fn integer(node: &Node<'_>) -> Option<i64> {
    match node {
        Node::Number(number) if number.is_integer() => i64::try_from(*number).ok(),
        Node::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Reads a lead.
///
/// # Errors
/// Every field that is not valid.
pub(crate) fn decode(root: &Node<'_>, desk: &Desk<'_>) -> Result<Posted, Refused> {
    read(root, desk, false)
}

/// Reads a ping: the same fields, none of them required.
///
/// # Errors
/// Every field that is not valid.
pub(crate) fn decode_ping(root: &Node<'_>, desk: &Desk<'_>) -> Result<Posted, Refused> {
    read(root, desk, true)
}

/// Reads a lead for the first product that the publisher may post to here, whatever the credentials in
/// the body.
///
/// # Errors
/// There is no such product, or every field that is not valid.
pub(crate) fn decode_of(
    root: &Node<'_>,
    publisher: &Publisher,
    market: &Market,
) -> Result<Decoded, Fault> {
    let desk = publisher.affiliate.as_ref().and_then(|affiliate| {
        let product = market.products.get(affiliate.products.first()?)?;
        Some(Desk { publisher, affiliate, product, door: product.bright_horizons.as_ref()? })
    });
    let desk = desk.ok_or(Fault::NoRoute)?;
    match decode(root, &desk) {
        Ok(posted) => Ok(Decoded::Lead(Box::new(posted.submission))),
        Err(_) => Err(Fault::Request("fields are not valid")),
    }
}

fn read(root: &Node<'_>, desk: &Desk<'_>, is_ping: bool) -> Result<Posted, Refused> {
    let Desk { publisher, affiliate, product, door } = *desk;
    let transaction = root.member("transaction").unwrap_or(&Node::Null);
    let reader = fields::Reader { product, affiliate, fields: &door.fields, is_ping };
    let lead = reader.read(transaction).map_err(Refused::Invalid)?;
    let submission = Submission {
        door: Door::BrightHorizons,
        publisher: publisher.id.clone(),
        product: product.id.clone(),
        sub_id: lead.sub_id,
        external_id: None,
        min_payout: None,
        tags: lead.tags,
        source_url: lead.source_url,
        user_agent: None,
        attributes: lead.attributes,
        contact: lead.contact,
        consent: lead.consent,
        test: false,
        requested: None,
    };
    Ok(Posted { submission, state: lead.state })
}

/// Words an answer.
pub(crate) fn encode(answer: &Answer, desk: &Desk<'_>, state: Option<&str>) -> Reply {
    let mut messages = Vec::new();
    let (accepted, sold, disposition) = match &answer.status {
        Status::Distributed { payout, basis, .. } => {
            if desk.affiliate.show_payout && *basis == PayoutBasis::Outcome {
                messages.push(format!("A payout of {} follows the outcome", payout.to_wire()));
            }
            (1, 1, "SOLD")
        }
        // A post is still running, or nobody knows yet what became of it.
        Status::New if !answer.is_final => (1, 0, "PENDING"),
        Status::New => (0, 0, "NO BUYERS"),
        Status::Rejected(reason) => {
            messages.push(why(*reason, desk, state));
            (0, 0, word(*reason))
        }
    };
    let id = answer.lead.map_or(0, |(_, sequence)| sequence.0);
    let body = json!({
        "validated": 1,
        "accepted": accepted,
        "sold": sold,
        "disposition": disposition,
        "messages": messages,
        "errors": [],
        "transactionid": id,
        "leadid": id,
        "payout": Plain(&lead::Value::Number(payout(&answer.status, desk))),
    });
    Reply::json(StatusCode::OK, body)
}

fn payout(status: &Status, desk: &Desk<'_>) -> Decimal {
    match status {
        Status::Distributed { payout, basis: PayoutBasis::Sale, .. }
            if desk.affiliate.show_payout =>
        {
            payout.amount
        }
        _ => Decimal::ZERO,
    }
}

fn word(reason: RejectionReason) -> &'static str {
    match reason {
        RejectionReason::CustomerAlreadyExists | RejectionReason::DuplicateSubmission => {
            "DUPLICATE"
        }
        _ => "REJECTED",
    }
}

/// A rejection in words that name nothing but a state.
fn why(reason: RejectionReason, desk: &Desk<'_>, state: Option<&str>) -> String {
    use RejectionReason as Reason;
    match (reason, state) {
        (Reason::GeographicRestriction, Some(state)) => format!("State not accepted: {state}"),
        (Reason::GeographicRestriction, None) => "Location not accepted".to_owned(),
        (Reason::CustomerAlreadyExists | Reason::DuplicateSubmission, _) => {
            format!("{} Lead was received before", desk.door.label)
        }
        (Reason::AgeRestriction, _) => "Age not accepted".to_owned(),
        (Reason::IncomeInsufficient, _) => "Income not accepted".to_owned(),
        (Reason::EligibilityFailed, _) => "Criteria not met".to_owned(),
        (Reason::ConsentsMissing, _) => "Consent not given".to_owned(),
        (Reason::InvalidProduct, _) => format!("{} Leads are not taken now", desk.door.label),
        (Reason::Blacklisted | Reason::FraudSuspected, _) => "Lead not accepted".to_owned(),
    }
}

/// Words what a ping found; `id` is 49 letters and digits.
pub(crate) fn encode_ping(
    outlook: &Outlook,
    desk: &Desk<'_>,
    state: Option<&str>,
    id: &str,
) -> Reply {
    let messages = match outlook {
        Outlook::Rejected(reason) => vec![why(*reason, desk, state)],
        Outlook::Nobody => vec!["NO BUYERS".to_owned()],
        Outlook::Open(_) => Vec::new(),
    };
    let passed = matches!(outlook, Outlook::Open(_));
    let payout = match outlook {
        Outlook::Open(Some(payout)) if desk.affiliate.show_payout => payout.amount,
        _ => Decimal::ZERO,
    };
    let body = json!({
        "passed": u8::from(passed),
        "pingid": if passed { id } else { "" },
        "messages": messages,
        "errors": [],
        "payout": Plain(&lead::Value::Number(payout)),
    });
    Reply::json(StatusCode::OK, body)
}

/// Words a refusal of a post, or of a ping; `label` is what the path's leads are called.
pub(crate) fn refused(refused: &Refused, label: &str, is_ping: bool) -> Reply {
    let (status, errors) = match refused {
        Refused::Credentials => {
            (StatusCode::UNAUTHORIZED, vec!["xauth: invalid affiliateid or key".to_owned()])
        }
        Refused::NotEnabled => {
            let error = format!("xauth: this affiliateid is not enabled for {label} Leads");
            (StatusCode::FORBIDDEN, vec![error])
        }
        Refused::Invalid(errors) => (StatusCode::OK, errors.clone()),
    };
    let invalid = matches!(refused, Refused::Invalid(_));
    Reply { invalid, ..failed(status, label, is_ping, &errors) }
}

/// Words a fault; `label` is what the path's leads are called, if the path is one.
pub(crate) fn fault(fault: &Fault, label: Option<&str>, is_ping: bool) -> Reply {
    let reply = failed(fault.status(), label.unwrap_or_default(), is_ping, &[fault.message()]);
    fault.dress(reply)
}

fn failed(status: StatusCode, label: &str, is_ping: bool, errors: &[String]) -> Reply {
    let message = format!("{label} Lead could not be validated");
    let message = message.trim_start();
    let body: Value = match is_ping {
        true => json!({ "passed": 0, "pingid": "", "messages": [message], "errors": errors }),
        false => json!({
            "validated": 0,
            "accepted": 0,
            "sold": 0,
            "disposition": null,
            "messages": [message],
            "errors": errors,
        }),
    };
    Reply::json(status, body)
}

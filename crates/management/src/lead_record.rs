//! `GET /v1/leads/{id}`: the record of a lead. Never shows contact data; a buyer sees what it was sent or
//! would have been, of its own campaigns only.

use engine::explain::Evidence;
use lead::{Attributes, Disposition, Money, OfferOutcome, PostClass, Reading, RejectionReason};
use ledger::{LeadRecord, PostRecord, Reported};
use serde_json::{Value, json};

use crate::access::Role;
use crate::words::{self, Members};

/// What `role` may see; `None` for a lead that is not its own.
pub(crate) fn encode(evidence: &Evidence, role: &Role) -> Option<Value> {
    let record = &evidence.record;
    let wanted = record.decisions.iter().map(|row| &row.campaign);
    let posted = record.posts.iter().map(|post| &post.campaign);
    if role.buyer().is_some() && !wanted.chain(posted).any(|key| role.sees(key)) {
        return None;
    }
    let posts = record.posts.iter().filter(|post| role.sees(&post.campaign));
    let posts: Vec<Value> = posts.map(|it| post(it, role)).collect();
    let events = record.events.iter().filter(|event| role.sees(&event.campaign));
    let events: Vec<Value> = events.map(event).collect();
    let submission = record.submission.as_ref();
    let mut members = Members::new();
    words::add(
        &mut members,
        [
            ("lead_id", record.id.to_string().into()),
            ("received_at", record.received_at.to_string().into()),
            ("product", record.product.as_str().into()),
            ("test", submission.map(|submission| submission.test).into()),
            ("erased", submission.is_none().into()),
            ("posts", posts.into()),
            ("events", events.into()),
        ],
    );
    if role.buyer().is_none() {
        add_whole(&mut members, record);
    }
    Some(members.into())
}

fn add_whole(members: &mut Members, record: &LeadRecord) {
    words::add(
        members,
        [
            ("sequence", record.sequence.0.into()),
            ("publisher", record.publisher.as_str().into()),
            ("market_version", record.market_version.into()),
            ("outcome", record.outcome.map(OfferOutcome::name).into()),
            ("disposition", record.disposition.map(Disposition::name).into()),
            ("offers", record.offers.into()),
            ("withdrawn", record.withdrawn.into()),
            ("rejection_reason", record.reason.map(RejectionReason::name).into()),
            ("fraud_signals", record.signals.as_slice().into()),
        ],
    );
    let Some(submission) = &record.submission else { return };
    words::add(
        members,
        [
            ("door", submission.door.name().into()),
            ("sub_id", submission.sub_id.as_deref().into()),
            ("external_id", submission.external_id.as_deref().into()),
            ("min_payout", words::money(submission.min_payout)),
            ("tags", json!(submission.tags)),
            ("attributes", attributes(&submission.attributes)),
        ],
    );
}

fn attributes(attributes: &Attributes) -> Value {
    let members = attributes.iter().map(|(attribute, reading)| {
        let value = match reading {
            Reading::Known(value) => json!(lead::attribute::Plain(value)),
            Reading::Unreadable => Value::Null,
        };
        (attribute.name().to_owned(), value)
    });
    Value::Object(members.collect())
}

fn post(post: &PostRecord, role: &Role) -> Value {
    let mut members = words::campaign(&post.campaign);
    words::add(&mut members, words::code(post.code));
    let price: Money = post.price;
    words::add(
        &mut members,
        [
            ("attempt", post.attempt.into()),
            ("class", post.class.map(PostClass::name).into()),
            ("price", price.to_wire().into()),
            ("currency", price.currency.as_str().into()),
            ("reference", post.reference.as_deref().into()),
            ("redirect_url", post.redirect_url.as_deref().into()),
            ("sent_at", post.intent_at.to_string().into()),
            ("answered_at", post.posted_at.map(|at| at.to_string()).into()),
        ],
    );
    if role.buyer().is_none() {
        let more = [
            ("slot", post.slot.into()),
            ("at_risk", post.is_at_risk().into()),
            ("payout", post.payout.to_wire().into()),
        ];
        words::add(&mut members, more);
    }
    members.into()
}

/// What a buyer told after its post, in its own words.
fn event(event: &Reported) -> Value {
    let mut members = words::campaign(&event.campaign);
    words::add(
        &mut members,
        [
            ("event", event.event.name().into()),
            ("reference", event.reference.as_deref().into()),
            ("metadata", event.metadata.clone().into()),
            ("at", event.at.to_string().into()),
        ],
    );
    members.into()
}

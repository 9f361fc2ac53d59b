//! `GET /v1/leads/{id}/decisions`: why each campaign did or did not buy.

use engine::explain::{Decisions, Evidence, Row};
use lead::{Currency, Disposition, Gap, OfferOutcome, RejectionReason};
use serde_json::{Value, json};

use crate::access::Role;
use crate::words::{self, Members};

/// What `role` may see; `None` for a lead that is not its own.
pub(crate) fn encode(evidence: &Evidence, role: &Role) -> Option<Value> {
    let decisions = match role.buyer() {
        None => evidence.for_operator(),
        Some(buyer) => evidence.for_buyer(buyer)?,
    };
    let Decisions { lead, market_version, outcome, disposition, reason, currency, rows, gap } =
        decisions;
    let rows: Vec<Value> = rows.iter().map(|it| row(it, currency, role)).collect();
    let incomplete = gap.map(|gap: Gap| json!({ "code": gap.name(), "text": gap.text() }));
    let mut members = Members::new();
    words::add(
        &mut members,
        [
            ("lead_id", lead.to_string().into()),
            ("market_version", market_version.into()),
            ("currency", currency.map(|currency| currency.as_str().to_owned()).into()),
            ("decisions", rows.into()),
            ("incomplete", incomplete.into()),
        ],
    );
    if role.buyer().is_none() {
        words::add(
            &mut members,
            [
                ("outcome", outcome.map(OfferOutcome::name).into()),
                ("disposition", disposition.map(Disposition::name).into()),
                ("rejection_reason", reason.map(RejectionReason::name).into()),
            ],
        );
    }
    Some(members.into())
}

fn row(row: &Row, currency: Option<Currency>, role: &Role) -> Value {
    let mut members = words::campaign(&row.campaign);
    words::add(&mut members, [("tier", row.tier.into()), ("stage", row.stage.name().into())]);
    words::add(&mut members, words::code(row.code));
    words::add(
        &mut members,
        [
            ("bid", words::amount(row.bid, currency)),
            ("score", row.score.map(|score| score.normalize().to_string()).into()),
            ("ping_ms", row.ping_ms.into()),
            ("post_ms", row.post_ms.into()),
            ("limit", words::limit(row.limit.as_ref())),
            ("buyer_reason", row.word.as_deref().into()),
            ("price", words::money(row.price)),
            ("price_to_win", words::money(row.price_to_win)),
            ("failed", words::failures(&row.failed)),
        ],
    );
    if role.buyer().is_none() {
        words::add(&mut members, [("payout", words::money(row.payout))]);
    }
    members.into()
}

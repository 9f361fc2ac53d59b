//! Leads to write, as the engine would write them.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a benchmark reads the real clock and stops when it cannot go on"
)]

use std::sync::Arc;

use jiff::Timestamp;
use lead::{
    Attributes, CampaignKey, Consent, Contact, Disposition, Door, LeadId, Money, OfferOutcome,
    PostClass, Standard, Submission,
};
use ledger::{
    Answered, Claim, ClaimKind, Decision, Digest, Entry, Intent, NewLead, Posted, Settled, Write,
};

/// The id of a lead that came now.
#[must_use]
pub fn id(number: u64) -> LeadId {
    let mut entropy = [0; 10];
    // The first bytes make room for the id's version and variant.
    entropy[3..].copy_from_slice(&number.to_be_bytes()[1..]);
    LeadId::new(Timestamp::now(), entropy)
}

/// What a publisher sends.
#[must_use]
pub fn submission() -> Submission {
    let mut attributes = Attributes::new();
    for (standard, text) in [
        (Standard::Country, "ES"),
        (Standard::Region, "Madrid"),
        (Standard::PostalCode, "28001"),
        (Standard::Purpose, "home_improvement"),
        (Standard::Employment, "employed"),
        (Standard::MaritalStatus, "married"),
        (Standard::EmailDomain, "example.org"),
        (Standard::Publisher, "p-es-1"),
    ] {
        attributes.set_text(standard, text);
    }
    for (standard, number) in [
        (Standard::Age, 38),
        (Standard::MonthlyIncome, 2_500),
        (Standard::MonthlyExpenses, 900),
        (Standard::Amount, 10_000),
        (Standard::TermMonths, 36),
    ] {
        attributes.set_number(standard, number);
    }
    Submission {
        door: Door::Native,
        publisher: "demo".parse().unwrap(),
        product: "personal-loan-es".parse().unwrap(),
        sub_id: Some("fb-17".to_owned()),
        external_id: Some("aff-123".to_owned()),
        min_payout: None,
        tags: [("click_id".to_owned(), "abcdefgh".to_owned())].into(),
        source_url: Some("https://loans.example/form".to_owned()),
        user_agent: Some("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36".to_owned()),
        attributes,
        contact: Contact {
            first_name: Some("Ana".to_owned()),
            last_name: Some("Prueba".to_owned()),
            email: Some("ana.prueba@example.org".to_owned()),
            phone: Some("+34600111222".to_owned()),
            birth_date: "1988-05-10".parse().ok(),
            ..Contact::default()
        },
        consent: Consent { ip: "203.0.113.9".parse().ok(), ..Consent::default() },
        test: false,
        requested: None,
    }
}

/// Four campaigns that were asked and did not bid.
#[must_use]
pub fn decisions() -> Vec<Decision> {
    let row = |number: usize| Decision {
        campaign: CampaignKey {
            buyer: format!("buyer-{number}").parse().unwrap(),
            campaign: "es-prime".parse().unwrap(),
        },
        tier: 1,
        code: lead::Code::NoBid,
        bid: None,
        score: None,
        ping_ms: Some(40),
        post_ms: None,
        limit: None,
        reason: None,
    };
    (0..4).map(row).collect()
}

/// A lead with a claim that nobody bought: one write.
#[must_use]
pub fn unsold(id: LeadId, submission: &Arc<Submission>, decisions: &[Decision]) -> Write {
    let at = Timestamp::now();
    let created = NewLead {
        signals: Vec::new(),
        received_at: at,
        market_version: 1,
        submission: Arc::clone(submission),
        claims: vec![Claim { kind: ClaimKind::Customer, key: claim(id) }],
        request: None,
    };
    let settled = Settled {
        outcome: Some(OfferOutcome::Unsold),
        disposition: Some(Disposition::Unsold),
        reason: None,
        decisions: decisions.to_vec(),
        answered: None,
        at,
    };
    Write { lead: id, created: Some(Box::new(created)), entries: vec![Entry::Settled(settled)] }
}

/// A lead that sold at its first post to a campaign of the demo market, in one write.
#[must_use]
pub fn sold(id: LeadId, submission: &Arc<Submission>, decisions: &[Decision]) -> Write {
    let mut write = unsold(id, submission, decisions);
    let at = Timestamp::now();
    let euros =
        |text: &str| Money { amount: text.parse().unwrap(), currency: "EUR".parse().unwrap() };
    let (price, payout) = (euros("12.50"), euros("10.00"));
    let campaign =
        CampaignKey { buyer: "nova".parse().unwrap(), campaign: "es-prime".parse().unwrap() };
    let intent = Intent {
        campaign: campaign.clone(),
        attempt: 0,
        slot: 0,
        price,
        payout,
        expected: None,
        at,
    };
    let posted = Posted {
        campaign,
        attempt: 0,
        class: PostClass::Accepted,
        code: lead::Code::Sold,
        price,
        payout,
        redirect_url: Some("https://buyer.example/apply?ref=0123456789abcdef".to_owned()),
        reference: Some("0123456789abcdef".to_owned()),
        at,
    };
    if let Some(Entry::Settled(settled)) = write.entries.first_mut() {
        settled.outcome = Some(OfferOutcome::Sold);
        settled.disposition = Some(Disposition::Sold);
        settled.answered = Some(Answered::Distributed);
    }
    write.entries.splice(0..0, [Entry::Intent(intent), Entry::Posted(posted)]);
    write
}

/// Somebody new every time, as nearly every lead is.
fn claim(id: LeadId) -> Digest {
    let mut key = *id.0.as_bytes();
    key.reverse();
    Digest(key)
}

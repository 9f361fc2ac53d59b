//! `GET /v1/review` and `POST /v1/review/{lead}/{campaign}`: posts whose answer nobody knows, and what
//! somebody says of them. A buyer sees and settles its own.

use document::{Defects, Fields, Slot, parse_json};
use engine::{Engine, Held, ReviewRefusal, Verdict};
use fanout::Buyers;
use lead::{CampaignKey, LeadId};
use ledger::Ledger;
use serde_json::{Value, json};

use crate::access::Role;
use crate::fault::Fault;
use crate::words;

/// Most that are listed; those that end first come first.
const LISTED_MAX: usize = 1_000;

/// What waits for a word.
pub(crate) fn list<B: Buyers, L: Ledger>(engine: &Engine<B, L>, role: &Role) -> Value {
    let (held, total) = engine.held(role.buyer(), LISTED_MAX);
    let held: Vec<Value> = held.iter().map(|it| row(it, role)).collect();
    json!({ "total": total, "held": held })
}

fn row(held: &Held, role: &Role) -> Value {
    let mut members = words::campaign(&held.campaign);
    words::add(
        &mut members,
        [
            ("lead_id", held.lead.to_string().into()),
            ("product", held.product.as_str().into()),
            ("price", held.price.to_wire().into()),
            ("currency", held.price.currency.as_str().into()),
            ("since", held.since.to_string().into()),
            ("until", held.until.to_string().into()),
            ("test", held.test.into()),
        ],
    );
    if role.buyer().is_none() {
        words::add(
            &mut members,
            [
                ("publisher", held.publisher.as_str().into()),
                ("payout", held.payout.to_wire().into()),
            ],
        );
    }
    members.into()
}

/// Takes somebody's word for what became of a post.
pub(crate) async fn settle<B: Buyers, L: Ledger>(
    engine: &Engine<B, L>,
    role: &Role,
    (lead, named): (LeadId, &str),
    body: &mut [u8],
) -> Result<Value, Fault> {
    let verdict = verdict(body)?;
    let campaign = campaign(engine, role, (lead, named))?;
    engine.review(lead, &campaign, verdict).await.map_err(|refusal| match refusal {
        ReviewRefusal::NotHeld => Fault::NotFound,
        ReviewRefusal::UnderWay => Fault::UnderWay,
        ReviewRefusal::Ledger(refused) => Fault::Ledger(refused),
    })?;
    let outcome = word(verdict);
    tracing::info!(%lead, %campaign, outcome, by = role.name(), "a held post was reviewed");
    let mut members = words::campaign(&campaign);
    words::add(&mut members, [("lead_id", lead.to_string().into()), ("outcome", outcome.into())]);
    Ok(members.into())
}

const VERDICTS: [(&str, Verdict); 2] = [("sold", Verdict::Sold), ("not_sold", Verdict::NotSold)];

fn word(verdict: Verdict) -> &'static str {
    VERDICTS.iter().find(|(_, it)| *it == verdict).map_or("", |(word, _)| word)
}

/// `{"outcome": "sold"}`.
fn verdict(body: &mut [u8]) -> Result<Verdict, Fault> {
    let root = parse_json(body).map_err(Fault::Unparsable)?;
    let defects = Defects::new();
    let read = |fields: Fields<'_, '_>| {
        let verdict = fields.at("outcome").choice(&VERDICTS);
        fields.deny_unknown();
        verdict
    };
    let found = Slot::root(&root, &defects).fields().and_then(read);
    defects.finish(found).map_err(Fault::Invalid)
}

/// The held campaign that a path names: `buyer/campaign`, or the campaign's id alone where that is one
/// of them only. What the role may not see is not there.
fn campaign<B: Buyers, L: Ledger>(
    engine: &Engine<B, L>,
    role: &Role,
    (lead, named): (LeadId, &str),
) -> Result<CampaignKey, Fault> {
    let named = named.replace("%2F", "/").replace("%2f", "/");
    let is_named = |key: &CampaignKey| match named.split_once('/') {
        Some((buyer, campaign)) => key.buyer.as_str() == buyer && key.campaign.as_str() == campaign,
        None => key.campaign.as_str() == named,
    };
    let mut held = engine.held_of(lead);
    held.retain(|key| role.sees(key) && is_named(key));
    match held.len() {
        0 => Err(Fault::NotFound),
        1 => held.pop().ok_or(Fault::NotFound),
        _ => Err(Fault::Ambiguous),
    }
}

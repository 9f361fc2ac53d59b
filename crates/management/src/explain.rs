//! `POST /v1/explain`: which campaigns would want a lead that says this and that, and which of them would
//! be asked now. Nobody is asked, nothing is kept.

use document::{Defects, Slot, parse_json};
use engine::{Engine, Prospect, Question, Snapshot};
use fanout::Buyers;
use lead::PublisherId;
use ledger::Ledger;
use market::{Market, Product};
use serde_json::{Value, json};

use crate::access::Role;
use crate::fault::Fault;
use crate::words;

/// Answers a question in `market`; a buyer is told of its own campaigns.
pub(crate) fn answer<B: Buyers, L: Ledger>(
    engine: &Engine<B, L>,
    market: &Snapshot,
    role: &Role,
    body: &mut [u8],
) -> Result<Value, Fault> {
    let question = question(&market.market, role, body)?;
    let prospects = engine.suppose(market, question).ok_or(Fault::Internal)?;
    let campaigns: Vec<Value> = prospects.iter().map(row).collect();
    Ok(json!({ "market_version": market.version, "campaigns": campaigns }))
}

fn question(market: &Market, role: &Role, body: &mut [u8]) -> Result<Question, Fault> {
    let root = parse_json(body).map_err(Fault::Unparsable)?;
    let defects = Defects::new();
    let read = read(market, role, &Slot::root(&root, &defects));
    defects.finish(read).map_err(Fault::Invalid)
}

fn read(market: &Market, role: &Role, slot: &Slot<'_, '_>) -> Option<Question> {
    let fields = slot.fields()?;
    let product = product(market, fields.at("product"));
    let publisher = match fields.given("publisher") {
        Some(slot) => publisher(market, role, slot).map(Some),
        None => Some(None),
    };
    let attributes = fields.at("attributes");
    // Without a product there is no dictionary.
    let attributes = product.and_then(|product| product.dictionary.read_strictly(&attributes));
    fields.deny_unknown();
    Some(Question {
        product: product?.id.clone(),
        attributes: attributes?,
        publisher: publisher?,
        buyer: role.buyer().cloned(),
    })
}

fn product<'m>(market: &'m Market, slot: Slot<'_, '_>) -> Option<&'m Product> {
    let id = slot.filled()?;
    let found = id.parse().ok().and_then(|id| market.products.get(&id));
    if found.is_none() {
        slot.refuse("names no product of this market");
    }
    found
}

/// An operator names a publisher by its id, a buyer by the name under which buyers see it.
fn publisher(market: &Market, role: &Role, slot: Slot<'_, '_>) -> Option<PublisherId> {
    let name = slot.filled()?;
    let is = |publisher: &&market::Publisher| match role.buyer() {
        None => publisher.id.as_str() == name,
        Some(_) => publisher.alias.as_deref().unwrap_or(publisher.id.as_str()) == name,
    };
    let found = market.publishers.values().find(is);
    if found.is_none() {
        slot.refuse("names no publisher of this market");
    }
    found.map(|publisher| publisher.id.clone())
}

fn row(prospect: &Prospect) -> Value {
    let mut members = words::campaign(&prospect.campaign);
    words::add(
        &mut members,
        [("matched", prospect.matched.into()), ("eligible", prospect.eligible.into())],
    );
    words::add(&mut members, words::code(prospect.code));
    words::add(
        &mut members,
        [
            ("limit", words::limit(prospect.limit.as_ref())),
            ("failed", words::failures(&prospect.failed)),
        ],
    );
    members.into()
}

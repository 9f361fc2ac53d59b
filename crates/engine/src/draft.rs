//! What a change would make of a campaign: who may, what is wrong with it, how it stands then. Reads one
//! market and writes nothing.

use std::sync::Arc;

use document::{Defect, Node, Path};
use fanout::Buyers;
use jiff::Timestamp;
use lead::CampaignKey;
use market::{Campaign, Market, OPERATOR_FIELDS, Standing};

use crate::register::{Denied, Done, Expect, Order, Outcome, Wish};
use crate::snapshot::Snapshot;
use crate::source::{Change, Kept, Stored};

/// Most campaigns of one buyer that can be registered.
const CAMPAIGNS_MAX: usize = 1_000;

/// A change that can be made.
pub(crate) struct Draft {
    /// What is put on record and in force; nothing if it stands so already.
    pub(crate) next: Option<Next>,
    /// What is told of it.
    pub(crate) done: Done,
}

/// The next market.
pub(crate) struct Next {
    /// To sell by.
    pub(crate) snapshot: Snapshot,
    /// To build on.
    pub(crate) stored: Stored,
    /// To keep.
    pub(crate) source: String,
}

/// Drafts the market of `version`, in which an order is carried out.
pub(crate) fn draft<B: Buyers>(
    buyers: &B,
    (now, stored): (&Snapshot, &Stored),
    order: &Order,
    (version, at): (u64, Timestamp),
) -> Result<Draft, Denied> {
    let before = now.market.standing(&order.key);
    let (after, warnings) = decide(buyers, now, order, &before)?;
    let outcome = match (before.newest(), after.newest()) {
        (_, None) => Outcome::Deleted,
        (None, Some(_)) => Outcome::Created,
        (Some(_), Some(_)) if before.tag() == after.tag() => Outcome::Unchanged,
        (Some(_), Some(_)) => Outcome::Changed,
    };
    if outcome == Outcome::Unchanged {
        let done = Done { outcome, standing: before, version: now.version, warnings };
        return Ok(Draft { next: None, done });
    }
    let author = order.author.name.clone();
    let (key, kept) = (order.key.clone(), (Kept::from(&before), Kept::from(&after)));
    let change = Change { key, author, at, before: kept.0, after: Arc::new(kept.1) };
    let (stored, source) =
        stored.with(version, change).ok_or(Denied::Bug("a change cannot be written"))?;
    let snapshot = now.with(&order.key, after.clone(), version).map_err(Denied::Invalid)?;
    let done = Done { outcome, standing: after, version, warnings };
    Ok(Draft { next: Some(Next { snapshot, stored, source }), done })
}

/// How a campaign stands after an order, if it may.
fn decide<B: Buyers>(
    buyers: &B,
    now: &Snapshot,
    order: &Order,
    before: &Standing,
) -> Result<(Standing, Vec<Defect>), Denied> {
    let newest = before.newest().map(|(campaign, _)| campaign);
    let market = &*now.market;
    let is_known = market.buyers.contains_key(&order.key.buyer);
    let creates = matches!(order.wish, Wish::Put(_));
    if !is_known || (newest.is_none() && !creates) {
        return Err(Denied::NotFound);
    }
    if !order.expect.holds(before.tag().as_deref()) {
        return Err(Denied::Stale);
    }
    match &order.wish {
        Wish::Delete => Ok((Standing::default(), Vec::new())),
        Wish::Approve => {
            let pending = before.pending.as_deref().ok_or(Denied::NotFound)?;
            let mut approved = pending.clone();
            approved.approved_hosts.extend(market.foreign_hosts(pending));
            Ok((Standing { live: Some(Arc::new(approved)), pending: None }, Vec::new()))
        }
        Wish::Put(object) => {
            if newest.is_none() && count(market, order) >= CAMPAIGNS_MAX {
                return Err(Denied::TooMany);
            }
            let (mut campaign, warnings) = read(buyers, now, (&order.key, object))?;
            if !order.author.is_operator {
                forbid(market, newest.map(|campaign| &*campaign.written), &campaign)?;
            }
            // What an operator has approved for its last version, it need not approve again.
            if let Some(live) = &before.live {
                campaign.approved_hosts.clone_from(&live.approved_hosts);
            }
            let is_allowed = market.foreign_hosts(&campaign).is_empty();
            let campaign = Some(Arc::new(campaign));
            let after = if is_allowed {
                Standing { live: campaign, pending: None }
            } else {
                Standing { live: before.live.clone(), pending: campaign }
            };
            Ok((after, warnings))
        }
    }
}

fn count(market: &Market, order: &Order) -> usize {
    let own = |key: &&CampaignKey| key.buyer == order.key.buyer;
    let waits = market.pending.keys().filter(own);
    let live = market.campaigns.keys().filter(own);
    live.count() + waits.filter(|key| !market.campaigns.contains_key(*key)).count()
}

impl Expect {
    fn holds(&self, tag: Option<&str>) -> bool {
        match self {
            Self::Anything => true,
            Self::Nothing => tag.is_none(),
            Self::Something => tag.is_some(),
            Self::OneOf(tags) => tag.is_some_and(|tag| tags.iter().any(|known| known == tag)),
        }
    }
}

/// Reads a campaign as far as it can be read, with everything that is wrong with it.
fn read<B: Buyers>(
    buyers: &B,
    now: &Snapshot,
    (key, object): (&CampaignKey, &Node<'_>),
) -> Result<(Campaign, Vec<Defect>), Denied> {
    let market = &*now.market;
    let (mut defects, mut warnings) = (Vec::new(), Vec::new());
    let product = object.member("product").and_then(Node::as_text);
    let product = product.and_then(|id| market.products.get(&id.parse().ok()?));
    let written = object.member("filter").filter(|it| matches!(it, Node::Object(_)));
    if let Some((product, written)) = product.zip(written) {
        let place = Path::default().key("filter");
        match now.read_filter(written, (product, &key.buyer), &place) {
            Ok(found) => warnings = found,
            Err(found) => defects = found,
        }
    }
    let campaign = market.campaign(key, object);
    let calls = match &campaign {
        Ok(campaign) => vec![campaign.clone()],
        // Calls can be tried even if something else is wrong, each by itself.
        Err(_) => ["ping", "post", "status"]
            .iter()
            .filter_map(|name| market.campaign(key, &alone(object, name)?).ok())
            .collect(),
    };
    if let Some(product) = product {
        defects.extend(calls.iter().flat_map(|calls| fanout::check_campaign(calls, product)));
    }
    defects.extend(calls.iter().flat_map(|calls| buyers.refuses(calls)));
    defects.dedup();
    match campaign {
        Ok(campaign) if defects.is_empty() => Ok((campaign, warnings)),
        Ok(_) => Err(Denied::Invalid(defects)),
        Err(found) => {
            defects.extend(found);
            Err(Denied::Invalid(defects))
        }
    }
}

/// A campaign that is nothing but one call of another.
fn alone(object: &Node<'_>, name: &'static str) -> Option<Node<'static>> {
    let owned = |node: &Node<'_>| node.clone().into_owned();
    let text = |text: &'static str| Node::Text(text.into());
    let call = owned(object.member("delivery")?.member(name)?);
    let mut delivery = vec![(name.into(), call)];
    if name != "post" {
        let url = ("url".into(), text("https://nobody.invalid/"));
        delivery.push(("post".into(), Node::Object(vec![url])));
    }
    Some(Node::Object(vec![
        ("product".into(), owned(object.member("product")?)),
        ("filter".into(), Node::Object(Vec::new())),
        ("price".into(), Node::Object(vec![("fixed".into(), text("1"))])),
        ("delivery".into(), Node::Object(delivery)),
    ]))
}

/// Refuses what a buyer changed though it is the operator's.
fn forbid(market: &Market, before: Option<&Node<'_>>, after: &Campaign) -> Result<(), Denied> {
    let product = market.products.get(&after.product);
    let may_set = product.map(|product| product.buyer_may_set.as_slice()).unwrap_or_default();
    let is_given = |node: &&Node<'_>| **node != Node::Null;
    let mut defects = Vec::new();
    for name in OPERATOR_FIELDS.iter().filter(|name| !may_set.contains(name)) {
        let was = before.and_then(|object| object.member(name)).filter(is_given);
        let is = after.written.member(name).filter(is_given);
        if was.map(market::to_json) != is.map(market::to_json) {
            let issue =
                "is the operator's: the product's buyer_may_set does not list it".to_owned();
            defects.push(Defect { path: Path::default().key(name), issue, missing: false });
        }
    }
    if defects.is_empty() { Ok(()) } else { Err(Denied::Forbidden(defects)) }
}

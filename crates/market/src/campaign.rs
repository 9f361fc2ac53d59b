//! A buyer's standing order: what it wants, what it pays, how it is asked and served.

use std::sync::Arc;

use document::{Fields, Node, Slot};
use jiff::tz::TimeZone;
use lead::{CampaignKey, Money, ProductId};

use crate::call::{Around, Call, CallKind};
use crate::cap::{self, Cap, Owner};
use crate::{
    Buyer, PayoutRule, Price, Product, Schedule, Score, Secrets, Sells, TierMode, Url, read,
};

/// A campaign.
#[derive(Debug, Clone)]
pub struct Campaign {
    /// Whose and which.
    pub key: CampaignKey,
    /// Of which product's tree.
    pub product: ProductId,
    /// Whether it takes part.
    pub status: CampaignStatus,
    /// Its rung, from 1.
    pub tier: u8,
    /// Higher is asked first and wins ties.
    pub priority: i32,
    /// Its part of a weighted tier's posts, against the weights of the others.
    pub weight: u32,
    /// The filter as written; the rules compile it.
    pub filter: Node<'static>,
    /// What it pays: for the whole lead, or for a slot if it only buys those.
    pub price: Price,
    /// Whether it shares the lead with other buyers.
    pub sells: Sells,
    /// How much it takes in a window.
    pub caps: Vec<Cap>,
    /// When it takes leads; `None` is always.
    pub schedule: Option<Schedule>,
    /// How its bids rank.
    pub score: Score,
    /// The publisher's part, where this campaign differs.
    pub payout: Option<PayoutRule>,
    /// How it is reached.
    pub delivery: Delivery,
    /// What is done while a post's answer is unknown.
    pub on_ambiguous: OnAmbiguous,
    /// A post under an `Idempotency-Key` that it knows gets the first one's answer.
    pub honours_idempotency_key: bool,
    /// Where the consumer goes when its answer names no place.
    pub redirect_url: Option<Url>,
    /// Most calls to it at once.
    pub max_in_flight: u32,
    /// Its buyer's client certificate, by the name that the configuration gives it.
    pub client_certificate: Option<Arc<str>>,
    /// The object that it was read from.
    pub written: Arc<Node<'static>>,
    /// Hosts beyond its buyer's that an operator has approved for it.
    pub approved_hosts: Vec<String>,
}

/// Whether a campaign takes part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CampaignStatus {
    /// Not yet.
    Draft,
    /// Yes.
    Active,
    /// Not now.
    Paused,
}

impl CampaignStatus {
    /// As campaigns write it.
    pub const NAMES: &'static [(&'static str, Self)] =
        &[("draft", Self::Draft), ("active", Self::Active), ("paused", Self::Paused)];

    /// As campaigns write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, status)| *status == self).map_or("", |(name, _)| name)
    }
}

/// How a campaign is reached.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// Asks for a bid.
    pub ping: Option<Call>,
    /// Delivers the lead.
    pub post: Call,
    /// Tells what became of a post.
    pub status: Option<Call>,
    /// Where test leads go; without one they go nowhere.
    pub sandbox: Option<Sandbox>,
}

/// Where test leads go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sandbox {
    /// Instead of the ping call's URL.
    pub ping_url: Option<Url>,
    /// Instead of the post call's URL.
    pub post_url: Url,
}

/// What to do when a post's answer is unknown. Whatever finds nothing out is a hold in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnAmbiguous {
    /// Keep the slot taken until someone knows.
    Hold,
    /// Ask the campaign's status call.
    StatusQuery,
    /// Post again under the same key, which the buyer honours.
    RetrySameKey,
    /// Offer the lead to the next bid: the seller takes the risk of a second sale.
    NextBuyer,
}

impl OnAmbiguous {
    /// As campaigns write it.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("hold", Self::Hold),
        ("status_query", Self::StatusQuery),
        ("retry_same_key", Self::RetrySameKey),
        ("next_buyer", Self::NextBuyer),
    ];

    /// Refuses a policy that the campaign gives no means for.
    fn read(fields: &Fields<'_, '_>, honours: bool) -> Option<Self> {
        let Some(slot) = fields.given("on_ambiguous") else { return Some(Self::Hold) };
        let policy = slot.choice(Self::NAMES)?;
        let delivery = fields.at("delivery");
        let asks = delivery.node().and_then(|node| node.member("status")).is_some();
        match policy {
            Self::StatusQuery if !asks => {
                slot.refuse("needs delivery.status: there is nobody to ask")
            }
            Self::RetrySameKey if !honours => slot.refuse(
                "needs honours_idempotency_key = true: else a second post may be a second sale",
            ),
            _ => {}
        }
        Some(policy)
    }
}

/// Calls to one campaign at once, where it names no limit, and the greatest limit.
const IN_FLIGHT: u32 = 256;
const IN_FLIGHT_MAX: u32 = 10_000;

/// Greatest weight.
const WEIGHT_MAX: u32 = 1_000_000;

/// Keys of the campaign that this version cannot honour yet; it says so instead of ignoring them.
const UNSUPPORTED: &[&str] = &["duplicates", "suppress", "consent", "returns"];

impl Campaign {
    /// Reads one campaign of `key.buyer`; `product` finds the product that a slot names.
    pub(crate) fn read<'p>(
        key: &CampaignKey,
        slot: Slot<'_, '_>,
        product: impl Fn(Slot<'_, '_>) -> Option<&'p Product>,
        secrets: Option<&Secrets>,
    ) -> Option<Self> {
        let fields = slot.fields()?;
        let product = product(fields.at("product"));
        let status = fields
            .given("status")
            .map_or(Some(CampaignStatus::Active), |s| s.choice(CampaignStatus::NAMES));
        let tier = fields.given("tier").map_or(Some(1), |s| s.integer(1u8, 16));
        let priority =
            fields.given("priority").map_or(Some(0), |s| s.integer(-1_000_000, 1_000_000));
        let weight = fields.given("weight").map_or(Some(1), |s| s.integer(1u32, WEIGHT_MAX));
        let filter = fields.at("filter").parse("an object", |node| match node {
            Node::Object(_) => Some(node.clone().into_owned()),
            _ => None,
        });
        let score = fields.given("score").map_or(Some(Score::default()), Score::read);
        let payout = fields.given("payout").and_then(PayoutRule::read);
        let delivery = Delivery::read(fields.at("delivery"), Around { product, secrets });
        let honours = fields.given("honours_idempotency_key").map_or(Some(false), |s| s.bool());
        let on_ambiguous = OnAmbiguous::read(&fields, honours.unwrap_or(true));
        let redirect_url = fields.given("redirect_url").and_then(|s| url(&s));
        let in_flight =
            fields.given("max_in_flight").map_or(Some(IN_FLIGHT), |s| s.integer(1, IN_FLIGHT_MAX));
        Self::accepts(&fields);
        let schedule = match fields.given("schedule") {
            Some(slot) => Schedule::read(slot).map(Some),
            None => Some(None),
        };
        let price = product.and_then(|product| Price::read(fields.at("price"), product.currency));
        let sells = Sells::read(&fields, product);
        let currency = product.map(|product| product.currency);
        let caps = cap::caps(fields.given("caps"), Owner::Campaign(currency));
        read::unsupported(&fields, UNSUPPORTED);
        fields.deny_unknown();
        let (product, tier, price, delivery) = (product?, tier?, price?, delivery?);
        let (sells, shared_price) = sells?;
        let price = if sells == Sells::Shared { shared_price.unwrap_or(price) } else { price };
        suits(&fields, (product, tier), &price, &sells);
        if product.requires_redirect && redirect_url.is_none() && !delivery.post.may_redirect() {
            fields.at("delivery").refuse(
                "needs redirect_url in post.response, or the campaign one of its own: the product \
                 sends every consumer on",
            );
        }
        if matches!(price, Price::Bid { .. }) && delivery.ping.is_none() {
            fields.at("price").refuse("needs delivery.ping: a bid is an answer to a ping");
        }
        Some(Self {
            key: key.clone(),
            product: product.id.clone(),
            status: status?,
            tier,
            priority: priority?,
            weight: weight?,
            filter: filter?,
            price,
            sells,
            caps: caps?,
            schedule: schedule?,
            score: score?,
            payout,
            delivery,
            on_ambiguous: on_ambiguous?,
            honours_idempotency_key: honours?,
            redirect_url,
            max_in_flight: in_flight?,
            client_certificate: None,
            written: Arc::new(slot.node()?.clone().into_owned()),
            approved_hosts: Vec::new(),
        })
    }

    /// Whose clock its windows and its schedule follow: the schedule's own, else its buyer's, else its
    /// product's.
    #[must_use]
    pub fn timezone<'m>(&'m self, buyer: Option<&'m Buyer>, product: &'m Product) -> &'m TimeZone {
        let own = self.schedule.as_ref().and_then(|schedule| schedule.timezone.as_ref());
        own.or(buyer.and_then(|buyer| buyer.timezone.as_ref())).unwrap_or(&product.timezone)
    }

    /// What it pays for a whole lead; `None` if it buys none.
    #[must_use]
    pub fn whole_price(&self) -> Option<&Price> {
        (self.sells != Sells::Shared).then_some(&self.price)
    }

    /// What it pays for one slot of a shared lead; `None` if it buys none.
    #[must_use]
    pub fn slot_price(&self) -> Option<&Price> {
        match &self.sells {
            Sells::Exclusive => None,
            Sells::Shared => Some(&self.price),
            Sells::Both(price) => Some(price),
        }
    }

    /// The least that it can pay for anything.
    #[must_use]
    pub fn least_price(&self) -> Money {
        let least = self.price.least();
        match &self.sells {
            Sells::Both(slot) if slot.least().amount < least.amount => slot.least(),
            _ => least,
        }
    }

    fn accepts(fields: &Fields<'_, '_>) {
        if let Some(slot) = fields.given("accepts") {
            let known = slot.each(|word| word.choice(&[("live", ())]));
            if known.is_some_and(|words| words.is_empty()) {
                slot.refuse("must not be empty");
            }
        }
    }
}

/// Whether a campaign can take part in the tier that it names.
fn suits(fields: &Fields<'_, '_>, (product, number): (&Product, u8), price: &Price, sells: &Sells) {
    let Some(tier) = product.tiers.get(usize::from(number).saturating_sub(1)) else {
        let most = product.tiers.len();
        fields
            .at("tier")
            .refuse(format_args!("must be at most {most}: the product has no more tiers"));
        return;
    };
    if tier.mode == TierMode::Waterfall && matches!(price, Price::Bid { .. }) {
        fields.at("price").refuse(format_args!(
            "must be fixed or outcome: tier {number} is a waterfall, which takes no bids"
        ));
    }
    if tier.mode == TierMode::Broadcast && *sells == Sells::Exclusive {
        fields.at("sells").refuse(format_args!(
            "must be shared or both: tier {number} is a broadcast, which shares every lead, found \
             exclusive"
        ));
    }
}

impl Delivery {
    fn read(slot: Slot<'_, '_>, around: Around<'_>) -> Option<Self> {
        let fields = slot.fields()?;
        let optional = |name: &'static str, kind| match fields.given(name) {
            Some(slot) => Call::read(slot, kind, around).map(Some),
            None => Some(None),
        };
        let ping = optional("ping", CallKind::Ping);
        let post = Call::read(fields.at("post"), CallKind::Post, around);
        let status = optional("status", CallKind::Status);
        let sandbox = fields.given("sandbox").and_then(|slot| {
            let fields = slot.fields()?;
            let ping_url = fields.given("ping_url").and_then(|s| url(&s));
            let post_url = url(&fields.at("post_url"));
            fields.deny_unknown();
            Some(Sandbox { ping_url, post_url: post_url? })
        });
        fields.deny_unknown();
        Some(Self { ping: ping?, post: post?, status: status?, sandbox })
    }
}

impl Delivery {
    /// Every place that it names, sandboxes included.
    pub fn urls(&self) -> impl Iterator<Item = &Url> {
        let calls = [Some(&self.post), self.ping.as_ref(), self.status.as_ref()];
        let sandbox = self.sandbox.iter();
        let sandboxes = sandbox.flat_map(|it| it.ping_url.iter().chain([&it.post_url]));
        calls.into_iter().flatten().map(|call| &call.url).chain(sandboxes)
    }
}

fn url(slot: &Slot<'_, '_>) -> Option<Url> {
    slot.parsed(crate::url::NotAUrl)
}

//! What a sale counts for: its campaign, its buyer and its publisher, with the caps that they have in
//! one market. Borrowed whole, so making one allocates nothing.

use jiff::tz::TimeZone;
use lead::{CampaignKey, Currency, Money, ProductId, PublisherId};
use market::{Buyer, Campaign, Cap, Market, Product, Publisher};

/// One party's caps and the clock that they follow.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits<'m> {
    /// All of them.
    pub(crate) caps: &'m [Cap],
    /// Whose clock their windows follow.
    pub(crate) zone: &'m TimeZone,
}

/// Everything that one sale counts for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scope<'m> {
    /// Which campaign of which buyer.
    pub(crate) key: &'m CampaignKey,
    /// Through whom.
    pub(crate) publisher: &'m PublisherId,
    /// Of which product.
    pub(crate) product: &'m ProductId,
    /// In what it is paid; `None` for a product that the market no longer has.
    pub(crate) currency: Option<Currency>,
    /// Of the campaign.
    pub(crate) of_campaign: Limits<'m>,
    /// Of the buyer, over all its campaigns.
    pub(crate) of_buyer: Limits<'m>,
    /// Of the publisher, for this product.
    pub(crate) of_publisher: Limits<'m>,
    /// The most that may be taken from the buyer in all; `None` is no limit.
    pub(crate) funds: Option<Money>,
}

/// What a sale counts for: what its buyer pays and what its publisher gets of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deal {
    /// The buyer's part.
    pub(crate) price: Money,
    /// The publisher's.
    pub(crate) payout: Money,
}

impl Deal {
    /// Of a sale at that price and payout. While its outcome is open, it counts for what is `expected` of
    /// it, and for as large a part of the payout, rounded down.
    pub(crate) fn of(price: Money, payout: Money, expected: Option<Money>) -> Self {
        let Some(expected) = expected else { return Self { price, payout } };
        let part = payout.amount.checked_mul(expected.amount);
        let part = part.and_then(|product| product.checked_div(price.amount)).unwrap_or_default();
        let payout = Money { amount: part, ..payout }.floor_to_minor();
        Self { price: expected, payout }
    }
}

static UTC: TimeZone = TimeZone::UTC;

impl Limits<'_> {
    const NONE: Limits<'static> = Limits { caps: &[], zone: &UTC };
}

impl<'m> Scope<'m> {
    /// A sale of a lead of `publisher` to `campaign`.
    pub(crate) fn of(
        market: &'m Market,
        publisher: &'m Publisher,
        product: &'m Product,
        campaign: &'m Campaign,
    ) -> Self {
        let buyer = market.buyers.get(&campaign.key.buyer);
        let place = (&publisher.id, &product.id);
        Self {
            of_campaign: Limits { caps: &campaign.caps, zone: campaign.timezone(buyer, product) },
            ..Self::at_borders(&campaign.key, place, (buyer, Some(publisher), Some(product)))
        }
    }

    /// As [`Scope::of`], by ids, for what the ledger tells of: where the market no longer has one of
    /// them it has no caps, and its windows follow UTC.
    pub(crate) fn known(
        market: &'m Market,
        key: &'m CampaignKey,
        (publisher, product): (&'m PublisherId, &'m ProductId),
    ) -> Self {
        let found = (market.publishers.get(publisher), market.products.get(product));
        match (found, market.campaigns.get(key)) {
            ((Some(publisher), Some(product)), Some(campaign)) => {
                Self::of(market, publisher, product, campaign)
            }
            ((selling, sold), _) => Self::at_borders(
                key,
                (publisher, product),
                (market.buyers.get(&key.buyer), selling, sold),
            ),
        }
    }

    fn at_borders(
        key: &'m CampaignKey,
        (publisher, product): (&'m PublisherId, &'m ProductId),
        (buyer, selling, sold): (Option<&'m Buyer>, Option<&'m Publisher>, Option<&'m Product>),
    ) -> Self {
        let currency = sold.map(|product| product.currency);
        let of_buyer = buyer.map_or(Limits::NONE, |buyer| Limits {
            caps: &buyer.caps,
            zone: buyer.timezone.as_ref().unwrap_or(&UTC),
        });
        let terms = selling.and_then(|publisher| publisher.terms.get(product));
        let of_publisher = Limits {
            caps: terms.map_or(&[], |terms| &terms.caps),
            zone: sold.map_or(&UTC, |product| &product.timezone),
        };
        let funds = buyer.zip(currency).and_then(|(buyer, currency)| buyer.funds(currency));
        let of_campaign = Limits { caps: &[], zone: of_buyer.zone };
        Self { key, publisher, product, currency, of_campaign, of_buyer, of_publisher, funds }
    }
}

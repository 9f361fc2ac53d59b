//! Caps and balances: that nothing is ever over, that nothing is lost, and what a window is.

mod clock;
mod oracle;
mod races;
mod sales;
mod windows;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lead::{BuyerId, CampaignKey, Currency, Money, ProductId, PublisherId};
use market::{Cap, CapLimit, CapOf, Window};

use super::scope::Limits;
use super::*;

/// Everything that a scope borrows.
#[derive(Debug)]
struct Parties {
    key: CampaignKey,
    publisher: PublisherId,
    product: ProductId,
    zone: TimeZone,
    campaign: Vec<Cap>,
    buyer: Vec<Cap>,
    seller: Vec<Cap>,
    funds: Option<Money>,
}

impl Parties {
    fn new(buyer: &str, campaign: &str) -> Self {
        let buyer: BuyerId = buyer.parse().unwrap();
        Self {
            key: CampaignKey { buyer, campaign: campaign.parse().unwrap() },
            publisher: "pub".parse().unwrap(),
            product: "loan".parse().unwrap(),
            zone: zone("Europe/Madrid"),
            campaign: Vec::new(),
            buyer: Vec::new(),
            seller: Vec::new(),
            funds: None,
        }
    }

    fn scope(&self) -> Scope<'_> {
        let limits = |caps| Limits { caps, zone: &self.zone };
        Scope {
            key: &self.key,
            publisher: &self.publisher,
            product: &self.product,
            currency: Some(eur()),
            of_campaign: limits(&self.campaign),
            of_buyer: limits(&self.buyer),
            of_publisher: limits(&self.seller),
            funds: self.funds,
        }
    }
}

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn eur() -> Currency {
    "EUR".parse().unwrap()
}

fn euros(text: &str) -> Money {
    Money { amount: text.parse().unwrap(), currency: eur() }
}

fn deal(price: &str, payout: &str) -> Deal {
    Deal { price: euros(price), payout: euros(payout) }
}

fn leads(per: Window, most: u64, of: CapOf) -> Cap {
    Cap { per, limit: CapLimit::Leads(most), of }
}

fn spend(per: Window, most: &str) -> Cap {
    Cap { per, limit: CapLimit::Spend(euros(most)), of: CapOf::Sold }
}

/// Every count that is not nothing, in a stable order: what two equal states have in common.
fn dump(books: &Reservations) -> Vec<String> {
    let mut rows = Vec::new();
    let mut note = |who: String, tallies: &tally::Tallies| {
        for (window, kept) in tallies.kept() {
            let leads = CapOf::ALL.map(|of| kept.counts.leads(of));
            let spend = kept.counts.spend(eur()).normalize();
            if leads != [0, 0, 0] || !spend.is_zero() {
                rows.push(format!("{who} {window:?} {} {leads:?} {spend}", kept.span.start));
            }
        }
    };
    for entry in &books.buyers {
        let book = lock(entry.value());
        note(entry.key().to_string(), &book.whole);
        for (campaign, tallies) in &book.campaigns {
            note(format!("{}/{campaign}", entry.key()), tallies);
        }
    }
    for entry in &books.publishers {
        for (product, tallies) in &lock(entry.value()).products {
            note(format!("{}>{product}", entry.key()), tallies);
        }
    }
    rows.sort();
    rows
}

/// What is left of the only cap or funds.
fn left(books: &Reservations, scope: &Scope<'_>, at: Timestamp) -> String {
    let rows = books.headroom(scope, at);
    rows.first().unwrap().left.normalize().to_string()
}

//! Who pays.

use std::collections::BTreeMap;
use std::sync::Arc;

use document::Slot;
use jiff::tz::TimeZone;
use lead::{BuyerId, Currency, Money};

use crate::cap::{self, Cap, Owner};
use crate::{KeyDigest, Secrets, ValueLists, Vault, lists, read};

/// A buyer. Its campaigns stand beside it in the market.
#[derive(Debug, Clone)]
pub struct Buyer {
    /// Its id.
    pub id: BuyerId,
    /// For people.
    pub name: String,
    /// Sister brands that must not each buy the same lead.
    pub group: Option<String>,
    /// Of its campaigns, unless they say otherwise.
    pub timezone: Option<TimeZone>,
    /// How much all its campaigns together take in a window.
    pub caps: Vec<Cap>,
    /// What it paid in before its first lead.
    pub balance: BTreeMap<Currency, Money>,
    /// How far it may go below zero.
    pub credit_limit: BTreeMap<Currency, Money>,
    /// Its keys to the management API, and to tell events of its leads.
    pub keys: Vec<KeyDigest>,
    /// Hosts that its campaigns may be delivered to; none named, none allowed.
    pub allowed_hosts: Vec<String>,
    /// What its campaigns' hosts are shown, by the name that the configuration gives it.
    pub client_certificate: Option<Arc<str>>,
    /// What its API knows us by; its campaigns' calls refer to them by name.
    pub secrets: Secrets,
    /// Its own lists of values, which its filters ask for by name.
    pub lists: ValueLists,
}

impl Buyer {
    pub(crate) fn read(id: &BuyerId, slot: Slot<'_, '_>, vault: &Vault<'_>) -> Option<Self> {
        let fields = slot.fields()?;
        let name = fields.at("name").filled();
        let group = fields.given("group").and_then(|s| s.filled()).map(str::to_owned);
        let timezone = fields.given("timezone").and_then(read::timezone);
        let keys = fields
            .given("keys")
            .map_or(Some(Vec::new()), |s| s.each(|key| key.filled().map(KeyDigest::of)));
        let caps = cap::caps(fields.given("caps"), Owner::Buyer);
        let balance = cap::amounts(fields.given("balance"));
        let credit_limit = cap::amounts(fields.given("credit_limit"));
        let certificate =
            fields.given("client_certificate").and_then(|s| s.filled()).map(Arc::from);
        let hosts = read::words(fields.at("allowed_hosts"));
        let secrets = Secrets::read(fields.given("secrets"), vault);
        let lists = lists::lists(fields.given("lists"));
        // Read apart, with the whole market in view.
        let _campaigns = fields.at("campaigns");
        read::unsupported(&fields, &["suppress", "notices_url"]);
        fields.deny_unknown();
        let allowed_hosts = hosts?.iter().map(|host| host.to_ascii_lowercase()).collect();
        Some(Self {
            id: id.clone(),
            name: name?.to_owned(),
            group,
            timezone,
            caps: caps?,
            balance: balance?,
            credit_limit: credit_limit?,
            keys: keys?,
            allowed_hosts,
            client_certificate: certificate,
            secrets: secrets?,
            lists: lists?,
        })
    }

    /// The most that may be taken from this buyer in `currency`, from its first lead on: its balance
    /// and its credit. `None` is no limit.
    #[must_use]
    pub fn funds(&self, currency: Currency) -> Option<Money> {
        match (self.balance.get(&currency), self.credit_limit.get(&currency)) {
            (Some(balance), Some(credit)) => balance.plus(*credit),
            (one, other) => one.or(other).copied(),
        }
    }

    /// Whether a campaign of this buyer may be delivered to `host`.
    #[must_use]
    pub fn allows_host(&self, host: &str) -> bool {
        self.allowed_hosts.iter().any(|allowed| {
            allowed == host
                || allowed
                    .strip_prefix('*')
                    .is_some_and(|tail| tail.starts_with('.') && host.ends_with(tail))
        })
    }
}

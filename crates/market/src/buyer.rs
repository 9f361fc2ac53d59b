//! Who pays.

use document::Slot;
use jiff::tz::TimeZone;
use lead::BuyerId;

use crate::{KeyDigest, read};

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
    /// Its keys to the management API.
    pub keys: Vec<KeyDigest>,
    /// Hosts that its campaigns may be delivered to; none named, none allowed.
    pub allowed_hosts: Vec<String>,
}

impl Buyer {
    pub(crate) fn read(id: &BuyerId, slot: Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let name = fields.at("name").filled();
        let group = fields
            .given("group")
            .and_then(|s| s.filled())
            .map(str::to_owned);
        let timezone = fields.given("timezone").and_then(|s| {
            s.parse("an IANA time zone such as \"Europe/Madrid\"", |node| {
                TimeZone::get(node.as_text()?).ok()
            })
        });
        let keys = fields.given("keys").map_or(Some(Vec::new()), |s| {
            s.each(|key| key.filled().map(KeyDigest::of))
        });
        let hosts = read::words(fields.at("allowed_hosts"));
        // Read apart, with the whole market in view.
        let _campaigns = fields.at("campaigns");
        read::unsupported(
            &fields,
            &[
                "balance",
                "credit_limit",
                "caps",
                "suppress",
                "lists",
                "notices_url",
            ],
        );
        fields.deny_unknown();
        let allowed_hosts = hosts?
            .iter()
            .map(|host| host.to_ascii_lowercase())
            .collect();
        Some(Self {
            id: id.clone(),
            name: name?.to_owned(),
            group,
            timezone,
            keys: keys?,
            allowed_hosts,
        })
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

//! What consumers ask for, who may have it, and the tree through which it is sold.

use std::time::Duration;

use document::{Fields, Slot};
use jiff::tz::TimeZone;
use lead::{Attribute, Currency, Kind, Money, ProductId, Standard};
use rust_decimal::Decimal;

use crate::read;
use crate::{BrightHorizons, Country, Definition, Dictionary, Tier};

/// A product.
#[derive(Debug, Clone)]
pub struct Product {
    /// Its id.
    pub id: ProductId,
    /// For people.
    pub name: String,
    /// The trade it belongs to.
    pub vertical: String,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// Of every price and payout.
    pub currency: Currency,
    /// Of days and hours, unless a buyer or campaign says otherwise.
    pub timezone: TimeZone,
    /// Takes leads.
    pub active: bool,
    /// Its `product_id` at the Leadhub door.
    pub leadhub_id: Option<String>,
    /// Its place at the Bright Horizons door.
    pub bright_horizons: Option<BrightHorizons>,
    /// Its `creditProductId`s at the BrainySoft door.
    pub credit_products: Vec<i64>,
    /// Its attributes.
    pub dictionary: Dictionary,
    /// Who may have it.
    pub eligibility: Eligibility,
    /// Consents without which a lead is rejected.
    pub consents: Vec<String>,
    /// When a lead is a repeat.
    pub duplicates: Duplicates,
    /// Suppression lists whose consumers are rejected.
    pub suppress: Vec<String>,
    /// Most sales of one lead: 1, or more if it may be shared.
    pub slots: u16,
    /// The rungs, first asked first.
    pub tiers: Vec<Tier>,
    /// From the complete request header to the answer.
    pub budget: Duration,
    /// Most campaigns of a tier that are pinged.
    pub fanout_width: usize,
    /// Most posts for one lead.
    pub max_posts: u32,
    /// How long an unknown post is held before it counts as not sold.
    pub hold_for: Duration,
    /// How long an accepted ping keeps what it reserved.
    pub ping_ttl: Duration,
    /// Least part of a price that stays with the house.
    pub min_margin: Money,
    /// The publisher's part unless its terms say otherwise.
    pub payout: PayoutRule,
    /// A sale without somewhere to send the consumer is of no use.
    pub requires_redirect: bool,
    /// Which of [`OPERATOR_FIELDS`] buyers may set in their campaigns themselves.
    pub buyer_may_set: Vec<&'static str>,
}

/// Who may have a product. What a lead does not say is not held against it here; campaigns that need
/// to know say so in their filters.
#[derive(Debug, Clone, Default)]
pub struct Eligibility {
    /// Years.
    pub age: Range,
    /// Per month.
    pub monthly_income: Range,
    /// Asked for.
    pub amount: Range,
    /// Asked for.
    pub term_months: Range,
    /// The only countries, if any are named.
    pub countries: Vec<String>,
    /// Regions that are not served.
    pub regions_excluded: Vec<String>,
}

/// When a lead is a repeat of one that came before.
#[derive(Debug, Clone)]
pub struct Duplicates {
    /// What identifies a consumer.
    pub keys: Vec<DuplicateKey>,
    /// How long a customer stays one; `None` is for ever.
    pub customer_window: Option<Duration>,
    /// How long another identity key counts.
    pub duplicate_window: Duration,
}

impl Default for Duplicates {
    fn default() -> Self {
        let month = Duration::from_secs(30 * 86_400);
        Self { keys: vec![DuplicateKey::Email], customer_window: None, duplicate_window: month }
    }
}

/// What identifies a consumer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DuplicateKey {
    /// The e-mail address: the customer.
    Email,
    /// The phone number.
    Phone,
    /// The national identity number.
    NationalId,
}

impl DuplicateKey {
    /// All of them.
    pub const ALL: &'static [Self] = &[Self::Email, Self::Phone, Self::NationalId];

    /// As products write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::NationalId => "national_id",
        }
    }
}

/// Inclusive limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Range {
    /// Least.
    pub min: Option<Decimal>,
    /// Greatest.
    pub max: Option<Decimal>,
}

impl Range {
    /// Whether `value` lies within.
    #[must_use]
    pub fn admits(&self, value: Decimal) -> bool {
        self.min.is_none_or(|min| value >= min) && self.max.is_none_or(|max| value <= max)
    }
}

/// How a publisher's payout follows from a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayoutRule {
    /// This part of the price.
    Share(Decimal),
    /// This much.
    Fixed(Decimal),
    /// The price less this much.
    Margin(Decimal),
}

impl PayoutRule {
    /// The payout at `price`, rounded down to the minor unit; `None` if it cannot be paid.
    #[must_use]
    pub fn payout(self, price: Money) -> Option<Money> {
        let money = |amount| Money { amount, currency: price.currency };
        let payout = match self {
            Self::Share(share) => price.share(share)?,
            Self::Fixed(amount) => money(amount).floor_to_minor(),
            Self::Margin(margin) => price.minus(money(margin))?.floor_to_minor(),
        };
        (payout.amount >= Decimal::ZERO && payout.amount <= price.amount).then_some(payout)
    }

    /// The payout once a buyer has cut the price that was agreed: by the rule if it can be paid, else
    /// as much of it as the price allows.
    #[must_use]
    pub fn payout_of_cut(self, price: Money) -> Money {
        self.payout(price).unwrap_or(match self {
            Self::Fixed(_) => price,
            Self::Share(_) | Self::Margin(_) => Money::zero(price.currency),
        })
    }

    pub(crate) fn read(slot: Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let share = fields.given("share").and_then(|slot| share(&slot)).map(Self::Share);
        let fixed = fields.given("fixed").and_then(read::amount).map(Self::Fixed);
        let margin = fields.given("margin").and_then(read::amount).map(Self::Margin);
        fields.deny_unknown();
        let mut rules = [share, fixed, margin].into_iter().flatten();
        match (rules.next(), rules.next()) {
            (Some(rule), None) => Some(rule),
            _ => {
                slot.refuse("must hold one of share (0 to 1), fixed or margin");
                None
            }
        }
    }
}

fn share(slot: &Slot<'_, '_>) -> Option<Decimal> {
    let share = slot.decimal()?;
    if share < Decimal::ZERO || share > Decimal::ONE {
        slot.refuse("must be from 0 to 1");
        return None;
    }
    Some(share)
}

/// Keys of a product that this version cannot honour yet; it says so instead of ignoring them.
const UNSUPPORTED: &[&str] = &["reoffer", "fallback_url"];

/// Members of a campaign that are the operator's, where the product does not say that buyers may set them.
pub const OPERATOR_FIELDS: &[&str] =
    &["tier", "priority", "weight", "score", "on_ambiguous", "honours_idempotency_key", "payout"];

/// Most tiers in a tree.
const TIERS_MAX: usize = 16;

/// Most sales of one lead.
const SLOTS_MAX: u16 = 16;

/// Most posts for one lead, where the product names no other number.
const MAX_POSTS: u16 = 5;

impl Product {
    /// How long an unknown post is held where a product does not say.
    pub const HOLD_FOR: Duration = Duration::from_secs(86_400);

    /// `ping_ttl` unless the product says otherwise.
    pub const PING_TTL: Duration = Duration::from_secs(30);

    /// What is known of the places of its country.
    #[must_use]
    pub fn places(&self) -> Option<&Country> {
        self.dictionary.named(Standard::PostalCode.name())?.places.as_deref()
    }

    pub(crate) fn read(id: &ProductId, slot: Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let currency = fields.at("currency").parsed("an ISO 4217 code such as \"EUR\"");
        let name = fields.at("name").filled();
        let vertical = fields.at("vertical").filled();
        let country = fields.at("country").filled();
        let timezone = read::timezone(fields.at("timezone"));
        let statuses = [("active", true), ("inactive", false)];
        let active = fields.given("status").map_or(Some(true), |s| s.choice(&statuses));
        let (leadhub_id, credit_products) = Self::doors(&fields).unwrap_or_default();
        let own =
            fields.given("attributes").as_ref().and_then(Slot::fields).map(|own| definitions(&own));
        let dictionary = Dictionary::new(own.unwrap_or_default());
        let bright_horizons = Self::bright_horizons(&fields, &dictionary);
        let eligibility =
            fields.given("eligibility").map_or(Some(Eligibility::default()), Eligibility::read);
        let consents = fields.given("consents").map_or(Some(Vec::new()), read::words);
        let duplicates =
            fields.given("duplicates").map_or(Some(Duplicates::default()), Duplicates::read);
        let suppress = fields.given("suppress").map_or(Some(Vec::new()), read::words);
        let budget = read::millis(fields.at("budget_ms"), 10, 60_000);
        let fanout_width =
            fields.given("fanout_width").map_or(Some(64), |s| s.integer(1i64, 1_000));
        let slots = fields.given("slots").map_or(Some(1), |s| s.integer(1u16, SLOTS_MAX));
        let max_posts = Self::max_posts(&fields, slots.unwrap_or(1));
        let hold_for = fields.given("hold_for").map_or(Some(Self::HOLD_FOR), read::duration);
        let ping_ttl = fields.given("ping_ttl").map_or(Some(Self::PING_TTL), read::duration);
        let payout =
            fields.given("payout").map_or(Some(PayoutRule::Share(Decimal::ONE)), PayoutRule::read);
        let redirect = fields.given("requires_redirect").map_or(Some(false), |s| s.bool());
        let buyer_may_set = fields.given("buyer_may_set").map_or(Some(Vec::new()), |slot| {
            let names: Vec<_> = OPERATOR_FIELDS.iter().map(|name| (*name, *name)).collect();
            slot.each(|name| name.choice(&names))
        });
        let currency = currency?;
        let tiers = Self::tiers(&fields, currency, slots);
        let min_margin = read::price_or_zero(fields.given("min_margin"), currency);
        read::unsupported(&fields, UNSUPPORTED);
        fields.deny_unknown();
        Some(Self {
            id: id.clone(),
            name: name?.to_owned(),
            vertical: vertical?.to_owned(),
            country: country?.to_owned(),
            currency,
            timezone: timezone?,
            active: active?,
            leadhub_id,
            bright_horizons,
            credit_products,
            dictionary,
            eligibility: eligibility?,
            consents: consents?,
            duplicates: duplicates?,
            suppress: suppress?,
            slots: slots?,
            tiers: tiers?,
            budget: budget?,
            fanout_width: usize::try_from(fanout_width?).ok()?,
            max_posts: max_posts?,
            hold_for: hold_for?,
            ping_ttl: ping_ttl?,
            min_margin: min_margin?,
            payout: payout?,
            requires_redirect: redirect?,
            buyer_may_set: buyer_may_set?,
        })
    }

    /// What the doors call it.
    fn doors(fields: &Fields<'_, '_>) -> Option<(Option<String>, Vec<i64>)> {
        let doors = fields.given("doors")?;
        let doors = doors.fields()?;
        let leadhub = doors.given("leadhub").as_ref().and_then(Slot::fields).and_then(|leadhub| {
            let id = leadhub.at("product_id").filled().map(str::to_ascii_lowercase);
            leadhub.deny_unknown();
            id
        });
        let _read_apart = doors.at("bright_horizons");
        let brainysoft =
            doors.given("brainysoft").as_ref().and_then(Slot::fields).and_then(|own| {
                let ids = own.at("credit_products").each(|id| id.integer(1, i64::MAX));
                own.deny_unknown();
                ids
            });
        doors.deny_unknown();
        Some((leadhub, brainysoft.unwrap_or_default()))
    }

    fn bright_horizons(fields: &Fields<'_, '_>, dictionary: &Dictionary) -> Option<BrightHorizons> {
        let doors = fields.given("doors")?;
        let Some(document::Node::Object(_)) = doors.node() else { return None };
        let doors = doors.fields()?;
        BrightHorizons::read(&doors.given("bright_horizons")?, dictionary)
    }

    /// Every slot takes a post at least.
    fn max_posts(fields: &Fields<'_, '_>, slots: u16) -> Option<u32> {
        match fields.given("max_posts") {
            Some(slot) => slot.integer(slots.into(), 100),
            None => Some(MAX_POSTS.max(slots).into()),
        }
    }

    fn tiers(fields: &Fields<'_, '_>, currency: Currency, slots: Option<u16>) -> Option<Vec<Tier>> {
        let slot = fields.at("tiers");
        let tiers = slot.each(|tier| Tier::read(tier, currency, slots))?;
        if tiers.is_empty() || tiers.len() > TIERS_MAX {
            slot.refuse(format_args!("must hold 1 to {TIERS_MAX} tiers"));
            return None;
        }
        Some(tiers)
    }
}

impl Eligibility {
    fn read(slot: Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let range =
            |name: &'static str| fields.given(name).and_then(Range::read).unwrap_or_default();
        let words =
            |name: &'static str| fields.given(name).and_then(read::words).unwrap_or_default();
        let read = Self {
            age: range("age"),
            monthly_income: range("monthly_income"),
            amount: range("amount"),
            term_months: range("term_months"),
            countries: words("countries"),
            regions_excluded: words("regions_excluded"),
        };
        fields.deny_unknown();
        Some(read)
    }
}

impl Duplicates {
    fn read(slot: Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let names: Vec<(&str, DuplicateKey)> =
            DuplicateKey::ALL.iter().map(|key| (key.name(), *key)).collect();
        let default = Self::default();
        let keys = fields
            .given("keys")
            .map_or(Some(default.keys), |slot| slot.each(|key| key.choice(&names)));
        let customer = fields.given("customer_window").and_then(read::duration);
        let duplicate =
            fields.given("duplicate_window").map_or(Some(default.duplicate_window), read::duration);
        fields.deny_unknown();
        Some(Self { keys: keys?, customer_window: customer, duplicate_window: duplicate? })
    }
}

impl Range {
    fn read(slot: Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let min = fields.given("min").and_then(|s| s.decimal());
        let max = fields.given("max").and_then(|s| s.decimal());
        fields.deny_unknown();
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            slot.refuse("admits nothing: min is greater than max");
        }
        Some(Self { min, max })
    }
}

fn definitions(fields: &Fields<'_, '_>) -> Vec<Definition> {
    fields.all().filter_map(|(name, slot)| definition(name, &slot)).collect()
}

fn definition(name: &str, slot: &Slot<'_, '_>) -> Option<Definition> {
    let kinds = [
        ("text", Kind::Text),
        ("number", Kind::Number),
        ("bool", Kind::Bool),
        ("date", Kind::Date),
    ];
    let fields = slot.fields()?;
    let kind = fields.given("type").map(|s| s.choice(&kinds));
    let mut definition = match (Standard::named(name), kind) {
        (Some(standard), None) => Definition::standard(standard),
        (Some(standard), Some(kind)) => {
            if kind.is_some_and(|kind| kind != standard.kind()) {
                slot.refuse(format_args!(
                    "is a standard attribute: it must be {}",
                    standard.kind().name()
                ));
            }
            Definition::standard(standard)
        }
        (None, Some(kind)) => Definition::plain(Attribute::named(name), kind?, false),
        (None, None) => {
            slot.refuse("needs a type: text, number, bool or date");
            return None;
        }
    };
    definition.required = fields.given("required").and_then(|s| s.bool()).unwrap_or(false);
    definition.exact = fields.given("exact").and_then(|s| s.bool()).unwrap_or(false);
    definition.in_ping = fields.given("ping").and_then(|s| s.bool()).unwrap_or(definition.in_ping);
    definition.least = fields.given("min").and_then(|s| s.decimal());
    definition.most = fields.given("max").and_then(|s| s.decimal());
    let allowed = fields.given("enum").and_then(read::words).unwrap_or_default();
    definition.allowed = allowed.iter().map(|word| word.as_str().into()).collect();
    fields.deny_unknown();
    Some(definition)
}

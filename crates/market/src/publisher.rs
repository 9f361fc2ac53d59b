//! Who sells leads to us, through which doors and on what terms.

use std::collections::BTreeMap;

use document::{Fields, Slot};
use lead::{Door, ProductId, PublisherId};
use rust_decimal::Decimal;

use crate::cap::{self, Cap, Owner};
use crate::{Affiliate, PayoutRule, PingtreeSource, Product, read};

/// A publisher.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// Its id.
    pub id: PublisherId,
    /// For people.
    pub name: String,
    /// What buyers see instead of the id and, then, instead of channel names too.
    pub alias: Option<String>,
    /// Whether its leads are real.
    pub mode: Mode,
    /// How it authenticates at each door.
    pub keys: BTreeMap<Door, Vec<KeyDigest>>,
    /// Its `publisher_id` at the Leadhub door.
    pub leadhub_id: Option<String>,
    /// What it is at the Bright Horizons door.
    pub affiliate: Option<Affiliate>,
    /// Its database source at the Pingtree door.
    pub pingtree: Option<PingtreeSource>,
    /// What else the BrainySoft door knows of it.
    pub brainysoft: BrainySoft,
    /// Terms that differ from the product's own.
    pub terms: BTreeMap<ProductId, Terms>,
}

/// A publisher at the BrainySoft door, beside its keys.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrainySoft {
    /// The user who may log in for a token.
    pub login: Option<LoginDigest>,
    /// Its leads are for this credit product if they name none.
    pub credit_product: Option<i64>,
    /// One consumer is another client for every manager, and so for every legal entity.
    pub clients_by_manager: bool,
}

/// A user, customer key and password, as the market keeps them: a digest. Passwords here are long and
/// random, as keys are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginDigest(KeyDigest);

impl LoginDigest {
    /// The digest of what a user presents.
    #[must_use]
    pub fn of(customer: &str, user: &str, password: &str) -> Self {
        let mut hasher = blake3::Hasher::new();
        for part in [customer, user, password] {
            // With its length, so that no part runs into the next.
            hasher.update(&part.len().to_le_bytes()).update(part.as_bytes());
        }
        Self(KeyDigest(*hasher.finalize().as_bytes()))
    }

    /// Whether it is the same, found out in constant time.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.0.is_same(&other.0)
    }

    /// For what is to be void once the login has changed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0.0
    }
}

impl BrainySoft {
    /// Reads what stands beside the keys of the door.
    fn read(fields: &Fields<'_, '_>) -> Self {
        let login = fields.given("login").and_then(|slot| {
            let fields = slot.fields()?;
            let (customer, user) = (fields.at("customer").filled(), fields.at("user").filled());
            let password = fields.at("password").filled();
            fields.deny_unknown();
            Some(LoginDigest::of(customer?, user?, password?))
        });
        let product = fields.given("credit_product").and_then(|slot| slot.integer(1, i64::MAX));
        let by_manager = fields.given("clients_by_manager").and_then(|slot| slot.bool());
        Self { login, credit_product: product, clients_by_manager: by_manager.unwrap_or(false) }
    }
}

/// Whether a publisher's leads are real.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// They are.
    Live,
    /// Every one is a test lead.
    Test,
}

/// What a publisher has agreed for one product.
#[derive(Debug, Clone, Default)]
pub struct Terms {
    /// Its part of a price.
    pub payout: Option<PayoutRule>,
    /// Least payout it takes.
    pub floor: Option<Decimal>,
    /// How many of its leads are bought in a window, or for how much payout.
    pub caps: Vec<Cap>,
}

/// A key as the market keeps it: a digest. Keys are long and random, so one pass is enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyDigest([u8; 32]);

impl KeyDigest {
    /// The digest of a key as presented.
    #[must_use]
    pub fn of(key: &str) -> Self {
        Self(*blake3::hash(key.as_bytes()).as_bytes())
    }

    /// Whether it is the same, found out in constant time.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        blake3::Hash::from_bytes(self.0) == blake3::Hash::from_bytes(other.0)
    }
}

/// What a publisher is at single doors, beside its keys.
#[derive(Default)]
struct Own {
    leadhub_id: Option<String>,
    affiliate: Option<Affiliate>,
    pingtree: Option<PingtreeSource>,
    brainysoft: BrainySoft,
}

impl Publisher {
    pub(crate) fn read(
        id: &PublisherId,
        slot: Slot<'_, '_>,
        products: &BTreeMap<ProductId, Product>,
    ) -> Option<Self> {
        let fields = slot.fields()?;
        let name = fields.at("name").filled();
        let alias = fields.given("alias").and_then(|s| s.filled()).map(str::to_owned);
        let modes = [("live", Mode::Live), ("test", Mode::Test)];
        let mode = fields.given("mode").map_or(Some(Mode::Live), |s| s.choice(&modes));
        let mut keys = BTreeMap::new();
        let mut own = Own::default();
        if let Some(doors) = fields.at("doors").fields() {
            keys = Self::doors(&doors, &mut own);
            doors.deny_unknown();
        }
        let terms = match fields.given("products") {
            Some(slot) => slot.fields().map(|own| {
                read::table(&own, |id: &ProductId, slot| Terms::read(slot, products.get(id)))
            }),
            None => Some(BTreeMap::new()),
        };
        fields.deny_unknown();
        Some(Self {
            id: id.clone(),
            name: name?.to_owned(),
            alias,
            mode: mode?,
            keys,
            leadhub_id: own.leadhub_id,
            affiliate: own.affiliate,
            pingtree: own.pingtree,
            brainysoft: own.brainysoft,
            terms: terms?,
        })
    }

    fn doors(doors: &Fields<'_, '_>, own: &mut Own) -> BTreeMap<Door, Vec<KeyDigest>> {
        let mut keys = BTreeMap::new();
        for door in Door::ALL {
            let slot = doors.at(door.name());
            let Some(fields) = slot.given().is_some().then(|| slot.fields()).flatten() else {
                continue;
            };
            if let Some(digests) = fields.at("keys").each(|key| key.filled().map(KeyDigest::of)) {
                keys.insert(*door, digests);
            }
            if *door == Door::Leadhub {
                own.leadhub_id = fields.at("publisher_id").filled().map(str::to_ascii_lowercase);
            }
            if *door == Door::BrightHorizons {
                own.affiliate = Affiliate::read(&fields);
            }
            if *door == Door::Pingtree {
                own.pingtree = PingtreeSource::read(&fields);
            }
            if *door == Door::BrainySoft {
                own.brainysoft = BrainySoft::read(&fields);
            }
            fields.deny_unknown();
        }
        keys
    }
}

impl Terms {
    fn read(slot: Slot<'_, '_>, product: Option<&Product>) -> Option<Self> {
        let fields = slot.fields()?;
        let payout = fields.given("payout").and_then(PayoutRule::read);
        let floor = fields.given("floor").and_then(read::amount);
        let currency = product.map(|product| product.currency);
        let caps = cap::caps(fields.given("caps"), Owner::Publisher(currency));
        fields.deny_unknown();
        Some(Self { payout, floor, caps: caps? })
    }
}

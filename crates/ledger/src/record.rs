//! What the ledger keeps, in the engine's words. Knows nothing of tables or files.

use std::sync::Arc;

use jiff::Timestamp;
use lead::{
    BuyerEvent, CampaignKey, Code, Disposition, LeadId, Money, OfferOutcome, PostClass, ProductId,
    PublisherId, RejectionReason, Sequence, Submission,
};
use market::{Cap, CapLimit};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::{Claim, Digest, RequestKey, legality};

/// Changes to one lead that reach stable storage together or not at all.
#[derive(Debug, Clone)]
pub struct Write {
    /// Whose changes.
    pub lead: LeadId,
    /// Present in a lead's first write, and only there.
    pub created: Option<Box<NewLead>>,
    /// In the order in which they happened.
    pub entries: Vec<Entry>,
}

/// A lead that the ledger has not seen.
#[derive(Debug, Clone)]
pub struct NewLead {
    /// When its request was complete.
    pub received_at: Timestamp,
    /// The market that its journey uses.
    pub market_version: u64,
    /// Everything that the publisher sent; sealed before it is stored.
    pub submission: Arc<Submission>,
    /// By which later leads of the same consumer find this one.
    pub claims: Vec<Claim>,
    /// By which the same request finds this lead.
    pub request: Option<RequestKey>,
    /// The signs of fraud that it shows, by name; no name holds a comma.
    pub signals: Vec<&'static str>,
}

/// One thing that happened to a lead.
#[derive(Debug, Clone)]
pub enum Entry {
    /// A post is about to start.
    Intent(Intent),
    /// A post has a class.
    Posted(Posted),
    /// The publisher was answered while a post runs.
    Answered(Answered),
    /// An offer or the whole lead ended.
    Settled(Settled),
    /// A buyer told an event.
    Reported(Reported),
    /// A lead that ended unsold is offered once more.
    Reopened(Reopened),
    /// The publisher takes a lead back that nobody bought: it is never offered again.
    Withdrawn(Timestamp),
}

/// Most events of a lead.
pub const EVENTS_MAX: usize = 64;

/// So many slots a lead has at most. A slot whose post is unknown stays taken; where the seller takes the
/// risk and offers the lead on, the next post takes the slot of the same place among the next so many, so
/// that the record of it names every sale that may be a second one.
pub const RESALE_SLOTS: u16 = 256;

/// Durable before the first byte of a post leaves.
#[derive(Debug, Clone)]
pub struct Intent {
    /// To which campaign.
    pub campaign: CampaignKey,
    /// How many complete rejects this pair has had.
    pub attempt: u32,
    /// Which of the lead's sales this would be; 0 when the lead is exclusive. From
    /// [`RESALE_SLOTS`] on it repeats one whose post is unknown.
    pub slot: u16,
    /// What the buyer bid.
    pub price: Money,
    /// What the publisher would get.
    pub payout: Money,
    /// What the sale counts for while its outcome is open, if the price falls due only then; at most the
    /// price. `None` if it is due at once.
    pub expected: Option<Money>,
    /// When.
    pub at: Timestamp,
}

/// What became of a post.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Of which intent.
    pub campaign: CampaignKey,
    /// Of which intent.
    pub attempt: u32,
    /// What is known now.
    pub class: PostClass,
    /// Why.
    pub code: Code,
    /// What is billed when accepted: the intent's price or a lower one.
    pub price: Money,
    /// What the publisher gets of it.
    pub payout: Money,
    /// Where the consumer goes.
    pub redirect_url: Option<String>,
    /// The buyer's own id of the lead; sealed before it is stored.
    pub reference: Option<String>,
    /// When.
    pub at: Timestamp,
}

/// How an offer ended, and the lead with it unless it may be offered again.
#[derive(Debug, Clone)]
pub struct Settled {
    /// `None` for a lead that was rejected before any offer.
    pub outcome: Option<OfferOutcome>,
    /// `None` while the lead may still change.
    pub disposition: Option<Disposition>,
    /// With [`Disposition::Rejected`].
    pub reason: Option<RejectionReason>,
    /// A row for every campaign whose filter matched.
    pub decisions: Vec<Decision>,
    /// What the publisher is told by this; a first answer stays, a later one changes nothing.
    pub answered: Option<Answered>,
    /// When.
    pub at: Timestamp,
}

/// What a buyer told of a lead that it bought, or may have: whether its post was accepted may be known
/// only later.
#[derive(Debug, Clone, PartialEq)]
pub struct Reported {
    /// To which campaign the lead was posted.
    pub campaign: CampaignKey,
    /// What happened, in the buyer's word.
    pub event: BuyerEvent,
    /// By which the same report is known again; a lead has no two with one mark.
    pub mark: Digest,
    /// The buyer's own id of it; sealed before it is stored.
    pub reference: Option<String>,
    /// What else the buyer said; sealed before it is stored.
    pub metadata: Map<String, Value>,
    /// When.
    pub at: Timestamp,
}

/// A further offer of a lead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reopened {
    /// What it must pay the publisher, in the product's currency; `None` if anything will do.
    pub least: Option<Decimal>,
    /// The market that it uses.
    pub market_version: u64,
}

/// What a publisher was told first, so that the same request gets the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answered {
    /// Sold.
    Distributed,
    /// Not sold, for good.
    NewFinal,
    /// Not sold yet.
    New,
    /// Not accepted.
    Rejected,
}

/// One campaign's part in a lead's journey.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Which campaign.
    pub campaign: CampaignKey,
    /// From 1.
    pub tier: u8,
    /// How far it came and why no further.
    pub code: Code,
    /// What it bid, in the product's currency.
    pub bid: Option<Decimal>,
    /// What that bid ranked by.
    pub score: Option<Decimal>,
    /// How long its ping took.
    pub ping_ms: Option<u32>,
    /// How long its post took.
    pub post_ms: Option<u32>,
    /// The cap or the funds that left no room for it, where that was it.
    pub limit: Option<Box<Limit>>,
    /// The buyer's own word, which may name the consumer: sealed before it is stored.
    pub reason: Option<String>,
}

/// A cap, or a buyer's funds, that left no room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// Whose.
    pub party: Party,
    /// What it allows; a buyer's funds allow so much spend in total.
    pub cap: Cap,
    /// How much of it was used, in the unit of its limit.
    pub used: CapLimit,
    /// From when until when that counts; `None` for ever.
    pub window: Option<(Timestamp, Timestamp)>,
}

/// Who has caps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Party {
    /// One campaign.
    Campaign,
    /// All campaigns of a buyer.
    Buyer,
    /// A publisher, for one product.
    Publisher,
}

/// A market that leads' journeys used.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptMarket {
    /// From 1; leads name it.
    pub version: u64,
    /// What it is compiled from.
    pub source: String,
}

/// Proof that a write is on stable storage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Receipt {
    /// The lead's number.
    pub sequence: Sequence,
}

/// A lead as the ledger knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadRecord {
    /// Its id.
    pub id: LeadId,
    /// Its number.
    pub sequence: Sequence,
    /// Whose lead.
    pub publisher: PublisherId,
    /// For what.
    pub product: ProductId,
    /// When its request was complete.
    pub received_at: Timestamp,
    /// The market that its last offer used.
    pub market_version: u64,
    /// What the publisher sent; `None` once erased.
    pub submission: Option<Submission>,
    /// The signs of fraud that it showed.
    pub signals: Vec<String>,
    /// How often it was offered, at least once.
    pub offers: u32,
    /// What the last offer must pay where it is not the first; see [`Reopened`].
    pub least: Option<Decimal>,
    /// Its publisher took it back.
    pub withdrawn: bool,
    /// How the last offer ended.
    pub outcome: Option<OfferOutcome>,
    /// How the lead ended; `None` while open.
    pub disposition: Option<Disposition>,
    /// Why it was rejected.
    pub reason: Option<RejectionReason>,
    /// What its publisher was told first.
    pub answered: Option<Answered>,
    /// Every post, in order.
    pub posts: Vec<PostRecord>,
    /// The last offer's rows.
    pub decisions: Vec<Decision>,
    /// What its buyers told of it since, in order.
    pub events: Vec<Reported>,
}

/// A post as the ledger knows it.
#[derive(Debug, Clone, PartialEq)]
pub struct PostRecord {
    /// To which campaign.
    pub campaign: CampaignKey,
    /// How many complete rejects came before.
    pub attempt: u32,
    /// Which sale of the lead.
    pub slot: u16,
    /// `None` while the intent is open.
    pub class: Option<PostClass>,
    /// Why, once there is a class.
    pub code: Option<Code>,
    /// Billed when accepted, or once its outcome is known.
    pub price: Money,
    /// The publisher's part.
    pub payout: Money,
    /// As in its intent.
    pub expected: Option<Money>,
    /// Where the consumer goes.
    pub redirect_url: Option<String>,
    /// The buyer's own id.
    pub reference: Option<String>,
    /// When the intent was written.
    pub intent_at: Timestamp,
    /// When it got its class.
    pub posted_at: Option<Timestamp>,
}

/// Some of the leads that a publisher posted at the Pingtree door, newest first.
#[derive(Debug, Clone)]
pub struct SourceQuery {
    /// Whose.
    pub publisher: PublisherId,
    /// That came at or after this.
    pub since: Option<Timestamp>,
    /// That came before this.
    pub until: Option<Timestamp>,
    /// Older than this one.
    pub before: Option<Sequence>,
    /// At most so many.
    pub most: u16,
}

/// A post whose answer is not on record.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenIntent {
    /// Of which lead.
    pub lead: LeadId,
    /// As far as it came.
    pub post: PostRecord,
}

/// A post as counters need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostRow {
    /// Of which lead, while it is unclear whether that was sold.
    pub lead: Option<LeadId>,
    /// To which campaign.
    pub campaign: CampaignKey,
    /// Whose lead.
    pub publisher: PublisherId,
    /// For what.
    pub product: ProductId,
    /// `None` while the intent is open.
    pub class: Option<PostClass>,
    /// Billed when accepted, or once its outcome is known.
    pub price: Money,
    /// The publisher's part.
    pub payout: Money,
    /// As in its intent.
    pub expected: Option<Money>,
    /// When the intent was written.
    pub intent_at: Timestamp,
    /// A rehearsal.
    pub test: bool,
}

impl Party {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::Campaign, Self::Buyer, Self::Publisher];

    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Campaign => "campaign",
            Self::Buyer => "buyer",
            Self::Publisher => "publisher",
        }
    }
}

/// Without the source, which holds keys.
impl std::fmt::Debug for KeptMarket {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptMarket").field("version", &self.version).finish_non_exhaustive()
    }
}

impl Answered {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::Distributed, Self::NewFinal, Self::New, Self::Rejected];

    /// The stable number in the ledger.
    #[must_use]
    pub fn number(self) -> i64 {
        match self {
            Self::Distributed => 1,
            Self::NewFinal => 2,
            Self::New => 3,
            Self::Rejected => 4,
        }
    }

    /// The one with that number.
    #[must_use]
    pub fn numbered(number: i64) -> Option<Self> {
        Self::ALL.iter().copied().find(|answered| answered.number() == number)
    }
}

impl PostRecord {
    /// A post that is about to start.
    pub(crate) fn opened(intent: &Intent) -> Self {
        Self {
            campaign: intent.campaign.clone(),
            attempt: intent.attempt,
            slot: intent.slot,
            class: None,
            code: None,
            price: intent.price,
            payout: intent.payout,
            expected: intent.expected,
            redirect_url: None,
            reference: None,
            intent_at: legality::kept(intent.at),
            posted_at: None,
        }
    }

    /// Takes over what became of it.
    pub(crate) fn classify(&mut self, posted: &Posted) {
        self.class = Some(posted.class);
        self.code = Some(posted.code);
        (self.price, self.payout) = legality::billed(posted).unwrap_or((self.price, self.payout));
        self.redirect_url.clone_from(&posted.redirect_url);
        self.reference.clone_from(&posted.reference);
        self.posted_at = Some(legality::kept(posted.at));
    }

    /// Made while an earlier post for the same sale was unknown: the seller took the risk of a second.
    #[must_use]
    pub fn is_at_risk(&self) -> bool {
        self.slot >= RESALE_SLOTS
    }

    /// Whether nobody knows yet if it sold.
    #[must_use]
    pub fn is_unclear(&self) -> bool {
        matches!(self.class, None | Some(PostClass::Unknown))
    }
}

impl LeadRecord {
    /// The accepted posts.
    pub fn sales(&self) -> impl Iterator<Item = &PostRecord> {
        self.posts.iter().filter(|post| post.class == Some(PostClass::Accepted))
    }
}

//! Delivering a lead to one campaign: the only place where contact data leaves the house.

use std::fmt;

use lead::{
    Attributes, Code, Consent, Contact, Health, LeadId, Money, PingId, PostClass, ProductId,
};
use market::Campaign;

use crate::classify;

/// A lead for one campaign.
#[derive(Clone)]
pub struct Post<'a> {
    /// Who gets it.
    pub campaign: &'a Campaign,
    /// Which lead.
    pub lead: LeadId,
    /// What the campaign shows to tell an event of it without a key.
    pub event_token: &'a str,
    /// Complete rejects of this pair so far.
    pub attempt: u32,
    /// Sent before under the same key, with an answer that is unknown: only a campaign that honours
    /// keys is posted to again.
    pub again: bool,
    /// The ping that it follows, if there was one.
    pub ping: Option<PingId>,
    /// The buyer's own id of its bid.
    pub bid_reference: Option<&'a str>,
    /// The price agreed.
    pub price: Money,
    /// What the consumer asks for.
    pub product: &'a ProductId,
    /// A rehearsal.
    pub test: bool,
    /// The publisher's own id of the lead.
    pub external_id: Option<&'a str>,
    /// Everything known but who the consumer is.
    pub attributes: &'a Attributes,
    /// Who the consumer is.
    pub contact: &'a Contact,
    /// What the consumer agreed to.
    pub consent: &'a Consent,
}

impl<'a> Post<'a> {
    /// Names this delivery to the buyer, the same for every repetition of it.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        self.query().idempotency_key()
    }

    /// The question what became of it.
    #[must_use]
    pub fn query(&self) -> StatusQuery<'a> {
        let Self { campaign, lead, attempt, product, test, .. } = *self;
        StatusQuery { campaign, lead, attempt, product, test }
    }
}

/// Which post is asked about. Says nothing of who the consumer is.
#[derive(Debug, Clone, Copy)]
pub struct StatusQuery<'a> {
    /// Who is asked.
    pub campaign: &'a Campaign,
    /// Which lead.
    pub lead: LeadId,
    /// Complete rejects of this pair before that post.
    pub attempt: u32,
    /// What the consumer asks for.
    pub product: &'a ProductId,
    /// A rehearsal: nobody is asked about it.
    pub test: bool,
}

impl StatusQuery<'_> {
    /// The key under which the post was made.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        format!("{}-{}-{}", self.lead, self.campaign.key.campaign, self.attempt)
    }
}

impl fmt::Debug for Post<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Post({} to {})", self.lead, self.campaign.key)
    }
}

/// What is known after a post.
#[derive(Clone, PartialEq, Eq)]
pub struct PostReply {
    /// What it means for the sale.
    pub class: PostClass,
    /// Why.
    pub code: Code,
    /// A price stated in the reply.
    pub price: Option<rust_decimal::Decimal>,
    /// Where the consumer goes.
    pub redirect_url: Option<String>,
    /// The buyer's own id of the lead.
    pub reference: Option<String>,
    /// The buyer's own word; bounded, printable.
    pub reason: Option<String>,
    /// What it says of the endpoint.
    pub health: Health,
}

impl PostReply {
    /// A class and a code, nothing more known.
    #[must_use]
    pub fn bare(class: PostClass, code: Code) -> Self {
        let health = classify::health(class, code);
        Self { class, code, price: None, redirect_url: None, reference: None, reason: None, health }
    }
}

/// A redirect names the consumer to the buyer, so it is not shown.
impl fmt::Debug for PostReply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PostReply({} {})", self.class.name(), self.code)
    }
}

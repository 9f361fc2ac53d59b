//! The vocabulary that every other crate speaks: ids, money, attributes, contact, bids, codes,
//! dispositions, deadlines. Pure data in the order of a lead's life.
//!
//! This crate must never perform IO, read a clock or an environment, or know any other crate of ours.
//! Contact data lives in one type, [`Contact`], that nothing sent in a ping can hold and whose `Debug`
//! shows nothing.

pub mod attribute;
pub mod bid;
pub mod card;
pub mod clock;
pub mod code;
pub mod consent;
pub mod contact;
pub mod disposition;
pub mod email;
pub mod event;
pub mod explanation;
pub mod hashes;
pub mod id;
pub mod journey;
pub mod money;
pub mod outlook;
pub mod phone;
pub mod postal;
pub mod quote;
pub mod requested;
pub mod stored;
pub mod submission;

pub use attribute::{Attribute, Attributes, Kind, PingAttributes, Reading, Standard, Value};
pub use bid::{Bid, Health, NoBid};
pub use clock::{Clock, Deadline};
pub use code::Code;
pub use consent::{Consent, ConsentEntry};
pub use contact::{Address, Contact};
pub use disposition::{Disposition, OfferOutcome, PostClass, RejectionReason};
pub use event::{BuyerEvent, Heard, Report, Reporter};
pub use explanation::{Explanation, Gap, Stage, Step};
pub use hashes::{Hash, Hashes};
pub use id::{BuyerId, CampaignId, CampaignKey, LeadId, PingId, ProductId, PublisherId, Sequence};
pub use money::{Currency, Money};
pub use outlook::Outlook;
pub use quote::{NoQuote, Quote};
pub use requested::{NotRequestable, Requested};
pub use stored::{Page, StoredLead, StoredLeads};
pub use submission::{Answer, Door, PayoutBasis, Sale, Status, Submission};

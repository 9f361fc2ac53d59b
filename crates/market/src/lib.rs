//! Who trades: publishers, products, buyers and their campaigns. Types, reading and validation.
//!
//! A [`Market`] is read whole from documents or refused whole, every defect with its place. This crate
//! must never know how leads are matched or sold, hold a lead, perform IO or read a clock.

mod buyer;
pub mod call;
mod campaign;
mod cap;
mod dictionary;
mod market;
mod price;
mod product;
mod publisher;
mod read;
mod schedule;
mod secret;
mod source;
mod tier;
mod url;

#[cfg(test)]
mod tests;

pub use buyer::Buyer;
pub use call::{Call, CallKind, Format, Method};
pub use campaign::{Campaign, CampaignStatus, Delivery, OnAmbiguous, Sandbox};
pub use cap::{Cap, CapLimit, CapOf, Window};
pub use dictionary::{Definition, Dictionary};
pub use market::Market;
pub use price::{Outcome, Price, Score, Sells};
pub use product::{DuplicateKey, Duplicates, Eligibility, PayoutRule, Product, Range};
pub use publisher::{BrainySoft, KeyDigest, LoginDigest, Mode, Publisher, Terms};
pub use schedule::Schedule;
pub use secret::{Place, Secret, Secrets, Vault};
pub use source::{Fault, Sources};
pub use tier::{Tier, TierMode};
pub use url::Url;

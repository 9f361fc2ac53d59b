//! Who trades: publishers, products, buyers and their campaigns. Types, reading and validation.
//!
//! A [`Market`] is read whole from documents or refused whole, every defect with its place. This crate
//! must never know how leads are matched or sold, hold a lead, perform IO or read a clock.

mod bright_horizons;
mod buyer;
pub mod call;
mod campaign;
mod cap;
mod change;
mod dictionary;
mod lists;
mod market;
mod pingtree;
mod places;
mod price;
mod product;
mod publisher;
mod read;
mod schedule;
mod secret;
mod source;
mod tier;
mod url;
mod written;

#[cfg(test)]
mod tests;

pub use bright_horizons::{Affiliate, BrightHorizons, Meaning, PostField};
pub use buyer::Buyer;
pub use call::{Call, CallKind, Format, Method};
pub use campaign::{Campaign, CampaignStatus, Delivery, OnAmbiguous, Sandbox};
pub use cap::{Cap, CapLimit, CapOf, Window};
pub use change::{Standing, State};
pub use dictionary::{Definition, Dictionary};
pub use lists::ValueLists;
pub use market::Market;
pub use pingtree::{PingtreeSource, SourceKey};
pub use places::{Country, Places, Radius, Spot, Unit};
pub use price::{Outcome, Price, Score, Sells};
pub use product::{
    DuplicateKey, Duplicates, Eligibility, OPERATOR_FIELDS, PayoutRule, Product, Range,
};
pub use publisher::{BrainySoft, KeyDigest, LoginDigest, Mode, Publisher, Terms};
pub use schedule::Schedule;
pub use secret::{Place, Secret, Secrets, Vault};
pub use source::{Fault, Sources};
pub use tier::{Tier, TierMode};
pub use url::Url;
pub use written::{from_json, to_json};

//! What a lead that says this and that would find now, as its publisher may know it. A promise of nothing.

use crate::{Money, RejectionReason};

/// What a lead would find.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outlook {
    /// The product would not take it.
    Rejected(RejectionReason),
    /// No campaign would be asked.
    Nobody,
    /// Some would; the payout at the least from the one that pays most, where a price is due with the sale.
    Open(Option<Money>),
}

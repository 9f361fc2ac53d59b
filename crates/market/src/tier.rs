//! A rung of a product's tree: who of its campaigns is posted to first, and from what price on.

use std::time::Duration;

use document::Slot;
use lead::{Currency, Money};

use crate::read;

/// A rung of the tree.
#[derive(Debug, Clone)]
pub struct Tier {
    /// How its campaigns are asked.
    pub mode: TierMode,
    /// Least price.
    pub floor: Money,
    /// Longest wait for its bids.
    pub time_limit: Duration,
}

/// Who of a tier's campaigns is posted to first. Those with a ping call are pinged at once in every mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TierMode {
    /// The best score; the lead is sold whole or shared, whichever is worth more.
    Auction,
    /// The highest priority; prices are fixed.
    Waterfall,
    /// The campaign furthest below its share of the posts, by weight.
    Weighted,
    /// The best score; the lead is only ever shared, by as many as it has slots.
    Broadcast,
}

impl TierMode {
    const NAMES: [(&str, Self); 4] = [
        ("auction", Self::Auction),
        ("waterfall", Self::Waterfall),
        ("weighted", Self::Weighted),
        ("broadcast", Self::Broadcast),
    ];
}

impl Tier {
    pub(crate) fn read(slot: Slot<'_, '_>, currency: Currency, slots: Option<u16>) -> Option<Self> {
        let fields = slot.fields()?;
        let mode_slot = fields.at("mode");
        let mode = mode_slot.choice(&TierMode::NAMES);
        if mode == Some(TierMode::Broadcast) && slots == Some(1) {
            mode_slot.refuse(
                "must be auction, waterfall or weighted: a broadcast shares the lead, which needs \
                 slots of at least 2, found 1",
            );
        }
        let floor = read::price_or_zero(fields.given("floor"), currency);
        let limit = fields
            .given("time_limit_ms")
            .map_or(Some(Duration::from_secs(60)), |s| read::millis(s, 10, 60_000));
        fields.deny_unknown();
        Some(Self { mode: mode?, floor: floor?, time_limit: limit? })
    }
}

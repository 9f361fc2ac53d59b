//! What may follow what: the legal transitions of a lead and of an offer, as tables. A transition that
//! is not in a table is a bug in the caller, never a new state.

use crate::{Disposition, OfferOutcome};

/// The states of a lead: `None` is open, else its disposition.
pub type LeadState = Option<Disposition>;

/// Every legal change of a lead's state. An open lead may take any disposition; only a review changes
/// one, and only `Indeterminate`.
pub const LEAD_TRANSITIONS: &[(LeadState, Disposition)] = &[
    (None, Disposition::Sold),
    (None, Disposition::Rejected),
    (None, Disposition::Unsold),
    (None, Disposition::Indeterminate),
    (None, Disposition::Test),
    (Some(Disposition::Indeterminate), Disposition::Sold),
    (Some(Disposition::Indeterminate), Disposition::Unsold),
];

/// Whether a lead in `from` may take `to`.
#[must_use]
pub fn lead_may_become(from: LeadState, to: Disposition) -> bool {
    LEAD_TRANSITIONS.contains(&(from, to))
}

/// What a lead's slots hold so far, on one pass through the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Held {
    /// Nothing.
    Nothing,
    /// A post whose answer is unknown, and no sale.
    Unknown,
    /// A sale.
    Sold,
}

/// Where one pass through the tree stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OfferState {
    /// Campaigns are being matched, gated and asked.
    Asking(Held),
    /// An intent is on stable storage and its post has no class yet.
    Posting(Held),
    /// As `Posting`, and the publisher has been answered.
    Pending(Held),
    /// Over.
    Ended(OfferOutcome),
}

/// What can happen to an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OfferEvent {
    /// No campaign is eligible.
    NoneEligible,
    /// An intent was made durable.
    IntentWritten,
    /// The post was accepted, and nothing of the lead is left to sell.
    Accepted,
    /// The post was accepted, and more slots may be sold.
    SlotSold,
    /// The post was refused or not sent.
    Refused,
    /// The post's answer is unknown, and policy holds all that was left of the lead.
    Unknown,
    /// The post's answer is unknown: its slot is held, and others may be sold.
    SlotUnknown,
    /// The post's answer is unknown, and policy offers its slot to the next bid at the seller's risk.
    PassedOn,
    /// Nothing is left to ask.
    Exhausted,
    /// The budget or the time ran out.
    OutOfTime,
}

impl Held {
    /// How an offer ends that nothing more comes of; `empty` is the word where nothing is held.
    fn outcome(self, empty: OfferOutcome) -> OfferOutcome {
        match self {
            Self::Nothing => empty,
            Self::Unknown => OfferOutcome::Indeterminate,
            Self::Sold => OfferOutcome::Sold,
        }
    }

    fn and_unknown(self) -> Self {
        if self == Self::Nothing { Self::Unknown } else { self }
    }
}

impl OfferState {
    /// The state after `event`; `None` if that cannot happen here. Every legal change stands in this
    /// table.
    #[must_use]
    pub fn after(self, event: OfferEvent) -> Option<Self> {
        use OfferEvent as E;
        use OfferOutcome as O;
        Some(match (self, event) {
            (Self::Asking(Held::Nothing), E::NoneEligible) => Self::Ended(O::Unmatched),
            (Self::Asking(held), E::IntentWritten) => Self::Posting(held),
            (Self::Asking(held), E::Exhausted) => Self::Ended(held.outcome(O::Unsold)),
            (Self::Asking(held), E::OutOfTime) => Self::Ended(held.outcome(O::Expired)),

            (Self::Posting(held), E::Refused) => Self::Asking(held),
            (Self::Posting(_), E::SlotSold) => Self::Asking(Held::Sold),
            (Self::Posting(held), E::SlotUnknown | E::PassedOn) => Self::Asking(held.and_unknown()),
            (Self::Posting(_), E::Accepted) => Self::Ended(O::Sold),
            (Self::Posting(held), E::Unknown) => Self::Ended(held.outcome(O::Indeterminate)),
            (Self::Posting(held), E::OutOfTime) => Self::Pending(held),

            (Self::Pending(held), E::Refused) => Self::Ended(held.outcome(O::Expired)),
            (Self::Pending(_), E::Accepted | E::SlotSold) => Self::Ended(O::Sold),
            (Self::Pending(held), E::Unknown | E::SlotUnknown) => {
                Self::Ended(held.outcome(O::Indeterminate))
            }
            _ => return None,
        })
    }

    /// How the offer ends if it is stopped here and the post under way, if any, is not made.
    #[must_use]
    pub fn if_stopped(self) -> OfferOutcome {
        match self {
            Self::Ended(outcome) => outcome,
            Self::Asking(held) | Self::Posting(held) | Self::Pending(held) => {
                held.outcome(OfferOutcome::Expired)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The whole matrix, so that a changed table shows up as a changed picture.
    #[test]
    fn lead_matrix() {
        let states = std::iter::once(None).chain(Disposition::ALL.iter().copied().map(Some));
        let mut picture = String::new();
        for from in states {
            let row: String = Disposition::ALL
                .iter()
                .map(|to| if lead_may_become(from, *to) { 'x' } else { '.' })
                .collect();
            picture.push_str(&format!("{} {row}\n", from.map_or("open", Disposition::name)));
        }
        assert_eq!(
            picture,
            "open xxxxx\nsold .....\nrejected .....\nunsold .....\nindeterminate x.x..\ntest .....\n"
        );
    }

    const EVENTS: [OfferEvent; 10] = {
        use OfferEvent::*;
        [
            NoneEligible,
            IntentWritten,
            Accepted,
            SlotSold,
            Refused,
            Unknown,
            SlotUnknown,
            PassedOn,
            Exhausted,
            OutOfTime,
        ]
    };

    fn states() -> impl Iterator<Item = OfferState> {
        let running = [OfferState::Asking, OfferState::Posting, OfferState::Pending];
        let held = [Held::Nothing, Held::Unknown, Held::Sold];
        let running = running.into_iter().flat_map(move |state| held.map(state));
        running.chain(OfferOutcome::ALL.iter().copied().map(OfferState::Ended))
    }

    /// A row a state, a column an event in the order of `EVENTS`.
    #[test]
    fn offer_matrix() {
        let short = |state: OfferState| match state {
            OfferState::Asking(held) => format!("ask/{held:?}"),
            OfferState::Posting(held) => format!("post/{held:?}"),
            OfferState::Pending(held) => format!("pend/{held:?}"),
            OfferState::Ended(outcome) => outcome.name().to_owned(),
        };
        let row = |state: OfferState| {
            let next = EVENTS.map(|event| state.after(event).map_or("-".to_owned(), short));
            format!("{}: {}", short(state), next.join(" "))
        };
        assert_eq!(
            states().map(row).collect::<Vec<_>>(),
            [
                "ask/Nothing: unmatched post/Nothing - - - - - - unsold expired",
                "ask/Unknown: - post/Unknown - - - - - - indeterminate indeterminate",
                "ask/Sold: - post/Sold - - - - - - sold sold",
                "post/Nothing: - - sold ask/Sold ask/Nothing indeterminate ask/Unknown ask/Unknown - pend/Nothing",
                "post/Unknown: - - sold ask/Sold ask/Unknown indeterminate ask/Unknown ask/Unknown - pend/Unknown",
                "post/Sold: - - sold ask/Sold ask/Sold sold ask/Sold ask/Sold - pend/Sold",
                "pend/Nothing: - - sold sold expired indeterminate indeterminate - - -",
                "pend/Unknown: - - sold sold indeterminate indeterminate indeterminate - - -",
                "pend/Sold: - - sold sold sold sold sold - - -",
                "sold: - - - - - - - - - -",
                "unmatched: - - - - - - - - - -",
                "unsold: - - - - - - - - - -",
                "expired: - - - - - - - - - -",
                "indeterminate: - - - - - - - - - -",
                "pending: - - - - - - - - - -",
            ]
        );
    }

    /// What was sold stays sold, and what is held stays held, whatever follows.
    #[test]
    fn nothing_held_is_lost() {
        for state in states() {
            for next in EVENTS.iter().filter_map(|event| state.after(*event)) {
                let (before, after) = (state.if_stopped(), next.if_stopped());
                match before {
                    OfferOutcome::Sold => assert_eq!(after, OfferOutcome::Sold, "{state:?}"),
                    OfferOutcome::Indeterminate => assert!(
                        matches!(after, OfferOutcome::Sold | OfferOutcome::Indeterminate),
                        "{state:?} {next:?}"
                    ),
                    _ => {}
                }
            }
        }
    }
}

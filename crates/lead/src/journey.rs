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

/// Where one pass through the tree stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OfferState {
    /// Campaigns are being matched, gated and asked.
    Asking,
    /// An intent is on stable storage and its post has no class yet.
    Posting,
    /// As `Posting`, and the publisher has been answered.
    Pending,
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
    /// The post was accepted.
    Accepted,
    /// The post was refused or not sent.
    Refused,
    /// The post's answer is unknown, and policy holds the slot; or nothing is left to ask, and that of
    /// one that was passed on is unknown still.
    Unknown,
    /// The post's answer is unknown, and policy offers the lead to the next bid at the seller's risk.
    PassedOn,
    /// Nothing is left to ask.
    Exhausted,
    /// The budget or the time ran out.
    OutOfTime,
}

/// Every legal change of an offer's state.
pub const OFFER_TRANSITIONS: &[(OfferState, OfferEvent, OfferState)] = {
    use OfferEvent as E;
    use OfferOutcome as O;
    use OfferState as S;
    &[
        (S::Asking, E::NoneEligible, S::Ended(O::Unmatched)),
        (S::Asking, E::IntentWritten, S::Posting),
        (S::Asking, E::Exhausted, S::Ended(O::Unsold)),
        (S::Asking, E::OutOfTime, S::Ended(O::Expired)),
        (S::Asking, E::Unknown, S::Ended(O::Indeterminate)),
        (S::Posting, E::Accepted, S::Ended(O::Sold)),
        (S::Posting, E::Refused, S::Asking),
        (S::Posting, E::Unknown, S::Ended(O::Indeterminate)),
        (S::Posting, E::PassedOn, S::Asking),
        (S::Posting, E::OutOfTime, S::Pending),
        (S::Pending, E::Accepted, S::Ended(O::Sold)),
        (S::Pending, E::Refused, S::Ended(O::Expired)),
        (S::Pending, E::Unknown, S::Ended(O::Indeterminate)),
    ]
};

impl OfferState {
    /// The state after `event`; `None` if that cannot happen here.
    #[must_use]
    pub fn after(self, event: OfferEvent) -> Option<Self> {
        let row = OFFER_TRANSITIONS.iter().find(|(from, on, _)| *from == self && *on == event);
        row.map(|(_, _, to)| *to)
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

    #[test]
    fn offer_matrix() {
        use OfferEvent::*;
        let events = [
            NoneEligible,
            IntentWritten,
            Accepted,
            Refused,
            Unknown,
            PassedOn,
            Exhausted,
            OutOfTime,
        ];
        let ended = OfferOutcome::ALL.iter().copied().map(OfferState::Ended);
        let states =
            [OfferState::Asking, OfferState::Posting, OfferState::Pending].into_iter().chain(ended);
        let mut picture = Vec::new();
        for state in states {
            for event in events {
                if let Some(next) = state.after(event) {
                    picture.push(format!("{state:?} {event:?} {next:?}"));
                }
            }
        }
        assert_eq!(
            picture,
            [
                "Asking NoneEligible Ended(Unmatched)",
                "Asking IntentWritten Posting",
                "Asking Unknown Ended(Indeterminate)",
                "Asking Exhausted Ended(Unsold)",
                "Asking OutOfTime Ended(Expired)",
                "Posting Accepted Ended(Sold)",
                "Posting Refused Asking",
                "Posting Unknown Ended(Indeterminate)",
                "Posting PassedOn Asking",
                "Posting OutOfTime Pending",
                "Pending Accepted Ended(Sold)",
                "Pending Refused Ended(Expired)",
                "Pending Unknown Ended(Indeterminate)",
            ]
        );
        assert_eq!(picture.len(), OFFER_TRANSITIONS.len(), "a row stands twice");
    }

    /// An end is an end: no event leads out of one, and nothing sold is ever posted again.
    #[test]
    fn ended_offers_stay_ended() {
        assert!(!OFFER_TRANSITIONS.iter().any(|(from, ..)| matches!(from, OfferState::Ended(_))));
    }
}

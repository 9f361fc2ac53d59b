//! The doors: one module a dialect, each one decode and one encode. None knows the engine.

pub(crate) mod brainysoft;
pub(crate) mod bright_horizons;
pub(crate) mod leadhub;
pub(crate) mod native;
pub(crate) mod pingtree;

use std::collections::BTreeMap;

use jiff::Timestamp;
use lead::{Answer, Door, RejectionReason, Status, Submission};
use market::{Market, Publisher};

use crate::Reply;
use crate::reply::Fault;

/// For replies that nobody is sent.
const NO_TIME: Timestamp = Timestamp::UNIX_EPOCH;

/// What a door makes of a publisher's body: a lead, or the reply that refuses it. The body is scratch
/// afterwards.
///
/// # Errors
/// The reply, when there is no lead.
pub fn decode(
    door: Door,
    publisher: &Publisher,
    market: &Market,
    body: &mut [u8],
) -> Result<Box<Submission>, Box<Reply>> {
    let root = document::parse_json(body).map_err(Fault::Unparsable);
    let decoded = root.and_then(|mut root| match door {
        Door::Leadhub => leadhub::decode(&root, publisher, market),
        Door::Native => native::decode(&root, publisher, market),
        Door::BrightHorizons => bright_horizons::decode_of(&root, publisher, market),
        Door::Pingtree => pingtree::decode_of(&root, publisher, market),
        Door::BrainySoft => {
            brainysoft::scrub(&mut root);
            brainysoft::decode(&root, publisher, market)
        }
    });
    let reply = match (door, decoded) {
        (_, Ok(Decoded::Lead(submission))) => return Ok(submission),
        (Door::Leadhub, Ok(Decoded::Rejected(answer))) => leadhub::encode(&answer),
        (Door::Leadhub, Err(fault)) => leadhub::fault(&fault),
        (Door::BrightHorizons, Err(fault)) => bright_horizons::fault(&fault, None, false),
        (Door::Pingtree, Ok(Decoded::Rejected(answer))) => {
            pingtree::encode(&answer, pingtree::Dialect::Id, true)
        }
        (Door::BrainySoft, Ok(Decoded::Rejected(answer))) => brainysoft::encode(&answer, NO_TIME),
        (Door::BrainySoft, Err(fault)) => brainysoft::fault(&fault, NO_TIME),
        (Door::Pingtree, Err(fault)) => pingtree::fault(&fault, pingtree::Dialect::Id),
        (Door::Native | Door::BrightHorizons, Ok(Decoded::Rejected(answer))) => {
            native::encode(&answer)
        }
        (Door::Native, Err(fault)) => native::fault(&fault),
    };
    Err(Box::new(reply))
}

/// What a door makes of a body that it can read.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// A lead for the engine.
    Lead(Box<Submission>),
    /// Refused by what the market says, before there is a lead.
    Rejected(Box<Answer>),
}

impl Decoded {
    /// The answer to a lead that never came to be; there is nothing to store.
    pub(crate) fn rejected(
        reason: RejectionReason,
        external_id: Option<String>,
        tags: BTreeMap<String, String>,
    ) -> Self {
        Self::Rejected(Box::new(Answer {
            lead: None,
            status: Status::Rejected(reason),
            is_final: true,
            currency: None,
            external_id,
            tags,
        }))
    }
}

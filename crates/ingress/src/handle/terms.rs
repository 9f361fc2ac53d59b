//! What the headers of a lead's request ask for, the same at every door, and how a lead is handed over under
//! it. Must never look at who sends it, or into its body.

use std::time::{Duration, Instant};

use hyper::header::HeaderMap;
use jiff::Timestamp;
use lead::{PingId, Requested, Submission};
use market::Publisher;

use super::rehearsal;
use crate::reply::Fault;
use crate::{Arrival, Distribute, Limits, RequestId};

/// Said of an Idempotency-Key that cannot be one.
pub(crate) const BAD_KEY: &str =
    "the header Idempotency-Key must be given once, with 1 to 255 visible characters";

/// Said of a budget that is none.
pub(crate) const BAD_BUDGET: &str =
    "the header Gavel-Budget-Ms must be a whole number of milliseconds above 0";

/// When a request's header was complete: on the wall, and for deadlines.
pub(super) type Moment = (Timestamp, Instant);

/// What a request's headers ask for.
pub(super) struct Terms {
    /// A shorter budget than the product's.
    pub(super) budget: Option<Duration>,
    /// The Idempotency-Key.
    pub(super) key: Option<String>,
    /// How a test lead is to end.
    pub(super) asked: Option<Requested>,
}

impl Terms {
    /// Reads them, before a body is read.
    ///
    /// # Errors
    /// The first header that cannot be read; or no lead can be taken now.
    pub(super) fn read<D: Distribute>(
        desk: &D,
        limits: &Limits,
        headers: &HeaderMap,
    ) -> Result<Self, Fault> {
        let budget = budget(headers)?;
        let key = idempotency_key(headers)?;
        let asked = rehearsal::asked(headers)?;
        match desk.unavailable() {
            Some(why) => Err(Fault::Unavailable(why, limits.retry_after)),
            None => Ok(Self { budget, key, asked }),
        }
    }
}

/// Everything of a request but its lead.
pub(super) struct Sent<'m> {
    pub(super) publisher: &'m Publisher,
    pub(super) terms: Terms,
    /// The digest of its body.
    pub(super) body: [u8; 32],
    /// The ping that it is the post of.
    pub(super) ping: Option<PingId>,
    pub(super) at: Moment,
}

impl Sent<'_> {
    /// The lead as the engine takes it.
    ///
    /// # Errors
    /// It is to end as only a test lead can.
    pub(super) fn arrival(self, mut submission: Submission) -> Result<Arrival, Fault> {
        let Terms { budget, key, asked } = self.terms;
        rehearsal::rehearse(&mut submission, self.publisher, asked)?;
        let request = RequestId { key, body: self.body };
        let (at, instant) = self.at;
        Ok(Arrival { submission, at, instant, budget, ping: self.ping, request })
    }
}

/// The key, quoted as the draft standard writes it or bare.
fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Fault> {
    let mut values = headers.get_all("idempotency-key").iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else {
        return Ok(None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let visible = bare.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"');
    if second.is_some() || bare.is_empty() || bare.len() > 255 || !visible {
        return Err(Fault::Request(BAD_KEY));
    }
    Ok(Some(bare.to_owned()))
}

fn budget(headers: &HeaderMap) -> Result<Option<Duration>, Fault> {
    let Some(value) = headers.get("gavel-budget-ms") else {
        return Ok(None);
    };
    let millis =
        value.to_str().ok().and_then(|text| text.parse::<u64>().ok()).filter(|millis| *millis > 0);
    millis.map(|millis| Some(Duration::from_millis(millis))).ok_or(Fault::Request(BAD_BUDGET))
}

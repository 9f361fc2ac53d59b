//! The header `Gavel-Test-Outcome`, by which a publisher says at any door what its test lead is to end in.
//! Must never change what becomes of a real lead.

use std::sync::LazyLock;

use hyper::header::HeaderMap;
use lead::{Requested, Submission};
use market::{Mode, Publisher};

use crate::reply::Fault;

static NO_SUCH: LazyLock<String> = LazyLock::new(|| {
    format!("the header Gavel-Test-Outcome must be given once, as one of {}", Requested::words())
});

/// Said where nothing may be rehearsed.
pub(crate) const NO_TEST: &str =
    "the header Gavel-Test-Outcome is for test leads, and this is a live one";

const TWO: &str = "the header Gavel-Test-Outcome and the body ask for different outcomes";

/// What the header asks for.
pub(super) fn asked(headers: &HeaderMap) -> Result<Option<Requested>, Fault> {
    let mut values = headers.get_all("gavel-test-outcome").iter();
    let (first, second) = (values.next(), values.next());
    let Some(value) = first else {
        return Ok(None);
    };
    let outcome = value.to_str().ok().and_then(|text| text.trim().parse().ok());
    let outcome = outcome.filter(|_| second.is_none());
    outcome.map(Some).ok_or_else(|| Fault::Request(&NO_SUCH))
}

/// Lets a test lead end as the header asks.
pub(super) fn rehearse(
    submission: &mut Submission,
    publisher: &Publisher,
    asked: Option<Requested>,
) -> Result<(), Fault> {
    let Some(asked) = asked else { return Ok(()) };
    if !submission.test && publisher.mode != Mode::Test {
        return Err(Fault::Request(NO_TEST));
    }
    if submission.requested.is_some_and(|said| said != asked) {
        return Err(Fault::Request(TWO));
    }
    submission.requested = Some(asked);
    Ok(())
}

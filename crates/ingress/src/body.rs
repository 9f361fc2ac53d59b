//! Reading a body within its limits. Knows nothing of its content.

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};

use crate::Limits;

/// Why a body was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFault {
    /// It took too long.
    Timeout,
    /// It is larger than so many bytes.
    TooLarge(usize),
    /// It stopped early.
    Broken,
}

/// The whole body.
///
/// # Errors
/// It is not within `limits`, or it does not come.
pub async fn read(body: Incoming, limits: &Limits) -> Result<Vec<u8>, BodyFault> {
    let most = limits.body_bytes_max;
    if body.size_hint().lower() > most as u64 {
        return Err(BodyFault::TooLarge(most));
    }
    let collected = Limited::new(body, most).collect();
    match tokio::time::timeout(limits.body_read, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(fault)) if fault.is::<LengthLimitError>() => Err(BodyFault::TooLarge(most)),
        Ok(Err(_)) => Err(BodyFault::Broken),
        Err(_) => Err(BodyFault::Timeout),
    }
}

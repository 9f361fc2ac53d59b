//! Reading a body within its limits. Knows nothing of its content.

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};

use crate::Limits;
use crate::reply::Fault;

/// The whole body.
pub(crate) async fn read(body: Incoming, limits: &Limits) -> Result<Vec<u8>, Fault> {
    let most = limits.body_bytes_max;
    if body.size_hint().lower() > most as u64 {
        return Err(Fault::BodyTooLarge(most));
    }
    let collected = Limited::new(body, most).collect();
    match tokio::time::timeout(limits.body_read, collected).await {
        Ok(Ok(body)) => Ok(body.to_bytes().to_vec()),
        Ok(Err(fault)) if fault.is::<LengthLimitError>() => Err(Fault::BodyTooLarge(most)),
        Ok(Err(_)) => Err(Fault::BodyBroken),
        Err(_) => Err(Fault::BodyTimeout),
    }
}

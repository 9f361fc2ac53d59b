//! The sample leads of the doors' own documentation. Must never be changed to suit the engine.

use serde_json::Value;

/// The Leadhub example (`POST /api/v1/lead`), with the demo market's publisher and product.
pub const LEADHUB: &str = include_str!("samples/leadhub.json");

/// The Bright Horizons sample post (`POST /post/debt/sub10k/`), verbatim.
pub const BRIGHT_HORIZONS: &str = include_str!("samples/bright-horizons-sub10k.json");

/// A Pingtree lead with every field of its documentation, which shows no whole one.
pub const PINGTREE: &str = include_str!("samples/pingtree.json");

/// Where it is posted to in the demo market.
pub const PINGTREE_PATH: &str = "/api/lead/create/65f0c0ffee65f0c0ffee65f0";

/// [`PINGTREE`] as a value, to vary.
#[must_use]
pub fn pingtree() -> Value {
    serde_json::from_str(PINGTREE).unwrap_or_default()
}

/// A lead for the BrainySoft door (`POST /bs-core/main/leads`): the documented fields, the way its
/// publishers send them. The documentation has no sample of its own.
pub const BRAINYSOFT: &str = include_str!("samples/brainysoft.json");

/// [`BRAINYSOFT`] as a value, to vary.
#[must_use]
pub fn brainysoft() -> Value {
    serde_json::from_str(BRAINYSOFT).unwrap_or_default()
}

/// [`LEADHUB`] as a value, to vary.
#[must_use]
pub fn leadhub() -> Value {
    serde_json::from_str(LEADHUB).unwrap_or_default()
}

/// [`BRIGHT_HORIZONS`] as a value, to vary.
#[must_use]
pub fn bright_horizons() -> Value {
    serde_json::from_str(BRIGHT_HORIZONS).unwrap_or_default()
}

/// A lead for Gavel's own door (`POST /v1/leads`), with every field that one for `personal-loan-es` may have.
pub const NATIVE: &str = include_str!("samples/native.json");

/// [`NATIVE`] as a value, to vary.
#[must_use]
pub fn native() -> Value {
    serde_json::from_str(NATIVE).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::leads::{CREDIT_PRODUCT, LEADHUB_PRODUCT, LEADHUB_PUBLISHER};

    #[test]
    fn the_samples_are_json_with_the_demos_ids() {
        assert_eq!(leadhub()["publisher_id"], LEADHUB_PUBLISHER);
        assert_eq!(leadhub()["product_id"], LEADHUB_PRODUCT);
        assert_eq!(
            leadhub()["customer"]["contact"]["email"]["address"],
            "lucia.ferrer@example.org"
        );
        assert_eq!(bright_horizons()["xauth"]["affiliateid"], 123_456);
        assert_eq!(pingtree()["mobile"].as_str().map(str::len), Some(10));
        assert_eq!(bright_horizons()["transaction"]["state"], "NV");
        assert_eq!(brainysoft()["creditProductId"], CREDIT_PRODUCT);
        assert_eq!(native()["product"], "personal-loan-es");
    }
}

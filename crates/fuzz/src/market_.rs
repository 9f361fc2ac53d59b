//! Market files: read whole, or refused with the place of every fault.

use market::{Market, Sources};

/// Reads TOML as `gavel check` does, and JSON as the management API does.
pub fn market_file(data: &[u8]) {
    let data = super::bounded(data);
    let mut bytes = data.to_vec();
    if let Ok(root) = document::parse_json(&mut bytes) {
        match Market::read(&root) {
            Ok(market) => tried(&market),
            Err(defects) => assert!(!defects.is_empty(), "refused without a reason"),
        }
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    let read = Sources::parse([("market.toml".to_owned(), text.to_owned())])
        .and_then(|sources| sources.market());
    let lines = u64::try_from(text.lines().count() + 1).unwrap_or(u64::MAX);
    match read {
        Ok(market) => tried(&market),
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a reason");
            for fault in faults {
                let line = u64::try_from(fault.position.line).unwrap_or(u64::MAX);
                assert!(line <= lines, "a fault past the end of the file");
            }
        }
    }
}

/// A market that was read is tried before it is used.
fn tried(market: &Market) {
    for defect in fanout::check_calls(market) {
        assert!(!defect.to_string().is_empty());
    }
}

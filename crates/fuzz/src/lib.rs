//! What every reader of strangers' bytes must hold whatever it is given: no panic, bounded work, and
//! agreement with a second reader where there is one. Each function takes one input; the fuzzer calls
//! them, and so does a test of the workspace, with the seeds and mutations of them. Must never hold
//! anybody's personal data.
//!
//! Work is bounded in steps and bytes, never by a clock: inputs are cut to what the engine would read.

mod document_;
mod doors_;
mod filter_;
mod lead_;
mod market_;
mod replies;
mod template_;
mod url_;

pub use document_::document;
pub use doors_::{door_brainysoft, door_bright_horizons, door_leadhub, door_native, door_pingtree};
pub use filter_::filter;
pub use lead_::lead;
pub use market_::market_file;
pub use replies::{reply_ping, reply_post, response_mapping};
pub use template_::template;
pub use url_::url;

/// A name, which is also the folder of its seeds, and what takes an input.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: &[Target] = &[
    ("document", document),
    ("door_brainysoft", door_brainysoft),
    ("door_bright_horizons", door_bright_horizons),
    ("door_leadhub", door_leadhub),
    ("door_native", door_native),
    ("door_pingtree", door_pingtree),
    ("filter", filter),
    ("lead", lead),
    ("market_file", market_file),
    ("reply_ping", reply_ping),
    ("reply_post", reply_post),
    ("response_mapping", response_mapping),
    ("template", template),
    ("url", url),
];

/// The most that is read of a body or a reply, in bytes.
const BODY_BYTES_MAX: usize = 64 * 1_024;

/// An input, no longer than the engine would read it.
fn bounded(data: &[u8]) -> &[u8] {
    data.get(..BODY_BYTES_MAX).unwrap_or(data)
}

/// Splits at the first blank line; without one, all is the first part.
fn halves(text: &str) -> (&str, &str) {
    text.split_once("\n\n").unwrap_or((text, ""))
}

/// A market that must be right: ours.
fn sound(text: &str) -> ::market::Market {
    let sources = ::market::Sources::parse([("market.toml".to_owned(), text.to_owned())]);
    sources.and_then(|sources| sources.market()).unwrap_or_else(|faults| panic!("{faults:?}"))
}

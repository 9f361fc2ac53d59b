//! Reading what strangers wrote: JSON bodies and TOML files become one strict tree, and a reader over
//! that tree collects every defect, each with the path of the value and what was expected there.
//!
//! This crate must never know what a lead or a campaign is, never perform IO, and never put a value
//! that it read into a defect: a value may be personal data, so only its kind is named.

mod defect;
mod json;
mod node;
mod reader;
mod toml;

#[cfg(test)]
mod tests;

pub use defect::{Defect, Path, Segment};
pub use json::{DEPTH_MAX, Unparsable, parse_json};
pub use node::Node;
pub use reader::{DEFECTS_MAX, Defects, Fields, Slot};
pub use toml::{Position, TomlSource, parse_toml};

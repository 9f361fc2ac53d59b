//! Who trades: publishers, products, buyers, campaigns; their types and validation.
mod dictionary;
pub use dictionary::{Definition, Dictionary};

//! Which campaigns want a lead: the filter language, from a buyer's JSON to a compiled book that
//! answers in microseconds and can say why not. Pure: no clock, no socket, no lock, no IO, and it must
//! never see contact data.
//!
//! A filter passes through the modules in this order:
//!
//! | stage | module | does |
//! |---|---|---|
//! | read | `parse`, `operand`, `suggest` | tree of the document to typed filter, all defects at once |
//! | hold | `filter`, `operator`, `scalar`, `prefixes`, `text` | what a filter is made of |
//! | check | `check`, `domain` | refuses contradictions, warns of dead branches |
//! | compile | `compile` | filters to plans without `not`, cheapest test first |
//! | encode | `encode` | a lead to cells by slot, texts normalised once |
//! | evaluate | `evaluate` | true, false or unknown |
//! | explain | `explain` | which predicates keep a filter from being true |

mod check;
mod compile;
mod domain;
mod encode;
mod evaluate;
mod explain;
mod filter;
mod lists;
mod operand;
mod operator;
mod parse;
mod prefixes;
mod scalar;
mod suggest;
mod text;

#[cfg(test)]
mod tests;

pub use compile::RuleBook;
pub use encode::Encoded;
pub use evaluate::Truth;
pub use explain::{Failure, Verdict};
pub use filter::{Filter, NESTING_MAX, PATTERNS_MAX, PREDICATES_MAX, VALUES_MAX, Warning};
pub use lists::Lists;

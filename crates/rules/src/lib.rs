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
//! | place | `place`, `spans`, `states` | a test as the places of the values that pass it |
//! | normalise | `normalise` | to conjunctions without `not`, one set of states per attribute |
//! | plan | `plan` | what places cannot tell, cheapest test first |
//! | index | `index`, `column`, `points`, `cuts`, `pass`, `rows` | all conjunctions side by side, a bit for each |
//! | encode | `encode`, `word` | a lead to cells by slot, texts normalised once |
//! | keep | `book`, `part` | the index in use, and what changed since it was built |
//! | match | `matches`, `scratch` | the rows of a lead, joined block by block |
//! | evaluate | `evaluate`, `linear` | true, false or unknown, one filter at a time |
//! | explain | `explain` | which predicates keep a filter from being true |

mod book;
mod check;
mod column;
mod cuts;
mod domain;
mod encode;
mod evaluate;
mod explain;
mod filter;
mod index;
mod linear;
mod lists;
mod matches;
mod normalise;
mod operand;
mod operator;
mod parse;
mod part;
mod pass;
mod place;
mod plan;
mod points;
mod prefixes;
mod rows;
mod scalar;
mod scratch;
mod spans;
mod states;
mod suggest;
mod text;
mod word;

#[cfg(test)]
mod tests;

pub use book::RuleBook;
pub use encode::Encoded;
pub use evaluate::Truth;
pub use explain::{Failure, Verdict};
pub use filter::{Filter, NESTING_MAX, PATTERNS_MAX, PREDICATES_MAX, VALUES_MAX, Warning};
pub use linear::Linear;
pub use lists::Lists;
pub use matches::Matches;
pub use scratch::Scratch;

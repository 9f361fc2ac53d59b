//! What a post's fault may cost, through the real wire and the real store, against the buyers' own books.
//!
//! * [`matrix`]: ten ways for a post to go wrong times the four policies for unknown posts, for whole leads
//!   and for shared ones. The long form is the same test with more leads in each cell:
//!   `GAVEL_MATRIX_LEADS=200 cargo test --release -p gavel --test it doubt::matrix -- --nocapture`
//! * [`counted`]: what operators see of all that.
//! * [`idle`]: buyers that close idle connections after a second. The long form:
//!   `GAVEL_IDLE_POSTS=10000 cargo test --release -p gavel --test it doubt::idle -- --nocapture`

mod counted;
mod idle;
mod matrix;
mod rig;

/// What the environment says, if anything.
#[expect(clippy::disallowed_methods, reason = "how long to test is said from outside")]
pub(crate) fn word(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// A number from the environment; something that is no number stops the test.
pub(crate) fn setting(name: &str, default: usize) -> usize {
    let Some(text) = word(name) else { return default };
    text.parse().unwrap_or_else(|_| panic!("{name} must be a number, found {text:?}"))
}

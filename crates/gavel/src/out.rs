//! The terminal. A reader that goes away (`gavel … | head`) is no fault of ours.

use std::io::Write;

/// Prints a line for people.
pub(crate) fn line(text: &str) {
    drop(writeln!(std::io::stdout().lock(), "{text}"));
}

/// Prints a line about something that went wrong.
pub(crate) fn error(text: &str) {
    drop(writeln!(std::io::stderr().lock(), "{text}"));
}

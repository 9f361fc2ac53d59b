//! How a command fails: what is printed and the exit code. Never holds personal data.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use market::Fault;

use crate::out;

/// Why a command could not do what was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Files say something that cannot be.
    Invalid(Vec<Fault>),
    /// A file cannot be read.
    Unreadable(PathBuf, std::io::Error),
    /// A file cannot be written.
    Unwritable(PathBuf, std::io::Error),
    /// A listener cannot be opened.
    Listen(&'static str, SocketAddr, std::io::Error),
    /// The data directory cannot be used.
    Ledger(String),
    /// A word on the command line is wrong.
    Usage(String),
    /// A buyer's endpoint does not keep to the contract.
    Nonconforming { wrong: usize, checks: usize },
    /// Anything else that the system refuses.
    System(&'static str, std::io::Error),
}

impl Failure {
    /// A file that cannot be read.
    pub(crate) fn unreadable(path: &Path, error: std::io::Error) -> Self {
        Self::Unreadable(path.to_owned(), error)
    }

    /// A file that cannot be written.
    pub(crate) fn unwritable(path: &Path, error: std::io::Error) -> Self {
        Self::Unwritable(path.to_owned(), error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid(faults) => {
                for fault in faults {
                    writeln!(f, "{fault}")?;
                }
                write!(f, "{} fault(s); nothing was applied", faults.len())
            }
            Self::Unreadable(path, error) => write!(f, "cannot read {}: {error}", path.display()),
            Self::Unwritable(path, error) => write!(f, "cannot write {}: {error}", path.display()),
            Self::Listen(what, at, error) => write!(f, "cannot listen on {at} ({what}): {error}"),
            Self::Ledger(why) => f.write_str(why),
            Self::Usage(why) => f.write_str(why),
            Self::Nonconforming { wrong, checks } => {
                write!(f, "{wrong} of {checks} checks are wrong")
            }
            Self::System(what, error) => write!(f, "cannot {what}: {error}"),
        }
    }
}

/// Prints a failure and turns it into an exit code: 2 for what the caller wrote, 1 for the rest.
pub(crate) fn exit(result: Result<(), Failure>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            out::error(&format!("gavel: {failure}"));
            match failure {
                Failure::Invalid(_) | Failure::Usage(_) => ExitCode::from(2),
                _ => ExitCode::FAILURE,
            }
        }
    }
}

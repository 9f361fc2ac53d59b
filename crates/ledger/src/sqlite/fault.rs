//! What can go wrong below a write or a read, kept apart by whose fault it is: the caller's or a row's
//! (that write is refused, its neighbours go on), or the store's (nobody's write may go on).

use rusqlite::ErrorCode;

use crate::Refused;

#[derive(Debug)]
pub(super) enum Fault {
    /// This write or read alone.
    Refused(Refused),
    /// SQLite itself.
    Store(rusqlite::Error),
}

impl Fault {
    /// A row that does not read back.
    pub(super) fn corrupt(what: &str) -> Self {
        Self::Refused(Refused::Corrupt(what.to_owned()))
    }

    /// As a caller is told.
    pub(super) fn into_refused(self) -> Refused {
        match self {
            Self::Refused(refused) => refused,
            Self::Store(error) => match error.sqlite_error_code() {
                Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                    Refused::Corrupt(error.to_string())
                }
                _ => Refused::Unavailable(error.to_string()),
            },
        }
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        match error {
            rusqlite::Error::SqliteFailure(..) => Self::Store(error),
            // A conversion's own words may quote the value.
            _ => Self::corrupt("a stored row has an unexpected shape"),
        }
    }
}

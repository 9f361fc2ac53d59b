//! The markets that leads name, by version. Must never change one that is there.

use crossbeam_channel::Sender;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::sync::oneshot;

use super::bulk::Work;
use super::checkpoint::Order;
use super::fault::Fault;
use crate::digest::Keys;
use crate::{KeptMarket, Refused, legality, seal};

const NEWEST: &str = "SELECT version, sealed FROM markets ORDER BY version DESC LIMIT 1";

/// The newest.
pub(super) fn newest(db: &Connection, keys: &Keys) -> Result<Option<KeptMarket>, Fault> {
    let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?));
    let found = db.query_row(NEWEST, [], row).optional()?;
    let Some((version, sealed)) = found else { return Ok(None) };
    let version = version.cast_unsigned();
    Ok(Some(KeptMarket { version, source: seal::open_market(keys, version, &sealed)? }))
}

/// What the market of `version` is compiled from.
pub(super) fn find(db: &Connection, keys: &Keys, version: u64) -> Result<Option<String>, Fault> {
    let sealed: Option<Vec<u8>> = db
        .prepare_cached("SELECT sealed FROM markets WHERE version = ?1")?
        .query_row([version.cast_signed()], |row| row.get(0))
        .optional()?;
    Ok(sealed.map(|sealed| seal::open_market(keys, version, &sealed)).transpose()?)
}

/// Every version, oldest first.
pub(super) fn versions(db: &Connection) -> Result<Vec<u64>, Fault> {
    let mut statement = db.prepare("SELECT version FROM markets ORDER BY version")?;
    let versions = statement.query_map([], |row| row.get::<_, i64>(0))?;
    Ok(versions.map(|version| version.map(i64::cast_unsigned)).collect::<Result<_, _>>()?)
}

/// Puts one market on record.
pub(super) struct Keeping {
    market: KeptMarket,
    reply: oneshot::Sender<Result<(), Refused>>,
}

impl Keeping {
    pub(super) fn new(market: KeptMarket, reply: oneshot::Sender<Result<(), Refused>>) -> Self {
        Self { market, reply }
    }
}

impl Work for Keeping {
    fn step(&mut self, db: &Connection, keys: &Keys) -> Result<bool, Fault> {
        let KeptMarket { version, source } = &self.market;
        match find(db, keys, *version)? {
            Some(kept) if kept == *source => {}
            Some(_) => return Err(legality::another_market(*version).into()),
            None => {
                let sealed = seal::seal_market(keys, *version, source)?;
                let row = params![version.cast_signed(), sealed];
                db.execute("INSERT INTO markets (version, sealed) VALUES (?1, ?2)", row)?;
            }
        }
        Ok(false)
    }

    /// Emptying the log makes it durable.
    fn end(self: Box<Self>, result: Result<(), Refused>, orders: &Sender<Order>) {
        super::bulk::when_durable(result, self.reply, orders);
    }
}

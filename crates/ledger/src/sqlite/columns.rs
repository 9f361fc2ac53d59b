//! A row's columns one after another, as values or as `Corrupt`. Must never repair what it cannot read.

use std::str::FromStr;

use jiff::Timestamp;
use lead::{LeadId, Money};
use rusqlite::Row;
use rusqlite::types::FromSql;

use super::fault::Fault;

/// Where in a row we are. A query and its reader name the same columns in the same order.
pub(super) struct Columns<'row, 'statement> {
    row: &'row Row<'statement>,
    next: usize,
}

impl<'row, 'statement> Columns<'row, 'statement> {
    pub(super) fn of(row: &'row Row<'statement>) -> Self {
        Self { row, next: 0 }
    }

    pub(super) fn get<T: FromSql>(&mut self) -> Result<T, Fault> {
        let value = self.row.get(self.next)?;
        self.next += 1;
        Ok(value)
    }

    pub(super) fn text<T>(&mut self, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Fault> {
        let text = self.row.get_ref(self.next)?.as_str().map_err(|_| Fault::corrupt("a text"))?;
        self.next += 1;
        read(text).ok_or_else(|| Fault::corrupt("a text"))
    }

    pub(super) fn parsed<T: FromStr>(&mut self) -> Result<T, Fault> {
        self.text(|text| text.parse().ok())
    }

    pub(super) fn maybe_parsed<T: FromStr>(&mut self) -> Result<Option<T>, Fault> {
        let text: Option<String> = self.get()?;
        text.map(|text| text.parse().map_err(|_| Fault::corrupt("a text"))).transpose()
    }

    pub(super) fn numbered<T>(
        &mut self,
        value: impl FnOnce(i64) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        self.get::<Option<i64>>()?
            .map(|number| value(number).ok_or_else(|| Fault::corrupt("an unknown number")))
            .transpose()
    }

    pub(super) fn flag(&mut self) -> Result<bool, Fault> {
        match self.get::<i64>()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Fault::corrupt("a flag")),
        }
    }

    pub(super) fn time(&mut self) -> Result<Timestamp, Fault> {
        time(self.get()?)
    }

    pub(super) fn maybe_time(&mut self) -> Result<Option<Timestamp>, Fault> {
        self.get::<Option<i64>>()?.map(time).transpose()
    }

    pub(super) fn lead_id(&mut self) -> Result<LeadId, Fault> {
        let bytes: Vec<u8> = self.get()?;
        Ok(LeadId(bytes.try_into().map_err(|_| Fault::corrupt("a lead's id"))?))
    }

    /// Bid, price and payout, what is expected if anything is, and then their currency.
    pub(super) fn amounts(&mut self) -> Result<([Money; 3], Option<Money>), Fault> {
        let [bid, price, payout] = [self.parsed()?, self.parsed()?, self.parsed()?];
        let expected: Option<String> = self.get()?;
        let expected = expected.map(|text| text.parse().map_err(|_| Fault::corrupt("an amount")));
        let (expected, currency) = (expected.transpose()?, self.parsed()?);
        let money = |amount| Money { amount, currency };
        Ok(([bid, price, payout].map(money), expected.map(money)))
    }
}

fn time(millis: i64) -> Result<Timestamp, Fault> {
    Timestamp::from_millisecond(millis).map_err(|_| Fault::corrupt("a time"))
}

//! A post's row. Its check number covers every column.

use jiff::Timestamp;
use lead::{CampaignKey, Code, Money, PostClass, ProductId, PublisherId};
use rusqlite::{Connection, params};
use rust_decimal::Decimal;

use super::columns::Columns;
use super::fault::Fault;
use super::lead_row::LeadRow;
use crate::digest::{Keys, Text};
use crate::seal::LeadKey;
use crate::{Intent, PostRecord, Posted};

/// The columns that [`StoredPost::read`] reads, first in their query.
macro_rules! post_columns {
    () => {
        "posts.lead, posts.ordinal, posts.publisher, posts.product, posts.test, posts.buyer, \
         posts.campaign, posts.attempt, posts.slot, posts.class, posts.code, posts.bid, posts.price, posts.payout, posts.expected, \
         posts.currency, posts.sealed, posts.intent_at, posts.posted_at, posts.mac"
    };
}
pub(super) use post_columns;

const OF_LEAD: &str =
    concat!("SELECT ", post_columns!(), " FROM posts WHERE lead = ?1 ORDER BY ordinal");
const INSERT: &str = "INSERT INTO posts (lead, ordinal, publisher, product, test, buyer, campaign, attempt, \
     slot, class, code, bid, price, payout, expected, currency, sealed, intent_at, posted_at, mac) \
     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)";
const UPDATE: &str = "UPDATE posts SET class = ?3, code = ?4, price = ?5, payout = ?6, sealed = ?7, \
     posted_at = ?8, mac = ?9 WHERE lead = ?1 AND ordinal = ?2";

#[derive(Clone)]
pub(super) struct StoredPost {
    pub(super) lead: i64,
    pub(super) ordinal: u32,
    /// As in the lead's row.
    pub(super) publisher: PublisherId,
    pub(super) product: ProductId,
    pub(super) test: bool,
    /// The intent's price; the record's is what is billed.
    pub(super) bid: Decimal,
    /// Without redirect and reference.
    pub(super) record: PostRecord,
    pub(super) sealed: Option<Vec<u8>>,
}

impl StoredPost {
    /// The posts of a lead, in order; all of them.
    pub(super) fn of_lead(db: &Connection, keys: &Keys, row: &LeadRow) -> Result<Vec<Self>, Fault> {
        let mut statement = db.prepare_cached(OF_LEAD)?;
        let mut rows = statement.query([row.seq])?;
        let mut posts: Vec<Self> = Vec::new();
        while let Some(row) = rows.next()? {
            posts.push(Self::read(&mut Columns::of(row), keys)?);
        }
        let places = (0..row.posts).map(|ordinal| (row.seq, ordinal));
        if posts.iter().map(|post| (post.lead, post.ordinal)).eq(places) {
            Ok(posts)
        } else {
            Err(Fault::corrupt("a lead's posts are not all there"))
        }
    }

    /// A row whose columns come next, if it is as it was written.
    pub(super) fn read(columns: &mut Columns<'_, '_>, keys: &Keys) -> Result<Self, Fault> {
        let (lead, ordinal) = (columns.get()?, columns.get()?);
        let (publisher, product, test) = (columns.parsed()?, columns.parsed()?, columns.flag()?);
        let campaign = CampaignKey { buyer: columns.parsed()?, campaign: columns.parsed()? };
        let (attempt, slot) = (columns.get()?, columns.get()?);
        let class = columns.numbered(PostClass::numbered)?;
        let code = columns.numbered(|number| Code::numbered(u16::try_from(number).ok()?))?;
        let ([bid, price, payout], expected) = columns.amounts()?;
        let sealed = columns.get()?;
        let record = PostRecord {
            campaign,
            attempt,
            slot,
            class,
            code,
            price,
            payout,
            expected,
            redirect_url: None,
            reference: None,
            intent_at: columns.time()?,
            posted_at: columns.maybe_time()?,
        };
        let bid = bid.amount;
        let post = Self { lead, ordinal, publisher, product, test, bid, record, sealed };
        if columns.get::<i64>()? == post.check(keys) {
            Ok(post)
        } else {
            Err(Fault::corrupt("a post's row was changed"))
        }
    }

    /// A post that is about to start.
    pub(super) fn open(lead: &LeadRow, ordinal: u32, intent: &Intent) -> Self {
        Self {
            lead: lead.seq,
            ordinal,
            publisher: lead.publisher.clone(),
            product: lead.product.clone(),
            test: lead.test,
            bid: intent.price.amount,
            record: PostRecord::opened(intent),
            sealed: None,
        }
    }

    /// Takes over what became of it.
    pub(super) fn class(&mut self, posted: &Posted, sealed: Option<Vec<u8>>) {
        self.record.classify(posted);
        // They are in what is sealed.
        (self.record.redirect_url, self.record.reference) = (None, None);
        self.sealed = sealed;
    }

    /// With what the buyer answered, as far as the lead's key is still there.
    pub(super) fn unseal(self, key: Option<&LeadKey>) -> Result<PostRecord, Fault> {
        let mut record = self.record;
        if let (Some(key), Some(sealed)) = (key, self.sealed) {
            let reply = key.open_reply(self.ordinal, &sealed)?;
            (record.redirect_url, record.reference) = (reply.redirect_url, reply.reference);
        }
        Ok(record)
    }

    pub(super) fn insert(&self, db: &Connection, keys: &Keys) -> Result<(), Fault> {
        let record = &self.record;
        db.prepare_cached(INSERT)?.execute(params![
            self.lead,
            self.ordinal,
            self.publisher.as_str(),
            self.product.as_str(),
            self.test,
            record.campaign.buyer.as_str(),
            record.campaign.campaign.as_str(),
            record.attempt,
            record.slot,
            record.class.map(PostClass::number),
            record.code.map(Code::number),
            self.bid.to_string(),
            amount(record.price),
            amount(record.payout),
            record.expected.map(amount),
            record.price.currency.as_str(),
            self.sealed,
            record.intent_at.as_millisecond(),
            record.posted_at.map(Timestamp::as_millisecond),
            self.check(keys),
        ])?;
        Ok(())
    }

    /// The columns that change.
    pub(super) fn update(&self, db: &Connection, keys: &Keys) -> Result<(), Fault> {
        let record = &self.record;
        db.prepare_cached(UPDATE)?.execute(params![
            self.lead,
            self.ordinal,
            record.class.map(PostClass::number),
            record.code.map(Code::number),
            amount(record.price),
            amount(record.payout),
            self.sealed,
            record.posted_at.map(Timestamp::as_millisecond),
            self.check(keys),
        ])?;
        Ok(())
    }

    fn check(&self, keys: &Keys) -> i64 {
        let record = &self.record;
        let text = Text::of("posts")
            .int(self.lead)
            .int(self.ordinal.into())
            .bytes(self.publisher.as_str().as_bytes())
            .bytes(self.product.as_str().as_bytes())
            .int(self.test.into())
            .bytes(record.campaign.buyer.as_str().as_bytes())
            .bytes(record.campaign.campaign.as_str().as_bytes())
            .int(record.attempt.into())
            .int(record.slot.into())
            .maybe(record.class.map(PostClass::number), Text::int)
            .maybe(record.code.map(|code| code.number().into()), Text::int)
            .bytes(self.bid.to_string().as_bytes())
            .bytes(amount(record.price).as_bytes())
            .bytes(amount(record.payout).as_bytes())
            .maybe(record.expected.map(amount).as_deref().map(str::as_bytes), Text::bytes)
            .bytes(record.price.currency.as_str().as_bytes())
            .maybe(self.sealed.as_deref(), Text::bytes)
            .int(record.intent_at.as_millisecond())
            .maybe(record.posted_at.map(Timestamp::as_millisecond), Text::int);
        keys.check(&text)
    }
}

/// Exactly: with the zeros that it was given.
fn amount(money: Money) -> String {
    money.amount.to_string()
}

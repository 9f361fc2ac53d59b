//! How a buyer's own replies read: which say yes, which say no, where the price stands. A description,
//! checked and compiled; whoever holds a reply applies it.
//!
//! A test holds if one of the values that its selector finds passes: `in` compares texts exactly and
//! numbers as decimals, `matches` is a linear-time pattern for the whole value, `exists` asks for
//! something that is neither `null` nor empty.

use document::{Fields, Node, Slot};
use regex::Regex;
use rust_decimal::Decimal;

use super::{CallKind, Selector, selector};

/// Most samples of one call.
const SAMPLES_MAX: usize = 64;

/// Most values that a test compares with.
const VALUES_MAX: usize = 1_024;

/// How replies to one call read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Response {
    /// A bid, or the lead is bought.
    pub accept: Option<Test>,
    /// No bid, or the lead is refused.
    pub reject: Option<Test>,
    /// Refused since the consumer is known.
    pub duplicate: Option<Test>,
    /// What is offered or paid.
    pub price: Option<Selector>,
    /// What is offered or paid where a reply names no price.
    pub price_default: Option<Decimal>,
    /// The buyer's own id of its bid; its post carries it.
    pub ping_id: Option<Selector>,
    /// Where the consumer goes.
    pub redirect_url: Option<Selector>,
    /// The buyer's own id of the lead.
    pub reference: Option<Selector>,
    /// The buyer's own word.
    pub reason: Option<Selector>,
    /// Replies and what they must read as.
    pub samples: Vec<Sample>,
}

/// A question about a reply with the answer yes, no or unreadable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// Which values are tested.
    pub value: Selector,
    /// How.
    pub check: Check,
}

/// How a value is tested.
#[derive(Debug, Clone)]
pub enum Check {
    /// It is one of these.
    In(Vec<Wanted>),
    /// The whole of it fits a pattern; the pattern as written stands beside.
    Matches(Regex, String),
    /// Something, or with `false` nothing, is there.
    Exists(bool),
}

/// One value of an `in` list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// This text exactly.
    Text(String),
    /// This number, however it is written.
    Number(Decimal),
}

/// A reply and what it must read as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// Its body.
    pub body: String,
    /// What it must read as.
    pub expect: Expect,
    /// The price that must be read, if one is named.
    pub price: Option<Decimal>,
}

/// What a reply reads as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// A bid; the lead is bought.
    Accept,
    /// No bid; the lead is refused.
    Reject,
    /// The consumer is known.
    Duplicate,
    /// Neither, both, or unreadable.
    Unknown,
}

impl Expect {
    /// As samples write it.
    pub const NAMES: &'static [(&'static str, Self)] = &[
        ("accept", Self::Accept),
        ("reject", Self::Reject),
        ("duplicate", Self::Duplicate),
        ("unknown", Self::Unknown),
    ];

    /// As samples write it.
    #[must_use]
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, known)| *known == self).map_or("unknown", |(name, _)| name)
    }
}

impl Response {
    pub(crate) fn read(slot: &Slot<'_, '_>, kind: CallKind) -> Option<Self> {
        let fields = slot.fields()?;
        let test = |name: &'static str| fields.given(name).map(|slot| Test::read(&slot));
        let (accept, reject, duplicate) = (test("accept"), test("reject"), test("duplicate"));
        let selector = |name: &'static str| fields.given(name).map(|slot| Selector::read(&slot));
        let price = selector("price");
        let price_default = fields.given("price_default").map(crate::read::amount);
        let (mut ping_id, mut redirect_url, mut reference) = (None, None, None);
        if kind == CallKind::Ping {
            ping_id = selector("ping_id");
        } else {
            (redirect_url, reference) = (selector("redirect_url"), selector("reference"));
        }
        let reason = selector("reason");
        let samples = fields.given("samples").map(|slot| samples(&slot));
        fields.deny_unknown();
        let response = Self {
            accept: optional(accept)?,
            reject: optional(reject)?,
            duplicate: optional(duplicate)?,
            price: optional(price)?,
            price_default: optional(price_default)?,
            ping_id: optional(ping_id)?,
            redirect_url: optional(redirect_url)?,
            reference: optional(reference)?,
            reason: optional(reason)?,
            samples: optional(samples)?.unwrap_or_default(),
        };
        response.suits(&fields, kind);
        Some(response)
    }

    /// Refuses what could never read as it is meant to.
    fn suits(&self, fields: &Fields<'_, '_>, kind: CallKind) {
        let accepts = self.accept.is_some();
        match kind {
            CallKind::Ping if self.price.is_none() && self.price_default.is_none() => {
                fields.refuse("needs price or price_default: a bid is a price");
            }
            CallKind::Ping if self.price_default.is_some() && !accepts => {
                fields.refuse("needs accept: else every reply would bid price_default");
            }
            CallKind::Post if !accepts => {
                fields.refuse("needs accept: else no reply would buy the lead");
            }
            CallKind::Status if !accepts && self.reject.is_none() => {
                fields.refuse("needs accept or reject: else no reply would say anything");
            }
            _ => {}
        }
    }

    /// Every selector.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        let tests = [&self.accept, &self.reject, &self.duplicate];
        let tests = tests.into_iter().flatten().map(|test| &test.value);
        let values =
            [&self.price, &self.ping_id, &self.redirect_url, &self.reference, &self.reason];
        tests.chain(values.into_iter().flatten())
    }
}

/// Nothing if nothing was given; fails if what was given could not be read.
#[expect(clippy::option_option, reason = "given, and read: both are questions")]
fn optional<T>(given: Option<Option<T>>) -> Option<Option<T>> {
    match given {
        None => Some(None),
        Some(read) => read.map(Some),
    }
}

impl Test {
    fn read(slot: &Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let value = Selector::read(&fields.at("value"));
        let listed = fields.given("in").map(|slot| wanted(&slot).map(Check::In));
        let matches = fields.given("matches").map(|slot| {
            let text = slot.text()?;
            // Alone too, so that a stray bracket cannot open the anchored form.
            let whole = selector::pattern(text)
                .and_then(|_| selector::pattern(&format!(r"\A(?:{text})\z")));
            match whole {
                Ok(regex) => Some(Check::Matches(regex, text.to_owned())),
                Err(why) => {
                    slot.refuse(why);
                    None
                }
            }
        });
        let exists = fields.given("exists").map(|slot| slot.bool().map(Check::Exists));
        fields.deny_unknown();
        let mut given = [listed, matches, exists].into_iter().flatten();
        match (given.next(), given.next()) {
            (Some(check), None) => Some(Self { value: value?, check: check? }),
            _ => {
                fields.refuse("must have one of in, matches and exists");
                None
            }
        }
    }
}

fn wanted(slot: &Slot<'_, '_>) -> Option<Vec<Wanted>> {
    let values = slot.each(|value| {
        value.parse("a string, a number or a boolean", |node| match node {
            Node::Text(text) => Some(Wanted::Text(text.trim().to_owned())),
            Node::Number(number) => Some(Wanted::Number(*number)),
            Node::Bool(value) => Some(Wanted::Text(value.to_string())),
            _ => None,
        })
    })?;
    if values.is_empty() || values.len() > VALUES_MAX {
        slot.refuse(format_args!("must have from 1 to {VALUES_MAX} values"));
        return None;
    }
    Some(values)
}

impl PartialEq for Check {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::In(one), Self::In(two)) => one == two,
            (Self::Matches(_, one), Self::Matches(_, two)) => one == two,
            (Self::Exists(one), Self::Exists(two)) => one == two,
            _ => false,
        }
    }
}

impl Eq for Check {}

fn samples(slot: &Slot<'_, '_>) -> Option<Vec<Sample>> {
    let samples = slot.each(|slot| Sample::read(&slot))?;
    if samples.len() > SAMPLES_MAX {
        slot.refuse(format_args!("must be at most {SAMPLES_MAX}"));
    }
    Some(samples)
}

impl Sample {
    fn read(slot: &Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let status = fields.given("status").map_or(Some(200u16), |slot| slot.integer(100, 599));
        let headers = fields.given("headers").map_or(Some(Vec::new()), |slot| {
            let own = slot.fields()?;
            let pair = |(name, slot): (&str, Slot<'_, '_>)| {
                Some((name.to_ascii_lowercase(), slot.text()?.to_owned()))
            };
            Some(own.all().filter_map(pair).collect())
        });
        let body = fields.given("body").map_or(Some(""), |slot| slot.text());
        let expect = fields.at("expect").choice(Expect::NAMES);
        let price = fields.given("price").map(crate::read::amount);
        fields.deny_unknown();
        Some(Self {
            status: status?,
            headers: headers?,
            body: body?.to_owned(),
            expect: expect?,
            price: optional(price)?,
        })
    }
}

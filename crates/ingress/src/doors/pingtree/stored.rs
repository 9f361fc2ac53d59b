//! What a database source stored, told in pages. Reads and words; looks nothing up.

use document::{Defects, Fields, Node, Slot};
use hyper::StatusCode;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use lead::{Contact, Page, Status, StoredLead, StoredLeads, Submission};
use market::PingtreeSource;
use serde_json::{Map, Value, json};

use super::{Dialect, say};
use crate::reply::{Fault, Reply};

/// What a request asks for.
#[derive(Debug)]
pub(crate) struct Ask {
    dialect: Dialect,
    /// From 1.
    page: usize,
    limit: usize,
    email: Option<String>,
    /// With the country in front.
    phone: Option<String>,
    transaction: Option<String>,
    standing: Option<Standing>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// How a lead stands, in the slug's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    Active,
    Sold,
    /// Repeats are not stored, so no lead stands so.
    Duplicate,
    Rejected,
}

impl Standing {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("active", Self::Active),
        ("sold", Self::Sold),
        ("duplicate", Self::Duplicate),
        ("rejected", Self::Rejected),
    ];

    fn of(status: &Status) -> Self {
        match status {
            Status::Distributed { .. } => Self::Sold,
            Status::New => Self::Active,
            Status::Rejected(_) => Self::Rejected,
        }
    }

    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, known)| *known == self).map_or("active", |(word, _)| word)
    }
}

/// Deepest page.
const PAGE_MAX: usize = 10_000;

impl Ask {
    /// Reads a query.
    ///
    /// # Errors
    /// Every defect.
    pub(crate) fn read(query: &Node<'_>, dialect: Dialect) -> Result<Self, Fault> {
        let defects = Defects::new();
        let slot = Slot::root(query, &defects);
        let ask = slot.fields().map(|fields| {
            let ask = Self::of(&fields, dialect);
            fields.deny_unknown();
            ask
        });
        defects.finish(ask).map_err(Fault::Invalid)
    }

    fn of(fields: &Fields<'_, '_>, dialect: Dialect) -> Self {
        let (limit, most, from, to) = dialect.pages();
        let word = |name| {
            let text = fields.given(name)?.text()?.trim();
            (!text.is_empty()).then(|| text.to_owned())
        };
        let standing = match dialect {
            Dialect::Id => None,
            Dialect::Slug => fields.given("status").and_then(|slot| slot.choice(Standing::WORDS)),
        };
        Self {
            dialect,
            page: whole(fields.given("page"), PAGE_MAX).unwrap_or(1),
            limit: whole(fields.given("limit"), most).unwrap_or(limit),
            email: word("email").map(|email| email.to_lowercase()),
            phone: word(dialect.name("mobile")).map(|national| format!("+1{national}")),
            transaction: word("transaction_id"),
            standing,
            since: day(fields.given(from)).and_then(begins),
            until: day(fields.given(to)).and_then(|day| begins(day.tomorrow().ok()?)),
        }
    }

    /// The page that is asked for.
    pub(crate) fn page(&self) -> Page {
        let skip = self.page.saturating_sub(1).saturating_mul(self.limit);
        Page { since: self.since, until: self.until, skip, most: self.limit }
    }

    /// Whether a lead is among those that are asked for. One that was erased has no fields to go by.
    pub(crate) fn wants(&self, lead: &StoredLead) -> bool {
        let sent = lead.submission.as_ref();
        let has = |wanted: &Option<String>, what: fn(&Submission) -> Option<&String>| {
            wanted.is_none() || sent.and_then(what) == wanted.as_ref()
        };
        let email = sent.and_then(|sent| Some(sent.contact.email.as_ref()?.to_lowercase()));
        // A lead without one of its own is known by ours.
        let id = Some(lead.id.to_string()).filter(|_| own_id(lead).is_none());
        (self.email.is_none() || email == self.email)
            && has(&self.phone, |sent| sent.contact.phone.as_ref())
            && (has(&self.transaction, |sent| sent.external_id.as_ref()) || id == self.transaction)
            && self.standing.is_none_or(|wanted| wanted == Standing::of(&lead.status))
    }

    /// Words a page.
    pub(crate) fn encode(&self, found: &StoredLeads, source: &PingtreeSource) -> Reply {
        let leads: Vec<Value> = found.leads.iter().map(|lead| self.word(lead, source)).collect();
        let data = json!({
            "leads": leads,
            "page": self.page,
            "limit": self.limit,
            "has_more": found.more || found.cut_short,
        });
        let Value::Object(mut data) = data else { return Reply::json(StatusCode::OK, data) };
        if found.cut_short {
            let hint = "too many leads are newer; ask for fewer days";
            data.insert("cut_short".to_owned(), hint.into());
        }
        match self.dialect {
            Dialect::Id => say(StatusCode::OK, "Leads fetched successfully", data),
            Dialect::Slug => {
                data.insert("success".to_owned(), true.into());
                Reply::json(StatusCode::OK, Value::Object(data))
            }
        }
    }

    fn word(&self, lead: &StoredLead, source: &PingtreeSource) -> Value {
        let transaction = own_id(lead).cloned().unwrap_or_else(|| lead.id.to_string());
        let mut told = match &lead.submission {
            Some(sent) => self.sent(sent),
            None => Map::from_iter([("erased".to_owned(), true.into())]),
        };
        let standing = Standing::of(&lead.status);
        let mut add = |name: &str, value: Value| drop(told.insert(name.to_owned(), value));
        add("transaction_id", transaction.into());
        add("lead_id", lead.id.to_string().into());
        add("created_at", lead.received_at.to_string().into());
        match self.dialect {
            Dialect::Id => add("lead_status", "accept".into()),
            Dialect::Slug => add("status", standing.word().into()),
        }
        if source.distributes {
            let word = match (standing, lead.is_final) {
                (Standing::Sold, _) => "sold",
                (_, true) => "unsold",
                (_, false) => "pending",
            };
            add("distribution_status", word.into());
        }
        Value::Object(told)
    }

    /// The fields as they were sent; the door's own win over the source's.
    fn sent(&self, sent: &Submission) -> Map<String, Value> {
        let mut told = sent.contact.extra.clone();
        let Contact { first_name, last_name, email, phone, birth_date, address, .. } =
            &sent.contact;
        let address = address.as_ref();
        let of_address = |part: fn(&lead::Address) -> &Option<String>| {
            address.and_then(|address| part(address).clone())
        };
        let national = |phone: &String| phone.strip_prefix("+1").unwrap_or(phone).to_owned();
        let fields = [
            ("first_name", first_name.clone()),
            ("last_name", last_name.clone()),
            ("email", email.clone()),
            (self.dialect.name("mobile"), phone.as_ref().map(national)),
            ("address", of_address(|address| &address.street)),
            ("city", of_address(|address| &address.city)),
            ("state", of_address(|address| &address.region)),
            (self.dialect.name("zip_code"), of_address(|address| &address.postal_code)),
            ("date_of_birth", birth_date.map(|date| date.to_string())),
            ("sub1", sent.sub_id.clone()),
            ("trusted_form_cert_url", sent.consent.certificate_url.clone()),
        ];
        let fields = fields.into_iter().filter_map(|(name, value)| Some((name, value?)));
        told.extend(fields.map(|(name, value)| (name.to_owned(), value.into())));
        let evidence = sent.consent.evidence.iter();
        told.extend(evidence.map(|(name, value)| (name.clone(), value.clone().into())));
        told
    }
}

/// The publisher's own id of a lead.
fn own_id(lead: &StoredLead) -> Option<&String> {
    lead.submission.as_ref()?.external_id.as_ref()
}

fn whole(slot: Option<Slot<'_, '_>>, most: usize) -> Option<usize> {
    slot?.parse(format_args!("a whole number from 1 to {most}"), |node| {
        let number = node.as_text()?.trim().parse().ok()?;
        (1..=most).contains(&number).then_some(number)
    })
}

fn day(slot: Option<Slot<'_, '_>>) -> Option<Date> {
    slot?.parse("a date (YYYY-MM-DD)", |node| {
        let text = node.as_text()?.trim();
        (text.len() == 10).then(|| text.parse().ok())?
    })
}

fn begins(day: Date) -> Option<Timestamp> {
    day.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

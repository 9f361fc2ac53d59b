//! How the door shows a stored lead, and which leads were checked. Decides nothing.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use lead::{Answer, LeadId, Status, Submission};
use serde_json::{Map, Value, json};

use super::posted::EXTRA_FIELDS;
use super::reply::{refused, standing};
use crate::Stored;
use crate::reply::Reply;

/// Most checks that are remembered; the oldest are forgotten first.
const CHECKS_MAX: usize = 65_536;

/// Which leads were checked since the start: those lately, and those before them. Kept in memory alone:
/// after a restart, and once forgotten, a lead that nobody bought waits again and may be checked again.
#[derive(Debug, Default)]
pub(crate) struct Checked(Mutex<[HashSet<LeadId>; 2]>);

impl Checked {
    /// Whether a check of the lead is remembered.
    pub(crate) fn has(&self, lead: LeadId) -> bool {
        let sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        sets.iter().any(|set| set.contains(&lead))
    }

    /// Notes a check; `false` if there was one before.
    pub(crate) fn note(&self, lead: LeadId) -> bool {
        let mut sets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let [lately, before] = &mut *sets;
        if lately.contains(&lead) || before.contains(&lead) {
            return false;
        }
        if lately.len() >= CHECKS_MAX / 2 {
            *before = std::mem::take(lately);
        }
        lately.insert(lead)
    }
}

/// What a client is known by: names and passport, of one publisher's, and of one manager's if told so;
/// `None` if the lead does not say all of it.
pub(crate) fn client_parts(submission: &Submission, by_manager: bool) -> Option<[String; 7]> {
    let contact = &submission.contact;
    let passport = contact.documents.first()?;
    let part = |name: &str| Some(folded(passport.get(name)?.as_str()?));
    let manager = contact.extra.get("managerId").filter(|_| by_manager).map(Value::to_string);
    Some([
        submission.publisher.to_string(),
        manager.unwrap_or_default(),
        folded(contact.last_name.as_deref()?),
        folded(contact.first_name.as_deref()?),
        folded(contact.middle_name.as_deref().unwrap_or_default()),
        part("seria")?,
        part("no")?,
    ])
}

/// Letters and digits alone, in one case.
fn folded(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The whole lead: what was posted, without what is the publisher's to ignore, and how it stands.
pub(crate) fn record(stored: &Stored, client: Option<u64>, checked: bool) -> Value {
    let posted = stored.submission.as_ref().map(|submission| submission.contact.extra.clone());
    let mut data = posted.unwrap_or_default();
    data.remove(EXTRA_FIELDS);
    // The engine's word for a number that `mobilePhone` tells already.
    data.remove("phone_as_given");
    let answer = &stored.answer;
    let number = answer.lead.map(|(_, number)| number.0);
    let application = matches!(answer.status, Status::Distributed { .. }).then_some(number);
    let (_, redirect_url) = standing(&answer.status);
    let own = [
        ("id", json!(number)),
        ("clientId", json!(client)),
        ("loanApplicationId", json!(application.flatten())),
        ("creationDate", stored.received_at.as_millisecond().into()),
        ("currentStatus", current(answer, checked).into()),
        ("redirectUrl", json!(redirect_url)),
        ("distribution", distribution(answer)),
    ];
    data.extend(own.map(|(name, value)| (name.to_owned(), value)));
    Value::Object(data)
}

fn distribution(answer: &Answer) -> Value {
    let (status, _) = standing(&answer.status);
    let mut own = Map::from_iter([
        ("status".to_owned(), status.into()),
        ("final".to_owned(), answer.is_final.into()),
    ]);
    match &answer.status {
        Status::Distributed { payout, .. } => {
            own.insert("payout".to_owned(), payout.to_wire().into());
            own.insert("currency".to_owned(), json!(answer.currency));
        }
        Status::Rejected(reason) => drop(own.insert("reason".to_owned(), reason.name().into())),
        Status::New => {}
    }
    Value::Object(own)
}

/// The way of a lead to its status, oldest first.
pub(crate) fn statuses(answer: &Answer, checked: bool) -> Value {
    let info = match &answer.status {
        Status::Rejected(reason) => Some(reason.name()),
        _ => None,
    };
    let bare = |status: &str| json!({ "status": status, "info": null });
    Value::Array(match current(answer, checked) {
        "WAITING" => vec![bare("WAITING")],
        "CHECK" => vec![bare("WAITING"), bare("CHECK")],
        last => vec![bare("WAITING"), bare("CHECK"), json!({ "status": last, "info": info })],
    })
}

fn current(answer: &Answer, checked: bool) -> &'static str {
    match answer.status {
        Status::Distributed { .. } => "APPROVED",
        Status::Rejected(_) => "DENIED",
        Status::New if !answer.is_final => "CHECK",
        Status::New if checked => "DENIED",
        Status::New => "WAITING",
    }
}

/// Why a lead cannot be checked.
pub(crate) fn unready(
    stored: &Stored,
    at: Timestamp,
    first: impl FnOnce() -> bool,
) -> Option<Reply> {
    let passport = stored.submission.as_ref().and_then(|own| own.contact.documents.first());
    let has = |name: &str| passport.is_some_and(|passport| passport.get(name).is_some());
    if stored.submission.is_some() && !has("no") {
        return Some(refused("NO_PASSPORT_ERROR", "Passport is not specified", at));
    }
    if stored.submission.is_some() && !has("issueDate") {
        let message = "Passport issue date is not specified";
        return Some(refused("NO_PASSPORT_ISSUE_DATE_ERROR", message, at));
    }
    let again = !first();
    again.then(|| refused("UNEXPECTED_LEAD_STATUS_VALUE", "the lead was checked before", at))
}

/// Leads in the order of their ids, or as asked.
pub(crate) fn of_list(mut leads: Vec<(i64, Value)>, preserve_order: bool) -> Value {
    if !preserve_order {
        leads.sort_by_key(|(number, _)| *number);
    }
    leads.into_iter().map(|(_, lead)| lead).collect()
}

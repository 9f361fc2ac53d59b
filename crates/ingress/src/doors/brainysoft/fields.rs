//! The door's field map: every documented name and what its value is. Reading it gives the document in
//! one form: numbers that were written as strings are numbers, texts are trimmed, what is blank is
//! missing, unknown members are kept as they stand. Decides nothing about the lead.

use document::{Fields, Node, Slot};
use jiff::civil::Date;
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::json as raw;

/// What a value is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A text of at most so many characters.
    Text(usize),
    /// A decimal number.
    Double,
    /// A whole number.
    Whole,
    /// A flag.
    Bool,
    /// `YYYY-MM-DD`.
    Date,
    /// One of these words.
    Word(&'static [&'static str]),
    /// An object.
    Object(&'static [Field]),
    /// An array of objects.
    List(&'static [Field]),
}

use Kind::{Bool, Double, List, Object, Text, Whole, Word};

/// A name and what stands under it.
pub(super) type Field = (&'static str, Kind);

/// Where the documentation names no length.
const LINE: Kind = Text(1_000);

/// A lead.
pub(super) const LEAD: &[Field] = &[
    ("activeCreditsAmount", Double),
    ("activeCreditsCount", Whole),
    ("activeDelinquencyAmount", Double),
    ("addressData", Object(ADDRESS)),
    ("addresses", List(ADDRESS)),
    ("adultChildrenCount", Whole),
    ("amount", Double),
    ("approvedByScorista", Bool),
    ("averageMonthlyCost", Double),
    ("birthCountryId", Whole),
    ("birthDate", Kind::Date),
    ("birthPlace", LINE),
    ("bureauConsentDate", Kind::Date),
    ("cardHolder", LINE),
    ("cardNumber", LINE),
    (
        "channel",
        Word(&["ECOMM", "GENERATOR", "LOAN_APPLICATION", "PRESCORE", "SITE", "UNO_MOMENTO"]),
    ),
    ("childrenCount", Whole),
    ("clientId", Whole),
    ("closedCreditsCount", Whole),
    ("creditProductId", Whole),
    ("currentLoans", List(DEBT)),
    ("delinquencyCount", Whole),
    ("denialReasonId", Whole),
    ("dependentsCount", Whole),
    ("deviceTypeId", Whole),
    ("email", Text(254)),
    ("employerInn", LINE),
    ("employerTitle", LINE),
    ("extraFields", List(EXTRA)),
    ("firstName", Text(50)),
    ("gettingMoneyMethodId", Whole),
    ("goods", List(GOODS)),
    ("howYouKnowId", Whole),
    ("id", Whole),
    ("inn", LINE),
    ("intRate", Double),
    ("ipAddress", LINE),
    ("ipAndRegAddressMatch", Bool),
    ("ipAndRegionMatch", Bool),
    ("lastName", Text(50)),
    ("leadDebts", List(DEBT)),
    ("macAddress", LINE),
    ("managerId", Whole),
    ("meanIncome", Double),
    ("mobilePhone", Text(50)),
    ("mobilePhoneCheck", Bool),
    ("monthlyCreditPayment", Double),
    ("naturalPerson", Bool),
    ("orderCode", LINE),
    ("passport", Object(PASSPORT)),
    ("patronymic", Text(50)),
    ("payedDelinquencyCount", Whole),
    ("period", Whole),
    ("periodUnit", Word(&["DAYS", "WEEKS", "MONTHS", "YEARS"])),
    ("referralLink", Text(255)),
    ("registrationAddressData", Object(ADDRESS)),
    ("registrationNumber", LINE),
    ("relatives", List(RELATIVE)),
    ("rosfinmonitoringCheck", Bool),
    ("sexId", Whole),
    ("snils", LINE),
    ("storeCode", LINE),
    ("storeTypeId", Whole),
    ("subdivisionId", Whole),
    ("title", LINE),
    ("totalAmount", Double),
    ("totalAmountDelinq30", Double),
    ("ufmsCheck", Bool),
    ("validThruMonth", LINE),
    ("validThruYear", LINE),
    ("writtenDelinquencyCount", Whole),
];

const ADDRESS: &[Field] = &[
    ("additionalPhone", LINE),
    ("apartmentNo", LINE),
    ("blockNo", LINE),
    ("buildingNo", LINE),
    ("countryId", Whole),
    ("fiasChainText", LINE),
    ("fiasId", LINE),
    ("fullAddressText", LINE),
    ("houseNo", LINE),
    ("housingType", LINE),
    ("id", Whole),
    ("localityName", LINE),
    ("metroStation", LINE),
    ("oldAddressText", LINE),
    ("position", Whole),
    ("postalCode", LINE),
    ("purposeId", Whole),
    ("regDate", Kind::Date),
    ("regionName", LINE),
    ("streetName", LINE),
    ("telephone", LINE),
    ("timeZone", LINE),
];

const PASSPORT: &[Field] = &[
    ("closeDate", Kind::Date),
    ("complementaryDocTypeId", Whole),
    ("extraNumber", LINE),
    ("id", Whole),
    ("issueDate", Kind::Date),
    ("manager", LINE),
    ("no", Text(25)),
    ("seria", Text(25)),
    ("subdivisionCode", LINE),
];

const RELATIVE: &[Field] = &[
    ("address", LINE),
    ("birthDate", Kind::Date),
    ("collateralRelId", Whole),
    ("comments", LINE),
    ("email", Text(254)),
    ("firstName", LINE),
    ("id", Whole),
    ("lastName", LINE),
    ("passport", Object(PASSPORT)),
    ("patronymic", LINE),
    ("resident", Bool),
    ("rnn", LINE),
    ("telephone", LINE),
    ("verified", Bool),
    ("workPlace", LINE),
];

const GOODS: &[Field] = &[
    ("amount", Double),
    ("article", LINE),
    ("description", LINE),
    ("id", Whole),
    ("name", LINE),
    ("quantity", Whole),
];

/// Whether payments are late is a flag for some and a sentence for others: kept as it stands.
const DEBT: &[Field] = &[
    ("bank", LINE),
    ("contractNo", LINE),
    ("creditAmount", Double),
    ("creditOrganizationId", Whole),
    ("creditTitle", LINE),
    ("id", Whole),
    ("intRate", Double),
    ("lastPaymentDate", Kind::Date),
    ("monthlyPayment", Double),
    ("paymentFrequency", LINE),
    ("remainingDebt", Double),
    ("requisites", LINE),
];

const EXTRA: &[Field] = &[("id", Whole), ("key", LINE), ("value", LINE)];

/// The members of an object in one form; every one that is not what it should be is noted.
pub(super) fn read(fields: &Fields<'_, '_>, known: &'static [Field]) -> Map<String, Value> {
    let mut members = Map::new();
    for (name, kind) in known {
        if let Some(value) = present(fields.at(name)).and_then(|slot| one(&slot, *kind)) {
            members.insert((*name).to_owned(), value);
        }
    }
    for (name, slot) in fields.unread() {
        if let Some(node) = slot.node() {
            members.insert(name.to_owned(), raw::value(node));
        }
    }
    members
}

/// Absent, `null` and blank are all missing.
fn present<'n, 't>(slot: Slot<'n, 't>) -> Option<Slot<'n, 't>> {
    let blank = slot.node()?.as_text().is_some_and(|text| text.trim().is_empty());
    slot.given().filter(|_| !blank)
}

fn one(slot: &Slot<'_, '_>, kind: Kind) -> Option<Value> {
    match kind {
        Text(most) => text(slot, most).map(Value::String),
        Double => slot.parse("a number", decimal).and_then(|number| as_json(&number)),
        Whole => slot.parse("a whole number", whole).map(Value::from),
        Bool => slot.parse("true or false", flag).map(Value::Bool),
        Kind::Date => {
            slot.parsed::<Date>("a date (YYYY-MM-DD)").map(|date| date.to_string().into())
        }
        Word(words) => {
            let choices: Vec<(&str, &str)> = words.iter().map(|word| (*word, *word)).collect();
            slot.choice(&choices).map(Value::from)
        }
        Object(known) => slot.fields().map(|fields| Value::Object(read(&fields, known))),
        List(known) => {
            let item = |slot: Slot<'_, '_>| {
                Some(Value::Object(slot.fields().map(|fields| read(&fields, known))?))
            };
            slot.each(item).map(Value::Array)
        }
    }
}

/// A text, also one that was written as a number.
fn text(slot: &Slot<'_, '_>, most: usize) -> Option<String> {
    let text = slot.parse("a string", |node| match node {
        Node::Text(text) => Some(text.trim().to_owned()),
        Node::Number(number) => Some(number.to_string()),
        _ => None,
    })?;
    if text.chars().count() > most {
        slot.refuse(format_args!("must be at most {most} characters"));
        return None;
    }
    Some(text)
}

fn decimal(node: &Node<'_>) -> Option<Decimal> {
    match node {
        Node::Number(number) => Some(*number),
        Node::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn whole(node: &Node<'_>) -> Option<i64> {
    let number = decimal(node)?;
    i64::try_from(number).ok().filter(|_| number.is_integer())
}

fn flag(node: &Node<'_>) -> Option<bool> {
    match node {
        Node::Bool(value) => Some(*value),
        Node::Text(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    }
}

fn as_json(number: &Decimal) -> Option<Value> {
    number.to_string().parse().ok().map(Value::Number)
}

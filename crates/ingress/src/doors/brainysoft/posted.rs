//! From the door's field map to a submission. What the map has no place for goes along as posted.

use std::collections::BTreeMap;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use lead::{Address, Attributes, Consent, ConsentEntry, Contact, Door, Standard, Submission};
use market::{Product, Publisher};
use rust_decimal::Decimal;
use serde_json::{Map, Value};

use super::fias;

/// Under which name a post carries the extra fields by their keys; the last of a key wins.
pub(super) const EXTRA_FIELDS: &str = "extra_fields";

/// Countries by the ids of the original's dictionary, as far as they are known.
const COUNTRIES: &[(i64, &str)] = &[(101_041, "KZ"), (101_042, "RU")];

/// Members whose number is an attribute.
const NUMBERS: &[(&str, Standard)] = &[
    ("meanIncome", Standard::MonthlyIncome),
    ("averageMonthlyCost", Standard::MonthlyExpenses),
    ("amount", Standard::Amount),
    ("childrenCount", Standard::Children),
    ("activeCreditsAmount", Standard::DebtAmount),
];

/// A lead's members in one form.
pub(super) struct Posted(pub(super) Map<String, Value>);

/// Takes apart the addresses that are given as one line.
pub(super) fn fill_addresses(members: &mut Map<String, Value>) {
    for name in ["addressData", "registrationAddressData"] {
        if let Some(address) = members.get_mut(name).and_then(Value::as_object_mut) {
            fias::fill(address);
        }
    }
    let more = members.get_mut("addresses").and_then(Value::as_array_mut);
    more.into_iter().flatten().filter_map(Value::as_object_mut).for_each(fias::fill);
}

/// A phone number in E.164: in international form also without its plus, else one of `country`. Of a number
/// that no plan admits the digits, 10 to 15 of them; the engine keeps those for the post.
pub(super) fn phone(text: &str, country: &str) -> Option<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let known = lead::phone::e164(&format!("+{digits}"), country)
        .or_else(|| lead::phone::e164(text, country));
    let plain = || text.chars().all(|c| c.is_ascii_digit() || " +-.()\u{a0}".contains(c));
    known.or_else(|| ((10..=15).contains(&digits.len()) && plain()).then_some(digits))
}

impl Posted {
    /// A member's text.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        text(&self.0, name)
    }

    /// The lead in the engine's own terms.
    pub(super) fn into_submission(
        self,
        door: Door,
        publisher: &Publisher,
        product: &Product,
    ) -> Submission {
        let extra_fields = extra_fields(&self.0);
        Submission {
            door,
            publisher: publisher.id.clone(),
            product: product.id.clone(),
            sub_id: self.text("storeCode"),
            external_id: self.text("orderCode"),
            min_payout: None,
            tags: BTreeMap::new(),
            source_url: self.text("referralLink"),
            user_agent: None,
            attributes: self.attributes(&extra_fields),
            consent: self.consent(),
            contact: self.contact(extra_fields, &product.country),
            test: false,
            requested: None,
        }
    }

    fn attributes(&self, extra_fields: &Map<String, Value>) -> Attributes {
        let mut attributes = Attributes::new();
        for (name, standard) in NUMBERS {
            if let Some(number) = self.0.get(*name).and_then(decimal) {
                attributes.set_number(*standard, number);
            }
        }
        if let Some((standard, term)) = self.term() {
            attributes.set_number(standard, term);
        }
        let whole = |name: &str| self.0.get(name).and_then(Value::as_i64);
        let gender = match whole("sexId") {
            Some(101_251) => "male",
            Some(101_252) => "female",
            _ => "",
        };
        attributes.set_text(Standard::Gender, gender);
        let extra = |key: &str| extra_fields.get(key).and_then(Value::as_str).unwrap_or_default();
        let marital_status = match extra("client.maritalStatus.id") {
            "101151" => "single",
            "101152" => "married",
            _ => "",
        };
        attributes.set_text(Standard::MaritalStatus, marital_status);
        attributes.set_text(Standard::Purpose, extra("loanApplication.creditPurpose.id"));
        let nationality = whole("birthCountryId").and_then(country).unwrap_or_default();
        attributes.set_text(Standard::Nationality, nationality);
        attributes.set_text(Standard::Channel, &self.text("channel").unwrap_or_default());
        if let Some(address) = self.address() {
            let told = [
                (Standard::Country, address.country),
                (Standard::Region, address.region),
                (Standard::City, address.city),
                (Standard::PostalCode, address.postal_code),
            ];
            for (standard, value) in told {
                attributes.set_text(standard, &value.unwrap_or_default());
            }
        }
        attributes
    }

    /// The term in the unit that was meant: a month has no fixed number of days.
    fn term(&self) -> Option<(Standard, i64)> {
        let period = self.0.get("period")?.as_i64()?;
        let unit = self.text("periodUnit")?;
        let (standard, each) = match unit.as_str() {
            "DAYS" => (Standard::TermDays, 1),
            "WEEKS" => (Standard::TermDays, 7),
            "MONTHS" => (Standard::TermMonths, 1),
            _ => (Standard::TermMonths, 12),
        };
        Some((standard, period.checked_mul(each)?))
    }

    fn contact(self, extra_fields: Map<String, Value>, country: &str) -> Contact {
        let passport = self.0.get("passport").and_then(Value::as_object);
        let number = passport.and_then(|passport| {
            Some(text(passport, "seria").unwrap_or_default() + &text(passport, "no")?)
        });
        let group = |names: &[(&str, &str)]| {
            let one = |(name, word): &(&str, &str)| {
                Some(((*word).to_owned(), self.0.get(*name)?.clone()))
            };
            names.iter().filter_map(one).collect()
        };
        let mut contact = Contact {
            first_name: self.text("firstName"),
            middle_name: self.text("patronymic"),
            last_name: self.text("lastName"),
            second_last_name: None,
            email: self.text("email"),
            phone: self.text("mobilePhone").and_then(|text| phone(&text, country)),
            birth_date: self.text("birthDate").and_then(|date| date.parse().ok()),
            national_id: self.text("inn").or_else(|| self.text("snils")).or(number),
            address: self.address(),
            bank: group(&[
                ("cardHolder", "card_holder"),
                ("cardNumber", "card_last_four"),
                ("validThruMonth", "valid_thru_month"),
                ("validThruYear", "valid_thru_year"),
            ]),
            employer: group(&[("employerTitle", "name"), ("employerInn", "inn")]),
            documents: passport
                .map(|passport| Value::Object(passport.clone()))
                .into_iter()
                .collect(),
            extra: self.0,
        };
        if !extra_fields.is_empty() {
            contact.extra.insert(EXTRA_FIELDS.to_owned(), Value::Object(extra_fields));
        }
        contact
    }

    /// Where the consumer is registered, and what that does not say from where the consumer lives.
    fn address(&self) -> Option<Address> {
        let at = |name: &str| self.0.get(name).and_then(Value::as_object);
        let all = [at("registrationAddressData"), at("addressData")];
        let first = |name: &str| all.iter().flatten().find_map(|address| text(address, name));
        let id = all.iter().flatten().find_map(|address| address.get("countryId")?.as_i64());
        let house = ["houseNo", "blockNo", "buildingNo", "apartmentNo"];
        let house: Vec<String> = house.iter().filter_map(|name| first(name)).collect();
        all.iter().any(Option::is_some).then(|| Address {
            street: first("streetName"),
            house: (!house.is_empty()).then(|| house.join("-")),
            city: first("localityName"),
            region: first("regionName"),
            postal_code: first("postalCode"),
            country: id.and_then(country).map(str::to_owned),
        })
    }

    fn consent(&self) -> Consent {
        let ip = self.text("ipAddress").and_then(|ip| ip.parse().ok());
        let date: Option<Date> = self.text("bureauConsentDate").and_then(|date| date.parse().ok());
        let entry = |date: Date| ConsentEntry {
            kind: "bureau".to_owned(),
            accepted: true,
            accepted_at: date.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp()),
            version: None,
        };
        Consent { entries: date.map(entry).into_iter().collect(), ip, ..Consent::default() }
    }
}

fn country(id: i64) -> Option<&'static str> {
    COUNTRIES.iter().find(|(known, _)| *known == id).map(|(_, code)| *code)
}

/// What `extraFields` say, by key.
fn extra_fields(members: &Map<String, Value>) -> Map<String, Value> {
    let entries = members.get("extraFields").and_then(Value::as_array);
    let pair =
        |entry: &Value| Some((entry.get("key")?.as_str()?.to_owned(), entry.get("value")?.clone()));
    entries.into_iter().flatten().filter_map(pair).collect()
}

fn text(members: &Map<String, Value>, name: &str) -> Option<String> {
    members.get(name)?.as_str().map(str::to_owned)
}

fn decimal(value: &Value) -> Option<Decimal> {
    value.as_number()?.to_string().parse().ok()
}

//! What follows from what the publisher sent: attributes, and everything that has one form in that form,
//! whichever door it came through. Pure: the time of receipt is an argument.

use jiff::{Timestamp, Unit, civil::Date};
use lead::{Attribute, Reading, Standard, Submission, Value};
use market::{Mode, Product, Publisher};
use serde_json::Map;

/// Takes a submission in: one of a publisher in test mode is a test, and the rest as [`derive`].
pub(crate) fn receive(
    submission: &mut Submission,
    product: &Product,
    publisher: &Publisher,
    at: Timestamp,
) {
    submission.test |= publisher.mode == Mode::Test;
    derive(submission, product, publisher, at);
}

/// Adds what can be derived; what is derived from contact data wins over what was claimed.
pub(crate) fn derive(
    submission: &mut Submission,
    product: &Product,
    publisher: &Publisher,
    at: Timestamp,
) {
    reach(submission, product);
    prove(submission);
    place(submission, product);
    let today = at.to_zoned(product.timezone.clone()).date();
    if submission.contact.birth_date.is_none() {
        let claimed = submission.attributes.value(&Attribute::Standard(Standard::BirthDate));
        submission.contact.birth_date = match claimed {
            Some(Value::Date(date)) => Some(*date),
            _ => None,
        };
    }
    if let Some(born) = submission.contact.birth_date {
        submission.attributes.set(Standard::BirthDate, Reading::Known(Value::Date(born)));
        if let Some(age) = age(born, today) {
            submission.attributes.set_number(Standard::Age, age);
        }
    }
    if let Some(domain) = submission.contact.email_domain() {
        submission.attributes.set_text(Standard::EmailDomain, &domain);
    }
    submission.attributes.set_text(Standard::Product, product.id.as_str());
    submission.attributes.set_text(Standard::Vertical, &product.vertical);
    submission.attributes.set_number(Standard::LeadAgeMinutes, 0);
    name_publisher(submission, publisher);
}

/// Under which name a winner finds a phone number that is none.
pub(crate) const PHONE_AS_GIVEN: &str = "phone_as_given";

/// The phone number in E.164 and the e-mail address as it is kept. A number that cannot be read counts as
/// missing; a winner still gets what was given.
fn reach(submission: &mut Submission, product: &Product) {
    let contact = &mut submission.contact;
    if let Some(phone) = contact.phone.take() {
        contact.phone = match lead::phone::is_e164(&phone) {
            true => Some(phone),
            false => {
                let country = submission.attributes.text(Standard::Country);
                let country = country.unwrap_or(&product.country).to_ascii_uppercase();
                let read = lead::phone::e164(&phone, &country);
                if read.is_none() {
                    contact.extra.insert(PHONE_AS_GIVEN.to_owned(), phone.into());
                }
                read
            }
        };
    }
    if let Some(email) = contact.email.as_deref().and_then(lead::email::canonical) {
        contact.email = Some(email);
    }
    if let Some(area) = contact.phone.as_deref().and_then(lead::phone::area_code) {
        submission.attributes.set_text(Standard::PhoneAreaCode, area);
    }
}

/// What Jornaya's id of a form's submission is called, by forms and by those who sell their leads.
const JORNAYA: &[&str] = &["leadid_token", "universal_leadid", "jornaya_lead_id", "jornaya"];
/// Longest evidence, in characters.
const EVIDENCE_CHARS_MAX: usize = 2_048;

/// Jornaya's id is evidence of the consent, under whichever name and wherever a publisher sends it.
fn prove(submission: &mut Submission) {
    let extra = &submission.contact.extra;
    if let Some(id) = JORNAYA.iter().find_map(|name| named(extra, name)) {
        let id = id.to_owned();
        submission.consent.evidence.entry("jornaya".to_owned()).or_insert(id);
    }
}

/// The text of a field of that name, at whatever depth; fields are kept under their dotted paths.
fn named<'a>(fields: &'a Map<String, serde_json::Value>, name: &str) -> Option<&'a str> {
    fields.iter().find_map(|(path, value)| match value {
        serde_json::Value::Object(inner) => named(inner, name),
        serde_json::Value::String(text) => {
            let last = path.rsplit('.').next().unwrap_or(path);
            let text = text.trim();
            let fits = !text.is_empty() && text.chars().count() <= EVIDENCE_CHARS_MAX;
            (fits && last.eq_ignore_ascii_case(name)).then_some(text)
        }
        _ => None,
    })
}

/// Where the consumer lives: what the lead says, else the contact's address, else what its postal code
/// tells. What contradicts the postal code stays as it is given; `fraud` names it.
fn place(submission: &mut Submission, product: &Product) {
    let attributes = &mut submission.attributes;
    if let Some(address) = &submission.contact.address {
        let told = [
            (Standard::Country, &address.country),
            (Standard::Region, &address.region),
            (Standard::City, &address.city),
            (Standard::PostalCode, &address.postal_code),
        ];
        for (standard, value) in told {
            if attributes.reading(&standard.into()).is_none() {
                attributes.set_text(standard, value.as_deref().unwrap_or_default());
            }
        }
    }
    let country = attributes.text(Standard::Country).map(str::trim).map(str::to_ascii_uppercase);
    if let Some(country) = &country {
        attributes.set_text(Standard::Country, country);
    }
    let country = country.as_ref().unwrap_or(&product.country);
    if let Some(code) = attributes.text(Standard::PostalCode) {
        let code = lead::postal::canonical(country, code).as_deref().and_then(Value::text);
        attributes.set(Standard::PostalCode, code.map_or(Reading::Unreadable, Reading::Known));
    }
    let Some(places) = product.places().filter(|places| places.code() == country) else { return };
    if let Some(name) = attributes.text(Standard::Region).and_then(|region| places.region(region)) {
        attributes.set_text(Standard::Region, name);
    }
    let spot = attributes.text(Standard::PostalCode).and_then(|code| places.spot(code));
    let Some(spot) = spot else { return };
    for (standard, known) in [(Standard::Region, spot.region), (Standard::City, spot.city)] {
        if attributes.reading(&standard.into()).is_none() {
            attributes.set_text(standard, known.unwrap_or_default());
        }
    }
    if let Some(address) = &mut submission.contact.address {
        let fill = |field: &mut Option<String>, known: Option<&str>| {
            *field = field.take().or_else(|| known.map(str::to_owned));
        };
        fill(&mut address.region, spot.region);
        fill(&mut address.city, spot.city);
    }
}

/// Buyers see a publisher's alias, and then its channels under stable names that reveal nothing.
fn name_publisher(submission: &mut Submission, publisher: &Publisher) {
    let shown = publisher.alias.as_deref().unwrap_or(publisher.id.as_str());
    submission.attributes.set_text(Standard::Publisher, shown);
    // A channel that the lead claims by itself would go past the alias.
    submission.attributes.remove(Standard::SubId);
    let Some(sub_id) = submission.sub_id.as_deref() else {
        return;
    };
    match publisher.alias {
        None => submission.attributes.set_text(Standard::SubId, sub_id),
        Some(_) => {
            let digest = blake3::hash(format!("{}\0{sub_id}", publisher.id).as_bytes()).to_hex();
            let short: String = digest.chars().take(12).collect();
            submission.attributes.set_text(Standard::SubId, &short);
        }
    }
}

/// Whole years; `None` for a date of birth in the future.
fn age(born: Date, today: Date) -> Option<i64> {
    let span = born.until((Unit::Year, today)).ok()?;
    Some(i64::from(span.get_years())).filter(|_| born <= today)
}

#[cfg(test)]
mod tests {
    use super::{age, named};

    #[test]
    fn a_field_is_found_by_its_name_wherever_it_is_kept() {
        for (extra, expected) in [
            (r#"{"leadid_token": " J-1 "}"#, Some("J-1")),
            (r#"{"transaction.LeadiD_Token": "J-1"}"#, Some("J-1")),
            (r#"{"tracking": {"sub1": "a", "leadid_token": "J-1"}}"#, Some("J-1")),
            (r#"{"leadid_token": "", "a.leadid_token": "J-1"}"#, Some("J-1")),
            (r#"{"leadid_token": 7, "leadid_token_2": "J-1", "leadid_token.x": "y"}"#, None),
            (r"{}", None),
        ] {
            let fields = serde_json::from_str(extra).unwrap();
            assert_eq!(named(&fields, "leadid_token"), expected, "{extra}");
        }
        let long = serde_json::json!({ "leadid_token": "J".repeat(2_049) });
        assert_eq!(named(long.as_object().unwrap(), "leadid_token"), None);
    }

    #[test]
    fn age_turns_on_the_birthday() {
        for (born, today, expected) in [
            ("1990-11-02", "2026-11-01", Some(35)),
            ("1990-11-02", "2026-11-02", Some(36)),
            ("2008-02-29", "2026-02-28", Some(17)),
            ("2008-02-29", "2026-03-01", Some(18)),
            ("2026-11-03", "2026-11-02", None),
        ] {
            assert_eq!(
                age(born.parse().unwrap(), today.parse().unwrap()),
                expected,
                "{born} {today}"
            );
        }
    }
}

//! Attributes that follow from what the publisher sent. Pure: the time of receipt is an argument.

use jiff::{Timestamp, Unit, civil::Date};
use lead::{Attribute, Reading, Standard, Submission, Value};
use market::{Product, Publisher};

/// Adds what can be derived; what is derived from contact data wins over what was claimed.
pub(crate) fn derive(
    submission: &mut Submission,
    product: &Product,
    publisher: &Publisher,
    at: Timestamp,
) {
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
    use super::age;

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

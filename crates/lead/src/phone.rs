//! Phone numbers in one form, E.164. Knows numbering plans, never whose a number is.

use phonenumber::country::Id;

/// The number in E.164, `+34600111222`, from however people write it. One without a country code is a
/// number of `country` (ISO 3166-1 alpha-2); an extension is left out. `None` if no phone has it.
#[must_use]
pub fn e164(written: &str, country: &str) -> Option<String> {
    let written = written.trim();
    // The longest that people write; what is longer is no number.
    if written.len() > 40
        || written.rfind('+').is_some_and(|place| place > 1)
        || written.starts_with("++")
    {
        return None;
    }
    let american = is_american(country).then(|| american(written)).flatten();
    match american {
        Some(digits) => plan_admits(&digits).then(|| format!("+1{digits}")),
        None => by_library(written, country),
    }
}

/// Whether a text is a number in E.164 by its looks; what [`e164`] made is.
#[must_use]
pub fn is_e164(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (7..=15).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    })
}

/// The three digits that tell the area of a North American number in E.164.
#[must_use]
pub fn area_code(e164: &str) -> Option<&str> {
    e164.strip_prefix("+1").filter(|digits| digits.len() == 10)?.get(..3)
}

/// The country of a number in E.164; `None` if its code is shared by several, as North America's is.
#[must_use]
pub fn country(e164: &str) -> Option<&'static str> {
    // Those that the products of this trade are sold in; the code is all that is asked.
    const CODES: &[(&str, &str)] = &[
        ("+34", "ES"),
        ("+33", "FR"),
        ("+351", "PT"),
        ("+49", "DE"),
        ("+43", "AT"),
        ("+48", "PL"),
        ("+52", "MX"),
        ("+55", "BR"),
        ("+57", "CO"),
        ("+91", "IN"),
        ("+63", "PH"),
        ("+84", "VN"),
        ("+380", "UA"),
    ];
    CODES.iter().find(|(code, _)| e164.starts_with(code)).map(|(_, country)| *country)
}

/// Whether the country's numbers belong to the North American plan.
#[must_use]
pub fn is_american(country: &str) -> bool {
    matches!(country, "US" | "CA" | "PR")
}

/// The ten digits of a number that is written in the American way; `None` if it is not.
fn american(written: &str) -> Option<String> {
    let plain = |c: &char| !matches!(c, ' ' | '-' | '.' | '(' | ')' | '\u{a0}');
    let mut digits: String = written.chars().filter(plain).collect();
    if let Some(rest) = digits.strip_prefix("+1") {
        digits = rest.to_owned();
    } else if digits.len() == 11
        && let Some(rest) = digits.strip_prefix('1')
    {
        digits = rest.to_owned();
    }
    (digits.len() == 10 && digits.bytes().all(|byte| byte.is_ascii_digit())).then_some(digits)
}

/// Areas and exchanges begin with 2 to 9; neither is one of the short numbers such as 911, and no area
/// has 9 in its middle.
fn plan_admits(digits: &str) -> bool {
    let [a, b, c, x, y, z, _, _, _, _] = digits.as_bytes() else { return false };
    let from_two = |digit: &u8| (b'2'..=b'9').contains(digit);
    let short = |second: &u8, third: &u8| *second == b'1' && *third == b'1';
    from_two(a) && from_two(x) && *b != b'9' && !short(b, c) && !short(y, z)
}

fn by_library(written: &str, country: &str) -> Option<String> {
    // A way to dial out that the library knows of some countries only.
    let abroad = written.strip_prefix("00").map(|rest| format!("+{rest}"));
    let country: Option<Id> = country.parse().ok();
    let number = phonenumber::parse(country, abroad.as_deref().unwrap_or(written)).ok()?;
    let national = number.national().to_string();
    let right = match number.code().value() {
        1 => plan_admits(&national),
        _ => phonenumber::is_valid(&number),
    };
    let e164 = format!("+{}{national}", number.code().value());
    (right && is_e164(&e164)).then_some(e164)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_one_form() {
        for (country, written, expected) in [
            ("US", "7025551212", Some("+17025551212")),
            ("US", "(310) 555-1212", Some("+13105551212")),
            ("US", "1-310-555-1212", Some("+13105551212")),
            ("US", "+1 310.555.1212", Some("+13105551212")),
            ("US", "310-555-1212 ext. 7", Some("+13105551212")),
            ("US", "+34 600 111 222", Some("+34600111222")),
            ("US", "0105551212", None),
            ("US", "3101551212", None),
            ("US", "9115551212", None),
            ("US", "3109111212", None),
            ("US", "2905551212", None),
            ("US", "555-1212", None),
            ("US", "31055512120", None),
            ("CA", "4165551234", Some("+14165551234")),
            ("ES", "600 111 222", Some("+34600111222")),
            ("ES", "+34600111222", Some("+34600111222")),
            ("ES", "0034600111222", Some("+34600111222")),
            ("ES", "34600111222", Some("+34600111222")),
            ("ES", "+1 310 555 1212", Some("+13105551212")),
            ("ES", "60011122", None),
            ("ES", "100111222", None),
            ("RU", "8 (495) 100-11-12", Some("+74951001112")),
            ("RU", "74951001112", Some("+74951001112")),
            ("RU", "9161234567", Some("+79161234567")),
            ("DE", "0151 23456789", Some("+4915123456789")),
            ("IT", "06 6982 1234", Some("+390669821234")),
            ("ES", "", None),
            ("ES", "call me", None),
            ("ES", "+", None),
            ("ES", "++34600111222", None),
            ("ES", "+34+600111222", None),
            ("ES", "+999123456789", None),
            ("XX", "+34600111222", Some("+34600111222")),
            ("XX", "600111222", None),
        ] {
            let read = e164(written, country);
            assert_eq!(read.as_deref(), expected, "{country} {written}");
            if let Some(read) = read {
                assert!(is_e164(&read));
                assert_eq!(e164(&read, country).as_ref(), Some(&read), "it is its own form");
            }
        }
        assert_eq!(e164(&"1".repeat(100_000), "US"), None);
    }

    #[test]
    fn the_american_way_agrees_with_the_library() {
        for area in 200..1_000 {
            let written = format!("{area}5550134");
            let ours = e164(&written, "US");
            let number = phonenumber::parse(Some(Id::US), &written).unwrap();
            assert!(ours.is_some() || !phonenumber::is_valid(&number), "{written}");
        }
    }

    #[test]
    fn a_number_tells_its_area_or_country() {
        assert_eq!(area_code("+13105551212"), Some("310"));
        assert_eq!(area_code("+34600111222"), None);
        assert_eq!((country("+34600111222"), country("+13105551212")), (Some("ES"), None));
    }
}

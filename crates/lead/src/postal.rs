//! Postal codes, each country's in one form. Knows how they look, not which there are.

/// Longest code of a country whose form is not known here.
const CODE_CHARS_MAX: usize = 10;

/// A postal code in the one form in which it is compared, kept and shown to buyers: `90210` for
/// `90210-1234`, `K1A 0B1` for `k1a0b1`. `None` if no code of the country looks like this.
#[must_use]
pub fn canonical(country: &str, written: &str) -> Option<String> {
    let code: String =
        written.trim().chars().filter(|c| !matches!(c, ' ' | '-')).collect::<String>();
    if code.is_empty() || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let digits = |count: usize| code.len() == count && code.bytes().all(|b| b.is_ascii_digit());
    let as_is = || Some(code.clone());
    match country {
        "US" | "PR" if digits(5) || digits(9) => code.get(..5).map(str::to_owned),
        "ES" if digits(5) && ("01".."53").contains(&code.get(..2)?) => as_is(),
        "DE" | "FR" | "IT" | "MX" if digits(5) => as_is(),
        "RU" | "CO" | "IN" if digits(6) => as_is(),
        "AU" | "AT" | "CH" | "BE" | "DK" | "NO" if digits(4) => as_is(),
        "CA" if is_canadian(&code) => {
            let code = code.to_ascii_uppercase();
            Some(format!("{} {}", code.get(..3)?, code.get(3..)?))
        }
        "US" | "PR" | "ES" | "DE" | "FR" | "IT" | "MX" | "RU" | "CO" | "IN" | "AU" | "AT"
        | "CH" | "BE" | "DK" | "NO" | "CA" => None,
        _ if written.trim().len() <= CODE_CHARS_MAX => Some(written.trim().to_ascii_uppercase()),
        _ => None,
    }
}

/// What a code of the country looks like, for error texts.
#[must_use]
pub fn expected(country: &str) -> &'static str {
    match country {
        "US" | "PR" => "a ZIP code of 5 digits, or of 9 such as 90210-1234",
        "ES" | "DE" | "FR" | "IT" | "MX" => "a postal code of 5 digits",
        "RU" | "CO" | "IN" => "a postal code of 6 digits",
        "AU" | "AT" | "CH" | "BE" | "DK" | "NO" => "a postal code of 4 digits",
        "CA" => "a postal code such as K1A 0B1",
        _ => "a postal code of at most 10 letters and digits",
    }
}

fn is_canadian(code: &str) -> bool {
    let alternates = |(place, byte): (usize, u8)| match place % 2 {
        0 => byte.is_ascii_alphabetic(),
        _ => byte.is_ascii_digit(),
    };
    code.len() == 6 && code.bytes().enumerate().all(alternates)
}

#[cfg(test)]
mod tests {
    use super::canonical;

    #[test]
    fn codes_have_one_form() {
        for (country, written, expected) in [
            ("US", "90210", Some("90210")),
            ("US", " 02134-1000 ", Some("02134")),
            ("US", "021341000", Some("02134")),
            ("US", "2134", None),
            ("US", "9021O", None),
            ("ES", "28001", Some("28001")),
            ("ES", "52006", Some("52006")),
            ("ES", "53000", None),
            ("ES", "00100", None),
            ("RU", "170000", Some("170000")),
            ("RU", "17000", None),
            ("CA", "k1a0b1", Some("K1A 0B1")),
            ("CA", "K1A-0B1", Some("K1A 0B1")),
            ("CA", "K1A 0B", None),
            ("GB", "sw1a 1aa", Some("SW1A 1AA")),
            ("GB", "", None),
            ("GB", "<script>", None),
            ("GB", "12345678901", None),
            ("ES", "２８００１", None),
        ] {
            assert_eq!(canonical(country, written).as_deref(), expected, "{country} {written}");
        }
    }
}

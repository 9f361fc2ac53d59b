//! The form in which texts compare. Applied once to each text of a lead and once to each text of a
//! filter, never while matching.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// `text` trimmed and, unless `exact`, without case and accents; equal texts become equal strings.
///
/// Works character by character, so a prefix of a text stays a prefix. Folding goes through upper case:
/// ß becomes `ss`, final sigma becomes sigma, and both of the Turkish i's become `i`.
pub(crate) fn normalise(text: &str, exact: bool) -> String {
    let text = text.trim();
    match (exact, text.is_ascii()) {
        (true, _) => text.nfc().collect(),
        (false, true) => text.to_ascii_lowercase(),
        (false, false) => text.nfd().filter(|c| !is_accent(*c)).flat_map(fold).collect(),
    }
}

/// Whether `text` certainly stays as it is: small letters, digits and the like, and nothing to trim.
pub(crate) fn is_normal(text: &str) -> bool {
    let bytes = text.as_bytes();
    let inner = |end: Option<&u8>| end.is_some_and(u8::is_ascii_graphic);
    inner(bytes.first())
        && inner(bytes.last())
        && bytes.iter().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase())
}

/// A pattern that finds in normalised texts what its author meant to find in raw ones. ASCII stays as it
/// is, for there `\D` and `\d` differ; case is then left to the pattern's own flag.
pub(crate) fn normalise_pattern(pattern: &str, exact: bool) -> String {
    if exact {
        return pattern.nfc().collect();
    }
    let mut out = String::with_capacity(pattern.len());
    for c in pattern.nfd().filter(|c| !is_accent(*c)) {
        if c.is_ascii() { out.push(c) } else { out.extend(fold(c)) }
    }
    out
}

fn fold(c: char) -> impl Iterator<Item = char> {
    c.to_uppercase().flat_map(char::to_lowercase)
}

/// Below class 200 stand marks that spell words apart: the voicing of kana, the signs of Indic scripts.
fn is_accent(c: char) -> bool {
    canonical_combining_class(c) >= 200
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_margins_do_not_matter() {
        let same = [
            (" MÁLAGA\t", "malaga"),
            ("Ma\u{301}laga", "málaga"),
            ("Straße", "STRASSE"),
            ("İstanbul", "ISTANBUL"),
            ("ısparta", "Isparta"),
            ("ΟΔΟΣ", "οδός"),
            ("ЁЛКА", "елка"),
            ("ﬁn", "FIN"),
        ];
        for (left, right) in same {
            assert_eq!(normalise(left, false), normalise(right, false), "{left} {right}");
        }
        assert_ne!(normalise("が", false), normalise("か", false));
        assert_ne!(normalise("San  Juan", false), normalise("San Juan", false));
    }

    #[test]
    fn what_is_called_normal_stays_as_it_is() {
        for text in ["p_17", "a b", "28001", "~", " a", "a ", "", "A", "á", "\u{b}a", "e\u{301}"] {
            let stays = [true, false].map(|exact| normalise(text, exact) == text);
            assert!(!is_normal(text) || stays == [true, true], "{text}");
        }
        assert_eq!(["p_17", "28001", "a b"].map(is_normal), [true; 3]);
    }

    #[test]
    fn exact_texts_keep_case_and_accents() {
        assert_eq!(normalise(" Ma\u{301}laga ", true), "Málaga");
        assert_ne!(normalise("Malaga", true), normalise("Málaga", true));
        assert_ne!(normalise("malaga", true), normalise("Malaga", true));
    }
}

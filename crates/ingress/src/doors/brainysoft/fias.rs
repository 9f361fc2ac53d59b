//! An address given as a FIAS id and one line of text: the line is taken apart as far as its own words
//! allow (`обл Тверская, г Тверь, ул Новая, д. 5, кв. 8`). Looks nothing up, and never overwrites a part
//! that was given on its own.

use serde_json::{Map, Value};

/// The words before or after a name that say what it names, and under which member that belongs.
const KINDS: &[(&str, &[&str])] = &[
    ("regionName", &["обл", "область", "край", "респ", "республика", "аобл", "ао"]),
    (
        "localityName",
        &[
            "г",
            "город",
            "пгт",
            "п",
            "пос",
            "поселок",
            "посёлок",
            "с",
            "село",
            "дер",
            "деревня",
            "ст-ца",
            "рп",
        ],
    ),
    (
        "streetName",
        &[
            "ул",
            "улица",
            "пр-кт",
            "пр",
            "проспект",
            "пер",
            "переулок",
            "б-р",
            "бульвар",
            "ш",
            "шоссе",
            "наб",
            "набережная",
            "пл",
            "площадь",
            "проезд",
            "мкр",
            "туп",
        ],
    ),
    ("houseNo", &["д", "дом", "влд", "вл"]),
    ("blockNo", &["корп", "корпус", "к"]),
    ("buildingNo", &["стр", "строение"]),
    ("apartmentNo", &["кв", "квартира", "оф", "офис", "ком"]),
];

/// Cities that are regions of their own.
const FEDERAL: &[&str] = &["Москва", "Санкт-Петербург", "Севастополь"];

/// Fills the parts of an address that are missing, if it has both an id and a line.
pub(super) fn fill(address: &mut Map<String, Value>) {
    let given = |name: &str| address.get(name).and_then(Value::as_str);
    let Some((_, line)) = given("fiasId").zip(given("fullAddressText")) else { return };
    let line = line.to_owned();
    for part in line.split(',').map(str::trim) {
        if let Some((name, value)) = part_of(part) {
            address.entry(name).or_insert_with(|| value.into());
        }
    }
    let city = address.get("localityName").and_then(Value::as_str).unwrap_or_default();
    if let Some(city) = FEDERAL.iter().find(|known| **known == city) {
        address.entry("regionName").or_insert_with(|| (*city).into());
    }
}

/// What one part between commas is, and its value without the word that says so.
fn part_of(part: &str) -> Option<(&'static str, String)> {
    if part.len() == 6 && part.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(("postalCode", part.to_owned()));
    }
    let words: Vec<&str> = part.split([' ', '.']).filter(|word| !word.is_empty()).collect();
    let (first, last) = (words.first()?, words.last()?);
    let before = member(first).map(|name| (name, words.get(1..).unwrap_or_default().join(" ")));
    let after = || {
        let rest = words.get(..words.len().saturating_sub(1)).unwrap_or_default();
        member(last).map(|name| (name, rest.join(" ")))
    };
    let (name, value) = before.or_else(after)?;
    // "д Ивановка" is a village, "д 5" a house.
    let numbered = value.starts_with(|c: char| c.is_ascii_digit());
    let name = if name == "houseNo" && !numbered { "localityName" } else { name };
    (!value.is_empty()).then_some((name, value))
}

fn member(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase();
    let has = |(_, words): &&(&str, &[&str])| words.contains(&word.as_str());
    KINDS.iter().find(has).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn filled(mut address: Value) -> Value {
        let members = address.as_object_mut().unwrap();
        fill(members);
        members.remove("fiasId");
        members.remove("fullAddressText");
        address
    }

    #[test]
    fn a_line_is_taken_apart_as_far_as_its_words_allow() {
        for (line, parts) in [
            (
                "обл Тверская, г Тверь, ул Новая, д. 5, кв. 8",
                json!({"regionName": "Тверская", "localityName": "Тверь", "streetName": "Новая", "houseNo": "5", "apartmentNo": "8"}),
            ),
            (
                "170000, Тверская обл., Тверь г., Новая ул., дом 5а",
                json!({"postalCode": "170000", "regionName": "Тверская", "localityName": "Тверь", "streetName": "Новая", "houseNo": "5а"}),
            ),
            (
                "г. Москва, пр-кт Мира, д 10, корп 2, стр 1, кв 7",
                json!({"regionName": "Москва", "localityName": "Москва", "streetName": "Мира", "houseNo": "10", "blockNo": "2", "buildingNo": "1", "apartmentNo": "7"}),
            ),
            (
                "край Алтайский, д Ивановка, д 3",
                json!({"regionName": "Алтайский", "localityName": "Ивановка", "houseNo": "3"}),
            ),
            ("somewhere, , д, ул.", json!({})),
        ] {
            assert_eq!(
                filled(json!({"fiasId": "c2deb16a", "fullAddressText": line})),
                parts,
                "{line}"
            );
        }
    }

    #[test]
    fn what_was_given_stays_and_a_line_without_an_id_is_left_alone() {
        let given =
            json!({"fiasId": "c2", "fullAddressText": "г Тверь, ул Новая", "streetName": "Старая"});
        assert_eq!(filled(given), json!({"localityName": "Тверь", "streetName": "Старая"}));
        assert_eq!(filled(json!({"fullAddressText": "г Тверь"})), json!({}));
    }
}

//! What is refused, what is kept, and where defects are said to stand.

use crate::*;

fn json(text: &str) -> Result<Node<'static>, Unparsable> {
    let mut bytes = text.as_bytes().to_vec();
    parse_json(&mut bytes).map(Node::into_owned)
}

#[test]
fn json_that_two_readers_could_read_differently_is_refused() {
    let deep = format!("{}1{}", "[".repeat(65), "]".repeat(65));
    let deepest = format!("{}1{}", "[".repeat(10_000), "]".repeat(10_000));
    let many: Vec<String> = (0..40).map(|n| format!("\"k{}\":1", n % 39)).collect();
    for (text, expected) in [
        (r#"{"a":1,"a":2}"#, Unparsable::DuplicateKey),
        (r#"{"x":{"a":1,"b":2,"a":1}}"#, Unparsable::DuplicateKey),
        (&format!("{{{}}}", many.join(",")), Unparsable::DuplicateKey),
        (r#"{"a":"x\u0000y"}"#, Unparsable::Nul),
        (r#"{"a\u0000":1}"#, Unparsable::Nul),
        ("", Unparsable::Empty),
        (" \n ", Unparsable::Empty),
        (&deep, Unparsable::TooDeep),
        (&deepest, Unparsable::TooDeep),
    ] {
        assert_eq!(json(text), Err(expected), "{text:.60}");
    }
    for text in ["{", "nope", r#"{"a":}"#, r#"{"a":1}x"#, "\u{feff}", r#"{"a":NaN}"#, "[1,]"] {
        assert!(json(text).is_err(), "{text}");
    }
}

#[test]
fn a_byte_order_mark_is_dropped_and_numbers_stay_decimal() {
    assert_eq!(json("\u{feff}{\"a\":1}"), json("{\"a\":1}"));
    for (text, expected) in [
        ("12.34", "12.34"),
        ("0.1", "0.1"),
        ("1.005", "1.005"),
        ("-4.35", "-4.35"),
        ("9007199254740993", "9007199254740993"),
        ("1e3", "1000"),
        ("123456789.12345", "123456789.12345"),
        ("18446744073709551615", "18446744073709551615"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("0.10", "0.1"),
        ("0.1000000000000000000000000000000000001", "0.1"),
        ("12.340000000000000000000000000000000000", "12.34"),
        ("1e17", "100000000000000000"),
    ] {
        assert_eq!(json(text), Ok(Node::Number(expected.parse().unwrap())), "{text}");
    }
    for huge in [
        "18446744073709551616",
        "18446744073709551617",
        "-9223372036854775809",
        "1234567890123456789012345678901234567890",
        "1e29",
        "-1e29",
        "1e300",
    ] {
        assert_eq!(json(huge), Ok(Node::HugeNumber), "{huge}");
        let among = json(&format!(r#"{{"id":{huge},"list":[{huge} , 1.5]}}"#)).unwrap();
        assert_eq!(
            among.member("list"),
            Some(&Node::List(vec![Node::HugeNumber, Node::Number("1.5".parse().unwrap())]))
        );
    }
}

#[test]
fn every_defect_is_reported_with_its_path_and_never_with_the_value() {
    let root = json(r#"{"name":7,"age":"secret-word","list":[1,"x"],"extra":true}"#).unwrap();
    let defects = Defects::new();
    {
        let slot = Slot::root(&root, &defects);
        let fields = slot.fields().unwrap();
        assert_eq!(fields.at("name").text(), None);
        assert_eq!(fields.at("age").integer(0, 150), None);
        assert_eq!(fields.at("email").filled(), None);
        assert_eq!(fields.at("list").each(|item| item.number()).unwrap().len(), 1);
        fields.deny_unknown();
    }
    let found = defects.finish(Some(())).unwrap_err();
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "name must be a string, found a number",
            "age must be a whole number from 0 to 150, found a string",
            "email is required",
            "list.1 must be a number, found a string",
            "extra is not a known field; known here: name, age, email, list",
        ]
    );
    assert_eq!(found[3].path.pointer(), "/list/1");
    assert!(found[2].missing && !found[0].missing);
}

#[test]
fn toml_values_know_their_line_and_column() {
    let source = parse_toml("a = 1\n[t.u]\nprice = 12.50\nlist = [\"x\",\n  2]\n").unwrap();
    let at = |path: Path| source.position(&path);
    let table = Path::default().key("t").key("u");
    assert_eq!(at(table.key("price")), Position { line: 3, column: 9 });
    assert_eq!(at(table.key("list").index(1)), Position { line: 5, column: 3 });
    assert_eq!(at(table.key("absent")).line, 2);
    let price = source.root.member("t").and_then(|t| t.member("u")).and_then(|u| u.member("price"));
    assert_eq!(price, Some(&Node::Number("12.50".parse().unwrap())));
    let (place, _) = parse_toml("a = 1\nb = = 2\n").unwrap_err();
    assert_eq!(place.line, 2);
}

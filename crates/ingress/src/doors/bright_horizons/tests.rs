//! City and state where the publisher gives only a postal code.

use std::sync::Arc;

use document::parse_json;
use lead::Standard;
use market::{Market, Places, Sources};
use serde_json::{Value, json};

use super::{authenticate, decode};

const MARKET: &str = include_str!("../../../tests/golden/market.toml");
const SAMPLE: &str = include_str!("../../../tests/golden/bright_horizons/sample.json");

fn market() -> Market {
    let table = "country,postal_code,region,city,latitude,longitude\nUS,89002,NV,Boulder City,36.0,-114.9\n";
    let places = Places::read([("places.csv".to_owned(), table.to_owned())]).unwrap();
    let sources = Sources::parse([("market.toml".to_owned(), MARKET.to_owned())]).unwrap();
    sources.market().unwrap().with_places(Arc::new(places))
}

/// State and city of the sample with other members, where 89002 is known to be in Boulder City.
fn place_of(changes: &[(&str, Value)]) -> (Option<String>, Option<String>) {
    let mut body: Value = serde_json::from_str(SAMPLE).unwrap();
    for (name, value) in changes {
        body["transaction"][name] = value.clone();
    }
    let mut bytes = body.to_string().into_bytes();
    let root = parse_json(&mut bytes).unwrap();
    let market = market();
    let product = market.product_by_bright_horizons_path("debt/sub10k").unwrap();
    let desk = authenticate(&root, product, &market).unwrap();
    let posted = decode(&root, &desk).unwrap();
    let attributes = &posted.submission.attributes;
    let text = |standard| attributes.text(standard).map(str::to_owned);
    assert_eq!(posted.state.map(str::to_owned), text(Standard::Region));
    (text(Standard::Region), text(Standard::City))
}

#[test]
fn a_postal_code_fills_in_what_is_not_given() {
    let told = |state: Option<&str>, city: Option<&str>| {
        (state.map(str::to_owned), city.map(str::to_owned))
    };
    let (none, blank) = (Value::Null, json!(" "));
    let boulder = told(Some("NV"), Some("Boulder City"));
    assert_eq!(place_of(&[("state", none.clone()), ("city", blank.clone())]), boulder);
    let given = place_of(&[("state", json!("AZ")), ("city", none.clone())]);
    assert_eq!(given, told(Some("AZ"), Some("Boulder City")), "what is given stands");
    let given = place_of(&[("state", none.clone()), ("city", json!("Elsewhere"))]);
    assert_eq!(given, told(Some("NV"), Some("Elsewhere")));
    for (zip, state) in [(json!("89003"), Some("NV")), (none.clone(), None)] {
        let nowhere = place_of(&[("state", none.clone()), ("city", none.clone()), ("zip", zip)]);
        assert_eq!(nowhere, told(state, None), "states are known by prefix, cities from a table");
    }
}

//! Tables that are read and refused; regions by every name; distances against known ones.

use super::{Places, Radius, Unit};

const HEADER: &str = "country,postal_code,region,city,latitude,longitude\n";

fn read(rows: &str) -> Result<Places, Vec<String>> {
    let text = format!("{HEADER}{rows}");
    Places::read([("t.csv".to_owned(), text)])
        .map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

fn radius(length: &str, unit: Unit) -> Radius {
    Radius { length: length.parse().unwrap(), unit }
}

#[test]
fn what_cannot_be_read_is_refused_by_line_and_column() {
    let refused = |rows: &str| read(rows).unwrap_err();
    assert_eq!(refused("US,90210\n"), ["t.csv:2:1: must hold six fields, found 2"]);
    assert_eq!(
        refused(
            "us,90210,CA,,34,-118\nUS,9021,CA,,34,-118\nUS,90210,XX,,34,-118\n# note\nUS,90210,CA,,91,-118\nUS,90210,CA,,34,x\n"
        ),
        [
            "t.csv:2:1: country must be an ISO 3166-1 code of two capitals",
            "t.csv:3:4: postal_code must be one of the country",
            "t.csv:4:10: region must be one of the country",
            "t.csv:6:14: must be degrees with a point, such as 40.7507",
            "t.csv:7:17: must be degrees with a point, such as 40.7507",
        ]
    );
    assert_eq!(
        refused("US,90210,CA,,34,-118\nUS,90210-0001,CA,,34,-118\n"),
        ["postal codes:1:1: the tables hold US 90210 twice"]
    );
    let many = "x\n".repeat(1_000);
    assert_eq!(refused(&many).len(), super::table::FAULTS_MAX);
    let headless = Places::read([("t.csv".to_owned(), "US,90210,CA,,34,-118".to_owned())]);
    assert_eq!(
        headless.unwrap_err()[0].to_string(),
        format!("t.csv:1:1: the first line must be {}", HEADER.trim())
    );
}

#[test]
fn a_row_tells_its_region_and_city_and_a_prefix_tells_the_rest() {
    let places = read("US,90210,California,Beverly Hills,34.1,-118.4\nUS,10001,,,40.75,-74\nFR,75001,Paris,Paris,48.86,2.34\n").unwrap();
    let spot = |country: &str, code: &str| {
        let spot = places.country(country)?.spot(code)?;
        Some((spot.region.unwrap_or("-").to_owned(), spot.city.unwrap_or("-").to_owned()))
    };
    let found = |region: &str, city: &str| Some((region.to_owned(), city.to_owned()));
    assert_eq!(spot("us", "90210-1234"), found("CA", "Beverly Hills"));
    assert_eq!(spot("US", "10001"), found("NY", "-"));
    assert_eq!(spot("US", "96799"), found("AS", "-"), "across its prefix");
    assert_eq!(spot("US", "83414"), found("WY", "-"));
    assert_eq!(spot("US", "00000"), None);
    assert_eq!(spot("US", "34500"), None, "between prefixes");
    assert_eq!(spot("US", "99999"), found("AK", "-"));
    assert_eq!(spot("ES", "17001"), found("Girona", "-"));
    assert_eq!(spot("ES", "52006"), found("Melilla", "-"));
    assert_eq!(spot("FR", "75001"), found("Paris", "Paris"));
    assert_eq!((spot("FR", "75002"), spot("DE", "10115")), (None, None));
}

#[test]
fn regions_have_one_name_however_they_are_written() {
    let places = Places::built_in();
    for (country, written, expected) in [
        ("US", "ca", Some("CA")),
        ("US", "US-CA", Some("CA")),
        ("US", " california ", Some("CA")),
        ("US", "Washington D.C.", Some("DC")),
        ("US", "Cataluña", None),
        ("ES", "ES-GI", Some("Girona")),
        ("ES", "GERONA", Some("Girona")),
        ("ES", "malaga", Some("Málaga")),
        ("ES", "Ma\u{301}laga", Some("Málaga")),
        ("ES", "es-md", Some("Madrid")),
        ("ES", "Castilla - La Mancha", Some("Castilla-La Mancha")),
        ("ES", "", None),
    ] {
        assert_eq!(places.country(country).unwrap().region(written), expected, "{written}");
    }
    let spain = places.country("ES").unwrap();
    assert_eq!(
        spain.region_with_parts("ES-CT").unwrap(),
        ["Cataluña", "Barcelona", "Girona", "Lleida", "Tarragona"]
    );
    assert_eq!(spain.region_with_parts("Madrid").unwrap(), ["Madrid"]);
    assert_eq!((places.country("FR"), spain.has_centroids()), (None, false));
}

/// Distances between cities, as atlases tell them.
#[test]
fn distances_follow_the_great_circle() {
    let places = read("US,10001,,,40.7506,-73.9972\nUS,90210,,,34.1010,-118.4148\nUS,10002,,,40.7160,-73.9869\nUS,96799,,,-14.3,-170.7\n").unwrap();
    let us = places.country("US").unwrap();
    let far = us.distance("10001", "90210", Unit::Miles).unwrap();
    let miles: f64 = far.strip_suffix(" miles").unwrap().parse().unwrap();
    assert!((2_440.0..2_460.0).contains(&miles), "{far}");
    assert_eq!(us.distance("10001", "10001-0001", Unit::Km).as_deref(), Some("0.0 km"));
    assert_eq!(us.distance("10001", "10002", Unit::Km).as_deref(), Some("3.9 km"));
    let within = |length, unit| us.within("10001", radius(length, unit)).unwrap();
    assert_eq!(within("2.4", Unit::Miles), ["10001"]);
    assert_eq!(within("4", Unit::Km), ["10001", "10002"]);
    assert_eq!(within("2500", Unit::Miles).len(), 3);
    assert_eq!(within("20000", Unit::Km).len(), 4);
    assert_eq!(us.within("10003", radius("1", Unit::Km)), None);
}

/// The table that is shipped: whole, in few bytes, and its regions as its prefixes tell them.
#[test]
fn the_shipped_table_is_sound() {
    let text = include_str!("../../../../config/tables/us-postal-codes.csv");
    let places = Places::read([("us".to_owned(), text.to_owned())]).unwrap();
    let (us, plain) = (places.country("US").unwrap(), Places::built_in());
    let plain = plain.country("US").unwrap();
    let mut codes = 0;
    for line in text.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let spot = us.spot(fields[1]).unwrap();
        assert_eq!(spot.region, Some(fields[2]), "{line}");
        assert_eq!(plain.spot(fields[1]).unwrap().region, Some(fields[2]), "{line}");
        codes += 1;
    }
    assert_eq!(codes, 33_791);
    assert!(size_of::<super::country::Row>() <= 28);
    let near = us.within("90210", radius("25", Unit::Miles)).unwrap();
    assert!(near.contains(&"91101"));
    let counted = |code, miles| us.within(code, radius(miles, Unit::Miles)).unwrap().len();
    assert_eq!(
        [counted("90210", "25"), counted("10001", "25"), counted("99501", "500")],
        [237, 513, 177]
    );
}

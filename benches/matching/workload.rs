//! Campaigns and leads, seeded: what lenders ask for, once as filters and once as the expressions of
//! a-tree. Integers there are cents, and `zip3` stands for prefixes, which it does not have.

use std::fmt::Write as _;

use a_tree::{ATree, AttributeDefinition, Event};
use fastrand::Rng;
use lead::{Attribute, Attributes, Kind, Reading, Standard, Value};
use market::{Definition, Dictionary};
use rust_decimal::Decimal;

/// What differs between variants.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    /// Products that campaigns and leads are spread over.
    pub(crate) products: usize,
    /// Of a hundred campaigns, how many ask for each of the selective parts.
    pub(crate) eagerness: u8,
    /// Declared attributes, each asked for by one campaign in a hundred and told by one lead in ten.
    pub(crate) customs: usize,
}

pub(crate) const SHAPES: [Shape; 4] = [
    Shape { name: "twelve products", products: 12, eagerness: 80, customs: 0 },
    Shape { name: "one product", products: 1, eagerness: 100, customs: 0 },
    Shape { name: "few filters", products: 1, eagerness: 66, customs: 0 },
    Shape { name: "200 custom attributes", products: 12, eagerness: 80, customs: 200 },
];

/// One campaign in both languages.
#[derive(Debug)]
pub(crate) struct Campaign {
    pub(crate) products: Vec<usize>,
    pub(crate) filter: String,
    pub(crate) expression: String,
}

const STATES: [u32; 51] = [
    390, 291, 217, 195, 130, 128, 118, 108, 105, 100, 93, 86, 77, 73, 70, 69, 68, 62, 61, 59, 58,
    57, 51, 50, 46, 45, 42, 40, 39, 32, 31, 30, 29, 29, 28, 21, 20, 18, 18, 14, 14, 13, 11, 11, 10,
    9, 8, 7, 7, 6, 6,
];
const FREQUENCIES: [&str; 4] = ["weekly", "biweekly", "semimonthly", "monthly"];
const AREAS: usize = 880;

/// A random place by weight.
fn weighted(rng: &mut Rng, weights: impl Iterator<Item = u64> + Clone) -> usize {
    let mut left = rng.u64(0..weights.clone().sum());
    for (at, weight) in weights.enumerate() {
        match left.checked_sub(weight) {
            Some(rest) => left = rest,
            None => return at,
        }
    }
    0
}

fn product(rng: &mut Rng, count: usize) -> usize {
    const ZIPF: [u64; 12] = [1000, 660, 517, 435, 381, 341, 311, 287, 268, 251, 237, 225];
    weighted(rng, ZIPF.into_iter().take(count))
}

fn state(rng: &mut Rng) -> String {
    format!("s{:02}", weighted(rng, STATES.iter().map(|w| u64::from(*w))))
}

fn publisher(rng: &mut Rng) -> String {
    format!("p_{:04}", weighted(rng, (0..2_000).map(|at| 1_000_000 / (at + 5))))
}

fn area(rng: &mut Rng) -> String {
    format!("{:03}", rng.usize(0..AREAS) + 100)
}

fn zip(rng: &mut Rng) -> String {
    format!("{}{:02}", area(rng), rng.u8(0..100))
}

/// Both languages of one campaign while it is written.
#[derive(Default)]
struct Draft {
    filter: Vec<String>,
    expression: Vec<String>,
}

fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(",")
}

fn money(cents: i64) -> String {
    format!("\"{}\"", Decimal::new(cents, 2))
}

impl Draft {
    fn add(&mut self, filter: String, expression: String) {
        self.filter.push(filter);
        self.expression.push(expression);
    }

    fn member(&mut self, name: &str, operator: &str, texts: &[String]) {
        let list = quoted(texts);
        let words = operator.replace('_', " ");
        self.add(
            format!(r#""{name}": {{"{operator}": [{list}]}}"#),
            format!("{name} {words} [{list}]"),
        );
    }

    fn range(&mut self, name: &str, low: i64, high: i64, show: fn(i64) -> String) {
        self.add(
            format!(r#""{name}": {{"between": [{}, {}]}}"#, show(low), show(high)),
            format!("{name} >= {low} and {name} <= {high}"),
        );
    }

    fn least(&mut self, name: &str, low: i64, show: fn(i64) -> String, or_missing: bool) {
        let (lenient, null) = match or_missing {
            true => (r#", "or_missing": true"#, format!(" or {name} is null")),
            false => ("", String::new()),
        };
        self.add(
            format!(r#""{name}": {{"gte": {}{lenient}}}"#, show(low)),
            format!("({name} >= {low}{null})"),
        );
    }
}

/// A round bound, but for one in twenty.
fn bound(rng: &mut Rng, low: i64, high: i64, step: i64) -> i64 {
    let value = rng.i64(low..=high);
    if rng.u8(0..20) == 0 { value } else { value / step * step }
}

pub(crate) fn campaign(rng: &mut Rng, shape: Shape) -> Campaign {
    let count = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 4][rng.usize(0..20)];
    let mut products: Vec<usize> = (0..count).map(|_| product(rng, shape.products)).collect();
    products.sort_unstable();
    products.dedup();
    let mut draft = Draft::default();
    let country = if rng.u8(0..20) == 0 { "CA" } else { "US" };
    draft.add(format!(r#""country": "{country}""#), format!("country = \"{country}\""));
    draft.range("age", bound(rng, 18, 30, 3), bound(rng, 55, 80, 5), |age| age.to_string());
    let eager = |rng: &mut Rng, percent: u8| {
        rng.u32(0..10_000) < u32::from(percent) * u32::from(shape.eagerness)
    };
    if eager(rng, 100) {
        let low = bound(rng, 80_000, 400_000, 10_000);
        match rng.u8(0..10) {
            0 => draft.range(
                "monthly_income",
                low,
                low + bound(rng, 200_000, 800_000, 50_000),
                money,
            ),
            _ => draft.least("monthly_income", low, money, false),
        }
    }
    if eager(rng, 100) {
        let low = bound(rng, 10_000, 100_000, 10_000);
        draft.range("amount", low, low + bound(rng, 50_000, 400_000, 25_000), money);
    }
    if eager(rng, 40) {
        let lenient = rng.bool();
        draft.least("credit_score", bound(rng, 500, 700, 20), |score| score.to_string(), lenient);
    }
    geography(rng, &mut draft, shape);
    if eager(rng, 30) {
        let template = rng.i64(0..15);
        let hours: Vec<String> = (0..168)
            .filter(|hour| {
                (7 + template % 4..18 + template % 5).contains(&(hour % 24))
                    && hour / 24 < 5 + template % 3
            })
            .map(|hour| hour.to_string())
            .collect();
        let list = hours.join(",");
        draft.add(format!(r#""hour": {{"in": [{list}]}}"#), format!("hour in [{list}]"));
    }
    match rng.u8(0..100) {
        0..10 => draft.member("publisher", "in", &many(rng, 5, 50, publisher)),
        10..20 => draft.member("publisher", "not_in", &many(rng, 1, 30, publisher)),
        20..30 => nested(rng, &mut draft),
        _ => {}
    }
    for custom in (0..shape.customs).filter(|_| rng.u8(0..100) == 0).collect::<Vec<_>>() {
        draft.least(&format!("custom_{custom}"), rng.i64(1..6), |value| value.to_string(), true);
    }
    Campaign {
        products,
        filter: format!("{{{}}}", draft.filter.join(", ")),
        expression: draft.expression.join(" and "),
    }
}

fn many(rng: &mut Rng, least: usize, most: usize, one: fn(&mut Rng) -> String) -> Vec<String> {
    let mut all: Vec<String> = (0..rng.usize(least..=most)).map(|_| one(rng)).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn geography(rng: &mut Rng, draft: &mut Draft, shape: Shape) {
    let kind = if rng.u8(0..100) < shape.eagerness { rng.u8(0..100) } else { 0 };
    match kind {
        0..18 => {}
        18..45 => draft.member("region", "not_in", &many(rng, 1, 12, state)),
        45..78 => draft.member("region", "in", &many(rng, 1, 25, state)),
        78..92 => {
            let areas = many(rng, 5, 60, area);
            let list = quoted(&areas);
            draft.add(
                format!(r#""postal_code": {{"starts_with": [{list}]}}"#),
                format!("zip3 in [{list}]"),
            );
        }
        _ => draft.member("postal_code", "in", &many(rng, 20, 300, zip)),
    }
}

fn nested(rng: &mut Rng, draft: &mut Draft) {
    let some: Vec<String> =
        FREQUENCIES.iter().filter(|_| rng.bool()).map(|name| (*name).to_owned()).collect();
    let some = if some.is_empty() { vec!["weekly".to_owned()] } else { some };
    let (list, months) = (quoted(&some), bound(rng, 3, 36, 3));
    let employed = rng.bool();
    draft.add(
        format!(
            r#""any": [{{"home_owner": true}}, {{"all": [{{"pay_frequency": {{"in": [{list}]}}}}, {{"not": {{"bank_months": {{"lt": {months}}}}}}}]}}], "direct_deposit": {employed}"#
        ),
        format!(
            "(home_owner or (pay_frequency in [{list}] and not (bank_months < {months}))) and {}",
            if employed { "direct_deposit" } else { "not direct_deposit" }
        ),
    );
}

/// One lead: its product, its attributes, and the same as JSON.
#[derive(Debug)]
pub(crate) struct Lead {
    pub(crate) product: usize,
    pub(crate) attributes: Attributes,
}

pub(crate) fn lead(rng: &mut Rng, shape: Shape) -> Lead {
    let product = product(rng, shape.products);
    let mut attributes = Attributes::new();
    attributes.set_text(Standard::Country, if rng.u8(0..100) < 92 { "US" } else { "CA" });
    attributes.set_text(Standard::Region, &state(rng).to_uppercase());
    attributes.set_text(Standard::PostalCode, &zip(rng));
    attributes.set_number(Standard::Age, rng.i64(18..80));
    attributes.set_number(Standard::MonthlyIncome, Decimal::new(rng.i64(80_000..700_000), 2));
    attributes.set_number(Standard::Amount, Decimal::new(rng.i64(2..100) * 5_000, 2));
    if rng.u8(0..10) > 0 {
        attributes.set_number(Standard::CreditScore, rng.i64(480..820));
    }
    attributes.set_text(Standard::Publisher, &publisher(rng));
    attributes.set_number(Attribute::named("hour"), rng.i64(0..168));
    let tells = |rng: &mut Rng| rng.u8(0..100) < 85;
    let truth = |rng: &mut Rng| Reading::Known(Value::Bool(rng.bool()));
    if tells(rng) {
        attributes.set(Attribute::named("home_owner"), truth(rng));
    }
    if tells(rng) {
        attributes.set(Standard::DirectDeposit, truth(rng));
    }
    if tells(rng) {
        attributes.set_text(Standard::PayFrequency, FREQUENCIES[rng.usize(0..4)]);
    }
    if tells(rng) {
        attributes.set_number(Attribute::named("bank_months"), rng.i64(0..60));
    }
    if tells(rng) {
        attributes.set_text(Standard::Employment, ["employed", "retired"][rng.usize(0..2)]);
    }
    for custom in (0..shape.customs).filter(|_| rng.u8(0..10) == 0).collect::<Vec<_>>() {
        attributes.set_number(Attribute::named(&format!("custom_{custom}")), rng.i64(0..10));
    }
    Lead { product, attributes }
}

const TEXTS: [&str; 6] = ["country", "region", "postal_code", "zip3", "publisher", "pay_frequency"];
const NUMBERS: [&str; 6] =
    ["age", "monthly_income", "amount", "credit_score", "hour", "bank_months"];
const TRUTHS: [&str; 2] = ["home_owner", "direct_deposit"];

pub(crate) fn dictionary(shape: Shape) -> Dictionary {
    let plain = |name: &str, kind| Definition::plain(Attribute::named(name), kind, true);
    let customs = (0..shape.customs).map(|at| plain(&format!("custom_{at}"), Kind::Number));
    Dictionary::new(customs.chain([
        plain("hour", Kind::Number),
        plain("bank_months", Kind::Number),
        plain("home_owner", Kind::Bool),
    ]))
}

/// An empty a-tree for the same attributes.
pub(crate) fn a_tree(shape: Shape) -> ATree<u32> {
    let mut all = vec![AttributeDefinition::string("product")];
    all.extend(TEXTS.map(AttributeDefinition::string));
    all.extend(NUMBERS.map(AttributeDefinition::integer));
    all.extend(TRUTHS.map(AttributeDefinition::boolean));
    all.extend((0..shape.customs).map(|at| AttributeDefinition::integer(&format!("custom_{at}"))));
    ATree::new(&all).unwrap()
}

/// The lead as a-tree reads it.
pub(crate) fn event(tree: &ATree<u32>, lead: &Lead) -> Event {
    let mut event = tree.make_event();
    event.with_string("product", &format!("p{}", lead.product)).unwrap();
    for (attribute, reading) in lead.attributes.iter() {
        let Reading::Known(value) = reading else { continue };
        let name = attribute.name();
        match value {
            _ if name == "employment" => {}
            Value::Text(text) if name == "region" => {
                event.with_string(name, &text.to_lowercase()).unwrap();
            }
            Value::Text(text) => {
                event.with_string(name, text).unwrap();
                if name == "postal_code" {
                    event.with_string("zip3", text.get(..3).unwrap()).unwrap();
                }
            }
            Value::Number(number) => {
                let cents = matches!(name, "monthly_income" | "amount");
                let number = if cents { number * Decimal::ONE_HUNDRED } else { *number };
                event.with_integer(name, i64::try_from(number).unwrap()).unwrap();
            }
            Value::Bool(value) => event.with_boolean(name, *value).unwrap(),
            Value::Date(_) => {}
        }
    }
    event.build().unwrap()
}

/// The lead as a publisher would send it.
pub(crate) fn json(lead: &Lead) -> String {
    let mut out = format!("{{\"product\":\"p{}\"", lead.product);
    for (attribute, reading) in lead.attributes.iter() {
        let Reading::Known(value) = reading else { continue };
        let name = attribute.name();
        match value {
            Value::Text(text) => write!(out, ",\"{name}\":\"{text}\"").unwrap(),
            other => write!(out, ",\"{name}\":{other}").unwrap(),
        }
    }
    out + "}"
}

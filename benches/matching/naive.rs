//! What one writes first: a walk over the filter's JSON for each campaign, with the lead as a map of JSON.
//! Stops at the first part that is not true. Knows what the workload asks, with numbers as they are parsed.

use serde_json::Value;

/// An object of JSON.
pub(crate) type Map = serde_json::Map<String, Value>;

pub(crate) fn map(text: &str) -> Map {
    serde_json::from_str(text).unwrap()
}

/// The places of the filters that are true for a lead.
pub(crate) fn matching<'a>(filters: &'a [Map], lead: &'a Map) -> impl Iterator<Item = usize> + 'a {
    let wants = |filter: &Map| all(filter, lead) == Some(true);
    filters.iter().enumerate().filter_map(move |(at, filter)| wants(filter).then_some(at))
}

/// `None` is unknown, which comes before true and after false.
fn all(filter: &Map, lead: &Map) -> Option<bool> {
    let mut truth = Some(true);
    for (name, asked) in filter {
        let answer = match (name.as_str(), asked) {
            ("all", Value::Array(parts)) => {
                parts.iter().map(|part| of(part, lead)).min_by_key(rank).unwrap_or(Some(true))
            }
            ("any", Value::Array(parts)) => {
                parts.iter().map(|part| of(part, lead)).max_by_key(rank).unwrap_or(Some(false))
            }
            ("not", part) => of(part, lead).map(|truth| !truth),
            (name, asked) => attribute(asked, lead.get(name)),
        };
        if answer == Some(false) {
            return answer;
        }
        truth = if answer.is_none() { None } else { truth };
    }
    truth
}

fn of(filter: &Value, lead: &Map) -> Option<bool> {
    all(filter.as_object().unwrap(), lead)
}

fn rank(truth: &Option<bool>) -> u8 {
    truth.map_or(1, |truth| if truth { 2 } else { 0 })
}

fn attribute(asked: &Value, value: Option<&Value>) -> Option<bool> {
    let Value::Object(operators) = asked else {
        return value.map(|value| same(value, asked));
    };
    let Some(value) = value else {
        return operators.get("or_missing").and_then(Value::as_bool).filter(|lenient| *lenient);
    };
    let holds = |(name, operand): (&String, &Value)| {
        let items = || operand.as_array().unwrap().iter();
        match name.as_str() {
            "gte" => number(value) >= number(operand),
            "lt" => number(value) < number(operand),
            "between" => {
                number(value) >= number(&operand[0]) && number(value) <= number(&operand[1])
            }
            "in" => items().any(|item| same(value, item)),
            "not_in" => !items().any(|item| same(value, item)),
            "starts_with" => items().any(|item| text(value).starts_with(text(item))),
            "or_missing" => true,
            _ => panic!("{name} is not in the workload"),
        }
    };
    Some(operators.iter().all(holds))
}

fn same(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::String(value), Value::String(wanted)) => value.eq_ignore_ascii_case(wanted),
        _ => value == wanted,
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Two decimals at most are in the workload: they are exact enough as floats.
fn number(value: &Value) -> f64 {
    match value {
        Value::String(text) => text.parse().unwrap(),
        other => other.as_f64().unwrap(),
    }
}

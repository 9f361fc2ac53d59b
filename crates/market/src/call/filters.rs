//! What a template may do with a value: rename it, date it, dial it. Each filter takes one text, number
//! or boolean and makes one text. None reads a clock, and none makes more than it was given, but for
//! what stands in the template itself.
//!
//! | filter | makes |
//! |---|---|
//! | `default("x")` | `x` where the value is missing, `null` or empty |
//! | `map({"employed": "E", "retired": "R"}, default="O")` | the buyer's word for ours; without `default`, a value that is not listed does not fit |
//! | `date("%d/%m/%Y")` | a date or an RFC 3339 time (in UTC), by strftime |
//! | `phone("national")` | `e164` +34600111222, `digits` 34600111222, `national` 600111222 |
//! | `upper` `lower` `trim` `digits` | the text in capitals, in small letters, without outer white space, its digits alone |
//! | `cut(20)` | its first 20 characters |
//! | `decimals(2)` | a number with two decimals, half away from zero |
//! | `times(12)` | a number times another, in decimal |
//! | `secret` | `{{ "name" \| secret }}`: one of the buyer's secrets |

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, fmt::strtime};
use minijinja::machinery::ast::{CallArg, Expr};
use minijinja::value::Kwargs;
use minijinja::{Environment, Error, ErrorKind, Value};
use rust_decimal::{Decimal, RoundingStrategy};

use super::escape::scalar;
use crate::Secrets;

/// Longest text that a filter takes, in bytes.
const TEXT_BYTES_MAX: usize = 4 * 1_024;

/// Longest date format.
const FORMAT_BYTES_MAX: usize = 64;

/// How a phone number may be written.
const PHONE_FORMS: &[&str] = &["e164", "digits", "national"];

/// Every filter, as its check knows it.
const NAMES: &[&str] = &[
    "default", "map", "date", "phone", "upper", "lower", "trim", "digits", "cut", "decimals",
    "times", "secret",
];

/// Whether a filter exists and is used as it can be: what is wrong is told when the market is read.
pub(super) fn check(
    name: &str,
    input: Option<&Expr<'_>>,
    arguments: &[CallArg<'_>],
    secrets: &Secrets,
) -> Result<(), String> {
    let fits = match (name, arguments) {
        ("default", [CallArg::Pos(_)]) => true,
        ("upper" | "lower" | "trim" | "digits", []) => true,
        ("map", [CallArg::Pos(Expr::Map(map))]) => map.as_const().is_some(),
        ("map", [CallArg::Pos(Expr::Map(map)), CallArg::Kwarg("default", _)]) => {
            map.as_const().is_some()
        }
        ("date", [CallArg::Pos(format)]) => text(format).is_some_and(|format| is_format(&format)),
        ("phone", [CallArg::Pos(form)]) => {
            text(form).is_some_and(|form| PHONE_FORMS.contains(&form.as_str()))
        }
        ("cut" | "decimals" | "times", [CallArg::Pos(number)]) => {
            number.as_const().is_some_and(|number| decimal(&number).is_ok())
        }
        ("secret", []) => {
            let named =
                input.and_then(text).ok_or("must name a secret: {{ \"name\" | secret }}")?;
            if secrets.get(&named).is_none() {
                let known = secrets.known();
                return Err(format!("must name a secret of the buyer, found {named}; {known}"));
            }
            true
        }
        _ if !NAMES.contains(&name) => {
            return Err(format!(
                "must use known filters, found {name}; known: {}",
                NAMES.join(", ")
            ));
        }
        _ => false,
    };
    let usage = match name {
        "default" => "default(\"x\")",
        "map" => "map({\"ours\": \"theirs\"}, default=\"x\")",
        "date" => "date(\"%d/%m/%Y\")",
        "phone" => "phone(\"national\"), phone(\"digits\") or phone(\"e164\")",
        "cut" => "cut(20)",
        "decimals" => "decimals(2)",
        "times" => "times(12)",
        _ => "no arguments",
    };
    if fits { Ok(()) } else { Err(format!("must use {name} as it is: {usage}")) }
}

fn text(expression: &Expr<'_>) -> Option<String> {
    match expression {
        Expr::Const(constant) => constant.value.as_str().map(str::to_owned),
        _ => None,
    }
}

fn is_format(format: &str) -> bool {
    format.len() <= FORMAT_BYTES_MAX
        && strtime::format(format, &Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC)).is_ok()
}

/// Gives an empty environment its filters and tests.
pub(super) fn add(environment: &mut Environment<'static>, secrets: &Secrets) {
    environment.add_test("defined", |value: &Value| !value.is_undefined());
    environment.add_test("undefined", |value: &Value| value.is_undefined());
    environment.add_test("none", |value: &Value| value.is_none());
    environment.add_filter("default", |value: &Value, other: Value| {
        let empty = value.is_undefined() || value.is_none() || value.as_str() == Some("");
        if empty { other } else { value.clone() }
    });
    environment.add_filter("map", map);
    environment.add_filter("date", date);
    environment.add_filter("phone", phone);
    environment.add_filter("upper", |value: &Value| given(value).map(|text| text.to_uppercase()));
    environment.add_filter("lower", |value: &Value| given(value).map(|text| text.to_lowercase()));
    environment.add_filter("trim", |value: &Value| given(value).map(|text| text.trim().to_owned()));
    environment.add_filter("digits", |value: &Value| given(value).map(|text| digits(&text)));
    environment.add_filter("cut", |value: &Value, most: usize| {
        given(value).map(|text| text.chars().take(most).collect::<String>())
    });
    environment.add_filter("decimals", decimals);
    environment.add_filter("times", |value: &Value, by: &Value| {
        let product = decimal(value)?.checked_mul(decimal(by)?);
        product.map(|product| product.normalize().to_string()).ok_or_else(misfit)
    });
    let secrets = secrets.clone();
    environment.add_filter("secret", move |name: &str| {
        secrets.get(name).map(|secret| secret.expose().to_owned()).ok_or_else(misfit)
    });
}

/// A value that a filter cannot take. Never quotes it.
fn misfit() -> Error {
    Error::new(ErrorKind::InvalidOperation, "the value does not fit")
}

fn given(value: &Value) -> Result<String, Error> {
    if value.is_undefined() || value.is_none() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let text = scalar(value)?;
    if text.len() <= TEXT_BYTES_MAX { Ok(text) } else { Err(misfit()) }
}

fn decimal(value: &Value) -> Result<Decimal, Error> {
    given(value)?.trim().parse().map_err(|_| misfit())
}

fn map(value: &Value, words: &Value, options: Kwargs) -> Result<Value, Error> {
    let other: Option<Value> = options.get("default")?;
    if !value.is_undefined() && !value.is_none() {
        let keys = [value.clone(), Value::from(given(value)?)];
        for key in keys {
            if let Ok(word) = words.get_item(&key)
                && !word.is_undefined()
            {
                return Ok(word);
            }
        }
    }
    other.ok_or_else(misfit)
}

fn date(value: &Value, format: &str) -> Result<String, Error> {
    let text = given(value)?;
    let written = match text.parse::<Date>() {
        Ok(date) if text.len() == "YYYY-MM-DD".len() => strtime::format(format, date),
        _ => {
            let time: Timestamp = text.parse().map_err(|_| misfit())?;
            strtime::format(format, &time.to_zoned(TimeZone::UTC))
        }
    };
    written.map_err(|_| misfit())
}

fn decimals(value: &Value, digits: u32) -> Result<String, Error> {
    let mut number = decimal(value)?
        .round_dp_with_strategy(digits.min(8), RoundingStrategy::MidpointAwayFromZero);
    number.rescale(digits.min(8));
    Ok(number.to_string())
}

fn digits(text: &str) -> String {
    text.chars().filter(char::is_ascii_digit).collect()
}

fn phone(value: &Value, form: &str) -> Result<String, Error> {
    let text = given(value)?;
    let text = text.trim();
    let all = digits(text);
    let full = match (text.starts_with('+'), all.strip_prefix("00")) {
        (true, _) => Some(all.as_str()),
        (false, full) => full,
    };
    match (form, full) {
        (_, None) if form != "e164" => Ok(all),
        ("e164", Some(full)) => Ok(format!("+{full}")),
        ("digits", Some(full)) => Ok(full.to_owned()),
        ("national", Some(full)) => {
            Ok(full.get(calling_code_digits(full)..).unwrap_or_default().to_owned())
        }
        // Without its country's code a number has no international form.
        _ => Err(misfit()),
    }
}

/// How many digits of an international number are the country's: the ITU's plan (E.164).
fn calling_code_digits(number: &str) -> usize {
    let two = number.get(..2).unwrap_or_default();
    match two.as_bytes() {
        [b'1' | b'7', _] => 1,
        b"20" | b"27" | b"30" | b"31" | b"32" | b"33" | b"34" | b"36" | b"39" | b"40" | b"41"
        | b"43" | b"44" | b"45" | b"46" | b"47" | b"48" | b"49" | b"51" | b"52" | b"53" | b"54"
        | b"55" | b"56" | b"57" | b"58" | b"60" | b"61" | b"62" | b"63" | b"64" | b"65" | b"66"
        | b"81" | b"82" | b"84" | b"86" | b"90" | b"91" | b"92" | b"93" | b"94" | b"95" | b"98" => {
            2
        }
        _ => 3,
    }
}

//! What is known of a lead apart from who the consumer is. Contact data never enters here.

use std::fmt;
use std::sync::Arc;

use jiff::civil::Date;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// What an attribute's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A string.
    Text,
    /// A decimal number.
    Number,
    /// True or false.
    Bool,
    /// A calendar date, `YYYY-MM-DD`.
    Date,
}

impl Kind {
    /// As error texts name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "a string",
            Self::Number => "a number",
            Self::Bool => "a boolean",
            Self::Date => "a date (YYYY-MM-DD)",
        }
    }
}

macro_rules! standard {
    ($($variant:ident $name:literal $kind:ident $ping:ident,)+) => {
        /// The attributes that every product has.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Standard {
            $(#[doc = $name] $variant,)+
        }

        impl Standard {
            /// All of them, in the order of declaration: `ALL[s as usize] == s`.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in filters, pings and native leads.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// What its values are.
            #[must_use]
            pub fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)+ }
            }

            /// Whether a ping may carry it.
            #[must_use]
            pub fn in_ping(self) -> bool {
                match self { $(Self::$variant => standard!(@$ping),)+ }
            }

            /// Looks up a name or alias (`state`, `zip`).
            #[must_use]
            pub fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    "state" => Some(Self::Region),
                    "zip" => Some(Self::PostalCode),
                    _ => None,
                }
            }
        }
    };
    (@ping) => { true };
    (@kept) => { false };
}

standard! {
    Age "age" Number ping,
    BirthDate "birth_date" Date kept,
    Country "country" Text ping,
    Region "region" Text ping,
    City "city" Text kept,
    PostalCode "postal_code" Text ping,
    MonthlyIncome "monthly_income" Number ping,
    MonthlyExpenses "monthly_expenses" Number ping,
    Amount "amount" Number ping,
    TermMonths "term_months" Number ping,
    TermDays "term_days" Number ping,
    Purpose "purpose" Text ping,
    Employment "employment" Text ping,
    EmployedMonths "employed_months" Number ping,
    PayFrequency "pay_frequency" Text ping,
    IncomeType "income_type" Text ping,
    DirectDeposit "direct_deposit" Bool ping,
    BankAccountType "bank_account_type" Text ping,
    Military "military" Bool ping,
    MaritalStatus "marital_status" Text ping,
    Children "children" Number ping,
    Housing "housing" Text ping,
    Education "education" Text ping,
    CreditScore "credit_score" Number ping,
    DebtAmount "debt_amount" Number ping,
    DebtType "debt_type" Text ping,
    Gender "gender" Text kept,
    Nationality "nationality" Text kept,
    EmailDomain "email_domain" Text ping,
    PhoneAreaCode "phone_area_code" Text ping,
    Publisher "publisher" Text ping,
    SubId "sub_id" Text ping,
    Channel "channel" Text ping,
    Product "product" Text ping,
    Vertical "vertical" Text ping,
    IpCountry "ip_country" Text ping,
    Device "device" Text ping,
    LeadAgeMinutes "lead_age_minutes" Number ping,
}

/// An attribute's name: one of the standard ones, or one that a product declares.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Attribute {
    /// Known to every product.
    Standard(Standard),
    /// Declared by the product.
    Declared(Arc<str>),
}

impl Attribute {
    /// The standard attribute of that name, else a declared one.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Standard::named(name).map_or_else(|| Self::Declared(name.into()), Self::Standard)
    }

    /// The canonical name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Standard(standard) => standard.name(),
            Self::Declared(name) => name,
        }
    }
}

impl From<Standard> for Attribute {
    fn from(standard: Standard) -> Self {
        Self::Standard(standard)
    }
}

impl fmt::Display for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A readable value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Value {
    /// As given, trimmed, never empty.
    Text(Arc<str>),
    /// Exact.
    Number(Decimal),
    /// True or false.
    Bool(bool),
    /// A calendar date.
    Date(Date),
}

impl Value {
    /// A text value, trimmed; `None` when nothing is left.
    #[must_use]
    pub fn text(text: &str) -> Option<Self> {
        let trimmed = text.trim();
        (!trimmed.is_empty()).then(|| Self::Text(trimmed.into()))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Number(number) => number.normalize().fmt(f),
            Self::Bool(value) => value.fmt(f),
            Self::Date(date) => date.fmt(f),
        }
    }
}

/// What a lead says of an attribute that it mentions. An attribute that it does not mention is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reading {
    /// A value of the attribute's kind.
    Known(Value),
    /// Something that is not: counts as missing, explained as unreadable.
    Unreadable,
}

/// The attributes of one lead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Vec<(String, Reading)>", into = "Vec<(String, Reading)>")]
pub struct Attributes(Vec<(Attribute, Reading)>);

impl Attributes {
    /// Nothing known yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets `attribute`, replacing what was known of it.
    pub fn set(&mut self, attribute: impl Into<Attribute>, reading: Reading) {
        let attribute = attribute.into();
        match self.0.iter_mut().find(|(known, _)| *known == attribute) {
            Some((_, known)) => *known = reading,
            None => self.0.push((attribute, reading)),
        }
    }

    /// Forgets what was known of `attribute`.
    pub fn remove(&mut self, attribute: impl Into<Attribute>) {
        let attribute = attribute.into();
        self.0.retain(|(known, _)| *known != attribute);
    }

    /// Sets a text attribute unless the text is blank.
    pub fn set_text(&mut self, attribute: impl Into<Attribute>, text: &str) {
        if let Some(value) = Value::text(text) {
            self.set(attribute, Reading::Known(value));
        }
    }

    /// Sets a numeric attribute.
    pub fn set_number(&mut self, attribute: impl Into<Attribute>, number: impl Into<Decimal>) {
        self.set(attribute, Reading::Known(Value::Number(number.into())));
    }

    /// What is known; `None` if missing or unreadable.
    #[must_use]
    pub fn value(&self, attribute: &Attribute) -> Option<&Value> {
        match self.reading(attribute)? {
            Reading::Known(value) => Some(value),
            Reading::Unreadable => None,
        }
    }

    /// The number that is known of a standard attribute.
    #[must_use]
    pub fn number(&self, standard: Standard) -> Option<Decimal> {
        match self.value(&standard.into())? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The text that is known of a standard attribute.
    #[must_use]
    pub fn text(&self, standard: Standard) -> Option<&str> {
        match self.value(&standard.into())? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// What the lead says; `None` if it does not mention the attribute.
    #[must_use]
    pub fn reading(&self, attribute: &Attribute) -> Option<&Reading> {
        self.0.iter().find(|(known, _)| known == attribute).map(|(_, reading)| reading)
    }

    /// Every attribute mentioned.
    pub fn iter(&self) -> impl Iterator<Item = (&Attribute, &Reading)> {
        self.0.iter().map(|(attribute, reading)| (attribute, reading))
    }

    /// What a ping may show: standard attributes marked for it, and those declared ones that
    /// `declared_in_ping` admits.
    #[must_use]
    pub fn for_ping(&self, declared_in_ping: impl Fn(&str) -> bool) -> PingAttributes {
        let shown = |(attribute, reading): &(Attribute, Reading)| {
            let admitted = match attribute {
                Attribute::Standard(standard) => standard.in_ping(),
                Attribute::Declared(name) => declared_in_ping(name),
            };
            match reading {
                Reading::Known(value) if admitted => Some((attribute.clone(), value.clone())),
                _ => None,
            }
        };
        PingAttributes(self.0.iter().filter_map(shown).collect())
    }
}

impl From<Vec<(String, Reading)>> for Attributes {
    fn from(entries: Vec<(String, Reading)>) -> Self {
        Self(
            entries.into_iter().map(|(name, reading)| (Attribute::named(&name), reading)).collect(),
        )
    }
}

impl From<Attributes> for Vec<(String, Reading)> {
    fn from(attributes: Attributes) -> Self {
        attributes.0.into_iter().map(|(name, reading)| (name.name().to_owned(), reading)).collect()
    }
}

/// The part of a lead's attributes that may be shown to every campaign asked. Only
/// [`Attributes::for_ping`] makes one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PingAttributes(Vec<(Attribute, Value)>);

impl PingAttributes {
    /// Every attribute shown.
    pub fn iter(&self) -> impl Iterator<Item = (&Attribute, &Value)> {
        self.0.iter().map(|(attribute, value)| (attribute, value))
    }
}

/// As a buyer reads it: an object of plain values.
impl Serialize for PingAttributes {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_map(self.0.iter().map(|(attribute, value)| (attribute.name(), Plain(value))))
    }
}

/// A value as JSON writes it: numbers as numbers, the rest as it stands.
#[derive(Debug)]
pub struct Plain<'a>(pub &'a Value);

impl Serialize for Plain<'_> {
    fn serialize<S: serde::Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Text(text) => out.serialize_str(text),
            Value::Bool(value) => out.serialize_bool(*value),
            Value::Date(date) => out.collect_str(date),
            Value::Number(number) => {
                // Through the decimal's own digits: up to 15 of them read back exactly.
                let number: serde_json::Number =
                    number.normalize().to_string().parse().map_err(serde::ser::Error::custom)?;
                number.serialize(out)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ping_shows_marked_attributes_only() {
        let mut attributes = Attributes::new();
        attributes.set_number(Standard::Age, 38);
        attributes.set_text(Standard::Gender, "female");
        attributes.set_text(Standard::City, "Girona");
        attributes.set(Standard::Amount, Reading::Unreadable);
        attributes.set_text(Attribute::named("plan"), "gold");
        attributes.set_text(Attribute::named("secret"), "x");
        let ping = attributes.for_ping(|name| name == "plan");
        assert_eq!(serde_json::to_string(&ping).unwrap(), r#"{"age":38,"plan":"gold"}"#);
    }

    #[test]
    fn standard_names_are_unique_and_aliases_resolve() {
        for standard in Standard::ALL {
            assert_eq!(Standard::named(standard.name()), Some(*standard));
            assert_eq!(Standard::ALL[*standard as usize], *standard);
        }
        assert_eq!(Attribute::named("state"), Standard::Region.into());
        assert_eq!(Attribute::named("zip").name(), "postal_code");
    }

    #[test]
    fn attributes_survive_storage() {
        let mut attributes = Attributes::new();
        attributes.set_number(Standard::MonthlyIncome, Decimal::new(250_050, 2));
        attributes.set(
            Attribute::named("due"),
            Reading::Known(Value::Date("2026-02-28".parse().unwrap())),
        );
        attributes.set(Standard::Amount, Reading::Unreadable);
        let stored = serde_json::to_vec(&attributes).unwrap();
        assert_eq!(serde_json::from_slice::<Attributes>(&stored).unwrap(), attributes);
    }
}

//! Reading the members of `transaction` by a product's schema. Every defect is told, in the order of the
//! fields and in the words of the door's documentation; none holds a value.

use std::collections::BTreeMap;

use document::Node;
use lead::{Address, Attribute, Attributes, Consent, ConsentEntry, Contact, Standard};
use market::{Affiliate, Meaning, PostField, Product};
use rust_decimal::Decimal;
use serde_json::Value;

use super::states;
use super::values::{
    Issue, attribute, certificate, middle, passes, phone, plain, source, text, zip,
};
use crate::{contact, json as raw};

/// What an opt-in is called among consents.
const OPT_IN: &str = "tcpa";

/// Longest text of one field.
const TEXT_CHARS_MAX: usize = 200;

/// What a transaction says.
pub(super) struct Transaction {
    pub(super) contact: Contact,
    pub(super) attributes: Attributes,
    pub(super) consent: Consent,
    pub(super) sub_id: Option<String>,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) source_url: Option<String>,
    /// The state that the consumer lives in, as given or as the postal code says.
    pub(super) state: Option<&'static str>,
    address: Address,
    opted_in: Option<bool>,
    /// The middle of a range, for where the attribute itself is not given.
    middles: Vec<(Attribute, Decimal)>,
}

/// How a transaction is read.
pub(super) struct Reader<'a> {
    pub(super) product: &'a Product,
    pub(super) affiliate: &'a Affiliate,
    pub(super) fields: &'a [PostField],
    /// A ping says only what it likes to say.
    pub(super) is_ping: bool,
}

impl Reader<'_> {
    /// Reads a transaction.
    pub(super) fn read(&self, transaction: &Node<'_>) -> Result<Transaction, Vec<String>> {
        let mut read = Transaction::new();
        let mut errors = Vec::new();
        for field in self.fields {
            let value = value(transaction, field);
            let issue = match value {
                Some(node) => self.field(field, node, &mut read).err(),
                None if field.required && !self.is_ping => Some("can not be empty".into()),
                None => None,
            };
            errors.extend(issue.map(|issue| told(field, &issue)));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        self.keep_unknown(transaction, &mut read);
        read.finish(self.product);
        Ok(read)
    }

    fn field(
        &self,
        field: &PostField,
        node: &Node<'_>,
        read: &mut Transaction,
    ) -> Result<(), Issue> {
        let Transaction { contact, consent, .. } = read;
        match &field.meaning {
            Meaning::FirstName => contact.first_name = Some(text(node, 100)?),
            Meaning::LastName => contact.last_name = Some(text(node, 100)?),
            Meaning::Phone => contact.phone = Some(phone(node)?),
            Meaning::Email => {
                let email = passes(node, contact::email);
                contact.email = Some(email.ok_or("must be a valid email address")?);
            }
            Meaning::Street => read.address.street = Some(text(node, TEXT_CHARS_MAX)?),
            Meaning::House => read.address.house = Some(text(node, TEXT_CHARS_MAX)?),
            Meaning::City => read.address.city = Some(text(node, TEXT_CHARS_MAX)?),
            Meaning::State => {
                let state = node.as_text().and_then(states::state);
                read.state = Some(state.ok_or("must be a valid 2 letter state abbreviation")?);
            }
            Meaning::Zip => read.address.postal_code = Some(zip(node)?),
            Meaning::BirthDate => {
                let date = passes(node, contact::date);
                contact.birth_date = Some(date.ok_or("must be a date (YYYY-MM-DD)")?);
            }
            Meaning::OptIn => read.opted_in = Some(self.opt_in(node)?),
            Meaning::Ip => {
                let ip = passes(node, contact::ip);
                consent.ip = Some(ip.ok_or("must be a valid IPv4 or IPv6 address")?);
            }
            Meaning::Source => read.source_url = Some(source(node)?),
            Meaning::Certificate => consent.certificate_url = Some(certificate(node)?),
            Meaning::SubId => read.sub_id = Some(text(node, TEXT_CHARS_MAX)?),
            Meaning::Tag => {
                read.tags.insert(field.name.clone(), text(node, TEXT_CHARS_MAX)?);
            }
            Meaning::Attribute(name) => {
                let reading = attribute(&self.product.dictionary, name, node)?;
                read.attributes.set(name.clone(), reading);
            }
            Meaning::RangeOf(name) => {
                let range = text(node, TEXT_CHARS_MAX)?;
                read.middles.extend(middle(&range).map(|middle| (name.clone(), middle)));
                contact.extra.insert(path(&field.name), Value::String(range));
            }
            Meaning::Kept => {
                contact.extra.insert(path(&field.name), raw::value(node));
            }
        }
        Ok(())
    }

    fn opt_in(&self, node: &Node<'_>) -> Result<bool, Issue> {
        let word = plain(node).map(|word| word.to_ascii_lowercase());
        match (node, word.as_deref()) {
            (Node::Bool(true), _) | (_, Some("true" | "1" | "yes")) => Ok(true),
            (Node::Bool(false), _) | (_, Some("false" | "0" | "no")) => {
                if self.affiliate.takes_opt_out { Ok(false) } else { Err("must be true".into()) }
            }
            _ => Err("must be true or false".into()),
        }
    }

    /// Members that the schema does not know go with the post.
    fn keep_unknown(&self, transaction: &Node<'_>, read: &mut Transaction) {
        let known = |name: &str| self.fields.iter().any(|field| field.name == name);
        let inside =
            |name: &str| self.fields.iter().any(|field| field.name.split('.').next() == Some(name));
        let Node::Object(members) = transaction else { return };
        for (name, node) in members {
            match node {
                Node::Object(inner) if inside(name) => {
                    for (key, node) in
                        inner.iter().filter(|(key, _)| !known(&format!("{name}.{key}")))
                    {
                        read.contact.extra.insert(path(&format!("{name}.{key}")), raw::value(node));
                    }
                }
                _ if known(name) || inside(name) => {}
                node => {
                    read.contact.extra.insert(path(name), raw::value(node));
                }
            }
        }
    }
}

impl Transaction {
    fn new() -> Self {
        Self {
            contact: Contact::default(),
            attributes: Attributes::new(),
            consent: Consent::default(),
            sub_id: None,
            tags: BTreeMap::new(),
            source_url: None,
            state: None,
            address: Address::default(),
            opted_in: None,
            middles: Vec::new(),
        }
    }

    /// What follows from the fields together.
    fn finish(&mut self, product: &Product) {
        let zip = self.address.postal_code.as_deref();
        if self.state.is_none() || self.address.city.is_none() {
            let spot = zip.and_then(|zip| product.places()?.spot(zip));
            let (state, city) = spot.map_or((None, None), |spot| (spot.region, spot.city));
            self.state = self.state.or(state.and_then(states::state));
            self.address.city = self.address.city.take().or(city.map(str::to_owned));
        }
        for (attribute, middle) in std::mem::take(&mut self.middles) {
            if self.attributes.reading(&attribute).is_none() {
                self.attributes.set_number(attribute, middle);
            }
        }
        let mut address = std::mem::take(&mut self.address);
        address.region = self.state.map(str::to_owned);
        address.country = Some(product.country.clone());
        for (standard, value) in [
            (Standard::Country, &address.country),
            (Standard::Region, &address.region),
            (Standard::City, &address.city),
            (Standard::PostalCode, &address.postal_code),
        ] {
            self.attributes.set_text(standard, value.as_deref().unwrap_or_default());
        }
        self.contact.address = Some(address);
        self.consent.entries.push(ConsentEntry {
            kind: OPT_IN.to_owned(),
            // The documentation asks for it, and its own sample leaves it out.
            accepted: self.opted_in.unwrap_or(true),
            accepted_at: None,
            version: None,
        });
    }
}

/// An error as the documentation words it.
fn told(field: &PostField, issue: &str) -> String {
    let required = field.required || field.meaning == Meaning::OptIn;
    let mark = if required { " (required)" } else { "" };
    format!("{}{mark}: {issue}", field.label)
}

/// The value of a field; absent, `null`, blank, an empty list and, where the schema says so, 0 are none.
fn value<'n>(transaction: &'n Node<'n>, field: &PostField) -> Option<&'n Node<'n>> {
    let mut steps = field.name.split('.');
    let node = steps.try_fold(transaction, |node, step| node.member(step))?;
    let is_zero =
        || plain(node).and_then(|text| text.parse().ok()).is_some_and(|n: Decimal| n.is_zero());
    let is_blank = match node {
        Node::Null => true,
        Node::Text(text) => text.trim().is_empty(),
        Node::List(items) => items.is_empty(),
        _ => false,
    };
    let is_missing = is_blank || (field.zero_is_missing && is_zero());
    (!is_missing).then_some(node)
}

/// Where a member stands, for those who get the post.
fn path(name: &str) -> String {
    format!("transaction.{name}")
}

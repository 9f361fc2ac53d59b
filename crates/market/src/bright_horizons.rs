//! How products are posted through the Bright Horizons door, and which publishers may: paths, labels and
//! fields are configuration, so that a new vertical is a few lines of a market file. Reads no lead.

use document::{Fields, Slot};
use lead::{Attribute, Kind, ProductId};

use crate::{Dictionary, read};

/// A product's place at the Bright Horizons door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrightHorizons {
    /// What follows `/post/` and `/ping/`, without slashes at its ends: `debt/sub10k`.
    pub path: String,
    /// What its leads are called in messages: `Debt Sub10k`.
    pub label: String,
    /// The members of `transaction`, in the order in which errors are told.
    pub fields: Vec<PostField>,
}

/// One member of `transaction`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostField {
    /// Its name; a dot stands before a member of an object: `finances.debttype`.
    pub name: String,
    /// What errors call it.
    pub label: String,
    /// A lead without it is not valid.
    pub required: bool,
    /// `0` says that it was not collected.
    pub zero_is_missing: bool,
    /// What it is to a lead.
    pub meaning: Meaning,
}

/// What a member of `transaction` is to a lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// Given name.
    FirstName,
    /// Family name.
    LastName,
    /// Ten digits, with a 1 in front or without.
    Phone,
    /// E-mail address.
    Email,
    /// Street and number.
    Street,
    /// What goes below the street.
    House,
    /// City.
    City,
    /// Two letters.
    State,
    /// Five digits.
    Zip,
    /// `YYYY-MM-DD`.
    BirthDate,
    /// Whether the consumer agreed to be contacted.
    OptIn,
    /// The consumer's address.
    Ip,
    /// The page of the form.
    Source,
    /// A TrustedForm certificate.
    Certificate,
    /// The publisher's channel.
    SubId,
    /// Echoed nowhere, kept with the lead.
    Tag,
    /// An attribute, by the product's dictionary.
    Attribute(Attribute),
    /// A range such as `5000-7500`; its middle stands for the attribute where that is not given.
    RangeOf(Attribute),
    /// Passed on with the post.
    Kept,
}

impl Meaning {
    /// The words for `into`.
    const WORDS: &'static [(&'static str, Self)] = &[
        ("first_name", Self::FirstName),
        ("last_name", Self::LastName),
        ("phone", Self::Phone),
        ("email", Self::Email),
        ("street", Self::Street),
        ("house", Self::House),
        ("city", Self::City),
        ("state", Self::State),
        ("zip", Self::Zip),
        ("birth_date", Self::BirthDate),
        ("opt_in", Self::OptIn),
        ("ip", Self::Ip),
        ("source_url", Self::Source),
        ("certificate_url", Self::Certificate),
        ("sub_id", Self::SubId),
        ("tag", Self::Tag),
    ];
}

/// Fields of every path, those about the consumer first; a product's own come after them.
const CONSUMER: &[(&str, &str, bool, Meaning)] = &[
    ("firstname", "First Name", true, Meaning::FirstName),
    ("lastname", "Last Name", true, Meaning::LastName),
    ("phone", "Phone", true, Meaning::Phone),
    ("email", "Email", true, Meaning::Email),
    ("address", "Address", false, Meaning::Street),
    ("address2", "Address2", false, Meaning::House),
    ("city", "City", false, Meaning::City),
    ("state", "State", false, Meaning::State),
    ("zip", "Zip", false, Meaning::Zip),
];

/// Fields of every path about where the lead is from; a product's own come before them.
const EVIDENCE: &[(&str, &str, bool, Meaning)] = &[
    ("optin", "Opt In", false, Meaning::OptIn),
    ("ip", "IP Address", true, Meaning::Ip),
    ("source", "Source", true, Meaning::Source),
    ("trustedformcertid", "TrustedForm Cert ID", true, Meaning::Certificate),
    ("sub1", "Sub1", true, Meaning::SubId),
    ("sub2", "Sub2", false, Meaning::Tag),
    ("sub3", "Sub3", false, Meaning::Tag),
    ("sub4", "Sub4", false, Meaning::Tag),
    ("sub5", "Sub5", false, Meaning::Tag),
];

/// Most fields of one path.
const FIELDS_MAX: usize = 100;

impl BrightHorizons {
    pub(crate) fn read(slot: &Slot<'_, '_>, dictionary: &Dictionary) -> Option<Self> {
        let own = slot.fields()?;
        let path = path(&own.at("path"));
        let label = own.at("label").filled().map(str::to_owned);
        let fields = match own.given("fields") {
            Some(slot) => fields(&slot, dictionary),
            None => Some(standard()),
        };
        own.deny_unknown();
        Some(Self { path: path?, label: label?, fields: fields? })
    }
}

/// A path of lower-case words.
fn path(slot: &Slot<'_, '_>) -> Option<String> {
    let is_word = |word: &str| {
        let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b);
        !word.is_empty() && word.bytes().all(plain)
    };
    slot.parse("a path of lower-case words such as \"debt/sub10k\"", |node| {
        let path = node.as_text()?;
        (path.len() <= 100 && path.split('/').all(is_word)).then(|| path.to_owned())
    })
}

fn standard() -> Vec<PostField> {
    let field = |(name, label, required, meaning): &(&str, &str, bool, Meaning)| PostField {
        name: (*name).to_owned(),
        label: (*label).to_owned(),
        required: *required,
        zero_is_missing: false,
        meaning: meaning.clone(),
    };
    CONSUMER.iter().chain(EVIDENCE).map(field).collect()
}

/// The fields of every path as a product changes them, and its own between.
fn fields(slot: &Slot<'_, '_>, dictionary: &Dictionary) -> Option<Vec<PostField>> {
    let mut all = standard();
    let (mut own, mut seen) = (0, Vec::new());
    slot.each(|item| {
        let given = item.fields()?;
        let name = name(&given.at("name"))?;
        if seen.contains(&name) {
            item.refuse("is named twice");
        }
        seen.push(name.clone());
        let known = all.iter().position(|field| field.name == name);
        let field = field(&given, known.and_then(|at| all.get(at)), name, dictionary);
        given.deny_unknown();
        match known.and_then(|at| all.get_mut(at)) {
            Some(place) => *place = field?,
            None => {
                all.insert(CONSUMER.len() + own, field?);
                own += 1;
            }
        }
        Some(())
    })?;
    if all.len() > FIELDS_MAX {
        slot.refuse(format_args!("must not make more than {FIELDS_MAX} fields"));
    }
    Some(all)
}

/// Letters, digits and `_`, with dots between up to four.
fn name(slot: &Slot<'_, '_>) -> Option<String> {
    let word = |word: &str| {
        !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    slot.parse("a field name such as \"zip\" or \"finances.debttype\"", |node| {
        let name = node.as_text()?;
        let right = name.split('.').count() <= 4 && name.split('.').all(word);
        right.then(|| name.to_owned())
    })
}

fn field(
    given: &Fields<'_, '_>,
    known: Option<&PostField>,
    name: String,
    dictionary: &Dictionary,
) -> Option<PostField> {
    let label = match (given.given("label"), known) {
        (None, Some(known)) => Some(known.label.clone()),
        (Some(label), _) => label.filled().map(str::to_owned),
        (None, None) => given.at("label").filled().map(str::to_owned),
    };
    let flag = |name: &'static str, otherwise: bool| {
        given.given(name).map_or(Some(otherwise), |slot| slot.bool())
    };
    let required = flag("required", known.is_some_and(|known| known.required));
    let zero = flag("zero_is_missing", known.is_some_and(|known| known.zero_is_missing));
    let meaning = match (given.given("into"), given.given("range_of")) {
        (Some(slot), None) => into(&slot, dictionary),
        (None, Some(slot)) => {
            let named = attribute(&slot, dictionary, "a number among the product's attributes");
            named.filter(|name| is_number(&slot, dictionary, name)).map(Meaning::RangeOf)
        }
        (None, None) => Some(known.map_or(Meaning::Kept, |known| known.meaning.clone())),
        (Some(slot), Some(_)) => {
            slot.refuse("must not stand beside range_of");
            None
        }
    };
    Some(PostField {
        name,
        label: label?,
        required: required?,
        zero_is_missing: zero?,
        meaning: meaning?,
    })
}

fn into(slot: &Slot<'_, '_>, dictionary: &Dictionary) -> Option<Meaning> {
    let word = slot.filled()?;
    let known = Meaning::WORDS.iter().find(|(name, _)| *name == word);
    if let Some((_, meaning)) = known {
        return Some(meaning.clone());
    }
    let words: Vec<&str> = Meaning::WORDS.iter().map(|(name, _)| *name).collect();
    let expected = format!("{} or an attribute of the product", words.join(", "));
    attribute(slot, dictionary, &expected).map(Meaning::Attribute)
}

fn attribute(slot: &Slot<'_, '_>, dictionary: &Dictionary, expected: &str) -> Option<Attribute> {
    let known = dictionary.named(slot.filled()?);
    if known.is_none() {
        slot.refuse(format_args!("must be {expected}"));
    }
    known.map(|definition| definition.attribute.clone())
}

fn is_number(slot: &Slot<'_, '_>, dictionary: &Dictionary, name: &Attribute) -> bool {
    let kind = dictionary.named(name.name()).map(|definition| definition.kind);
    if kind != Some(Kind::Number) {
        slot.refuse("must be a number among the product's attributes");
    }
    kind == Some(Kind::Number)
}

/// A publisher at the Bright Horizons door, which calls it an affiliate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Affiliate {
    /// Its `affiliateid`.
    pub id: i64,
    /// What it may post.
    pub products: Vec<ProductId>,
    /// Answers tell what it is paid; otherwise they say 0.
    pub show_payout: bool,
    /// A lead whose consumer did not opt in is taken all the same.
    pub takes_opt_out: bool,
}

impl Affiliate {
    pub(crate) fn read(fields: &Fields<'_, '_>) -> Option<Self> {
        let id = fields.at("affiliate_id").integer(1i64, i64::from(i32::MAX));
        let products = fields.at("products").each(read::slug);
        let flag = |name: &'static str| fields.given(name).map_or(Some(false), |slot| slot.bool());
        let (show_payout, takes_opt_out) = (flag("show_payout"), flag("takes_opt_out"));
        Some(Self {
            id: id?,
            products: products?,
            show_payout: show_payout?,
            takes_opt_out: takes_opt_out?,
        })
    }
}

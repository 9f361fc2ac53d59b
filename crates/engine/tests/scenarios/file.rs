//! A scenario file, read strictly: a misspelt key is a fault, never a check left out.
//!
//! Its tables: `publisher`, `product` and `lead` are laid over those of `base.toml`; `buyers.NAME` over a
//! buyer that its campaigns imply; `campaigns.NAME`
//! holds what the campaign is (`is`), how its buyer answers (`ping`, `post`, and `again` and `status`
//! while its post is unknown) and the code at which it
//! must end (`code`), and, if it is to be held to them, its `score`, the first predicate that `failed`, the
//! `limit` that left no room and its `price_to_win`; `before` sells the same lead so many times first, so that the engine knows its
//! buyers; `expect` holds everything else that must come out, and nothing may come out that
//! it does not name.

use std::collections::BTreeMap;
use std::time::Duration;

use document::{Defects, Fields, Node, Slot, parse_toml};
use lead::{Consent, ConsentEntry, Contact, Door, Money, Submission};
use market::{Dictionary, Market};

use crate::buyers::{Manners, PingManner, PostManner, Word};

/// Named outcomes, as text.
pub(crate) type Facts = BTreeMap<String, String>;

/// One file.
pub(crate) struct Scenario {
    pub(crate) market: Market,
    pub(crate) submission: Submission,
    pub(crate) budget: Option<Duration>,
    pub(crate) entropy: u8,
    /// How often the same lead was sold before.
    pub(crate) before: u32,
    pub(crate) manners: BTreeMap<String, Manners>,
    pub(crate) expected: Facts,
}

const BASE: &str = include_str!("base.toml");

type Members = Vec<(std::borrow::Cow<'static, str>, Node<'static>)>;

impl Scenario {
    pub(crate) fn read(text: &str) -> Result<Self, Vec<String>> {
        let base = parse_toml(BASE).unwrap().root;
        let root = parse_toml(text).map_err(|(at, fault)| vec![format!("{at:?}: {fault}")])?.root;
        let laid = |name: &str| over(member(&base, name), root.member(name));
        let market = market(&base, &root, laid("publisher"), laid("product"))?;
        let dictionary = market.products.values().next().unwrap().dictionary.clone();
        let lead = laid("lead");
        let all = |defects: Vec<document::Defect>| -> Vec<String> {
            defects.iter().map(ToString::to_string).collect()
        };
        let defects = Defects::new();
        let read = read_lead(&Slot::root(&lead, &defects), &dictionary);
        let (submission, budget, entropy) = defects.finish(read).map_err(all)?;
        let defects = Defects::new();
        let read = read_campaigns(&Slot::root(&root, &defects));
        let ((before, manners), mut expected) = defects.finish(read).map_err(all)?;
        flatten("", &member(&root, "expect"), &mut expected);
        Ok(Self { market, submission, budget, entropy, before, manners, expected })
    }
}

/// `over` laid on `under`: objects member by member, anything else replaces.
fn over(under: Node<'static>, over: Option<&Node<'static>>) -> Node<'static> {
    match (under, over) {
        (Node::Object(mut members), Some(Node::Object(laid))) => {
            for (key, value) in laid {
                // These hold one of several forms: a new form replaces the old one.
                if key == "price" || key == "payout" || key == "shared_price" {
                    members.retain(|(known, _)| known != key);
                }
                match members.iter().position(|(known, _)| known == key) {
                    Some(at) => {
                        let (_, known) = members.remove(at);
                        members.insert(at, (key.clone(), self::over(known, Some(value))));
                    }
                    None => members.push((key.clone(), value.clone())),
                }
            }
            Node::Object(members)
        }
        (under, None) => under,
        (_, Some(value)) => value.clone(),
    }
}

fn member(node: &Node<'static>, name: &str) -> Node<'static> {
    node.member(name).cloned().unwrap_or_else(|| Node::Object(Vec::new()))
}

fn object(members: impl IntoIterator<Item = (String, Node<'static>)>) -> Node<'static> {
    Node::Object(members.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn text(text: &str) -> Node<'static> {
    Node::Text(text.to_owned().into())
}

/// `nova` is the campaign `main` of buyer `nova`; `nova/second` names another of the same buyer.
fn split(name: &str) -> (&str, &str) {
    name.split_once('/').unwrap_or((name, "main"))
}

/// How a scenario writes a campaign's key.
pub(crate) fn short(key: &lead::CampaignKey) -> String {
    key.to_string().trim_end_matches("/main").to_owned()
}

fn market(
    base: &Node<'static>,
    root: &Node<'static>,
    publisher: Node<'static>,
    product: Node<'static>,
) -> Result<Market, Vec<String>> {
    let mut buyers: BTreeMap<String, BTreeMap<String, Node<'static>>> = BTreeMap::new();
    let Node::Object(campaigns) = member(root, "campaigns") else {
        return Err(vec!["campaigns must be a table".to_owned()]);
    };
    for (name, scripted) in &campaigns {
        let (buyer, campaign) = split(name);
        let mut template = member(base, "campaign");
        let mut extra: Members = vec![("product".into(), text("loan"))];
        if scripted.member("ping").is_some() {
            let call = object([("url".to_owned(), text("http://127.0.0.1:9000/ping"))]);
            extra.push(("delivery".into(), object([("ping".to_owned(), call)])));
        }
        template = over(template, Some(&Node::Object(extra)));
        template = over(template, scripted.member("is"));
        buyers.entry(buyer.to_owned()).or_default().insert(campaign.to_owned(), template);
    }
    let buyer = |(id, campaigns): (String, BTreeMap<String, Node<'static>>)| {
        let fields = [
            ("name".to_owned(), text(&id)),
            ("allowed_hosts".to_owned(), Node::List(vec![text("127.0.0.1")])),
            ("campaigns".to_owned(), object(campaigns)),
        ];
        let laid = member(root, "buyers");
        (id.clone(), over(object(fields), laid.member(&id)))
    };
    let document = object([
        ("publishers".to_owned(), object([("demo".to_owned(), publisher)])),
        ("products".to_owned(), object([("loan".to_owned(), product)])),
        ("buyers".to_owned(), object(buyers.into_iter().map(buyer))),
    ]);
    Market::read(&document).map_err(|found| found.iter().map(ToString::to_string).collect())
}

fn read_lead(
    slot: &Slot<'_, '_>,
    dictionary: &Dictionary,
) -> Option<(Submission, Option<Duration>, u8)> {
    let fields = slot.fields()?;
    let word = |name: &'static str| fields.given(name).and_then(|s| s.filled()).map(str::to_owned);
    let consents = fields.at("consents").each(|kind| kind.filled().map(str::to_owned))?;
    let amount = fields.given("min_payout").and_then(|s| s.decimal());
    let submission = Submission {
        door: Door::Native,
        publisher: "demo".parse().unwrap(),
        product: "loan".parse().unwrap(),
        sub_id: word("sub_id"),
        external_id: word("external_id"),
        min_payout: amount.map(|amount| Money { amount, currency: "EUR".parse().unwrap() }),
        tags: BTreeMap::from([("click_id".to_owned(), "abc".to_owned())]),
        source_url: None,
        user_agent: None,
        attributes: dictionary.read_strictly(&fields.at("attributes"))?,
        contact: read_contact(&fields.at("contact"))?,
        consent: consent(consents),
        test: fields.at("test").bool()?,
        requested: fields.given("requested").and_then(|slot| slot.parsed("an outcome")),
    };
    let budget = fields.given("budget_ms").and_then(|s| s.integer(0u32, 60_000));
    let entropy = fields.at("entropy").integer(0u8, 255)?;
    fields.deny_unknown();
    Some((submission, budget.map(|ms| Duration::from_millis(ms.into())), entropy))
}

fn consent(kinds: Vec<String>) -> Consent {
    let entry = |kind| ConsentEntry { kind, accepted: true, accepted_at: None, version: None };
    Consent { entries: kinds.into_iter().map(entry).collect(), ..Consent::default() }
}

/// An empty text takes the base lead's value away.
fn read_contact(slot: &Slot<'_, '_>) -> Option<Contact> {
    let fields = slot.fields()?;
    let word = |name: &'static str| {
        let text = fields.given(name).and_then(|slot| slot.text())?;
        (!text.is_empty()).then(|| text.to_owned())
    };
    let contact = Contact {
        first_name: word("first_name"),
        last_name: word("last_name"),
        email: word("email"),
        phone: word("phone"),
        birth_date: word("birth_date").map(|date| date.parse().unwrap()),
        ..Contact::default()
    };
    fields.deny_unknown();
    Some(contact)
}

/// How often the lead was sold before, and how every campaign's buyer behaves.
type Script = (u32, BTreeMap<String, Manners>);

fn read_campaigns(slot: &Slot<'_, '_>) -> Option<(Script, Facts)> {
    let fields = slot.fields()?;
    let before = fields.given("before").map_or(Some(0), |slot| slot.integer(1u32, 1_000))?;
    let _elsewhere =
        ["publisher", "product", "buyers", "lead", "expect"].map(|name| fields.at(name));
    let (mut manners, mut codes) = (BTreeMap::new(), Facts::new());
    let campaigns = fields.at("campaigns");
    fields.deny_unknown();
    for (name, slot) in campaigns.fields()?.all() {
        let fields = slot.fields()?;
        let _elsewhere = fields.at("is");
        let ping = match fields.given("ping") {
            Some(slot) => Some(read_ping(&slot)?),
            None => None,
        };
        let post = match fields.given("post") {
            Some(slot) => Some(read_post(&slot)?),
            None => None,
        };
        let script = |name: &'static str| match fields.given(name) {
            Some(slot) => slot.each(|word| word.choice(WORDS)),
            None => Some(Vec::new()),
        };
        let (again, status) = (script("again")?, script("status")?);
        if let Some(code) = fields.given("code") {
            codes.insert(format!("code {name}"), code.integer(0u16, 999)?.to_string());
        }
        for what in ["score", "limit", "price_to_win", "failed"] {
            if let Some(slot) = fields.given(what) {
                codes.insert(format!("{what} {name}"), slot.text()?.to_owned());
            }
        }
        fields.deny_unknown();
        manners.insert(name.to_owned(), Manners { ping, post, again, status });
    }
    Some(((before, manners), codes))
}

fn after(fields: &Fields<'_, '_>) -> Duration {
    let ms = fields.given("after_ms").and_then(|slot| slot.integer(0u32, 60_000));
    Duration::from_millis(ms.unwrap_or(0).into())
}

/// `"never"`, `"panics"`, `{ bid = "12.50" }` or `{ no_bid = 104 }`, the last two with `after_ms`.
fn read_ping(slot: &Slot<'_, '_>) -> Option<PingManner> {
    if matches!(slot.node(), Some(Node::Text(_))) {
        let panics = slot.choice(&[("never", false), ("panics", true)])?;
        return Some(if panics { PingManner::Panics } else { PingManner::Never });
    }
    let fields = slot.fields()?;
    let after = after(&fields);
    let manner = match (fields.given("bid"), fields.given("no_bid")) {
        (Some(bid), None) => PingManner::Bid { after, amount: bid.decimal()? },
        (None, Some(code)) => {
            PingManner::NoBid { after, code: lead::Code::numbered(code.integer(1u16, 999)?)? }
        }
        _ => {
            slot.refuse("must hold one of bid or no_bid");
            return None;
        }
    };
    fields.deny_unknown();
    Some(manner)
}

const WORDS: &[(&str, Word)] = &[
    ("accepted", Word::Accepted),
    ("rejected", Word::Rejected),
    ("duplicate", Word::Duplicate),
    ("not_sent", Word::NotSent),
    ("unknown", Word::Unknown),
    ("never", Word::Never),
    ("panics", Word::Panics),
];

/// `{ answer = "accepted", after_ms = 40, redirect_url = "…", price = "9.00" }`.
fn read_post(slot: &Slot<'_, '_>) -> Option<PostManner> {
    let fields = slot.fields()?;
    let word = fields.at("answer").choice(WORDS)?;
    let manner = PostManner {
        after: after(&fields),
        word,
        price: fields.given("price").and_then(|slot| slot.decimal()),
        redirect_url: fields.given("redirect_url").and_then(|s| s.filled()).map(str::to_owned),
    };
    fields.deny_unknown();
    Some(manner)
}

/// Leaves by their dotted path; a list is one leaf.
fn flatten(path: &str, node: &Node<'_>, into: &mut Facts) {
    let leaf = |node: &Node<'_>| match node {
        Node::Bool(value) => value.to_string(),
        Node::Number(value) => value.to_string(),
        Node::Text(value) => value.to_string(),
        other => format!("{other:?}"),
    };
    let value = match node {
        Node::Object(members) => {
            for (key, value) in members {
                let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                flatten(&path, value, into);
            }
            return;
        }
        Node::List(items) => items.iter().map(leaf).collect::<Vec<_>>().join(", "),
        other => leaf(other),
    };
    if !value.is_empty() {
        into.insert(path.to_owned(), value);
    }
}

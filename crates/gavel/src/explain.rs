//! `gavel explain`: which campaigns of a market want a lead, and what keeps the others from it. Asks
//! nobody, keeps nothing, and must never print contact data.

use std::str::FromStr;
use std::sync::Arc;

use document::{Defects, Fields, Slot, parse_json};
use engine::{Prospect, Question, Snapshot, foresee};
use jiff::civil::Date;
use lead::{Clock, Contact, Reading, Standard, Value};
use market::{Market, Places, Vault};
use rules::{Failure as Reason, Verdict};

use crate::clock::SystemClock;
use crate::failure::Failure;
use crate::settings::{Settings, compile_market, texts};
use crate::{check, cli, demo, out};

/// Members of a native lead that no filter asks about.
const PASSED_OVER: [&str; 8] =
    ["sub_id", "external_id", "min_payout", "tags", "source_url", "user_agent", "consent", "test"];

/// Prints a line for each campaign, and for each predicate that keeps it from being true.
pub(crate) fn run(options: &cli::Explain) -> Result<(), Failure> {
    let snapshot = market(options)?;
    let question = question(options, &snapshot.market)?;
    let product = question.product.clone();
    let prospects = foresee(&snapshot, question, SystemClock.timestamp())
        .ok_or_else(|| Failure::Usage("the market does not have this product".to_owned()))?;
    let count = |is: fn(&Prospect) -> bool| prospects.iter().filter(|it| is(it)).count();
    out::line(&format!(
        "{product}: {} of {} campaign(s) want this lead, {} would be asked now\n",
        count(|prospect| prospect.matched),
        prospects.len(),
        count(|prospect| prospect.eligible),
    ));
    prospects.iter().for_each(|prospect| out::line(&paragraph(prospect, &snapshot.market)));
    out::line("\nCaps, balances and breakers are a running engine's to say: POST /v1/explain.");
    Ok(())
}

fn market(options: &cli::Explain) -> Result<Snapshot, Failure> {
    let (files, postal_codes) = match &options.config[..] {
        [one] if check::is_configuration(one)? => {
            let settings = Settings::load(one)?;
            (settings.market_files, settings.postal_codes)
        }
        files => (files.to_vec(), Vec::new()),
    };
    let (texts, tables) = match options.demo {
        true => {
            let text = |name: &str, text: &str| vec![(name.to_owned(), text.to_owned())];
            (text("demo", demo::MARKET), text("postal codes", demo::POSTAL_CODES))
        }
        false => (texts(&files)?, texts(&postal_codes)?),
    };
    let places = Arc::new(Places::read(tables).map_err(Failure::Invalid)?);
    // No call is made, so no secret is needed.
    Ok(compile_market(texts, Vault::STAND_INS, places, None)?.snapshot)
}

fn question(options: &cli::Explain, market: &Market) -> Result<Question, Failure> {
    let file = &options.lead;
    let refused = |why: &dyn std::fmt::Display| {
        Failure::Usage(format!("{} cannot be explained: {why}", file.display()))
    };
    let mut bytes = std::fs::read(file).map_err(|error| Failure::unreadable(file, error))?;
    let root = parse_json(&mut bytes).map_err(|fault| refused(&fault))?;
    let defects = Defects::new();
    let read = read(options, market, &Slot::root(&root, &defects));
    let read = defects.finish(read).map_err(|found| {
        let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
        refused(&lines.join("\n"))
    })?;
    Ok(Question { publisher: id(&options.publisher)?, buyer: id(&options.buyer)?, ..read })
}

fn id<T: FromStr>(text: &Option<String>) -> Result<Option<T>, Failure> {
    let unknown = |text: &str| Failure::Usage(format!("{text} is no id"));
    text.as_deref().map(|text| text.parse().map_err(|_| unknown(text))).transpose()
}

fn read(options: &cli::Explain, market: &Market, slot: &Slot<'_, '_>) -> Option<Question> {
    let fields = slot.fields()?;
    let named = fields.at("product");
    let id = match &options.product {
        Some(id) => id,
        None => named.filled()?,
    };
    let product = id.parse().ok().and_then(|id| market.products.get(&id));
    let Some(product) = product else {
        let known: Vec<&str> = market.products.keys().map(|id| id.as_str()).collect();
        named.refuse(format_args!("names no product of this market; known: {}", known.join(", ")));
        return None;
    };
    let _passed_over = PASSED_OVER.map(|name| fields.at(name));
    let mut attributes = product.dictionary.read_strictly(&fields.at("attributes"))?;
    let contact = contact(&fields);
    fields.deny_unknown();
    if let Some(born) = contact.birth_date {
        attributes.set(Standard::BirthDate, Reading::Known(Value::Date(born)));
    }
    if let Some(domain) = contact.email_domain() {
        attributes.set_text(Standard::EmailDomain, &domain);
    }
    Some(Question { product: product.id.clone(), attributes, publisher: None, buyer: None })
}

/// What of a lead's contact becomes an attribute.
fn contact(fields: &Fields<'_, '_>) -> Contact {
    let member = |name| fields.at("contact").node()?.member(name)?.as_text();
    Contact {
        email: member("email").map(str::to_owned),
        birth_date: member("birth_date").and_then(|text| text.parse::<Date>().ok()),
        ..Contact::default()
    }
}

fn paragraph(prospect: &Prospect, market: &Market) -> String {
    let tier = market.campaigns.get(&prospect.campaign).map_or(0, |campaign| campaign.tier);
    let verdict = match prospect.code {
        None => "wants it".to_owned(),
        Some(code) if prospect.matched => format!("wants it, but: {}", code.text()),
        Some(code) => format!("does not want it: {}", code.text()),
    };
    let reasons: String = prospect.failed.iter().map(line).collect();
    format!("tier {tier}  {:<32} {verdict}{reasons}", prospect.campaign.to_string())
}

fn line(reason: &Reason) -> String {
    let Reason { path, attribute, expected, actual, verdict } = reason;
    let found = match (verdict, actual) {
        (Verdict::Missing, _) => "the lead does not say".to_owned(),
        (Verdict::Unreadable, _) => "what the lead says cannot be read".to_owned(),
        (Verdict::Failed, actual) => format!("found {}", actual.as_deref().unwrap_or("nothing")),
    };
    format!("\n        {path}: wants {attribute} {expected}; {found} ({})", verdict.name())
}

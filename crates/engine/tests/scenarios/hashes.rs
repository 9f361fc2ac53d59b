//! Pings that say by hashes who their consumer is.

use lead::{Hash, Hashes, NoQuote, Quote, RejectionReason, Standard, Status};
use proptest::prelude::*;

use crate::on_a_paused_clock;
use crate::promises::{TWO_BUYERS, nameless, world};
use crate::world::World;

/// A lead of one of few people.
#[derive(Debug, Clone)]
struct Person {
    email: Option<usize>,
    phone: Option<usize>,
    poor: bool,
    test: bool,
}

/// The same address twice, as people write it.
const EMAILS: [&str; 4] =
    ["ana@mail.example", " Ana@Mail.Example", "eva@mail.example", "x@y.example"];
const PHONES: [&str; 3] = ["+34600111222", "+34600111333", "+17025550143"];

fn person() -> impl Strategy<Value = Person> {
    let email = proptest::option::weighted(0.8, 0..EMAILS.len());
    let phone = proptest::option::weighted(0.8, 0..PHONES.len());
    (email, phone, proptest::bool::weighted(0.2), proptest::bool::weighted(0.2))
        .prop_map(|(email, phone, poor, test)| Person { email, phone, poor, test })
}

fn sha256(text: &str) -> Hash {
    let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    digest.as_ref().try_into().unwrap()
}

/// As a publisher makes them, without us.
fn hashes(person: &Person) -> Hashes {
    Hashes {
        email: person.email.map(|at| sha256(&EMAILS[at].trim().to_lowercase())),
        phone: person.phone.map(|at| sha256(PHONES[at])),
    }
}

fn reason(quote: Quote) -> Option<RejectionReason> {
    match quote {
        Quote::Rejected(NoQuote::Lead(reason)) => Some(reason),
        Quote::Rejected(_) | Quote::Accepted { .. } => None,
    }
}

async fn play(keys: &str, people: Vec<Person>) -> Result<(), TestCaseError> {
    let world = world(&format!("product.duplicates = {{ keys = [{keys}] }}\n{TWO_BUYERS}"));
    for person in people {
        let (mut ping, mut arrival) = (nameless(&world), world.arrival());
        for submission in [&mut ping.submission, &mut arrival.submission] {
            submission.test = person.test;
            if person.poor {
                submission.attributes.set_number(Standard::MonthlyIncome, 100);
            }
        }
        arrival.submission.contact.email = person.email.map(|at| EMAILS[at].to_owned());
        arrival.submission.contact.phone = person.phone.map(|at| PHONES[at].to_owned());
        let asked = world.buyers.pings().len();
        let quote = world.engine.ping(ping, hashes(&person)).await.unwrap();
        if reason(quote).is_some() {
            prop_assert_eq!(world.buyers.pings().len(), asked, "a buyer heard of it");
        }
        let answer = world.engine.distribute(arrival).await.unwrap();
        let rejected = match &answer.answer.status {
            Status::Rejected(reason) => Some(*reason),
            Status::New | Status::Distributed { .. } => None,
        };
        answer.arrived();
        prop_assert_eq!(reason(quote), rejected, "{:?}", person);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_ping_with_a_leads_own_hashes_is_a_duplicate_exactly_if_the_lead_is(
        keys in prop_oneof![
            Just(""), Just("\"email\""), Just("\"phone\""), Just("\"email\", \"phone\""),
        ],
        people in proptest::collection::vec(person(), 1..12),
    ) {
        on_a_paused_clock(play(keys, people))?;
    }
}

/// A consumer whom nobody said anything of may be pinged for: the post tells.
#[tokio::test(start_paused = true)]
async fn without_hashes_a_duplicate_is_found_by_its_post() {
    let world: World =
        world(&format!("product.duplicates = {{ keys = [\"email\"] }}\n{TWO_BUYERS}"));
    world.sell().await.unwrap();
    let quote = world.engine.ping(nameless(&world), Hashes::default()).await.unwrap();
    assert!(matches!(quote, Quote::Accepted { .. }), "{quote:?}");
    let answer = world.sell().await.unwrap();
    assert_eq!(answer.status, Status::Rejected(RejectionReason::CustomerAlreadyExists));
}

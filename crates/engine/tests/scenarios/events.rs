//! What buyers tell of leads after they bought them: taken once, from nobody else, and on record before it
//! is answered.

use engine::ReportRefusal;
use lead::{BuyerEvent, Heard, LeadId, Report, Reporter};
use ledger::{EVENTS_MAX, Ledger, Refused, Reported};
use tokio::join;

use crate::file::Scenario;
use crate::world::World;

/// Orion refuses the lead and nova is posted to; vega wants no such lead.
const SOLD: &str = r#"
[campaigns.orion]
ping = { bid = "15.00" }
post = { answer = "rejected" }

[campaigns.nova]
ping = { bid = "12.50" }
post = { answer = "LAST" }

[campaigns.vega]
ping = { no_bid = 1 }
"#;

struct Desk {
    world: World,
    lead: LeadId,
}

impl Desk {
    async fn sold(answer: &str) -> Self {
        let text = SOLD.replace("LAST", answer);
        let scenario = Scenario::read(&text).map_err(|defects| defects.join("\n")).unwrap();
        let world = World::of(scenario);
        let answer = world.sell().await.unwrap();
        world.engine.drain().await;
        Self { world, lead: answer.lead.unwrap().0 }
    }

    fn by(&self, buyer: &str, event: BuyerEvent, reference: Option<&str>) -> Report {
        Report {
            lead: self.lead,
            by: Reporter::Buyer(buyer.parse().unwrap()),
            event,
            reference: reference.map(str::to_owned),
            metadata: serde_json::from_str(r#"{"amount_issued": 2500}"#).unwrap(),
            at: "2026-03-02T10:00:00Z".parse().unwrap(),
        }
    }

    async fn tell(&self, report: Report) -> Result<Heard, ReportRefusal> {
        self.world.engine.report(report).await
    }

    async fn tell_by(&self, token: String) -> Result<Heard, ReportRefusal> {
        let report = self.by("nobody", BuyerEvent::Registration, None);
        self.tell(Report { by: Reporter::Token(token), ..report }).await
    }

    async fn events(&self) -> Vec<Reported> {
        self.world.books.lead(self.lead).await.unwrap().unwrap().events
    }
}

#[tokio::test(start_paused = true)]
async fn an_event_is_received_once_whichever_of_its_words_is_used() {
    use BuyerEvent as Event;
    let desk = Desk::sold("accepted").await;
    for (event, reference, heard) in [
        (Event::LoanIssued, None, Heard::Received),
        (Event::LoanIssued, None, Heard::Ignored),
        (Event::Approved, None, Heard::Ignored),
        (Event::Approved, Some("second loan"), Heard::Received),
        (Event::LoanIssued, Some("second loan"), Heard::Ignored),
        (Event::LoanIssued, Some(""), Heard::Received),
        (Event::Completed, None, Heard::Received),
        (Event::LoanPaid, None, Heard::Ignored),
        (Event::Rejected, None, Heard::Received),
        (Event::LoanRejected, None, Heard::Ignored),
        (Event::Defaulted, None, Heard::Received),
        (Event::LoanDefaulted, None, Heard::Ignored),
        (Event::Registration, None, Heard::Received),
    ] {
        let told = desk.tell(desk.by("nova", event, reference)).await;
        assert_eq!(told, Ok(heard), "{} {reference:?}", event.name());
    }
    let events = desk.events().await;
    let words: Vec<_> = events.iter().map(|event| event.event.name()).collect();
    assert_eq!(
        words,
        [
            "loan_issued",
            "approved",
            "loan_issued",
            "completed",
            "rejected",
            "defaulted",
            "registration"
        ],
        "each in the word that was used"
    );
    let first = &events[0];
    assert_eq!(first.campaign.to_string(), "nova/main");
    assert_eq!(first.metadata["amount_issued"], 2500);
    assert_eq!(first.at.to_string(), "2026-03-02T10:00:00Z");
}

#[tokio::test(start_paused = true)]
async fn only_who_bought_or_may_have_bought_is_heard() {
    let heard = [
        ("accepted", Ok(Heard::Received)),
        ("unknown", Ok(Heard::Received)),
        ("rejected", Err(ReportRefusal::NoLead)),
    ];
    for (answer, expected) in heard {
        let desk = Desk::sold(answer).await;
        for buyer in ["orion", "vega", "stranger"] {
            let told = desk.tell(desk.by(buyer, BuyerEvent::Approved, None)).await;
            assert_eq!(told, Err(ReportRefusal::NoLead), "{buyer}");
        }
        let own = desk.by("nova", BuyerEvent::Approved, None);
        let other = LeadId::new("2026-01-01T00:00:00Z".parse().unwrap(), [9; 10]);
        let unknown = Report { lead: other, ..own.clone() };
        assert_eq!(desk.tell(unknown).await, Err(ReportRefusal::NoLead), "no such lead");
        assert_eq!(desk.tell(own).await, expected, "{answer}");
        assert_eq!(desk.events().await.len(), usize::from(expected.is_ok()));
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_of_one_lead_and_one_campaign() {
    let desk = Desk::sold("accepted").await;
    let (own, refused) = (desk.world.buyers.token("nova"), desk.world.buyers.token("orion"));
    assert_eq!(desk.tell_by(refused.clone()).await, Err(ReportRefusal::NoLead), "it did not buy");
    let mac = own.rsplit_once('~').unwrap().1;
    let forged = [
        own.replace("nova~main", "orion~main"),
        own.replace("nova~main", "nova~second"),
        format!("nova~main~{}", refused.rsplit_once('~').unwrap().1),
        own.chars().take(own.len() - 1).collect(),
        format!("{own}0"),
        own.to_uppercase(),
        format!("nova~main~{mac:0>33}"),
        mac.to_owned(),
        "nova~main~".to_owned(),
        "~~".to_owned(),
        "é~é~é".to_owned(),
    ];
    for token in forged {
        assert_eq!(desk.tell_by(token.clone()).await, Err(ReportRefusal::Forged), "{token}");
    }
    let other = LeadId::new("2026-01-01T00:00:00Z".parse().unwrap(), [9; 10]);
    let elsewhere = Report {
        lead: other,
        by: Reporter::Token(own.clone()),
        ..desk.by("nova", BuyerEvent::Registration, None)
    };
    assert_eq!(desk.tell(elsewhere).await, Err(ReportRefusal::Forged), "of another lead");
    assert_eq!(desk.events().await, []);
    assert_eq!(desk.tell_by(own.clone()).await, Ok(Heard::Received));
    let keyed = desk.by("nova", BuyerEvent::Registration, None);
    assert_eq!(desk.tell(keyed).await, Ok(Heard::Ignored), "by its key it is the same event");
    assert_eq!(desk.events().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn of_twins_one_is_received() {
    let desk = Desk::sold("accepted").await;
    let tell = || desk.tell(desk.by("nova", BuyerEvent::Approved, Some("one")));
    let (one, two, three) = join!(tell(), tell(), tell());
    let told = [one, two, three];
    let count = |heard| told.iter().filter(|told| **told == Ok(heard)).count();
    assert_eq!((count(Heard::Received), count(Heard::Ignored)), (1, 2), "{told:?}");
    assert_eq!(desk.events().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_stored_is_not_received() {
    let desk = Desk::sold("accepted").await;
    let tell = || desk.tell(desk.by("nova", BuyerEvent::Approved, None));
    desk.world.books.fail_commit(desk.world.books.commits() + 1);
    let failed = Err(ReportRefusal::Ledger(Refused::Unavailable("disk full".to_owned())));
    assert_eq!((tell().await, desk.events().await), (failed, vec![]));
    assert_eq!(tell().await, Ok(Heard::Received), "it can be told again");
}

#[tokio::test(start_paused = true)]
async fn past_so_many_events_the_rest_is_ignored() {
    let desk = Desk::sold("accepted").await;
    for number in 0..EVENTS_MAX + 3 {
        let reference = number.to_string();
        let told = desk.tell(desk.by("nova", BuyerEvent::LoanPaid, Some(&reference))).await;
        let heard = if number < EVENTS_MAX { Heard::Received } else { Heard::Ignored };
        assert_eq!(told, Ok(heard), "{number}");
    }
    assert_eq!(desk.events().await.len(), EVENTS_MAX);
}

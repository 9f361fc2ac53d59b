//! Repeats among themselves, on a paused clock.

use super::*;
use lead::Status;

fn request(key: u8, body: u8, keyed: bool) -> Request {
    Request { key: Digest([key; 16]), body: Digest([body; 16]), keyed }
}

fn answer(word: &str) -> Answer {
    Answer {
        lead: None,
        status: Status::New,
        is_final: true,
        currency: None,
        external_id: Some(word.to_owned()),
        tags: std::collections::BTreeMap::new(),
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

fn first(repeats: &Arc<Repeats>, request: &Request) -> Ticket {
    match repeats.enter(request, now()) {
        Entry::First(ticket) => ticket,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_thousand_twins_wait_for_one_journey_and_get_its_answer() {
    let repeats = Arc::new(Repeats::default());
    let ticket = first(&repeats, &request(1, 1, true));
    let until = Deadline::after(now(), Duration::from_secs(2));
    let twins: Vec<_> = (0..1_000)
        .map(|_| match repeats.enter(&request(1, 1, true), now()) {
            Entry::Twin(outcome) => tokio::spawn(wait(outcome, until)),
            other => panic!("{other:?}"),
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    ticket.finish(&answer("one"));
    drop(ticket);
    for twin in twins {
        assert!(matches!(twin.await.unwrap(), Waited::Answer(heard) if heard == answer("one")));
    }
    drop(first(&repeats, &request(1, 1, true)));
}

#[tokio::test(start_paused = true)]
async fn a_twin_gives_up_at_its_own_deadline_and_runs_when_the_first_is_gone() {
    let repeats = Arc::new(Repeats::default());
    let ticket = first(&repeats, &request(1, 1, false));
    let Entry::Twin(outcome) = repeats.enter(&request(1, 1, false), now()) else { panic!() };
    let until = Deadline::after(now(), Duration::from_millis(100));
    assert!(matches!(wait(outcome.clone(), until).await, Waited::TooLong));
    drop(ticket);
    let until = Deadline::after(now(), Duration::from_millis(100));
    assert!(matches!(wait(outcome, until).await, Waited::Gone));
    drop(first(&repeats, &request(1, 1, false)));
}

#[tokio::test(start_paused = true)]
async fn another_body_under_a_key_in_flight_is_refused() {
    let repeats = Arc::new(Repeats::default());
    let _ticket = first(&repeats, &request(1, 1, true));
    assert!(matches!(repeats.enter(&request(1, 2, true), now()), Entry::OtherBody));
    drop(first(&repeats, &request(2, 2, true)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_did_not_arrive_is_replayed_for_ten_minutes() {
    let repeats = Arc::new(Repeats::default());
    let unkeyed = request(1, 1, false);
    repeats.keep(unkeyed.key, answer("lost"), now());
    assert!(
        matches!(repeats.enter(&unkeyed, now()), Entry::Replay(heard) if heard == answer("lost"))
    );
    tokio::time::advance(Duration::from_secs(600)).await;
    assert!(matches!(repeats.enter(&unkeyed, now()), Entry::Replay(_)));
    tokio::time::advance(Duration::from_secs(1)).await;
    drop(first(&repeats, &unkeyed));
}

#[tokio::test(start_paused = true)]
async fn lost_answers_are_bounded_and_the_oldest_give_way() {
    let repeats = Arc::new(Repeats::default());
    let key = |n: usize| {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&(n as u64).to_le_bytes());
        Digest(bytes)
    };
    for n in 0..UNDELIVERED_MAX + 10 {
        repeats.keep(key(n), answer("x"), now());
    }
    assert_eq!(repeats.lock().undelivered.len(), UNDELIVERED_MAX);
    let ask = |n| repeats.enter(&Request { key: key(n), body: key(n), keyed: false }, now());
    assert!(matches!(ask(9), Entry::First(_)));
    assert!(matches!(ask(10), Entry::Replay(_)));
}

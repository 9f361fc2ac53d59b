//! Who waits for whom, and which earlier leads make a repeat.

use std::time::Duration;

use super::*;

fn claim(key: u8) -> Claim {
    Claim { kind: ClaimKind::Customer, key: Digest([key; 16]) }
}

fn soon() -> Deadline {
    Deadline::after(tokio::time::Instant::now().into_std(), Duration::from_millis(100))
}

#[tokio::test(start_paused = true)]
async fn keys_are_held_together_and_handed_on_when_a_journey_ends() {
    let identities = Arc::new(Identities::default());
    let held = identities.hold(&[claim(1), claim(2)], soon()).await.unwrap();
    assert!(identities.hold(&[claim(2), claim(3)], soon()).await.is_err());
    // The one that failed took nothing.
    drop(identities.hold(&[claim(3)], soon()).await.unwrap());
    let next = Arc::clone(&identities);
    let waiting = tokio::spawn(async move { next.hold(&[claim(2)], soon()).await.is_ok() });
    tokio::task::yield_now().await;
    drop(held);
    assert!(waiting.await.unwrap());
    assert!(identities.lock().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_thousand_leads_of_one_consumer_go_one_after_the_other() {
    let identities = Arc::new(Identities::default());
    let running = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..1_000 {
        let (identities, running) = (Arc::clone(&identities), Arc::clone(&running));
        tasks.spawn(async move {
            let until =
                Deadline::after(tokio::time::Instant::now().into_std(), Duration::from_secs(60));
            let _held = identities.hold(&[claim(7)], until).await.unwrap();
            assert_eq!(running.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
            tokio::time::sleep(Duration::from_millis(1)).await;
            running.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
        });
    }
    while let Some(task) = tasks.join_next().await {
        task.unwrap();
    }
}

#[test]
fn values_compare_the_way_people_mean_them() {
    let contact = |email: &str, phone: &str, id: &str| Contact {
        email: Some(email.to_owned()),
        phone: Some(phone.to_owned()),
        national_id: Some(id.to_owned()),
        ..Contact::default()
    };
    let one = contact(" Ana@Example.org", "+34600111222", "53110022k");
    let two = contact("ana@example.org", "0034600111222", "53 110 022-K");
    for key in DuplicateKey::ALL {
        assert_eq!(value(*key, &one), value(*key, &two), "{key:?}");
        assert_eq!(value(*key, &contact(" ", "-", "")), None, "{key:?}");
    }
}

#[test]
fn hashes_are_those_that_a_publisher_makes() {
    let contact = Contact {
        email: Some(" Ana@Example.org".to_owned()),
        phone: Some("+34600111222".to_owned()),
        ..Contact::default()
    };
    for (key, expected) in [
        (DuplicateKey::Email, "86b9260a115ceac89a9738af23696ce3a5d70449de8d95ef28bd754bb80196b9"),
        (DuplicateKey::Phone, "cb24629d1dbeb6ee24e7c20610896274e8102e67aa6efc2f3a1be2893c38008b"),
    ] {
        assert_eq!(hash(key, &contact), lead::hashes::read(expected), "{key:?}");
    }
}

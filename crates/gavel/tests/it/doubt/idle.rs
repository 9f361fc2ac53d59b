//! A connection that its buyer closes while nobody uses it must never make a post unknown.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lead::PostClass;
use ledger::Ledger;
use sim::buyers::{Buyer, Buyers, Options};
use tokio::task::JoinSet;

use super::rig::{Rig, open, sell};
use super::setting;

/// Publishers that post one lead after the other.
const PUBLISHERS: usize = 100;
/// After so long without a request the buyers close.
const IDLE: Duration = Duration::from_secs(1);

/// `asked` is pinged first, so that its post follows on a fresh connection; `fixed` is only posted to,
/// on whatever connection is kept.
fn market(buyers: &sim::buyers::Handle) -> String {
    let mut text =
        String::from("[publishers.demo]\nname = \"Demo\"\ndoors.native.keys = [\"demo-native\"]\n");
    for name in ["asked", "fixed"] {
        let (ping, post) = (buyers.ping_url(name), buyers.post_url(name));
        let price = match name {
            "asked" => format!(
                "price.bid = {{ min = \"1.00\", max = \"60.00\" }}\ndelivery.ping = {{ url = \"{ping}\", timeout_ms = 20000 }}"
            ),
            _ => "price.fixed = \"10.00\"".to_owned(),
        };
        text.push_str(&format!(
            r#"
            [products.{name}]
            name = "Loan"
            vertical = "loans"
            country = "ES"
            currency = "EUR"
            timezone = "UTC"
            budget_ms = 30000
            tiers = [{{ mode = "auction" }}]
            [buyers.{name}]
            name = "B"
            allowed_hosts = ["127.0.0.1"]
            [buyers.{name}.campaigns.{name}]
            product = "{name}"
            filter = {{}}
            {price}
            delivery.post.url = "{post}"
            "#
        ));
    }
    text
}

/// Posts one lead after the other, with pauses around the time after which the buyers close.
async fn publish(rig: Rig, next: Arc<AtomicUsize>, posts: usize) -> Vec<PostClass> {
    let mut classes = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= posts {
            return classes;
        }
        let product = if number.is_multiple_of(2) { "asked" } else { "fixed" };
        let lead = sell(&rig, product, number).await;
        let record = rig.ledger().lead(lead).await.unwrap().unwrap();
        classes.extend(record.posts.iter().filter_map(|post| post.class));
        let spread = u64::try_from(IDLE.as_millis() / 5).unwrap();
        let pause = IDLE - Duration::from_millis(fastrand::u64(0..=spread));
        tokio::time::sleep(pause + Duration::from_millis(spread / 2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_that_closes_idle_connections_makes_no_post_unknown() {
    let posts = setting("GAVEL_IDLE_POSTS", 300);
    let buyers: Vec<Buyer> = ["asked", "fixed"].map(|name| name.parse().unwrap()).into();
    let options = Options { idle_close: IDLE, ..Options::default() };
    let buyers = Buyers::start("127.0.0.1:0".parse().unwrap(), buyers, options).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let rig = open(dir.path(), market(&buyers));
    let next = Arc::new(AtomicUsize::new(0));
    let mut publishers = JoinSet::new();
    for _ in 0..PUBLISHERS.min(posts) {
        publishers.spawn(publish(rig.clone(), Arc::clone(&next), posts));
    }
    let classes: Vec<PostClass> = publishers.join_all().await.into_iter().flatten().collect();
    let count = |class| classes.iter().filter(|known| **known == class).count();
    let (accepted, unknown) = (count(PostClass::Accepted), count(PostClass::Unknown));
    println!(
        "{posts} posts to buyers that close after {IDLE:?}: {accepted} accepted, {unknown} unknown"
    );
    assert_eq!((accepted, unknown), (posts, 0), "{classes:?}");
    assert_eq!(buyers.posts().len(), posts, "each was sent once");
}

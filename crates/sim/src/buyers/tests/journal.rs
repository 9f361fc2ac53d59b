//! What stays of pings and posts, on disk and in memory.

use super::*;

#[tokio::test]
async fn the_journal_holds_a_line_for_each_post() {
    let dir = tempfile::tempdir().unwrap();
    let options = Options { journal: Some(dir.path().join("new")), ..Options::default() };
    let buyers = start(&["nova", "mute:fault=close-after-post"], options).await;
    drop(call(&buyers, "/mute/post", Some("\"l1-c-1\""), posted("l1").to_string()).await);
    for (lead, key) in [("l1", Some("\"l1-n-1\"")), ("l2", None)] {
        call(&buyers, "/nova/post", key, posted(lead).to_string()).await.unwrap();
    }
    let lines = |name: &str| -> Vec<Value> {
        let text = fs::read_to_string(dir.path().join("new").join(name)).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(
        lines("nova.jsonl"),
        [
            json!({ "lead_id": "l1", "idempotency_key": "l1-n-1", "bid": "12.50", "answered": "accepted" }),
            json!({ "lead_id": "l2", "idempotency_key": null, "bid": "12.50", "answered": "accepted" }),
        ]
    );
    assert_eq!(lines("mute.jsonl").len(), 1);
    assert_eq!(lines("mute.jsonl")[0]["answered"], "nothing");
    assert_eq!(buyers.posts_to("nova").len(), 2);
}

#[tokio::test]
async fn no_more_is_kept_than_was_asked_for() {
    let options = Options { keep_pings: 2, keep_posts: 3, ..Options::default() };
    let buyers = start(&["nova"], options).await;
    for id in ["1", "2", "3", "4", "5"] {
        json_of(&buyers, "/nova/ping", ping(id)).await;
        json_of(&buyers, "/nova/post", posted(id)).await;
    }
    assert_eq!((buyers.pings(), buyers.ping_bodies().len()), (5, 2));
    let kept: Vec<_> = buyers.posts().into_iter().map(|post| post.lead_id).collect();
    assert_eq!(kept, ["3", "4", "5"]);
}

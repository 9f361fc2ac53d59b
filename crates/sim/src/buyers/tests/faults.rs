//! What goes wrong, as the caller sees it and as the journal tells it.

use tokio::task::yield_now;

use super::*;

#[tokio::test]
async fn faults_are_told_by_what_the_caller_sees() {
    let specs = [
        "closes:fault=close-after-post",
        "garbles:fault=garbage-on-post",
        "vague:fault=no-verdict-on-post",
        "busy:fault=status-503-on-post",
        "broken:fault=status-500-on-post",
        "bare:fault=no-redirect",
        "plain:fault=http-redirect",
    ];
    let buyers = start(&specs, Options::default()).await;
    let mut seen = Vec::new();
    for spec in specs {
        let name = spec.split(':').next().unwrap();
        let bid = json_of(&buyers, &format!("/{name}/ping"), ping("p")).await;
        assert_eq!(bid["status"], "bid", "{name}: pings are not covered");
        seen.push(call(&buyers, &format!("/{name}/post"), None, posted("l").to_string()).await);
    }
    assert_eq!(seen[0], Err("closed"));
    let (status, body) = seen[1].clone().unwrap();
    assert!(status == 200 && body.starts_with(b"<html>"));
    assert_eq!(seen[2], Ok((200, Bytes::from("{}"))));
    let read = |at: usize| {
        let (status, body) = seen[at].clone().unwrap();
        (status, serde_json::from_slice::<Value>(&body).unwrap_or_default())
    };
    assert_eq!(read(3), (503, json!({ "status": "rejected", "reason": "status 503" })));
    assert_eq!(read(4), (500, Value::Null));
    assert_eq!(read(5).1.get("redirect_url"), None);
    assert!(read(6).1["redirect_url"].as_str().unwrap().starts_with("http://plain.example/"));
    let told: Vec<_> =
        buyers.posts().into_iter().map(|post| (post.answered, post.bought)).collect();
    let expected = [
        ("nothing", true),
        ("garbage", true),
        ("no-verdict", true),
        ("status-503", false),
        ("status-500", true),
        ("accepted", true),
        ("accepted", true),
    ];
    assert_eq!(told, expected.map(|(answered, bought)| (answered.to_owned(), bought)));
}

#[tokio::test]
async fn a_hanging_buyer_has_read_the_post_and_says_nothing() {
    let buyers =
        start(&["mute:fault=hang-on-post", "deaf:fault=hang-on-ping"], Options::default()).await;
    for (path, body) in [("/mute/post", posted("l")), ("/deaf/ping", ping("p"))] {
        let request = Request::post(path).body(Bytes::from(body.to_string())).unwrap();
        let mut connection = Connection::new(buyers.addr());
        let received = || buyers.pings() + buyers.posts().len() as u64;
        let before = received();
        let read = async {
            while received() == before {
                yield_now().await;
            }
        };
        tokio::select! {
            answer = connection.exchange(request) => panic!("{path}: {answer:?}"),
            () = read => {}
        }
    }
    assert_eq!((buyers.posts()[0].answered.as_str(), buyers.pings()), ("nothing", 1));
    timeout(LONG, buyers.stop()).await.unwrap();
}

#[tokio::test]
async fn a_repeated_call_draws_its_fault_anew() {
    let buyers = start(&["nova:fault=close-after-post,faults=500"], Options::default()).await;
    let mut answered = 0;
    for _ in 0..20 {
        answered += u32::from(
            call(&buyers, "/nova/post", Some("k"), posted("l").to_string()).await.is_ok(),
        );
    }
    assert!((4..=16).contains(&answered), "{answered}");
    assert!(buyers.posts().iter().all(|post| post.bought));
}

#[tokio::test]
async fn an_answer_may_be_cut_or_say_both_and_a_call_may_go_unread() {
    let specs = [
        "torn:fault=cut-on-post",
        "torn2:fault=cut-on-post,accepts=0",
        "both:fault=both-verdicts-on-post",
        "deaf:fault=unread-on-post",
    ];
    let buyers = start(&specs, Options::default()).await;
    let mut seen = Vec::new();
    for name in ["torn", "torn2", "both", "deaf"] {
        seen.push(call(&buyers, &format!("/{name}/post"), None, posted("l").to_string()).await);
    }
    let both = Bytes::from_static(br#"{"status":"accepted","status":"rejected"}"#);
    assert_eq!(seen[2], Ok((200, both)));
    for at in [0, 1, 3] {
        assert!(seen[at].is_err(), "{at}: {:?}", seen[at]);
    }
    let told: Vec<_> =
        buyers.posts().into_iter().map(|post| (post.answered, post.bought)).collect();
    let expected = [("half", true), ("half", false), ("both-verdicts", true), ("unread", false)];
    assert_eq!(told, expected.map(|(answered, bought)| (answered.to_owned(), bought)));
    for (name, status) in
        [("torn", "accepted"), ("torn2", "rejected"), ("both", "accepted"), ("deaf", "unknown")]
    {
        let asked = json_of(&buyers, &format!("/{name}/status"), json!({ "lead_id": "l" })).await;
        assert_eq!(asked, json!({ "status": status }), "{name}");
    }
    let mut connection = Connection::new(buyers.addr());
    let query = Request::get("/torn/status?x=1&lead_id=l").body(Bytes::new()).unwrap();
    let (_, body) = timeout(LONG, connection.exchange(query)).await.unwrap().unwrap();
    assert_eq!(body, r#"{"status":"accepted"}"#);
    let other = json_of(&buyers, "/torn/status", json!({ "lead_id": "m" })).await;
    assert_eq!(other, json!({ "status": "unknown" }));
}

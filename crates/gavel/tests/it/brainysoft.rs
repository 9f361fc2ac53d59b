//! The BrainySoft door through the real binary: sold, found by its number across a crash, the same client
//! again, another publisher shut out, and of a card four digits.

use serde_json::{Value, json};
use sim::buyers::{Buyer, Buyers, Options};

use crate::process::{Gavel, call, request};

const MARKET: &str = include_str!("../../../../config/demo/market.toml");
const KEY: (&str, &str) = ("bsauth", "demo-brainysoft");
const LEADS: &str = "/bs-core/main/leads";

const RIVAL: &str = r#"
[publishers.rival]
name = "Rival"
doors.brainysoft = { keys = ["rival-key"], clients_by_manager = true }
"#;

async fn ask(gavel: &Gavel, method: &str, path: &str, key: (&str, &str)) -> (u16, Value) {
    call(gavel.public, request(method, path, key, &Value::Null)).await
}

/// Posts a lead; its id.
async fn create(gavel: &Gavel, key: (&str, &str), lead: &Value) -> i64 {
    let (status, answer) = call(gavel.public, request("POST", LEADS, key, lead)).await;
    assert_eq!((status, &answer["status"]), (200, &json!("ok")), "{answer}");
    answer["data"].as_i64().expect("an integer")
}

async fn record(gavel: &Gavel, key: (&str, &str), id: i64) -> Value {
    let (status, answer) = ask(gavel, "GET", &format!("{LEADS}/{id}"), key).await;
    assert_eq!(status, 200, "{answer}");
    answer["data"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lead_keeps_its_number_and_its_client_across_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let specs = ["sokol-ru-short:bid=700.00", "berkut-ru-regions:bid=250.00", "*:bids=0"];
    let specs: Vec<Buyer> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let buyers =
        Buyers::start("127.0.0.1:0".parse().unwrap(), specs, Options::default()).await.unwrap();
    let market = MARKET.replace("127.0.0.1:9900", &buyers.addr().to_string()) + RIVAL;
    let gavel = Gavel::start(dir.path(), &market);
    let mut lead = sim::samples::brainysoft();
    lead["cardNumber"] = json!("4111111111111111");
    lead["cardCvc"] = json!("737");

    let first = create(&gavel, KEY, &lead).await;
    let sold = record(&gavel, KEY, first).await;
    assert_eq!(
        (&sold["id"], &sold["currentStatus"]),
        (&json!(first), &json!("APPROVED")),
        "{sold}"
    );
    assert_eq!(sold["distribution"]["payout"], "525.00", "{sold}");
    let card = (&sold["cardNumber"], &sold["cardCvc"]);
    assert_eq!((card, &sold["firstName"]), ((&json!("1111"), &Value::Null), &json!("Олег")));
    let posts = buyers.posts();
    assert_eq!((posts.len(), posts[0].buyer.as_str()), (1, "sokol-ru-short"));

    assert_eq!(create(&gavel, KEY, &lead).await, first, "sent again, it is the same lead");
    assert_eq!(buyers.posts().len(), 1, "which nobody sees once more");

    lead["orderCode"] = json!("gen-7782");
    let again = create(&gavel, KEY, &lead).await;
    lead["passport"]["no"] = json!("999999");
    let other = create(&gavel, KEY, &lead).await;
    let foreign = create(&gavel, ("bsauth", "rival-key"), &sim::samples::brainysoft()).await;
    gavel.kill();

    let gavel = Gavel::start(dir.path(), &market);
    assert_eq!(record(&gavel, KEY, first).await, sold, "a crash changes nothing");
    let client = async |id| record(&gavel, KEY, id).await["clientId"].as_u64().unwrap();
    let (first_client, other_client) = (client(first).await, client(other).await);
    assert_eq!(first_client, client(again).await, "the same names and passport");
    assert_ne!(first_client, other_client, "another passport");
    let theirs = record(&gavel, ("bsauth", "rival-key"), foreign).await["clientId"].clone();
    assert!(theirs.is_u64() && theirs != json!(first_client), "clients are each publisher's own");
    let (status, _) = ask(&gavel, "GET", &format!("{LEADS}/{foreign}"), KEY).await;
    assert_eq!(status, 404, "another publisher's lead");
    assert_eq!(create(&gavel, KEY, &lead).await, other, "after a crash, too");
    lead["orderCode"] = json!("gen-7783");
    let next = create(&gavel, KEY, &lead).await;
    assert!(next > foreign, "numbers go on");

    let (_, many) =
        ask(&gavel, "GET", &format!("{LEADS}/find/{again},{foreign},{first}"), KEY).await;
    let ids: Vec<&Value> = many["data"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&json!(first), &json!(again)]);
    let in_order = format!("{LEADS}/find/{again},{first}?preserveOrder=true");
    let (_, many) = ask(&gavel, "GET", &in_order, KEY).await;
    assert_eq!(many["data"][0]["id"], json!(again));

    assert!(gavel.terminate().success());
    buyers.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_is_taken_once_and_needs_a_passport_and_a_login_gives_a_token() {
    let dir = tempfile::tempdir().unwrap();
    let gavel = Gavel::start(dir.path(), MARKET);
    let mut lead = sim::samples::brainysoft();
    // Nobody is asked: no campaign wants so much.
    lead["amount"] = json!(90_000);
    lead["registrationAddressData"]["regionName"] = json!("Москва");
    let ready = create(&gavel, KEY, &lead).await;
    lead["passport"].as_object_mut().unwrap().remove("issueDate");
    let undated = create(&gavel, KEY, &lead).await;
    lead.as_object_mut().unwrap().remove("passport");
    // No phone has it, and the documentation's own sample does.
    lead["mobilePhone"] = json!("797762007777");
    let bare = create(&gavel, KEY, &lead).await;
    lead["birthDate"] = json!("2020-01-01");
    let child = create(&gavel, KEY, &lead).await;

    assert_eq!(record(&gavel, KEY, ready).await["currentStatus"], "WAITING");
    for (id, expected) in [
        (ready, "ok"),
        (ready, "UNEXPECTED_LEAD_STATUS_VALUE"),
        (undated, "NO_PASSPORT_ISSUE_DATE_ERROR"),
        (bare, "NO_PASSPORT_ERROR"),
    ] {
        let (status, answer) = ask(&gavel, "POST", &format!("{LEADS}/{id}/check"), KEY).await;
        let told = if status == 200 { &answer["status"] } else { &answer["data"]["code"] };
        assert_eq!(told, expected, "{answer}");
    }
    let as_given = record(&gavel, KEY, bare).await;
    assert_eq!(as_given["mobilePhone"], "797762007777");
    assert_eq!(as_given.get("phone_as_given"), None, "{as_given}");
    let (_, way) = ask(&gavel, "GET", &format!("{LEADS}/{child}/statuses"), KEY).await;
    assert_eq!(way["data"][2], json!({ "status": "DENIED", "info": "age_restriction" }));
    assert_ne!(
        record(&gavel, KEY, bare).await["clientId"],
        record(&gavel, KEY, child).await["clientId"],
        "who has no passport is nobody known"
    );

    let token = log_in(&gavel).await;
    let found = record(&gavel, ("bsauth", &token), ready).await;
    assert_eq!(found["currentStatus"], "DENIED");
    let forged = token.replacen('~', "~9", 1);
    let (status, _) = ask(&gavel, "GET", &format!("{LEADS}/{ready}"), ("bsauth", &forged)).await;
    assert_eq!(status, 401, "a later end is not ours");
    gavel.kill();

    // Another store under the same root key knows the token as long as the login is the same.
    for (password, status) in [("demo-brainysoft-password", 404), ("another-password", 401)] {
        let other = tempfile::tempdir().unwrap();
        std::fs::create_dir(other.path().join("data")).unwrap();
        std::fs::copy(dir.path().join("data/root.key"), other.path().join("data/root.key"))
            .unwrap();
        let market = MARKET.replace("demo-brainysoft-password", password);
        let gavel = Gavel::start(other.path(), &market);
        let (told, answer) =
            ask(&gavel, "GET", &format!("{LEADS}/{ready}"), ("bsauth", &token)).await;
        assert_eq!(told, status, "a changed login voids tokens: {answer}");
    }
}

/// A token for the demo's user.
async fn log_in(gavel: &Gavel) -> String {
    let body = r#"{"userName":"demo","password":"demo-brainysoft-password"}"#;
    let wire = format!(
        "POST /bs-core/main/login HTTP/1.1\r\nhost: gavel.test\r\nconnection: close\r\ncustomer-key: demo\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(gavel.public).await.unwrap();
    stream.write_all(wire.as_bytes()).await.unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).await.unwrap();
    let token = reply.lines().find_map(|line| line.strip_prefix("bsauth: "));
    token.expect("a token").trim().to_owned()
}

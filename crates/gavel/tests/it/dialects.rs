//! The example buyers of `config/examples`, each against a counterpart that knows nothing but its own
//! dialect, through the real binary: what they are sent, and what each of their answers leads to.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::HeaderMap;
use hyper::service::service_fn;
use hyper::{Request, Response, body::Incoming};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::process::{Gavel, call, request};

const COMMON: &str = include_str!("../../../../config/examples/market.toml");
const JSON: &str = include_str!("../../../../config/examples/json-buyer.toml");
const SOAP: &str = include_str!("../../../../config/examples/soap-buyer.toml");
const FORM: &str = include_str!("../../../../config/examples/form-buyer.toml");

const KEY: (&str, &str) = ("authorization", "Bearer example-native");
const SECRETS: &[(&str, &str)] = &[
    ("LUMEN_KEY", "lumen-s3cret"),
    ("CASTOR_USER", "gavel"),
    ("CASTOR_PASSWORD", "p<&>\"w"),
    ("PICO_KEY", "k e&y"),
];

/// What a counterpart was sent.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    method: String,
    pub(crate) target: String,
    headers: HeaderMap,
    pub(crate) body: String,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// What a counterpart answers: to a ping, to a post, to a status call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Answers {
    pub(crate) ping: Answer,
    pub(crate) post: Answer,
    pub(crate) status: Answer,
}

/// A status, a header of the buyer's own, a body.
pub(crate) type Answer = (u16, &'static str, &'static str);

/// A buyer that answers as it is told and remembers what it was sent.
pub(crate) struct Counterpart {
    pub(crate) at: std::net::SocketAddr,
    answers: Arc<Mutex<Answers>>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Counterpart {
    pub(crate) async fn start(is_post: fn(&Seen) -> bool, answers: Answers) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (answers, seen) = (Arc::new(Mutex::new(answers)), Arc::new(Mutex::new(Vec::new())));
        let buyer = Self { at, answers: Arc::clone(&answers), seen: Arc::clone(&seen) };
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                let service = service_fn(move |request| {
                    let (answers, seen) = (Arc::clone(&answers), Arc::clone(&seen));
                    async move {
                        let request = read(request).await;
                        let answers = *answers.lock().unwrap();
                        let answer = if request.target.contains("/find") {
                            answers.status
                        } else if is_post(&request) {
                            answers.post
                        } else {
                            answers.ping
                        };
                        seen.lock().unwrap().push(request);
                        Ok::<_, hyper::Error>(reply(answer))
                    }
                });
                let http = hyper::server::conn::http1::Builder::new();
                tokio::spawn(http.serve_connection(TokioIo::new(stream), service));
            }
        });
        buyer
    }

    fn answer(&self, answers: Answers) {
        *self.answers.lock().unwrap() = answers;
    }

    /// What came since the last look.
    pub(crate) fn take(&self) -> Vec<Seen> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

async fn read(request: Request<Incoming>) -> Seen {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Seen {
        method: head.method.to_string(),
        target: head.uri.to_string(),
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

fn reply((status, header, body): Answer) -> Response<Full<Bytes>> {
    let reply = Response::builder().status(status).header("x-pico-result", header);
    reply.body(Full::new(Bytes::from_static(body.as_bytes()))).unwrap()
}

/// The engine with one example buyer, whose counterpart answers `sale` to begin with.
async fn start(
    dir: &std::path::Path,
    file: &str,
    is_post: fn(&Seen) -> bool,
    sale: Answers,
) -> (Gavel, Counterpart) {
    let buyer = Counterpart::start(is_post, sale).await;
    let market = format!("{COMMON}\n{file}").replace("127.0.0.1:9911", &buyer.at.to_string());
    (Gavel::start_with_env(dir, &market, SECRETS), buyer)
}

/// A lead of a consumer of its own.
fn lead(email: &str) -> Value {
    json!({
        "product": "personal-loan-es",
        "attributes": {
            "country": "ES", "age": 38, "monthly_income": 2500.5, "amount": 2000,
            "postal_code": "28001", "employment": "self_employed", "purpose": "moving",
        },
        "contact": {
            "first_name": "Ana <&> \"Q\"", "last_name": "Ñúñez", "email": email,
            "phone": "+34600111222", "birth_date": "1988-05-10",
        },
        "consent": {
            "entries": [{"type": "terms", "accepted": true}, {"type": "news", "accepted": false}],
            "ip": "203.0.113.9",
        },
    })
}

/// Posts a lead; the answer, and the code of the only campaign.
async fn sell(gavel: &Gavel, lead: &Value) -> (Value, Value) {
    let (status, answer) = call(gavel.public, request("POST", "/v1/leads", KEY, lead)).await;
    assert_eq!(status, 200, "{answer}");
    let path = format!("/v1/leads/{}/decisions", answer["lead_id"].as_str().unwrap());
    // A post that is still being asked about has no row yet.
    for _ in 0..500 {
        let (_, why) = call(gavel.public, request("GET", &path, KEY, &Value::Null)).await;
        if let Some([row]) = why["decisions"].as_array().map(Vec::as_slice) {
            return (answer, row["code"].clone());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("{path} never had its one row");
}

/// Every other way to answer: which answers, the lead's status and the campaign's code.
async fn each(gavel: &Gavel, buyer: &Counterpart, cases: &[(Answers, &str, u16)]) {
    for (number, (answers, status, code)) in cases.iter().enumerate() {
        buyer.answer(*answers);
        let (answer, found) = sell(gavel, &lead(&format!("case{number}@example.org"))).await;
        assert_eq!((&answer["status"], &found), (&json!(status), &json!(code)), "case {number}");
        let held = *code == 199;
        assert_eq!(answer["final"], json!(!held), "case {number}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_with_its_own_json() {
    let dir = tempfile::tempdir().unwrap();
    let quoted = (200, "", r#"{"decision":"QUOTED","quote":{"id":"q-7","fee":{"amount":12.5}}}"#);
    let taken = (
        201,
        "",
        r#"{"application":{"id":"a-1","state":"PRE_APPROVED","links":[{"rel":"self","href":"https://x"},{"rel":"continue","href":"https://lumen.example/c/a-1"}]}}"#,
    );
    let sale = Answers { ping: quoted, post: taken, status: (404, "", "{}") };
    let (gavel, buyer) =
        start(dir.path(), JSON, |seen| seen.target.contains("/applications"), sale).await;
    let (answer, code) = sell(&gavel, &lead("Sale@Example.org")).await;
    assert_eq!((&answer["status"], code), (&json!("distributed"), json!(0)), "{answer}");
    assert_eq!(answer["redirect_url"], "https://lumen.example/c/a-1");
    assert_eq!(answer["payout"], "10.00");
    let seen = buyer.take();
    let (ping, post): (Value, Value) = (
        serde_json::from_str(&seen[0].body).unwrap(),
        serde_json::from_str(&seen[1].body).unwrap(),
    );
    assert!(ping["requestId"].is_string() && ping["answerWithinMs"].is_number(), "{ping}");
    assert_eq!(
        ping["applicant"],
        json!({"ageYears": 38, "postcode": "28001", "annualIncome": "30006.00", "contract": "AUTONOMO"})
    );
    assert_eq!(ping["loan"], json!({"principal": 2000, "months": 24}));
    assert_eq!((&post["quoteId"], &post["agreedFee"]["amount"]), (&json!("q-7"), &json!("12.50")));
    assert_eq!(
        post["person"],
        json!({
            "givenName": "Ana <&> \"Q\"", "familyNames": ["Ñúñez"], "email": "sale@example.org",
            "mobile": {"prefix": "+34", "number": "600111222"}, "born": "1988-05-10", "town": "",
        })
    );
    assert_eq!((&post["consents"], &post["income"]), (&json!(["TERMS"]), &json!(2500.5)));
    for seen in &seen {
        assert_eq!(seen.header("authorization"), "Bearer lumen-s3cret");
        assert_eq!(seen.header("content-type"), "application/json");
    }
    let no_quote = |body| Answers { ping: (200, "", body), ..sale };
    let after_post = |status, body| Answers { post: (status, "", body), ..sale };
    let lost = after_post(502, "<html>bad gateway</html>");
    let found = r#"{"application":{"id":"a-2","state":"ACCEPTED"}}"#;
    each(
        &gavel,
        &buyer,
        &[
            (no_quote(r#"{"decision":"DECLINED","declineCode":"LOW"}"#), "new", 1),
            (no_quote(r#"{"decision":"DECLINED","declineCode":"KNOWN_CUSTOMER"}"#), "new", 3),
            (no_quote("<html>maintenance</html>"), "new", 104),
            (no_quote(r#"{"decision":"QUOTED","decision":"DECLINED"}"#), "new", 104),
            (no_quote(r#"{"decision":"QUOTED","quote":{"fee":{"amount":1e400}}}"#), "new", 104),
            (after_post(200, r#"{"application":{"state":"REFUSED"}}"#), "new", 2),
            (after_post(409, r#"{"application":{"state":"DUPLICATE"}}"#), "new", 3),
            (Answers { status: (200, "", found), ..lost }, "distributed", 0),
            (Answers { status: (404, "", "{}"), ..lost }, "new", 199),
        ],
    )
    .await;
    let asked = buyer.take();
    let asked = asked.iter().find(|seen| seen.target.contains("/find")).unwrap();
    assert_eq!((asked.method.as_str(), asked.body.as_str()), ("GET", ""));
    assert!(asked.target.contains("/find?clientRef="), "{}", asked.target);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_with_a_soap_service() {
    let dir = tempfile::tempdir().unwrap();
    let bid = (
        200,
        "",
        r#"<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body><GetBidResponse xmlns="urn:castor"><Result code="0"><Bid>18.00</Bid><Token>t-9</Token></Result></GetBidResponse></e:Body></e:Envelope>"#,
    );
    let ok = (
        200,
        "",
        r"<Envelope><Body><SubmitLeadResponse><SubmitLeadResult><Status>OK</Status><Id>55</Id><Url>https://castor.example/go?a=1&amp;b=2</Url></SubmitLeadResult></SubmitLeadResponse></Body></Envelope>",
    );
    let sale = Answers { ping: bid, post: ok, status: (404, "", "") };
    let (gavel, buyer) =
        start(dir.path(), SOAP, |seen| seen.header("soapaction").contains("SubmitLead"), sale)
            .await;
    let (answer, code) = sell(&gavel, &lead("sale@example.org")).await;
    assert_eq!((&answer["status"], code), (&json!("distributed"), json!(0)), "{answer}");
    assert_eq!(answer["redirect_url"], "https://castor.example/go?a=1&b=2");
    let seen = buyer.take();
    let (ping, post) = (&seen[0], &seen[1]);
    assert_eq!(ping.header("content-type"), "text/xml; charset=utf-8");
    assert_eq!(ping.header("soapaction"), "\"urn:castor/GetBid\"");
    assert!(ping.body.starts_with("<?xml version=\"1.0\""), "{}", ping.body);
    for part in [
        r#"<c:Login user="gavel" password="p&lt;&amp;&gt;&quot;w"/>"#,
        "<c:Age>38</c:Age>",
        "<c:Income period=\"month\">2500.50</c:Income>",
        "<c:Purpose>30</c:Purpose>",
    ] {
        assert!(ping.body.contains(part), "{part}: {}", ping.body);
    }
    for part in [
        "<c:SubmitLead token=\"t-9\" reference=\"",
        "<c:Price>18.00</c:Price>",
        "<c:Name>Ana &lt;&amp;&gt; &quot;Q&quot; Ñúñez</c:Name>",
        "<c:Phone>34600111222</c:Phone>",
        "<c:BirthDate>10/05/1988</c:BirthDate>",
        "<c:Consent name=\"terms\">S</c:Consent><c:Consent name=\"news\">N</c:Consent>",
    ] {
        assert!(post.body.contains(part), "{part}: {}", post.body);
    }
    let fault = "<Envelope><Body><Fault><faultstring>busy</faultstring></Fault></Body></Envelope>";
    let refused = r#"<Envelope><Body><GetBidResponse><Result code="7"><Message>age</Message></Result></GetBidResponse></Body></Envelope>"#;
    let entity = r#"<!DOCTYPE a [<!ENTITY b "18.00">]><Envelope><Body><GetBidResponse><Result code="0"><Bid>&b;</Bid></Result></GetBidResponse></Body></Envelope>"#;
    let ko = r#"<Envelope><Body><SubmitLeadResponse><SubmitLeadResult><Status>KO</Status><Errors><Error code="AGE">x</Error></Errors></SubmitLeadResult></SubmitLeadResponse></Body></Envelope>"#;
    let dup = r#"<Envelope><Body><SubmitLeadResponse><SubmitLeadResult><Status>KO</Status><Errors><Error code="DUP"/></Errors></SubmitLeadResult></SubmitLeadResponse></Body></Envelope>"#;
    let ping = |status, body| Answers { ping: (status, "", body), ..sale };
    let post = |status, body| Answers { post: (status, "", body), ..sale };
    each(
        &gavel,
        &buyer,
        &[
            (ping(200, refused), "new", 1),
            (ping(500, fault), "new", 103),
            (ping(200, entity), "new", 104),
            (ping(200, "<Envelope><Body>"), "new", 104),
            (post(200, ko), "new", 2),
            (post(200, dup), "new", 3),
            (post(500, fault), "new", 199),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_buyer_with_a_form_and_a_line_of_text() {
    let dir = tempfile::tempdir().unwrap();
    let sale = Answers {
        ping: (200, "", "OK|4.20|k77\n"),
        post: (200, "alta", "id=31 url=https://pico.example/f/31\n"),
        status: (404, "", ""),
    };
    let (gavel, buyer) = start(dir.path(), FORM, |seen| seen.target.contains("alta"), sale).await;
    let (answer, code) = sell(&gavel, &lead("sale@example.org")).await;
    assert_eq!((&answer["status"], code), (&json!("distributed"), json!(0)), "{answer}");
    assert_eq!(answer["redirect_url"], "https://pico.example/f/31");
    let seen = buyer.take();
    let (ping, post) = (&seen[0], &seen[1]);
    assert_eq!((ping.method.as_str(), ping.body.as_str()), ("GET", ""));
    assert!(ping.target.starts_with("/pico/check.php?v=3&key=k%20e%26y&req="), "{}", ping.target);
    assert!(
        ping.target.ends_with("&edad=38&ingresos=2501&cp=28&importe=2000&test=0"),
        "{}",
        ping.target
    );
    assert_eq!(post.header("content-type"), "application/x-www-form-urlencoded");
    assert!(post.body.starts_with("key=k%20e%26y&req=k77&precio=4.20&nombre=Ana%20%3C%26%3E%20%22Q%22&apellidos=%C3%91%C3%BA%C3%B1ez&email=sale%40example.org&movil=600111222&nacimiento=10-05-1988&ip=203.0.113.9"), "{}", post.body);
    let ping = |body| Answers { ping: (200, "", body), ..sale };
    let post = |status, header, body| Answers { post: (status, header, body), ..sale };
    each(
        &gavel,
        &buyer,
        &[
            (ping("NO|importe"), "new", 1),
            (ping("DUP"), "new", 3),
            (ping("OK|NaN|k"), "new", 104),
            (ping("OK|-4|k"), "new", 104),
            (ping("Warning: mysql_connect()"), "new", 104),
            (post(200, "", "ERROR 4: edad"), "new", 2),
            (post(200, "", "ERROR 9: ya existe"), "new", 3),
            (post(200, "alta", "ERROR 4: edad"), "new", 199),
            (post(200, "", "id=31"), "new", 199),
        ],
    )
    .await;
    buyer.answer(sale);
    let mut ageless = lead("ageless@example.org");
    ageless["contact"].as_object_mut().unwrap().remove("birth_date");
    buyer.take();
    let (answer, code) = sell(&gavel, &ageless).await;
    assert_eq!((&answer["status"], code), (&json!("new"), json!(201)), "{answer}");
    assert_eq!(buyer.take().len(), 1, "a lead that the post cannot hold is not posted");
}

#[test]
fn the_examples_make_one_market_if_their_secrets_are_there() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config/examples");
    let files = ["market.toml", "json-buyer.toml", "soap-buyer.toml", "form-buyer.toml"];
    let check = |secrets: &[(&str, &str)]| {
        let mut gavel = std::process::Command::new(env!("CARGO_BIN_EXE_gavel"));
        gavel.arg("check").args(files.map(|file| folder.join(file)));
        let output = gavel.envs(secrets.iter().copied()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let (code, out, err) = check(SECRETS);
    assert_eq!((code, out.contains("3 buyer(s), 3 campaign(s)")), (Some(0), true), "{out}{err}");
    let (code, _, err) = check(SECRETS.split_first().unwrap().1);
    assert_eq!(code, Some(2));
    assert!(
        err.contains("json-buyer.toml:") && err.contains("buyers.lumen.secrets.api.env is"),
        "{err}"
    );
    assert!(err.contains("1 fault(s)") && !err.contains("p<&>"), "{err}");
}

//! Tests of calls as bytes: what leaves and what replies read as, from the files in `golden/`, and that
//! no bytes at all make a decoder panic or take long.

use std::fmt::Write as _;
use std::time::Duration;

use document::{Node, parse_toml};
use http_body_util::BodyExt;
use lead::{
    Attribute, Attributes, Code, Consent, ConsentEntry, Contact, LeadId, Money, PingId, Reading,
    Standard, Value,
};
use market::{Call, CallKind, Campaign, Market, Sources};
use proptest::prelude::*;

use crate::reply::{self, Raw};
use crate::{Ping, Post, SharedAttributes, StatusQuery, check_calls, classify, compose};

/// A market with one campaign, one of whose calls is as given.
fn try_market(kind: CallKind, call: &str) -> Result<Market, String> {
    let kind = kind.name();
    let text = format!(
        r#"
        [products.loan]
        name = "Loan"
        vertical = "loans"
        country = "ES"
        currency = "EUR"
        timezone = "UTC"
        budget_ms = 1000
        tiers = [{{ mode = "auction" }}]
        [buyers.nova]
        name = "Nova"
        allowed_hosts = ["127.0.0.1"]
        secrets.key = "s3cret"
        [buyers.nova.campaigns.prime]
        product = "loan"
        filter = {{}}
        price.fixed = "1.00"
        [buyers.nova.campaigns.prime.delivery]
        ping.url = "http://127.0.0.1:1/x?a=1"
        post.url = "http://127.0.0.1:1/x?a=1"
        status.url = "http://127.0.0.1:1/x?a=1"
        [buyers.nova.campaigns.prime.delivery.{kind}]
        url = "http://127.0.0.1:1/x?a=1"
{call}
        "#
    )
    .replace(&format!("        {kind}.url = \"http://127.0.0.1:1/x?a=1\"\n"), "");
    let sources =
        Sources::parse([("m".to_owned(), text)]).map_err(|faults| format!("{faults:?}"))?;
    sources.market().map_err(|faults| format!("{faults:#?}"))
}

fn market(kind: CallKind, call: &str) -> Market {
    try_market(kind, call).unwrap()
}

fn call_of(campaign: &Campaign, kind: CallKind) -> &Call {
    match kind {
        CallKind::Ping => campaign.delivery.ping.as_ref().unwrap(),
        CallKind::Post => &campaign.delivery.post,
        CallKind::Status => campaign.delivery.status.as_ref().unwrap(),
    }
}

fn kind_of(case: &Node<'_>) -> CallKind {
    let name = text(case, "kind");
    [CallKind::Ping, CallKind::Post, CallKind::Status]
        .into_iter()
        .find(|kind| kind.name() == name)
        .unwrap()
}

fn cases(file: &str) -> Vec<Node<'static>> {
    let Some(Node::List(cases)) = parse_toml(file).unwrap().root.member("case").cloned() else {
        panic!("no cases")
    };
    cases
}

fn text<'n>(node: &'n Node<'_>, name: &str) -> &'n str {
    node.member(name).and_then(Node::as_text).unwrap_or_default()
}

fn pairs(node: &Node<'_>, name: &str) -> Vec<(String, String)> {
    match node.member(name) {
        Some(Node::Object(members)) => members
            .iter()
            .map(|(name, value)| (name.to_string(), value.as_text().unwrap().to_owned()))
            .collect(),
        _ => Vec::new(),
    }
}

fn attributes() -> Attributes {
    let mut attributes = Attributes::new();
    attributes.set_number(Standard::Age, 38);
    attributes.set_number(Standard::MonthlyIncome, rust_decimal::Decimal::new(25_005, 1));
    attributes.set_text(Standard::Purpose, "café & co");
    let yes = Reading::Known(Value::Bool(true));
    attributes.set(Attribute::from(Standard::DirectDeposit), yes);
    attributes.set_text(Standard::City, "Gijón");
    attributes
}

fn contact() -> Contact {
    let extra = r#"{"mother's <name>":"Eva","tags":["x",null,"y"]}"#;
    Contact {
        first_name: Some("Ana <A> & \"B\"".to_owned()),
        email: Some("ana+1@example.org".to_owned()),
        phone: Some("+34600111222".to_owned()),
        birth_date: Some("1988-05-10".parse().unwrap()),
        extra: serde_json::from_str(extra).unwrap(),
        ..Contact::default()
    }
}

/// The request of a call for the one lead: its line, its head, its body.
async fn compose(
    campaign: &Campaign,
    kind: CallKind,
) -> Result<(String, hyper::HeaderMap, String), Code> {
    let (attributes, contact) = (attributes(), contact());
    let call = call_of(campaign, kind);
    let (lead, product) = (LeadId(Default::default()), &campaign.product);
    let terms =
        ConsentEntry { kind: "terms".to_owned(), accepted: true, accepted_at: None, version: None };
    let consent = Consent { entries: vec![terms], ..Consent::default() };
    let request = match kind {
        CallKind::Ping => {
            let attributes = SharedAttributes::of(&attributes.for_ping(|_| false));
            let ping = Ping {
                campaign,
                id: PingId::new([1; 16]),
                product,
                currency: "EUR".parse().unwrap(),
                test: false,
                attributes: &attributes,
                time_left: Duration::from_millis(400),
            };
            compose::ping(call, &call.url, &ping)
        }
        CallKind::Post => {
            let post = Post {
                campaign,
                lead,
                event_token: "buyer~prime~0f",
                attempt: 0,
                again: false,
                ping: None,
                bid_reference: Some("their-id"),
                price: Money { amount: "12.5".parse().unwrap(), currency: "EUR".parse().unwrap() },
                product,
                test: false,
                external_id: None,
                attributes: &attributes,
                contact: &contact,
                consent: &consent,
            };
            compose::post(call, &call.url, &post)
        }
        CallKind::Status => {
            compose::status(call, &StatusQuery { campaign, lead, attempt: 2, product, test: false })
        }
    }?;
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Ok((format!("{} {}", head.method, head.uri), head.headers, String::from_utf8(body).unwrap()))
}

#[tokio::test]
async fn requests_are_these_bytes() {
    for case in cases(include_str!("../golden/encode.toml")) {
        let name = text(&case, "name");
        let call = format!("{}\n{}", text(&case, "call"), text(&case, "extra"));
        let market = market(kind_of(&case), &call);
        let campaign = market.campaigns.values().next().unwrap();
        let composed = compose(campaign, kind_of(&case)).await;
        if case.member("misfit").is_some() {
            assert_eq!(composed.unwrap_err(), Code::AttributeMissing, "{name}");
            continue;
        }
        let (line, headers, body) = composed.unwrap();
        assert_eq!(
            (line.as_str(), body.as_str()),
            (text(&case, "line"), text(&case, "body")),
            "{name}"
        );
        for (header, expected) in pairs(&case, "headers") {
            let found = headers.get(&header).map_or("-", |value| value.to_str().unwrap());
            assert_eq!(found, expected, "{name}: {header}");
        }
    }
}

fn raw(reply: &Node<'_>) -> Raw {
    let status = match reply.member("status") {
        Some(Node::Number(number)) => u16::try_from(*number).unwrap(),
        _ => 200,
    };
    let mut headers = hyper::HeaderMap::new();
    for (name, value) in pairs(reply, "headers") {
        let name: hyper::header::HeaderName = name.parse().unwrap();
        headers.append(name, value.parse().unwrap());
    }
    Raw { status, headers, body: text(reply, "body").as_bytes().to_vec() }
}

/// What a reply reads as, in a line.
fn read(call: &Call, kind: CallKind, mut raw: Raw) -> String {
    let shown = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    if kind == CallKind::Ping {
        return match reply::bid(call, raw, "EUR".parse().unwrap()) {
            Ok(bid) => format!("bid {} {}", bid.price.to_wire(), shown(bid.reference)),
            Err(no_bid) => format!("{} {}", no_bid.code.number(), shown(no_bid.reason)),
        };
    }
    let answer = reply::post_answer(call, &mut raw);
    let judge = if kind == CallKind::Post { classify::complete } else { classify::second };
    let reply = judge(raw.status, answer);
    let mut line = format!("{} {}", reply.class.name(), reply.code.number());
    let price = reply.price.map(|price| price.to_string());
    for part in [price, reply.redirect_url, reply.reference, reply.reason] {
        write!(line, " {}", shown(part)).unwrap();
    }
    line
}

#[test]
fn replies_read_as_these_lines() {
    for case in cases(include_str!("../golden/decode.toml")) {
        let kind = kind_of(&case);
        let response = case.member("response").and_then(Node::as_text);
        let section = format!("[buyers.nova.campaigns.prime.delivery.{}.response]", kind.name());
        let call = response.map(|response| format!("{section}\n{response}")).unwrap_or_default();
        let market = market(kind, &call);
        let campaign = market.campaigns.values().next().unwrap();
        let Some(Node::List(replies)) = case.member("replies") else { panic!("no replies") };
        for reply in replies {
            let found = read(call_of(campaign, kind), kind, raw(reply));
            let (name, body) = (text(&case, "name"), text(reply, "body"));
            assert_eq!(found, text(reply, "read"), "{name}: {body}");
        }
    }
}

#[test]
fn a_sample_that_reads_otherwise_is_named() {
    let response = r#"
        [buyers.nova.campaigns.prime.delivery.post.response]
        accept = { value = "$.s", in = ["Y"] }
        reject = { value = "$.s", in = ["N"] }
        price = "$.p"
        samples = [
          { body = '{"s":"Y"}', expect = "accept" },
          { body = '{"s":"N"}', expect = "accept" },
          { body = '{"s":"Y","p":"2.0"}', expect = "accept", price = "3" },
          { body = '<html>', expect = "unknown" },
          { headers = { "a b" = "c" }, expect = "unknown" },
        ]
    "#;
    let market = market(CallKind::Post, response);
    let found: Vec<String> = check_calls(&market).iter().map(ToString::to_string).collect();
    let at = "buyers.nova.campaigns.prime.delivery.post.response.samples";
    assert_eq!(
        found,
        [
            format!("{at}.1 must read as accept, found reject"),
            format!("{at}.2 must have the price 3, found 2.0"),
            format!("{at}.4 has a header that cannot be one"),
        ]
    );
}

#[test]
fn a_template_that_makes_nonsense_is_named() {
    for (kind, call, expected) in [
        (CallKind::Ping, r#"body = '{"a": {{ attributes.age }}'"#, Some("must make JSON")),
        (
            CallKind::Ping,
            r#"body = '[{% for x in [1, 2] %}{{ x }},{% endfor %}]'"#,
            Some("must make JSON"),
        ),
        (CallKind::Ping, r#"body = '{"a": "{{ attributes.purpose }}"}'"#, None),
        // Nothing is known of a lead that does not fit.
        (CallKind::Ping, r#"body = '{ {{ attributes.purpose | map({"x": 1}) }}'"#, None),
        // A lead that says little must make sense as well.
        (
            CallKind::Post,
            r#"body = '{"a":1{% if contact.email is undefined %},{% endif %}}'"#,
            Some("must make JSON"),
        ),
        (
            CallKind::Post,
            "format = 'xml'
body = '<a>{{ contact.email }}</b>'",
            Some("must make XML"),
        ),
        (
            CallKind::Post,
            "format = 'xml'
body = '<a>{{ contact.email }}</a>'",
            None,
        ),
        (
            CallKind::Status,
            "format = 'query'
body = 'a=<{{ lead_id }}>'",
            Some("must make a query"),
        ),
        (
            CallKind::Status,
            "format = 'query'
body = 'a={{ lead_id }}'",
            None,
        ),
    ] {
        let found: Vec<String> =
            check_calls(&market(kind, call)).iter().map(ToString::to_string).collect();
        let at = format!("buyers.nova.campaigns.prime.delivery.{}.body ", kind.name());
        match expected {
            None => assert!(found.is_empty(), "{call}: {found:?}"),
            Some(expected) => assert!(found[0].starts_with(&(at + expected)), "{call}: {found:?}"),
        }
    }
}

/// A call whose reply is read by every kind of selector at its widest.
const EVERYTHING: &str = r#"
    [buyers.nova.campaigns.prime.delivery.post.response]
    accept = { value = "$..*[?@.a].b", matches = "(a|b)*c" }
    reject = { value = "//*/*/@c", exists = true }
    duplicate = { value = 're:(?s)(a.{0,50}b)', in = ["x", 1] }
    price = "$..[?@.p]['p','q']"
    redirect_url = "//a/b/c"
    reference = "header:x"
    reason = 're:((?:[ab]?[ab]){200}z|a[ab]*z|b)'
"#;

fn everything() -> Market {
    market(CallKind::Post, EVERYTHING)
}

/// The largest replies that the wire lets through, each as nasty as one kind of body can be.
#[tokio::test]
async fn the_worst_replies_are_read_quickly() {
    let most = 64 * 1024;
    let fill = |begin: &str, part: &str, end: &str| {
        format!("{begin}{}{end}", part.repeat((most - begin.len() - end.len()) / part.len()))
    };
    let deep = most / 8;
    let chain = |levels: usize, inner: &str| {
        format!("{}{inner}{}", "{\"a\":".repeat(levels), "}".repeat(levels))
    };
    let bodies = [
        fill("[", "{},", "1]"),
        fill("[", "{\"a\":1,\"b\":\"ab\",\"p\":1},", "1]"),
        format!("{}{}", "[".repeat(most / 2), "]".repeat(most / 2)),
        chain(60, &fill("[", "{\"a\":1},", "1]")),
        format!("{}{}", "<a>".repeat(deep), "</a>".repeat(deep)),
        fill("<a>", "<b c=\"d\"/>", "</a>"),
        fill("<a ", "b=\"c\" ", "/>"),
        (0..8_000).fold("<a".to_owned(), |all, n| format!("{all} a{n}=\"\"")) + "/>",
        (0..2_000).fold(String::new(), |all, n| format!("{all}<a xmlns:n{n}=\"u{n}\">")),
        (0..250).fold(String::new(), |all, n| format!("{all}<a xmlns:n{n}=\"u{n}\">")),
        fill("<a>", "&amp;", "</a>"),
        fill("<!DOCTYPE a [<!ENTITY b \"", "x", "\">]><a>&b;&b;</a>"),
        fill("", "a", ""),
        fill("", "ab", ""),
    ];
    let market = everything();
    let call = call_of(market.campaigns.values().next().unwrap(), CallKind::Post);
    let started = tokio::time::Instant::now();
    for body in bodies {
        let raw = Raw { status: 200, headers: Default::default(), body: body.into_bytes() };
        let line = read(call, CallKind::Post, raw);
        assert!(!line.starts_with("accepted"), "{line}");
    }
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

/// Bytes of every kind that a decoder knows, broken at random.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        Just("{\"a\":"),
        Just("\"b\""),
        Just("[1,"),
        Just("}"),
        Just("]"),
        Just("null"),
        Just("1e999"),
        Just("-0.0"),
        Just("\\u0000"),
        Just("\\ud800"),
        Just("\"p\":"),
        Just(","),
        Just("<a>"),
        Just("</a>"),
        Just("<b c='d'>"),
        Just("</b>"),
        Just("&#0;"),
        Just("&x;"),
        Just("<!DOCTYPE a>"),
        Just("<![CDATA["),
        Just("]]>"),
        Just("<!--"),
        Just("-->"),
        Just("<?xml version='1.0'?>"),
        Just("\u{feff}"),
        Just("xmlns:x='y'"),
        Just("<x:a/>"),
        Just("é"),
        Just("abc"),
        Just(" "),
    ];
    let parts = prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat().into_bytes());
    prop_oneof![parts, prop::collection::vec(any::<u8>(), 0..200)]
}

proptest! {
    /// No bytes make a decoder panic, and none that are broken sell a lead.
    #[test]
    fn any_reply_is_read_or_unreadable(body in bytes(), status in 100u16..600, at in 0usize..400) {
        let market = everything();
        let campaign = market.campaigns.values().next().unwrap();
        let reply = |body: &[u8]| Raw { status, headers: Default::default(), body: body.to_vec() };
        read(&campaign.delivery.post, CallKind::Post, reply(&body));
        read(call_of(campaign, CallKind::Ping), CallKind::Ping, reply(&body));
        let mut sale = br#"{"status":"accepted","price":"9.50","reference":"r","reason":"x"}"#.to_vec();
        sale.truncate(at);
        let line = read(call_of(campaign, CallKind::Status), CallKind::Status, Raw {
            status: 200, headers: Default::default(), body: sale.clone(),
        });
        prop_assert_eq!(line.starts_with("accepted"), serde_json::from_slice::<serde_json::Value>(&sale).is_ok());
    }
}

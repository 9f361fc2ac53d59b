//! Buyers' replies, through the native shape, through each kind of selector, and through mappings that
//! strangers wrote. A reply is a letter that names the mapping, a digit that names the status, header
//! lines, a blank line and a body; without a blank line all is body.

use document::parse_json;
use hyper::HeaderMap;
use hyper::header::HeaderName;
use lead::Currency;
use market::call::Expect;
use market::{CallKind, Campaign, Market};
use serde_json::Value;

thread_local! {
    static MARKET: Market = super::sound(include_str!("market.toml"));
}

const STATUSES: [u16; 8] = [200, 204, 302, 400, 404, 409, 429, 503];

type Reply = (u16, HeaderMap, Vec<u8>);

/// Reads the answer to a ping.
pub fn reply_ping(data: &[u8]) {
    read(data, |campaign, reply| {
        let Some(call) = &campaign.delivery.ping else { return };
        let status = reply.0;
        let body = reply.2.clone();
        let (read, price) = fanout::reads_as(call, CallKind::Ping, reply, currency());
        let bids = read == Expect::Accept;
        assert_eq!(bids, price.is_some(), "a bid is a price");
        assert!(!bids || (200..300).contains(&status), "a bid in a reply of status {status}");
        if bids && call.response.is_none() {
            assert_eq!(said(&body).as_deref(), Some("bid"), "nobody bid");
        }
    });
}

/// Reads the answer to a post, and to the question what became of one.
pub fn reply_post(data: &[u8]) {
    read(data, |campaign, reply| {
        let call = &campaign.delivery.post;
        let body = reply.2.clone();
        let (read, _) = fanout::reads_as(call, CallKind::Post, reply.clone(), currency());
        let (status, _) = fanout::reads_as(call, CallKind::Status, reply, currency());
        if call.response.is_none() {
            let said = said(&body);
            for read in [read, status] {
                assert!(
                    read != Expect::Accept || said.as_deref() == Some("accepted"),
                    "sold unsaid"
                );
            }
        }
    });
}

/// Reads a mapping, a blank line and a reply to read through it: as a ping's, as a post's and as a
/// status call's.
pub fn response_mapping(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(super::bounded(data)) else { return };
    let (mapping, reply) = super::halves(text);
    for kind in [CallKind::Ping, CallKind::Post, CallKind::Status] {
        let mut market = market_around(kind, mapping).into_bytes();
        let Ok(root) = parse_json(&mut market) else { return };
        let Ok(market) = Market::read(&root) else { continue };
        for campaign in market.campaigns.values() {
            let delivery = &campaign.delivery;
            let call = match kind {
                CallKind::Ping => delivery.ping.as_ref(),
                CallKind::Post => Some(&delivery.post),
                CallKind::Status => delivery.status.as_ref(),
            };
            let Some(call) = call else { continue };
            let reply = (200, HeaderMap::new(), reply.as_bytes().to_vec());
            let (read, price) = fanout::reads_as(call, kind, reply, currency());
            assert!(kind != CallKind::Ping || (read == Expect::Accept) == price.is_some());
        }
        for defect in fanout::check_calls(&market) {
            assert!(!defect.to_string().is_empty());
        }
    }
}

fn currency() -> Currency {
    "EUR".parse().expect("a currency that we know")
}

fn read(data: &[u8], judge: impl Fn(&Campaign, Reply)) {
    let [mapping, status, rest @ ..] = super::bounded(data) else { return };
    let status = STATUSES[usize::from(*status) % STATUSES.len()];
    let blank = rest.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = blank.map_or((&b""[..], rest), |at| (&rest[..at], &rest[at + 2..]));
    let mut headers = HeaderMap::new();
    for line in head.split(|byte| *byte == b'\n').take(100) {
        let mut parts = line.splitn(2, |byte| *byte == b':');
        if let (Some(name), Some(value)) = (parts.next(), parts.next())
            && let (Ok(name), Ok(value)) =
                (HeaderName::from_bytes(name), value.trim_ascii().try_into())
        {
            headers.append(name, value);
        }
    }
    MARKET.with(|market| {
        let campaigns = market.campaigns.len();
        let campaign = market.campaigns.values().nth(usize::from(*mapping) % campaigns);
        if let Some(campaign) = campaign {
            judge(campaign, (status, headers.clone(), body.to_vec()));
        }
    });
}

/// The status that another reader sees in a native reply.
fn said(body: &[u8]) -> Option<String> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let root: Value = serde_json::from_slice(body).ok()?;
    Some(root.get("status")?.as_str()?.to_owned())
}

/// A market of one campaign, one of whose calls reads replies as `mapping` says.
fn market_around(kind: CallKind, mapping: &str) -> String {
    let call = |own: CallKind| {
        let response =
            if own == kind { format!(r#","response":{mapping}"#) } else { String::new() };
        format!(r#"{{"url":"https://b.example/"{response}}}"#)
    };
    let (ping, post, status) = (call(CallKind::Ping), call(CallKind::Post), call(CallKind::Status));
    let campaign = format!(
        r#"{{"product":"loan","filter":{{}},"price":{{"bid":{{"min":"1.00","max":"60.00"}}}},"delivery":{{"ping":{ping},"post":{post},"status":{status}}}}}"#
    );
    let product = r#"{"name":"L","vertical":"loans","country":"ES","currency":"EUR","timezone":"UTC","budget_ms":900,"tiers":[{"mode":"auction"}]}"#;
    format!(
        r#"{{"products":{{"loan":{product}}},"buyers":{{"b":{{"name":"B","allowed_hosts":["b.example"],"campaigns":{{"c":{campaign}}}}}}}}}"#
    )
}

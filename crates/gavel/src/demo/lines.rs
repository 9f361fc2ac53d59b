//! What `demo --stay` prints: a line of shell for every call of every door, which work when pasted in
//! their order. Must never print one that needs a tool beside `curl`, `sed`, `tr`, `tee` and `date`.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::{Value, json};
use sim::samples;

use crate::wire::Running;

/// In a body: what tells one consumer from the next, once a shell has read the line.
const ME: &str = "{ME}";
/// In a body: four digits of a phone number.
const N: &str = "{N}";

const JSON: &str = "-H 'content-type: application/json'";
const LEADHUB: &str = "-H 'apikey: demo-leadhub'";
const PINGTREE: &str = "-H 'authorization: Bearer demo-pingtree'";
const BRAINYSOFT: &str = "-H 'bsauth: demo-brainysoft'";
const NATIVE: &str = "-H 'authorization: Bearer demo-native'";
const OPERATOR: &str = "-H 'authorization: Bearer demo-operator'";
const NOVA: &str = "-H 'authorization: Bearer demo-nova'";

/// Everything that may be pasted; a line of shell begins with two spaces. `samples`: what the
/// documentations' own were answered, for lines that are pasted without those before them.
pub(crate) fn invitation(
    running: &Running,
    buyers: SocketAddr,
    samples: &[(&str, Value)],
) -> String {
    let answer = |door: &str| samples.iter().find(|(name, _)| *name == door).map(|(_, it)| it);
    let lead = answer("native").and_then(|it| it["lead_id"].as_str()).unwrap_or_default();
    let id = answer("brainysoft").and_then(|it| it["data"].as_i64()).unwrap_or_default();
    let known = vec![
        (ME, "${ME:-1}".to_owned()),
        (N, "${N:-0143}".to_owned()),
        ("{LEAD}", format!("${{LEAD:-{lead}}}")),
        ("{ID}", format!("${{ID:-{id}}}")),
        ("{PING}", "$PING".to_owned()),
    ];
    let mut page = Page { out: String::new(), at: running.public, known };
    let (public, ops) = (running.public, running.ops);
    page.text(&format!(
        "Serving. Publishers: http://{public}   metrics and health: http://{ops}   (Ctrl-C stops)"
    ));
    page.text("");
    page.text(
        "Each line below works when pasted, in this order and into one shell: later ones use what",
    );
    page.text("earlier ones noted. The first makes up whom the leads are about: once more, and all of them");
    page.text(
        "are about somebody else; without it they are answered as the repeats that they are.",
    );
    page.line("ME=$(date +%s%N); N=$(date +%s | tail -c 5)");
    leadhub(&mut page);
    bright_horizons(&mut page);
    pingtree(&mut page);
    brainysoft(&mut page);
    native(&mut page);
    if let Some(at) = running.management {
        page.at = at;
        management(&mut page, public, buyers);
    }
    page.text("\nMetrics:");
    page.line(&format!("curl -s http://{ops}/metrics | grep gavel_leads_total"));
    page.out
}

struct Page {
    out: String,
    /// Who is called.
    at: SocketAddr,
    /// What stands for what in a text, and what a shell reads there.
    known: Vec<(&'static str, String)>,
}

impl Page {
    fn text(&mut self, text: &str) {
        self.out.extend([text, "\n"]);
    }

    fn line(&mut self, command: &str) {
        self.out.extend(["  ", command, "\n"]);
    }

    /// A call whose status stands behind its answer.
    fn call(&self, path: &str, rest: &[&str]) -> String {
        let url = self.quoted(&format!("http://{}{path}", self.at));
        let mut call = format!("curl -s -w ' %{{http_code}}\\n' {url}");
        for part in rest {
            write!(call, " {part}").unwrap_or_default(); // writing to a string cannot fail
        }
        call
    }

    fn ask(&mut self, path: &str, rest: &[&str]) {
        let call = self.call(path, rest);
        self.line(&call);
    }

    /// A call that shows its answer and notes a part of it, as `$name`.
    fn noting(name: &str, pattern: &str, call: &str) -> String {
        format!("{name}=$({call} | tee /dev/stderr | sed -n 's/.*{pattern}.*/\\1/p')")
    }

    /// A text in which a shell reads nothing but what is known.
    fn quoted(&self, text: &str) -> String {
        let plain = format!("'{}'", text.replace('\'', "'\\''"));
        let known = self.known.iter();
        known.fold(plain, |text, (name, read)| text.replace(name, &format!("'{read}'")))
    }

    /// The option that posts a body.
    fn data(&self, body: &Value) -> String {
        format!("-d {}", self.quoted(&body.to_string()))
    }
}

fn leadhub(page: &mut Page) {
    page.text("\nLeadhub: a lead.");
    let mut lead = samples::leadhub();
    lead["customer"]["contact"]["email"]["address"] = format!("lucia.{ME}@example.org").into();
    let body = page.data(&lead);
    page.ask("/api/v1/lead", &[LEADHUB, JSON, &body]);
}

fn bright_horizons(page: &mut Page) {
    page.text("\nBright Horizons: a post; a ping, of which nothing is kept.");
    let mut lead = samples::bright_horizons();
    lead["transaction"]["email"] = format!("jj.{ME}@example.com").into();
    lead["transaction"]["phone"] = format!("775555{N}").into();
    let body = page.data(&lead);
    page.ask("/post/debt/sub10k/", &[JSON, &body]);
    let asked = |name: &str| matches!(name, "state" | "zip" | "finances" | "credit");
    if let Some(members) = lead["transaction"].as_object_mut() {
        members.retain(|name, _| asked(name));
    }
    let body = page.data(&lead);
    page.ask("/ping/debt/sub10k/", &[JSON, &body]);
}

fn pingtree(page: &mut Page) {
    page.text("\nPingtree: a lead as JSON, as a form, as a query, under the source's slug; what was stored.");
    let create = samples::PINGTREE_PATH;
    let mut lead = samples::pingtree();
    lead["email"] = format!("dana.json.{ME}@example.com").into();
    lead["transaction_id"] = format!("json-{ME}").into();
    let body = page.data(&lead);
    page.ask(create, &[PINGTREE, JSON, &body]);
    let fields = |name: &str| {
        format!(
            "first_name=Dana&last_name={name}&email=dana.{name}.{ME}@example.com&mobile=2125550143\
             &state=NY&zip_code=12207&transaction_id={name}-{ME}&loan_amount=2500"
        )
    };
    let form = format!("-d {}", page.quoted(&fields("form")));
    page.ask(create, &[PINGTREE, &form]);
    page.ask(&format!("{create}?{}", fields("query")), &[PINGTREE]);
    let mut lead = json!({
        "first_name": "Dana", "last_name": "Slug", "state": "NY", "zip": "12207",
        "phone": "2125550143", "loan_amount": 2500,
    });
    lead["email"] = format!("dana.slug.{ME}@example.com").into();
    let body = page.data(&lead);
    page.ask("/api/v1/database-source/us-loans/create", &[PINGTREE, JSON, &body]);
    let fetch = create.replacen("create", "fetch", 1);
    page.ask(&format!("{fetch}?transaction_id=json-{ME}"), &[PINGTREE]);
    page.ask("/api/v1/database-source/us-loans/fetch?status=sold&limit=2", &[PINGTREE]);
}

fn brainysoft(page: &mut Page) {
    page.text("\nBrainySoft: a lead; its record; a check, which is taken once; its way; several; a login.");
    let leads = "/bs-core/main/leads";
    let mut lead = samples::brainysoft();
    lead["orderCode"] = format!("gen-{ME}").into();
    let call = page.call(leads, &[BRAINYSOFT, JSON, &page.data(&lead)]);
    page.line(&Page::noting("ID", "\"data\":\\([0-9]*\\)", &call));
    page.ask(&format!("{leads}/{{ID}}"), &[BRAINYSOFT]);
    page.ask(&format!("{leads}/{{ID}}/check"), &[BRAINYSOFT, "-X POST"]);
    page.ask(&format!("{leads}/{{ID}}/statuses"), &[BRAINYSOFT]);
    page.ask(&format!("{leads}/find/{{ID}},1?preserveOrder=true"), &[BRAINYSOFT]);
    let login = json!({ "userName": "demo", "password": "demo-brainysoft-password" });
    let call = page.call(
        "/bs-core/main/login",
        &["-i", "-H 'customer-key: demo'", JSON, &page.data(&login), "| tr -d '\\r'"],
    );
    let login = Page::noting("TOKEN", "bsauth: \\([^ ]*\\)", &call);
    let read = page.call(&format!("{leads}/{{ID}}"), &["-H \"bsauth: $TOKEN\""]);
    page.line(&format!("{login}; {read}"));
}

fn native(page: &mut Page) {
    page.text("\nGavel's own: a lead; its answer again; why it ended so.");
    let mut lead = samples::native();
    lead["contact"]["email"] = format!("ana.{ME}@example.org").into();
    lead["external_id"] = format!("lead-{ME}").into();
    let call = page.call("/v1/leads", &[NATIVE, JSON, &page.data(&lead)]);
    page.line(&Page::noting("LEAD", "\"lead_id\":\"\\([^\"]*\\)\"", &call));
    page.ask("/v1/leads/{LEAD}", &[NATIVE]);
    page.ask("/v1/leads/{LEAD}/decisions", &[NATIVE]);
    page.text("\nA ping without the consumer, and the post of what it was promised.");
    lead["contact"]["email"] = format!("eva.{ME}@example.org").into();
    lead["external_id"] = format!("pair-{ME}").into();
    let mut ping = lead.clone();
    if let Some(members) = ping.as_object_mut() {
        members.remove("contact");
    }
    let call = page.call("/v1/ping", &[NATIVE, JSON, &page.data(&ping)]);
    let ping = Page::noting("PING", "\"ping_id\":\"\\([^\"]*\\)\"", &call);
    lead["ping_id"] = "{PING}".into();
    let post = page.call("/v1/post", &[NATIVE, JSON, &page.data(&lead)]);
    page.line(&format!("{ping}; {post}"));
}

/// What operators and buyers may ask.
fn management(page: &mut Page, public: SocketAddr, buyers: SocketAddr) {
    page.text(
        "\nManagement: that lead's record; why it ended so, for an operator and for one buyer.",
    );
    page.ask("/v1/leads/{LEAD}", &[OPERATOR]);
    page.ask("/v1/leads/{LEAD}/decisions", &[OPERATOR]);
    page.ask("/v1/leads/{LEAD}/decisions", &[NOVA]);
    page.text("\nA campaign of nova's own, live for the next lead (201; once more: 200); who would want a lead");
    page.text("now; nova's campaigns; and the new one gone again.");
    let one = "/v1/buyers/nova/campaigns/es-modest";
    let body = page.data(&campaign(buyers));
    page.ask(one, &["-X PUT", NOVA, &body]);
    let somebody = json!({
        "product": "personal-loan-es",
        "attributes": { "country": "ES", "age": 38, "monthly_income": 900, "amount": 3000 },
    });
    let body = page.data(&somebody);
    page.ask("/v1/explain", &[OPERATOR, &body]);
    let body = page.data(&somebody);
    page.ask("/v1/explain", &[NOVA, &body]);
    page.ask("/v1/buyers/nova/campaigns", &[NOVA]);
    page.ask(one, &["-X DELETE", NOVA]);
    page.text("\nHow a publisher posts, as a page to hand to it (also with format=html).");
    page.ask(&format!("/v1/publishers/pingtree-demo/spec?url=http://{public}"), &[OPERATOR]);
    page.text("\nPosts whose answer nobody knows. What a person knows of one: POST {\"outcome\":\"sold\"} or");
    page.text("{\"outcome\":\"not_sold\"} to /v1/review/{lead}/{buyer}/{campaign}.");
    page.ask("/v1/review", &[OPERATOR]);
}

/// A campaign that a simulated buyer answers for.
fn campaign(buyers: SocketAddr) -> Value {
    let url = |call: &str| format!("http://{buyers}/nova-es-prime/{call}");
    json!({
        "product": "personal-loan-es",
        "filter": { "monthly_income": { "between": [800, 1200] } },
        "price": { "bid": { "min": "5.00", "max": "60.00" } },
        "caps": [{ "per": "day", "leads": 100 }],
        "delivery": { "ping": { "url": url("ping") }, "post": { "url": url("post") } },
    })
}

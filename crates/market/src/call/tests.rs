//! Templates: what they make, what they refuse, and that no lead makes one misbehave.

use document::{Node, parse_toml};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{BODY_BYTES_MAX, CallKind, Format, Misfit, QUERY_BYTES_MAX, Template, Vocabulary};
use crate::{Secrets, Sources};

const POST: Vocabulary<'_> = Vocabulary { kind: CallKind::Post, product: None };
const PING: Vocabulary<'_> = Vocabulary { kind: CallKind::Ping, product: None };

fn lead() -> Value {
    json!({
        "lead_id": "l-1", "ping_id": null, "bid": "12.50", "product": "loan", "test": false,
        "external_id": null,
        "attributes": {
            "employment": "self_employed", "monthly_income": 2500.5, "age": 38, "direct_deposit": true,
            "purpose": "caf\u{e9} & <b>\"x\"",
        },
        "contact": {
            "first_name": "Ana \"A\" \\ <Núñez> & 'co'", "phone": "+34600111222",
            "birth_date": "1988-05-10", "documents": [{"kind": "dni"}, {"kind": "pass"}],
        },
        "consent": { "entries": [
            {"type": "terms", "accepted": true, "accepted_at": "2026-01-02T03:04:05Z"},
            {"type": "privacy", "accepted": false},
        ]},
    })
}

fn render(format: Format, source: &str) -> Result<String, Misfit> {
    Template::compile(source, format, &POST, &Secrets::default()).unwrap().render(&lead())
}

#[test]
fn values_take_the_form_of_their_format() {
    use Format::{Form, Json, Query, Xml};
    for (format, source, expected) in [
        (Json, r#"{"a":{{ contact.first_name }}}"#, r#"{"a":"Ana \"A\" \\ <Núñez> & 'co'"}"#),
        (Json, r#"{"a":"{{ contact.first_name }}"}"#, r#"{"a":"Ana \"A\" \\ <Núñez> & 'co'"}"#),
        (Json, r#"{"a":"x\"{{ product }}-{{ attributes.age }}"}"#, r#"{"a":"x\"loan-38"}"#),
        (Json, "{{ test }} {{ external_id }} [\"{{ external_id }}\"]", "false null [\"\"]"),
        (Json, "{{ contact.documents }}", r#"[{"kind":"dni"},{"kind":"pass"}]"#),
        (Json, "{{ attributes.monthly_income }}", "2500.5"),
        (
            Xml,
            "<a b=\"{{ attributes.purpose }}\"/>",
            "<a b=\"café &amp; &lt;b&gt;&quot;x&quot;\"/>",
        ),
        (Xml, "\n <a>{{ external_id }}</a>\n", "<a></a>"),
        (Form, "a={{ attributes.purpose }}", "a=caf%C3%A9%20%26%20%3Cb%3E%22x%22"),
        (Query, "a={{ test }}\n  &b={{ bid }}\n", "a=false&b=12.50"),
    ] {
        assert_eq!(render(format, source).as_deref(), Ok(expected), "{source}");
    }
    for (format, source) in [
        (Json, "\"{{ contact.documents }}\""),
        (Json, "\"\\{{ product }}\""),
        (Xml, "<a>{{ contact }}</a>"),
        (Form, "a={{ contact.documents }}"),
        (Json, "{{ attributes.housing }}"),
        (Json, "{{ contact.address.city }}"),
        (Json, "{{ attributes.housing | upper }}"),
        (Json, "{{ attributes.employment | map({\"employed\": \"E\"}) }}"),
        (Json, "{{ attributes.purpose | date(\"%Y\") }}"),
        (Json, "{{ attributes.purpose | times(2) }}"),
        (Json, "{{ attributes.purpose | phone(\"e164\") }}"),
    ] {
        assert_eq!(render(format, source), Err(Misfit), "{source}");
    }
}

#[test]
fn filters_and_statements_do_what_they_say() {
    for (source, expected) in [
        ("{{ attributes.housing | default(\"unknown\") }}", "unknown"),
        ("{{ external_id | default(\"none\") }}", "none"),
        ("{{ attributes.employment | map({\"self_employed\": \"S\"}, default=\"O\") }}", "S"),
        ("{{ product | map({\"x\": \"S\"}, default=\"O\") }}", "O"),
        ("{{ attributes.housing | map({\"x\": \"S\"}, default=\"O\") }}", "O"),
        ("{{ attributes.direct_deposit | map({true: \"Y\", false: \"N\"}) }}", "Y"),
        ("{{ attributes.age | map({\"38\": \"old\"}) }}", "old"),
        ("{{ contact.birth_date | date(\"%d/%m/%Y\") }}", "10%2F05%2F1988"),
        ("{{ consent.entries[0].accepted_at | date(\"%Y%m%d%H%M%S\") }}", "20260102030405"),
        ("{{ contact.phone | phone(\"national\") }}", "600111222"),
        ("{{ contact.phone | phone(\"digits\") }}", "34600111222"),
        ("{{ \"0044 20 7946 0000\" | phone(\"e164\") }}", "%2B442079460000"),
        ("{{ \"+351 21 1234567\" | phone(\"national\") }}", "211234567"),
        ("{{ \"+1 212 555 0100\" | phone(\"national\") }}", "2125550100"),
        ("{{ \"600 111\" | phone(\"national\") }}", "600111"),
        ("{{ product | upper | cut(2) }}{{ \" Ab \" | trim | lower }}", "LOab"),
        ("{{ attributes.monthly_income | times(12) | decimals(2) }}", "30006.00"),
        ("{{ attributes.monthly_income | decimals(0) }}", "2501"),
        ("{{ \"a-1b2\" | digits }}", "12"),
        ("{% for e in consent.entries if e.accepted %}{{ e.type }}{% endfor %}", "terms"),
        (
            "{% for d in contact.documents %}{{ d.kind }}{{ \",\" if not loop.last else \"\" }}{% endfor %}",
            "dni%2Cpass",
        ),
        ("{% for k, v in [[\"a\", 1], [\"b\", 2]] %}{{ k }}={{ v }};{% endfor %}", "a=1;b=2;"),
        (
            "{% if contact.address is defined %}{{ contact.address.city }}{% elif test %}t{% else %}-{% endif %}",
            "-",
        ),
        ("{{ \"y\" if attributes.age >= 18 and product in [\"loan\"] else \"n\" }}", "y"),
    ] {
        assert_eq!(render(Format::Form, source).as_deref(), Ok(expected), "{source}");
    }
}

/// Whatever could reach what a ping must not show, or run away, is refused when it is written.
#[test]
fn tricks_are_refused_and_named() {
    for (source, expected) in [
        ("{{ contact.email }}", "must not name contact: the names of a ping are ping_id"),
        ("{{ contact }}", "must not name contact"),
        ("{{ consent.ip }}", "must not name consent"),
        ("{{ bid }}", "must not name bid"),
        ("{{ lead_id }}", "must not name lead_id"),
        ("{{ external_id }}", "must not name external_id"),
        ("{{ event_token }}", "must not name event_token"),
        ("{{ self }}", "must not name self"),
        ("{{ self.contact }}", "must not name self"),
        ("{{ loop }}", "must not name loop"),
        ("{{ namespace }}", "must not name namespace"),
        ("{{ caller }}", "must not name caller"),
        ("{% if false %}{{ contact.email }}{% endif %}", "must not name contact"),
        ("{{ \"\" if true else contact.email }}", "must not name contact"),
        ("{{ product | default(contact.email) }}", "must not name contact"),
        ("{{ product | map({\"a\": contact}) }}", "must use map as it is"),
        ("{{ attributes[contact.email] }}", "must not name contact"),
        ("{% for c in contact %}{{ c }}{% endfor %}", "must not name contact"),
        ("{% for c in [contact] %}{{ c.email }}{% endfor %}", "must not name contact"),
        ("{% for c in attributes %}{% endfor %}{{ c }}", "must not name c:"),
        ("{% for x in attributes %}{% else %}{{ x }}{% endfor %}", "must not name x:"),
        ("{% for product in attributes %}{% endfor %}", "must not use the name product"),
        ("{% for loop in attributes %}{% endfor %}", "assign to reserved variable name loop"),
        ("{% for x in attributes recursive %}{% endfor %}", "must not have a recursive"),
        ("{% for x in attributes %}{{ loop(x) }}{% endfor %}", "must not call anything"),
        ("{% set c = contact %}{{ c.email }}", "may use {{ }}, {% if %} and {% for %} only"),
        ("{% set c %}{{ contact.email }}{% endset %}{{ c }}", "only"),
        ("{% with c = contact %}{{ c.email }}{% endwith %}", "only"),
        ("{% filter upper %}x{% endfilter %}", "only"),
        ("{% autoescape false %}{{ product }}{% endautoescape %}", "only"),
        ("{% include \"contact\" %}", "unknown statement include"),
        ("{% import \"x\" as c %}", "unknown statement import"),
        ("{% extends \"x\" %}", "unknown statement extends"),
        ("{% macro m() %}{{ contact }}{% endmacro %}", "unknown statement macro"),
        ("{% call x() %}{% endcall %}", "unknown statement call"),
        ("{% do contact.x() %}", "only"),
        ("{{ range(9) }}", "must not call anything"),
        ("{{ product.upper() }}", "must not call anything"),
        ("{{ product ~ product }}", "must not compute"),
        ("{{ \"x\" * 100000000 }}", "must not compute"),
        ("{{ 9 ** 99 }}", "must not compute"),
        ("{{ attributes.age + 1 }}", "must not compute"),
        ("{{ product | safe }}", "must use known filters, found safe"),
        ("{{ product | upper(1) }}", "must use upper as it is: no arguments"),
        ("{{ product | date(product) }}", "must use date as it is"),
        ("{{ product | date(\"%!\") }}", "must use date as it is"),
        ("{{ product | phone(\"local\") }}", "must use phone as it is"),
        ("{{ product | cut(*[1]) }}", "must use cut as it is"),
        ("{{ product | secret }}", "must name a secret"),
        ("{{ \"key\" | secret }}", "must name a secret of the buyer, found key; the buyer has no"),
        ("{{ product is string }}", "may test for defined, undefined, none only"),
        ("{{ attributes[product] }}", "must name members plainly"),
        ("{{ product", "must be a template"),
        ("{% raw %}x", "must be a template"),
    ] {
        let compiled = Template::compile(source, Format::Json, &PING, &Secrets::default());
        let faults = compiled.err().unwrap_or_default();
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{source}: {faults:?}");
    }
    let deep = format!("{{{{ {}product{} }}}}", "[".repeat(60), "]".repeat(60));
    let nested = format!("{}x{}", "{% if test %}".repeat(60), "{% endif %}".repeat(60));
    for source in [deep, nested, "x".repeat(33 * 1_024), "a\0b".to_owned()] {
        assert!(Template::compile(&source, Format::Json, &PING, &Secrets::default()).is_err());
    }
}

#[test]
fn renderings_are_bounded_in_output_and_steps() {
    let long = json!({"product": "x".repeat(5_000), "attributes": {"all": vec![0; 5_000]}});
    let ping = |format, source: &str| {
        Template::compile(source, format, &PING, &Secrets::default()).unwrap().render(&long)
    };
    let each = "{% for a in attributes.all %}{{ product }}{% endfor %}";
    let idle = "{% for a in attributes.all %}{% for b in attributes.all %}{% endfor %}{% endfor %}";
    for format in [Format::Json, Format::Xml, Format::Form, Format::Query] {
        assert_eq!(ping(format, each), Err(Misfit));
        assert_eq!(ping(format, idle), Err(Misfit));
        let twice = ping(format, "{{ product }}{{ product }}");
        let fits = format != Format::Query;
        assert_eq!(twice.is_ok(), fits, "{format:?}");
    }
    assert!(ping(Format::Xml, &"{{ product }}".repeat(13)).unwrap().len() <= BODY_BYTES_MAX);
    assert!(ping(Format::Query, "{{ product }}").unwrap().len() <= QUERY_BYTES_MAX);
}

/// A market with one campaign, its buyer and its calls as given.
fn market(buyer: &str, campaign: &str) -> Result<crate::Market, Vec<String>> {
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
        [products.loan.attributes]
        plan = {{ type = "text", ping = true }}
        note = {{ type = "text" }}
        [buyers.nova]
        name = "Nova"
        allowed_hosts = ["*.nova.example"]
        {buyer}
        [buyers.nova.campaigns.prime]
        product = "loan"
        filter = {{}}
        price.bid = {{ min = "1.00", max = "99.00" }}
        [buyers.nova.campaigns.prime.delivery]
        ping.url = "http://api.nova.example/ping"
        post.url = "http://api.nova.example/post"
        {campaign}
        "#
    );
    let sources = Sources::parse([("m.toml".to_owned(), text)]).unwrap();
    sources.market().map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

#[test]
fn what_a_call_cannot_honour_is_refused_with_its_place() {
    let file = parse_toml(include_str!("../../golden/refused_calls.toml")).unwrap();
    let Some(Node::List(cases)) = file.root.member("case") else { panic!("no cases") };
    assert!(cases.len() > 30);
    for case in cases {
        let text = |name| case.member(name).and_then(Node::as_text).unwrap();
        let faults = market("", text("call")).unwrap_err();
        let named = faults.iter().any(|fault| fault.contains(text("refused")));
        assert!(named, "{}: {faults:#?}", text("call"));
    }
}

#[test]
fn secrets_reach_requests_and_nothing_else() {
    let secrets = "secrets = { nova = \"s3cr3t\" }";
    let calls = "ping.headers = { X-Key = \"secret:nova\", Authorization = \"Bearer secret:nova\", X-Other = \"my-secret:nova\" }
        post.format = \"form\"
        post.body = 'key={{ \"nova\" | secret }}'";
    let market_read = market(secrets, calls).unwrap();
    let campaign = market_read.campaigns.values().next().unwrap();
    let ping = campaign.delivery.ping.as_ref().unwrap();
    assert_eq!(ping.headers["x-key"], "s3cr3t");
    assert_eq!(ping.headers["authorization"], "Bearer s3cr3t");
    assert_eq!(ping.headers["x-other"], "my-secret:nova");
    assert_eq!(ping.headers["content-type"], "application/json");
    assert_eq!(
        campaign.delivery.post.body.as_ref().unwrap().render(&lead()).as_deref(),
        Ok("key=s3cr3t")
    );
    assert!(!format!("{market_read:?}").contains("s3cr3t"));
    for (buyer, expected) in [
        ("secrets = { nova = { env = \"NONE\" } }", "secrets.nova.env is unusable"),
        ("secrets = { nova = { file = \"x\" } }", "secrets.nova.file must be an absolute path"),
        ("secrets = { nova = {} }", "secrets.nova must have either env or file"),
        ("secrets = { nova = { env = \"A\", file = \"/b\" } }", "must have either env or file"),
        ("secrets = { nova = \"\" }", "secrets.nova is unusable"),
        ("secrets = { \"a b\" = \"x\" }", "is no name for a secret"),
        ("secrets = { nova = 5 }", "secrets.nova must be an object"),
        ("secrets = { other = \"s3cr3t\" }", "the buyer's secrets are other"),
    ] {
        let faults = market(buyer, calls).unwrap_err();
        assert!(faults.iter().any(|fault| fault.contains(expected)), "{buyer}: {faults:#?}");
        assert!(!format!("{faults:?}").contains("s3cr3t"));
    }
}

fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[^\0]{0,40}".prop_map(Value::from),
        "[\"\\\\<>&%{}\u{7f}\u{fffe}\n]{0,20}".prop_map(Value::from),
    ]
}

fn tree() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"<]{0,4}", inner, 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Any value, at any place that JSON gives it, leaves the JSON whole and comes back out.
    #[test]
    fn no_value_breaks_out_of_json(value in tree()) {
        let template = |source| Template::compile(source, Format::Json, &PING, &Secrets::default()).unwrap();
        let lead = json!({"product": value});
        if let Ok(text) = template(r#"{"a":{{ product }},"b":"end"}"#).render(&lead) {
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read["b"], "end");
            prop_assert!(read["a"] == value || value.is_number() || !value.is_string());
        }
        if let Ok(text) = template(r#"{"a":"<{{ product }}>","b":"end"}"#).render(&lead) {
            let read: Value = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&read["b"], "end");
            if let Some(plain) = value.as_str() {
                prop_assert_eq!(&read["a"], &format!("<{plain}>"));
            }
        } else {
            prop_assert!(value.is_object() || value.is_array());
        }
    }

    /// Nor out of a field, nor out of an element.
    #[test]
    fn no_value_breaks_out_of_a_field_or_an_element(value in "[^\0]{0,60}") {
        let lead = json!({"product": value});
        let render = |format, source| {
            Template::compile(source, format, &PING, &Secrets::default()).unwrap().render(&lead).unwrap()
        };
        let form = render(Format::Form, "a={{ product }}&b=1");
        prop_assert!(form.strip_prefix("a=").unwrap().strip_suffix("&b=1").unwrap()
            .bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)));
        let xml = render(Format::Xml, "<a b=\"{{ product }}\">{{ product }}</a>");
        prop_assert_eq!(xml.matches('<').count(), 2);
        prop_assert_eq!(xml.matches('"').count(), 2);
    }

    /// Any source compiles or is refused, and what compiles renders or does not fit: never a panic.
    #[test]
    fn any_source_is_answered(
        parts in prop::collection::vec(prop_oneof![
            Just("{{ "), Just(" }}"), Just("{% "), Just(" %}"), Just("for x in "), Just("if "),
            Just("endfor"), Just("endif"), Just("else"), Just("product"), Just("attributes.all"),
            Just(" | upper"), Just(" | cut(3)"), Just(" | map({\"a\": 1}, default=2)"),
            Just(" | default(0)"), Just(" is defined"), Just("[1:]"), Just("[x]"), Just("-"),
            Just("\""), Just("'"), Just("not "), Just(" and "), Just(" in "), Just("{#"), Just("#}"),
            Just("x"), Just("("), Just(")"), Just("loop.index"), Just("{"), Just("}"), Just("1e9"),
        ], 0..24),
        tail in "\\PC{0,12}",
    ) {
        let source = parts.concat() + &tail;
        let lead = json!({"product": "ab", "attributes": {"all": [1, "two", null, {"a": 1}]}});
        for format in [Format::Json, Format::Xml, Format::Form] {
            if let Ok(template) = Template::compile(&source, format, &PING, &Secrets::default())
                && let Ok(text) = template.render(&lead)
            {
                prop_assert!(text.len() <= BODY_BYTES_MAX);
            }
        }
    }
}

//! Buyers' templates: whatever is written, it is refused or it makes a bounded text of a lead. The input
//! is a letter that names format and call, and the template.

use market::call::{BODY_BYTES_MAX, QUERY_BYTES_MAX, Template, Vocabulary};
use market::{CallKind, Format, Secrets};
use serde_json::{Value, json};

const FORMATS: [Format; 4] = [Format::Json, Format::Form, Format::Xml, Format::Query];
const KINDS: [CallKind; 3] = [CallKind::Ping, CallKind::Post, CallKind::Status];

/// Compiles a template and renders a full lead, then an empty one.
pub fn template(data: &[u8]) {
    let [choice, text @ ..] = super::bounded(data) else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    let choice = usize::from(*choice);
    let (format, kind) = (FORMATS[choice % FORMATS.len()], KINDS[choice / 4 % KINDS.len()]);
    let names = Vocabulary { kind, product: None };
    let template = match Template::compile(text, format, &names, &Secrets::default()) {
        Ok(template) => template,
        Err(faults) => return assert!(!faults.is_empty(), "refused without a reason"),
    };
    let most = if format == Format::Query { QUERY_BYTES_MAX } else { BODY_BYTES_MAX };
    for lead in [full(), empty()] {
        // Steps are bounded by fuel: a template that runs on is a misfit, not a hang.
        let rendered = template.render(&lead);
        assert!(rendered.as_ref().is_ok_and(|text| text.len() <= most) || rendered.is_err());
        assert_eq!(rendered, template.render(&lead), "one lead, two texts");
    }
}

fn full() -> Value {
    json!({
        "ping_id": "p-1", "lead_id": "l-1", "idempotency_key": "l-1-c-0", "timeout_ms": 100,
        "bid": "12.50", "product": "loan", "test": false, "external_id": null,
        "attributes": {
            "employment": "self_employed", "monthly_income": 2500.5, "age": 38,
            "direct_deposit": true, "region": "Málaga", "purpose": "a & <b>\"x\"\\",
        },
        "contact": {
            "first_name": "Word \"A\"", "phone": "+34600111222", "birth_date": "1988-05-10",
            "address": { "city": "Word" }, "documents": [{"kind": "a"}, {"kind": "b"}],
        },
        "consent": { "entries": [
            {"type": "terms", "accepted": true, "accepted_at": "2026-01-02T03:04:05Z"},
        ]},
    })
}

fn empty() -> Value {
    json!({
        "ping_id": null, "lead_id": "l-1", "idempotency_key": "", "timeout_ms": 0, "bid": "0",
        "product": "loan", "test": true, "external_id": null, "attributes": {}, "contact": {},
        "consent": {},
    })
}

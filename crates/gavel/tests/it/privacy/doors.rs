//! The doors as a table: how a lead of many markers is written at each. A new door is a new row.

use serde_json::{Value, json};

/// When all of them were born.
pub(super) const BORN: &str = "1987-03-19";

/// What must not be seen, in lower case; long enough not to come about by chance in what is encrypted.
pub(super) const MARKERS: &[&str] =
    &["zqxjkvw", "673918462", "73918462g", BORN, "es9121000418450200051332"];

/// Of so many leads one is spoilt in each of the ways of its door.
pub(super) const EVERY: u64 = 40;

/// One way in.
pub(super) struct Door {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) key: (&'static str, &'static str),
    /// The markers that its sound leads hold.
    pub(super) carries: &'static [&'static str],
    sound: fn(u64) -> Value,
    /// Values that are replaced by a marker of the wrong kind.
    spoilt: &'static [&'static str],
}

impl Door {
    /// Whether the lead is made to be refused.
    pub(super) fn is_spoilt(&self, number: u64) -> bool {
        self.spoiling(number).is_some()
    }

    /// The body of a lead.
    pub(super) fn body(&self, number: u64) -> Value {
        let mut body = (self.sound)(number);
        if let Some(pointer) = self.spoiling(number) {
            *body.pointer_mut(pointer).unwrap() = json!(["zqxjkvwspoilt", 673_918_462]);
        }
        body
    }

    /// Doors take turns, so a door sees every other number.
    fn spoiling(&self, number: u64) -> Option<&'static str> {
        let turn = usize::try_from(number % EVERY).unwrap() / DOORS.len();
        self.spoilt.get(turn).copied()
    }
}

pub(super) const DOORS: &[Door] = &[
    Door {
        name: "native",
        path: "/v1/leads",
        key: ("authorization", "Bearer demo-native"),
        carries: MARKERS,
        sound: native,
        spoilt: &[
            "/attributes/age",
            "/attributes/monthly_income",
            "/contact/email",
            "/contact/birth_date",
            "/consent/entries/0/accepted",
        ],
    },
    Door {
        name: "leadhub",
        path: "/api/v1/lead",
        key: ("apikey", "demo-leadhub"),
        carries: &["zqxjkvw", "673918462", "73918462g", BORN],
        sound: leadhub,
        spoilt: &[
            "/customer/contact/email/address",
            "/customer/personal_data/birthday",
            "/product_data/loan_amount",
            "/consents/entries/0/accepted",
        ],
    },
];

fn native(number: u64) -> Value {
    json!({
        "product": "personal-loan-es", "external_id": format!("aff-{number}"),
        "attributes": { "country": "ES", "region": "Madrid", "postal_code": "28013", "age": 38, "monthly_income": 2500, "amount": 5000, "term_months": 24, "purpose": "home_improvement" },
        "contact": {
            "first_name": format!("Zqxjkvwfirst{number}"), "middle_name": "Zqxjkvwmiddle",
            "last_name": format!("Zqxjkvwlast{number}"), "second_last_name": "Zqxjkvwsecond",
            "email": format!("zqxjkvw.native{number}@example.org"), "phone": "+34673918462",
            "birth_date": BORN, "national_id": "73918462G",
            "address": { "street": "Zqxjkvwstreet", "house": "Zqxjkvwhouse", "city": "Madrid", "region": "Madrid", "postal_code": "28013", "country": "ES" },
            "bank": { "iban": "ES9121000418450200051332", "holder": "Zqxjkvwholder" },
            "employer": { "name": "Zqxjkvwemployer" },
            "documents": [{ "type": "passport", "number": "ZQXJKVWDOCUMENT" }],
            "extra": { "note": "zqxjkvwnote" },
        },
        "consent": { "entries": [{ "type": "terms", "accepted": true }, { "type": "privacy_policy", "accepted": true }] },
    })
}

fn leadhub(number: u64) -> Value {
    let mut lead = sim::samples::leadhub();
    let customer = &mut lead["customer"];
    customer["external_id"] = json!(format!("hub-{number}"));
    let person = &mut customer["personal_data"];
    person["first_name"] = json!(format!("Zqxjkvwfirst{number}"));
    person["last_name"] = json!(format!("Zqxjkvwlast{number}"));
    person["identification_number"] = json!("73918462G");
    person["birthday"] = json!(BORN);
    customer["contact"]["email"]["address"] = json!(format!("zqxjkvw.hub{number}@example.org"));
    customer["contact"]["phone"]["number"] = json!("673918462");
    customer["address"]["street"] = json!("Zqxjkvwstreet");
    customer["address"]["house"] = json!("Zqxjkvwhouse");
    lead
}

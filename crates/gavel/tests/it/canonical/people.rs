//! Consumers, each as a buyer's post shows them and as publishers at several doors write them; and what of a
//! consumer a door has no place for.

use bytes::Bytes;
use http_body_util::Full;
use hyper::Request;
use serde_json::{Value, json};

use crate::process::request;

/// A consumer.
pub(super) struct Person {
    pub(super) name: &'static str,
    /// Attributes, contact and consent of the post.
    canonical: fn() -> Value,
    pub(super) ways: &'static [Way],
}

/// A door, and the consumer as its publishers write.
pub(super) struct Way {
    pub(super) door: &'static str,
    path: &'static str,
    key: (&'static str, &'static str),
    body: fn() -> Body,
    /// What the door cannot carry, by JSON pointer.
    lacks: &'static [&'static str],
    /// What it carries besides, which no other door has a name for.
    own: &'static [&'static str],
}

/// A body in one of the forms that doors take.
pub(super) enum Body {
    Json(Value),
    Form(&'static str),
}

const NATIVE: (&str, &str) = ("authorization", "Bearer demo-native");

impl Way {
    pub(super) fn request(&self) -> Request<Full<Bytes>> {
        match (self.body)() {
            Body::Json(body) => request("POST", self.path, self.key, &body),
            Body::Form(body) => Request::post(self.path)
                .header("host", "gavel.test")
                .header("content-type", "application/x-www-form-urlencoded")
                .header(self.key.0, self.key.1)
                .body(Full::new(Bytes::from_static(body.as_bytes())))
                .unwrap(),
        }
    }

    /// A post without what is of its publisher or of the day, and without what only this door has.
    pub(super) fn seen(&self, post: &Value) -> Value {
        let mut seen = json!({
            "attributes": post["attributes"], "contact": post["contact"], "consent": post["consent"],
        });
        for pointer in self.own {
            assert!(remove(&mut seen, pointer), "{}: no {pointer} in {seen:#}", self.door);
        }
        for pointer in ["/attributes/publisher", "/attributes/sub_id", "/attributes/age"] {
            remove(&mut seen, pointer);
        }
        seen
    }

    pub(super) fn expected(&self, person: &Person) -> Value {
        let mut expected = (person.canonical)();
        for pointer in self.lacks {
            assert!(remove(&mut expected, pointer), "{}: {pointer} is nobody's", self.door);
        }
        expected
    }
}

fn remove(value: &mut Value, pointer: &str) -> bool {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).and_then(Value::as_object_mut);
    parent.is_some_and(|members| members.remove(name).is_some())
}

/// A Leadhub consumer has no middle name, employer or papers of its own.
const LEADHUB_LACKS: &[&str] = &["/contact/middle_name", "/contact/employer", "/contact/documents"];

/// What this path's schema does not name; others may, and then it is an attribute and no consumer's.
const BRIGHT_HORIZONS_LACKS: &[&str] = &[
    "/attributes/birth_date",
    "/attributes/monthly_income",
    "/contact/middle_name",
    "/contact/birth_date",
    "/contact/national_id",
    "/contact/address/house",
    "/consent/entries/0/accepted_at",
    "/consent/entries/0/version",
    "/consent/collected_at",
    "/consent/partners",
];

/// A Pingtree source keeps fields of its own for the post, but has no such consumer's.
const PINGTREE_LACKS: &[&str] = &[
    "/contact/middle_name",
    "/contact/national_id",
    "/contact/address/house",
    "/consent/entries/0/version",
    "/consent/collected_at",
    "/consent/ip",
    "/consent/partners",
];

/// BrainySoft knows one consent, to ask the credit bureaus, and no proof of it.
const BRAINYSOFT_LACKS: &[&str] = &[
    "/attributes/employment",
    "/contact/second_last_name",
    "/consent/collected_at",
    "/consent/certificate_url",
];

pub(super) const PEOPLE: &[Person] = &[
    Person {
        name: "Lucia in Spain",
        canonical: lucia,
        ways: &[
            Way {
                door: "leadhub",
                path: "/api/v1/lead",
                key: ("apikey", "demo-leadhub"),
                body: || Body::Json(leadhub()),
                lacks: LEADHUB_LACKS,
                own: &[],
            },
            Way {
                door: "native",
                path: "/v1/leads",
                key: NATIVE,
                body: || Body::Json(native()),
                lacks: &[],
                own: &[],
            },
        ],
    },
    Person {
        name: "JJ in Nevada",
        canonical: jj,
        ways: &[
            Way {
                door: "bright_horizons",
                path: "/post/debt/sub10k/",
                key: ("accept", "application/json"),
                body: || Body::Json(jj_in_json()),
                lacks: BRIGHT_HORIZONS_LACKS,
                // A range beside the amount itself says nothing more.
                own: &["/contact/extra"],
            },
            Way {
                door: "bright_horizons",
                path: "/post/debt/sub10k",
                key: ("accept", "application/json"),
                body: || Body::Form(JJ_IN_A_FORM),
                lacks: BRIGHT_HORIZONS_LACKS,
                own: &[],
            },
            Way {
                door: "native",
                path: "/v1/leads",
                key: NATIVE,
                body: || Body::Json(jj_native()),
                lacks: &[],
                own: &[],
            },
        ],
    },
    Person {
        name: "Dana in New York",
        canonical: dana,
        ways: &[
            Way {
                door: "pingtree",
                path: sim::samples::PINGTREE_PATH,
                key: ("authorization", "Bearer demo-pingtree"),
                body: || Body::Json(dana_in_json("mobile", "zip_code")),
                lacks: PINGTREE_LACKS,
                own: &["/contact/extra"],
            },
            Way {
                door: "pingtree",
                path: "/api/v1/database-source/us-loans/create",
                key: ("authorization", "Bearer demo-pingtree"),
                body: || Body::Json(dana_in_json("phone", "zip")),
                lacks: PINGTREE_LACKS,
                own: &["/contact/extra"],
            },
            Way {
                door: "pingtree",
                path: sim::samples::PINGTREE_PATH,
                key: ("authorization", "Bearer demo-pingtree"),
                body: || Body::Form(DANA_IN_A_FORM),
                lacks: PINGTREE_LACKS,
                own: &["/contact/extra"],
            },
            Way {
                door: "native",
                path: "/v1/leads",
                key: NATIVE,
                body: || Body::Json(dana_native()),
                lacks: &[],
                own: &[],
            },
        ],
    },
    Person {
        name: "Oleg in Tver",
        canonical: oleg,
        ways: &[
            Way {
                door: "brainysoft",
                path: "/bs-core/main/leads",
                key: ("bsauth", "demo-brainysoft"),
                body: || Body::Json(sim::samples::brainysoft()),
                lacks: BRAINYSOFT_LACKS,
                own: &["/contact/extra", "/attributes/channel"],
            },
            Way {
                door: "native",
                path: "/v1/leads",
                key: NATIVE,
                body: || Body::Json(oleg_native()),
                lacks: &[],
                own: &[],
            },
        ],
    },
];

fn lucia() -> Value {
    json!({
        "attributes": {
            "country": "ES", "region": "Girona", "city": "Girona", "postal_code": "17001",
            "birth_date": "1990-11-02", "employment": "employed", "monthly_income": 2100, "amount": 4000,
            "term_months": 24, "purpose": "home_improvement", "email_domain": "example.org",
            "product": "personal-loan-es", "vertical": "loans", "lead_age_minutes": 0,
        },
        "contact": {
            "first_name": "Lucia", "last_name": "Ferrer", "email": "lucia.ferrer@example.org",
            "phone": "+34611222333", "birth_date": "1990-11-02", "national_id": "53110022K",
            "middle_name": "Maria", "second_last_name": "Puig", "employer": { "name": "Nou" },
            "documents": [{ "type": "passport" }],
            "address": {
                "street": "Carrer Nou", "house": "12", "city": "Girona", "region": "ES-GI",
                "postal_code": "17001", "country": "ES",
            },
        },
        "consent": {
            "entries": [
                { "type": "terms", "accepted": true, "accepted_at": "2026-03-01T09:00:00Z", "version": "v1" },
                { "type": "privacy_policy", "accepted": true },
            ],
            "ip": "203.0.113.9", "collected_at": "2026-03-01T09:00:00Z",
        },
    })
}

pub(super) fn leadhub() -> Value {
    json!({
        "product_id": "36068625-4707-4ef8-a419-2aad1483db49",
        "publisher_id": "b96bdbc6-437a-4e2f-9b0e-2d91a5767f3b",
        "customer": {
            "external_id": "aff-1",
            "personal_data": {
                "first_name": "Lucia", "last_name": "Ferrer", "birthday": "1990-11-02",
                "identification_number": "53110022K", "second_surname": "Puig",
            },
            "contact": {
                "email": { "address": "lucia.ferrer@example.org" },
                "phone": { "area_code": "+34", "number": "611222333" },
            },
            "address": {
                "street": "Carrer Nou", "house": "12", "city": "Girona", "region": "ES-GI",
                "postal_code": "17001", "country": "es",
            },
            "profile": { "occupation": "employed", "monthly_income": 2100 },
        },
        "product_data": {
            "loan_amount": 4000, "loan_purpose": "home_improvement", "loan_term_months": 24,
        },
        "consents": {
            "entries": [
                { "type": "terms", "accepted": true, "accepted_at": "2026-03-01T09:00:00Z", "version": "v1" },
                { "type": "privacy_policy", "accepted": true },
            ],
            "metadata": { "ip_address": "203.0.113.9", "collected_at": "2026-03-01T09:00:00Z" },
        },
    })
}

pub(super) fn native() -> Value {
    json!({
        "product": "personal-loan-es", "external_id": "aff-1", "tags": {},
        "attributes": {
            "region": "gerona", "zip": " 17001 ", "employment": "employed",
            "monthly_income": 2100, "amount": 4000.00, "term_months": 24,
            "purpose": "home_improvement",
        },
        "contact": {
            "first_name": " Lucia ", "last_name": "Ferrer", "email": "lucia.ferrer@EXAMPLE.org",
            "phone": "611 222-333", "birth_date": "1990-11-02", "national_id": "53110022K",
            "middle_name": "Maria", "second_last_name": "Puig", "employer": { "name": "Nou" },
            "documents": [{ "type": "passport" }],
            "address": {
                "street": "Carrer Nou", "house": "12", "city": "Girona", "region": "ES-GI",
                "postal_code": "17001", "country": "ES",
            },
            "extra": {},
        },
        "consent": {
            "entries": [
                { "type": "terms", "accepted": true, "accepted_at": "2026-03-01T10:00:00+01:00", "version": "v1" },
                { "type": "privacy_policy", "accepted": true },
            ],
            "ip": "203.0.113.9", "collected_at": "2026-03-01T09:00:00Z",
        },
    })
}

fn jj() -> Value {
    json!({
        "attributes": {
            "country": "US", "region": "NV", "city": "Boulder City", "postal_code": "89002",
            "birth_date": "1980-01-31", "monthly_income": 4100, "debt_amount": 7500,
            "debt_type": "Credit Cards", "credit_score": 650, "email_domain": "example.com",
            "phone_area_code": "702", "product": "debt-sub10k-us", "vertical": "debt",
            "lead_age_minutes": 0,
        },
        "contact": {
            "first_name": "JJ", "middle_name": "Q", "last_name": "McClure",
            "email": "jjmcclure@example.com", "phone": "+17025551212", "birth_date": "1980-01-31",
            "national_id": "NV-1",
            "address": {
                "street": "123 happy lane", "house": "7", "city": "Boulder City", "region": "NV",
                "postal_code": "89002", "country": "US",
            },
        },
        "consent": {
            "entries": [
                { "type": "tcpa", "accepted": true, "accepted_at": "2026-03-01T09:00:00Z", "version": "v1" },
            ],
            "ip": "192.168.168.1", "collected_at": "2026-03-01T09:00:00Z", "partners": ["Upside"],
            "certificate_url": CERTIFICATE,
        },
    })
}

const CERTIFICATE: &str = "https://cert.trustedform.com/Z667435837e00ZZZZd961885bZZZZ997e00fZZZZ";

fn jj_in_json() -> Value {
    let mut body = sim::samples::bright_horizons();
    body["transaction"]["optin"] = json!(true);
    body
}

const JJ_IN_A_FORM: &str = "xauth[affiliateid]=123456&xauth[key]=zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz\
    &transaction[firstname]=JJ&transaction[lastname]=McClure&transaction[email]=jjmcclure%40example.com\
    &transaction[phone]=%28702%29+555-1212&transaction[address]=123+happy+lane\
    &transaction[city]=Boulder+City&transaction[state]=nv&transaction[zip]=89002\
    &transaction[ip]=192.168.168.1&transaction[source]=yourdomain.com&transaction[sub1]=yoursubid\
    &transaction[optin]=1&transaction[trustedformcertid]=https%3A%2F%2Fcert.trustedform.com\
%2FZ667435837e00ZZZZd961885bZZZZ997e00fZZZZ&transaction[finances][unsecureddebtamount]=7500\
    &transaction[finances][debttype]=Credit+Cards&transaction[credit][creditscore]=650";

fn jj_native() -> Value {
    json!({
        "product": "debt-sub10k-us", "source_url": "https://yourdomain.com",
        "attributes": {
            "state": "Nevada", "city": "Boulder City", "zip": "89002", "debt_amount": 7500,
            "debt_type": "Credit Cards", "credit_score": 650, "monthly_income": 4100,
        },
        "contact": {
            "first_name": "JJ", "last_name": "McClure", "email": "jjmcclure@example.com",
            "phone": "702-555-1212", "middle_name": "Q", "birth_date": "1980-01-31",
            "national_id": "NV-1",
            "address": {
                "street": "123 happy lane", "house": "7", "city": "Boulder City", "region": "NV",
                "postal_code": "89002", "country": "US",
            },
        },
        "consent": {
            "entries": [
                { "type": "tcpa", "accepted": true, "accepted_at": "2026-03-01T09:00:00Z", "version": "v1" },
            ],
            "ip": "192.168.168.1", "collected_at": "2026-03-01T09:00:00Z", "partners": ["Upside"],
            "certificate_url": CERTIFICATE,
        },
    })
}

fn dana() -> Value {
    json!({
        "attributes": {
            "country": "US", "region": "NY", "city": "Albany", "postal_code": "12207",
            "birth_date": "1987-06-15", "monthly_income": 3000, "amount": 2500, "credit_score": 700,
            "email_domain": "example.com", "phone_area_code": "212", "product": "personal-loan-us",
            "vertical": "loans", "lead_age_minutes": 0,
        },
        "contact": {
            "first_name": "Dana", "middle_name": "Q", "last_name": "Whitfield",
            "email": "dana.whitfield@example.com", "phone": "+12125550143",
            "birth_date": "1987-06-15", "national_id": "NY-1",
            "address": {
                "street": "1 Main Street", "house": "7", "city": "Albany", "region": "NY",
                "postal_code": "12207", "country": "US",
            },
        },
        "consent": {
            "entries": [
                { "type": "tcpa", "accepted": true, "accepted_at": "2026-03-01T09:00:00Z", "version": "v1" },
            ],
            "ip": "203.0.113.9", "collected_at": "2026-03-01T09:00:00Z", "partners": ["Upside"],
            "certificate_url": "https://cert.trustedform.example/0001",
        },
    })
}

fn dana_in_json(phone: &str, zip: &str) -> Value {
    let mut body = json!({
        "first_name": "Dana", "last_name": "Whitfield", "email": "dana.whitfield@example.com",
        "address": "1 Main Street", "city": "Albany", "state": "ny", "date_of_birth": "1987-06-15",
        "xxTrustedFormCertUrl": "https://cert.trustedform.example/0001", "loan_amount": 2500,
        "credit_score": 700, "monthly_income": 3000, "tcpa_consent": true,
        "tcpa_consent_date": "2026-03-01T09:00:00Z",
    });
    body[phone] = json!("2125550143");
    body[zip] = json!("12207");
    body
}

const DANA_IN_A_FORM: &str = "first_name=Dana&last_name=Whitfield&email=dana.whitfield%40example.com\
    &address=1+Main+Street&city=Albany&state=NY&date_of_birth=1987-06-15&mobile=2125550143\
    &zip_code=12207&xxTrustedFormCertUrl=https%3A%2F%2Fcert.trustedform.example%2F0001\
    &loan_amount=2500&credit_score=700&monthly_income=3000&tcpa_consent=yes\
    &tcpa_consent_date=2026-03-01T09%3A00%3A00Z";

fn dana_native() -> Value {
    json!({
        "product": "personal-loan-us",
        "attributes": {
            "state": "New York", "city": "Albany", "zip": "12207", "amount": 2500,
            "credit_score": 700, "monthly_income": 3000,
        },
        "contact": {
            "first_name": "Dana", "last_name": "Whitfield", "email": "dana.whitfield@example.com",
            "phone": "+1 (212) 555-0143", "birth_date": "1987-06-15", "middle_name": "Q",
            "national_id": "NY-1",
            "address": {
                "street": "1 Main Street", "house": "7", "city": "Albany", "region": "NY", "postal_code": "12207",
                "country": "US",
            },
        },
        "consent": {
            "entries": [
                { "type": "tcpa", "accepted": true, "accepted_at": "2026-03-01T10:00:00+01:00", "version": "v1" },
            ],
            "ip": "203.0.113.9", "collected_at": "2026-03-01T09:00:00Z", "partners": ["Upside"],
            "certificate_url": "https://cert.trustedform.example/0001",
        },
    })
}

fn oleg() -> Value {
    json!({
        "attributes": {
            "country": "RU", "region": "Тверская", "city": "Тверь", "postal_code": "170000",
            "birth_date": "1988-04-09", "amount": 15000, "term_days": 21, "monthly_income": 45000,
            "monthly_expenses": 20000, "gender": "male", "marital_status": "married",
            "nationality": "RU", "employment": "employed", "email_domain": "example.org",
            "product": "short-loan-ru", "vertical": "loans", "lead_age_minutes": 0,
        },
        "contact": {
            "first_name": "Олег", "middle_name": "Ильич", "last_name": "Сомов", "second_last_name": "Б",
            "email": "o.somov@example.org", "phone": "+79031112233", "birth_date": "1988-04-09",
            "national_id": "690100000000",
            "address": {
                "street": "Новая", "house": "5-8", "city": "Тверь", "region": "Тверская",
                "postal_code": "170000", "country": "RU",
            },
            "documents": [{
                "seria": "2809", "no": "112233", "issueDate": "2009-05-20", "manager": "ОВД",
                "subdivisionCode": "690-001",
            }],
        },
        "consent": {
            "entries": [], "ip": "203.0.113.20", "collected_at": "2026-03-01T09:00:00Z",
            "certificate_url": "https://cert.example/1",
        },
    })
}

fn oleg_native() -> Value {
    json!({
        "product": "short-loan-ru", "external_id": "gen-7781",
        "attributes": {
            "country": "RU", "region": "Тверская", "city": "Тверь", "postal_code": "170000",
            "amount": 15000, "term_days": 21, "monthly_income": 45000, "monthly_expenses": 20000,
            "gender": "male", "marital_status": "married", "nationality": "RU", "employment": "employed",
        },
        "contact": {
            "first_name": "Олег", "middle_name": "Ильич", "last_name": "Сомов", "second_last_name": "Б",
            "email": "o.somov@example.org", "phone": "8 903 111-22-33", "birth_date": "1988-04-09",
            "national_id": "690100000000",
            "address": {
                "street": "Новая", "house": "5-8", "city": "Тверь", "region": "Тверская",
                "postal_code": "170000", "country": "RU",
            },
            "documents": [{
                "seria": "2809", "no": "112233", "issueDate": "2009-05-20", "manager": "ОВД",
                "subdivisionCode": "690-001",
            }],
        },
        "consent": {
            "ip": "203.0.113.20", "collected_at": "2026-03-01T09:00:00Z",
            "certificate_url": "https://cert.example/1",
        },
    })
}

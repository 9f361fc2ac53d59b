//! The doors as a table: how a lead of many markers is written at each. A new door is a new row.

use serde_json::{Value, json};

/// When all of them were born.
pub(super) const BORN: &str = "1987-03-19";

/// What must not be seen, in lower case; long enough not to come about by chance in what is encrypted.
pub(super) const MARKERS: &[&str] = &[
    "zqxjkvw",
    "673918462",
    "73918462g",
    BORN,
    "es9121000418450200051332",
    AMERICAN,
    RUSSIAN,
    "690173918462",
    "739-184-627 95",
    IP,
];

/// Phones of those who live there.
const AMERICAN: &str = "3126739184";
const RUSSIAN: &str = "79036739184";

/// Where all of them fill in their forms.
const IP: &str = "198.51.100.213";

/// Of so many leads one is spoilt in each of the ways of its door.
pub(super) const EVERY: u64 = 120;

/// One way in.
pub(super) struct Door {
    pub(super) name: &'static str,
    pub(super) path: &'static str,
    pub(super) key: (&'static str, &'static str),
    /// The markers that its sound leads hold.
    pub(super) carries: &'static [&'static str],
    sound: fn(u64) -> Value,
    /// The status of one that is spoilt, and what its answer says.
    pub(super) refused: (u16, &'static str),
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

    /// Doors take turns, so a door sees every sixth number.
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
        carries: &["zqxjkvw", "673918462", "73918462g", BORN, "es9121000418450200051332", IP],
        sound: native,
        refused: (422, "invalid"),
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
        carries: &["zqxjkvw", "673918462", "73918462g", BORN, IP],
        sound: leadhub,
        refused: (400, "validation_error"),
        spoilt: &[
            "/customer/contact/email/address",
            "/customer/personal_data/birthday",
            "/product_data/loan_amount",
            "/consents/entries/0/accepted",
        ],
    },
    Door {
        name: "bright_horizons",
        path: "/post/debt/sub10k/",
        key: ("accept", "application/json"),
        carries: &["zqxjkvw", AMERICAN, IP],
        sound: bright_horizons,
        refused: (200, "\"validated\":0"),
        spoilt: HORIZONS_SPOILT,
    },
    Door {
        name: "bright_horizons, pings",
        path: "/ping/debt/sub10k/",
        key: ("accept", "application/json"),
        carries: &["zqxjkvw", AMERICAN, IP],
        sound: bright_horizons,
        refused: (200, "could not be validated"),
        spoilt: HORIZONS_SPOILT,
    },
    Door {
        name: "pingtree",
        path: sim::samples::PINGTREE_PATH,
        key: ("authorization", "Bearer demo-pingtree"),
        carries: &["zqxjkvw", AMERICAN, BORN],
        sound: pingtree,
        refused: (400, "invalidField"),
        spoilt: &["/first_name", "/email", "/mobile", "/zip_code", "/date_of_birth", "/city"],
    },
    Door {
        name: "brainysoft",
        path: "/bs-core/main/leads",
        key: ("bsauth", "demo-brainysoft"),
        carries: &["zqxjkvw", RUSSIAN, BORN, "690173918462", "739-184-627 95", IP],
        sound: brainysoft,
        refused: (400, "VALIDATION"),
        spoilt: &[
            "/firstName",
            "/mobilePhone",
            "/email",
            "/birthDate",
            "/passport/issueDate",
            "/addressData",
            "/relatives/0/firstName",
            "/ipAddress",
        ],
    },
];

const HORIZONS_SPOILT: &[&str] = &[
    "/transaction/firstname",
    "/transaction/email",
    "/transaction/phone",
    "/transaction/zip",
    "/transaction/ip",
    "/transaction/trustedformcertid",
    "/transaction/credit/creditscore",
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
        "consent": { "entries": [{ "type": "terms", "accepted": true }, { "type": "privacy_policy", "accepted": true }], "ip": IP, "certificate_url": "https://cert.trustedform.com/zqxjkvwcertificate" },
        "user_agent": "Zqxjkvwagent/1.0",
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
    customer["personal_data"]["second_surname"] = json!("Zqxjkvwsecond");
    customer["financial_instruments"] = json!([{ "holder": "Zqxjkvwholder" }]);
    customer["employer_name"] = json!("Zqxjkvwunknown");
    let metadata = &mut lead["consents"]["metadata"];
    metadata["ip_address"] = json!(IP);
    metadata["user_agent"] = json!("Zqxjkvwagent/1.0");
    lead
}

fn bright_horizons(number: u64) -> Value {
    let mut lead = sim::samples::bright_horizons();
    let transaction = lead["transaction"].as_object_mut().unwrap();
    transaction.extend(object(json!({
        "firstname": format!("Zqxjkvwfirst{number}"), "lastname": format!("Zqxjkvwlast{number}"),
        "email": format!("zqxjkvw.horizons{number}@example.com"), "phone": AMERICAN,
        "address": "1 Zqxjkvwstreet", "address2": "Zqxjkvwfloor", "city": "Zqxjkvwcity", "ip": IP,
        "trustedformcertid": "https://cert.trustedform.com/Zqxjkvwcertificate",
        "employer": { "name": "Zqxjkvwunknown" },
    })));
    lead
}

fn pingtree(number: u64) -> Value {
    let mut lead = sim::samples::pingtree();
    lead.as_object_mut().unwrap().extend(object(json!({
        "first_name": format!("Zqxjkvwfirst{number}"), "last_name": format!("Zqxjkvwlast{number}"),
        "email": format!("zqxjkvw.tree{number}@example.com"), "mobile": AMERICAN, "date_of_birth": BORN,
        "address": "1 Zqxjkvwstreet", "city": "Zqxjkvwcity", "transaction_id": format!("tree-{number}"),
        "xxTrustedFormToken": "https://cert.trustedform.example/zqxjkvwtoken",
        "xxTrustedFormCertUrl": "https://cert.trustedform.example/zqxjkvwcertificate",
        "xxTrustedFormPingUrl": "https://ping.trustedform.example/zqxjkvwping",
        "employer": "Zqxjkvwunknown",
    })));
    lead
}

fn brainysoft(number: u64) -> Value {
    let mut lead = sim::samples::brainysoft();
    let address = json!({
        "countryId": 101_042, "regionName": "Тверская", "localityName": "Zqxjkvwcity", "postalCode": "170000",
        "streetName": "Zqxjkvwstreet", "houseNo": "Zqxjkvwhouse", "apartmentNo": "Zqxjkvwflat",
        "additionalPhone": RUSSIAN,
    });
    lead.as_object_mut().unwrap().extend(object(json!({
        "firstName": format!("Zqxjkvwfirst{number}"), "patronymic": "Zqxjkvwmiddle",
        "lastName": format!("Zqxjkvwlast{number}"), "email": format!("zqxjkvw.brainy{number}@example.org"),
        "mobilePhone": RUSSIAN, "birthDate": BORN, "birthPlace": "Zqxjkvwplace", "inn": "690173918462",
        "snils": "739-184-627 95", "ipAddress": IP, "orderCode": format!("brainy-{number}"),
        "passport": {
            "seria": "ZQXJKVW", "no": "Zqxjkvwpassport", "issueDate": "2009-05-20", "manager": "Zqxjkvwoffice",
            "subdivisionCode": "690-001",
        },
        "addressData": {
            "countryId": 101_042, "fiasId": "c2deb16a-0330-4f05-821f-1d09c93331e6",
            "fullAddressText": "обл Тверская, г Zqxjkvwcity, ул Zqxjkvwstreet, д. 5, кв. 8",
        },
        "registrationAddressData": address, "addresses": [address],
        "employerTitle": "Zqxjkvwemployer", "employerInn": "690173918462", "cardHolder": "ZQXJKVW HOLDER",
        "relatives": [{ "firstName": "Zqxjkvwrelative", "lastName": "Zqxjkvwrelative", "telephone": RUSSIAN }],
        "extraFields": [{ "key": "client.note", "value": "Zqxjkvwextra" }], "unheard": "Zqxjkvwunknown",
    })));
    lead
}

fn object(value: Value) -> serde_json::Map<String, Value> {
    let Value::Object(members) = value else { panic!("no object") };
    members
}

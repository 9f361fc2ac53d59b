//! One kind of HTTP call to a buyer, in the buyer's own dialect: where, how, what is said and how the
//! answer reads. Everything is checked, compiled and prepared when the market is read. Never sends
//! anything, and never judges an answer.
//!
//! Without `body` the native shape is sent: as JSON, as XML (`<ping>`, `<post>` or `<status>` around one
//! element a member), or as fields with dotted names (`contact.first_name`, `consent.entries.0.type`)
//! in a form or a query.

mod escape;
mod filters;
mod response;
mod selector;
mod syntax;
mod template;

#[cfg(test)]
mod tests;

use std::time::Duration;

use document::{Fields, Slot};
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use lead::Attribute;

pub use escape::{percent, xml};
pub use response::{Check, Expect, Response, Sample, Test, Wanted};
pub use selector::{Selector, SelectorKind, XmlPath, XmlStep};
pub use template::{BODY_BYTES_MAX, Misfit, QUERY_BYTES_MAX, Template};

use crate::{Product, Secrets, Url, read};

/// One kind of HTTP call to a buyer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Where.
    pub url: Url,
    /// How.
    pub method: Method,
    /// In which form its words travel.
    pub format: Format,
    /// Ready to be sent, with the secrets in them and the content type; none is ever shown.
    pub headers: HeaderMap,
    /// What is said, where it is not the native shape.
    pub body: Option<Template>,
    /// How the answer reads, where it is not the native shape.
    pub response: Option<Box<Response>>,
    /// The call's own limit.
    pub timeout: Duration,
}

/// An HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// What is said stands in the query.
    Get,
    /// What is said stands in the body, or in the query if that is the format.
    Post,
}

/// In which form a call's words travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A JSON body.
    Json,
    /// Percent-encoded fields in the body.
    Form,
    /// An XML body.
    Xml,
    /// Percent-encoded fields in the URL; no body.
    Query,
}

impl Format {
    const NAMES: &'static [(&'static str, Self)] =
        &[("json", Self::Json), ("form", Self::Form), ("xml", Self::Xml), ("query", Self::Query)];

    /// The content type, unless the call's headers name another; a query has none.
    fn content_type(self) -> Option<HeaderValue> {
        match self {
            Self::Json => Some(HeaderValue::from_static("application/json")),
            Self::Form => Some(HeaderValue::from_static("application/x-www-form-urlencoded")),
            Self::Xml => Some(HeaderValue::from_static("text/xml; charset=utf-8")),
            Self::Query => None,
        }
    }
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallKind {
    /// It asks for a bid.
    Ping,
    /// It delivers the lead.
    Post,
    /// It asks what became of a post.
    Status,
}

impl CallKind {
    /// The native shape's name, and the XML element around it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ping => "ping",
            Self::Post => "post",
            Self::Status => "status",
        }
    }

    /// The names that a template knows: the members of the native shape, and for a post the token by which
    /// its campaign may tell events of the lead.
    #[must_use]
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Ping => &["ping_id", "product", "test", "timeout_ms", "attributes"],
            Self::Post => &[
                "lead_id",
                "ping_id",
                "bid",
                "product",
                "test",
                "external_id",
                "attributes",
                "contact",
                "consent",
                "event_token",
            ],
            Self::Status => &["lead_id", "idempotency_key", "product"],
        }
    }

    /// Unless the call names its own.
    fn timeout(self) -> Duration {
        match self {
            Self::Ping => Duration::from_millis(500),
            Self::Post => Duration::from_secs(5),
            Self::Status => Duration::from_secs(2),
        }
    }
}

/// The names that a call's template may use.
#[derive(Debug, Clone, Copy)]
pub struct Vocabulary<'v> {
    /// What the call is for.
    pub kind: CallKind,
    /// Whose attributes it may name; without one, any.
    pub product: Option<&'v Product>,
}

/// Members of `contact` and `consent` in a post.
const CONTACT: &[&str] = &[
    "first_name",
    "middle_name",
    "last_name",
    "second_last_name",
    "email",
    "phone",
    "birth_date",
    "national_id",
    "address",
    "bank",
    "employer",
    "documents",
    "extra",
];
const CONSENT: &[&str] = &["entries", "ip", "collected_at", "partners", "certificate_url"];

impl Vocabulary<'_> {
    fn knows(&self, name: &str) -> bool {
        self.kind.names().contains(&name)
    }

    fn admit(&self, name: &str) -> Result<(), String> {
        if self.knows(name) {
            return Ok(());
        }
        let (kind, names) = (self.kind.name(), self.kind.names().join(", "));
        Err(format!("must not name {name}: the names of a {kind} are {names}"))
    }

    fn admit_member(&self, of: &str, name: &str) -> Result<(), String> {
        match of {
            "attributes" => self.admit_attribute(name),
            "contact" if !CONTACT.contains(&name) => {
                Err(format!("must not name contact.{name}: a contact has {}", CONTACT.join(", ")))
            }
            "consent" if !CONSENT.contains(&name) => {
                Err(format!("must not name consent.{name}: a consent has {}", CONSENT.join(", ")))
            }
            _ => Ok(()),
        }
    }

    fn admit_attribute(&self, name: &str) -> Result<(), String> {
        let Some(product) = self.product else { return Ok(()) };
        let Some(definition) = product.dictionary.named(name) else {
            return Err(format!("must not name attributes.{name}: the product has no such one"));
        };
        let proper = definition.attribute.name();
        if proper != name {
            return Err(format!("must not name attributes.{name}: it travels as {proper}"));
        }
        let in_ping = match &definition.attribute {
            Attribute::Standard(standard) => standard.in_ping(),
            Attribute::Declared(_) => definition.in_ping,
        };
        if self.kind == CallKind::Ping && !in_ping {
            return Err(format!("must not name attributes.{name}: pings do not carry it"));
        }
        Ok(())
    }
}

/// What a call may refer to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'a> {
    pub(crate) product: Option<&'a Product>,
    /// `None` if they could not be read, which is a defect of its own.
    pub(crate) secrets: Option<&'a Secrets>,
}

impl Call {
    pub(crate) fn read(slot: Slot<'_, '_>, kind: CallKind, around: Around<'_>) -> Option<Self> {
        let fields = slot.fields()?;
        let url: Option<Url> = fields.at("url").parsed(crate::url::NotAUrl);
        let timeout = fields
            .given("timeout_ms")
            .map_or(Some(kind.timeout()), |slot| read::millis(slot, 10, 60_000));
        let shape = shape(&fields);
        let format = shape.map_or(Format::Json, |(_, format)| format);
        let headers = headers(&fields, format, around.secrets);
        let body = fields.given("body").map(|slot| template(&slot, kind, format, around));
        let response = fields.given("response").map(|slot| Response::read(&slot, kind));
        fields.deny_unknown();
        let (method, format) = shape?;
        let body = match body {
            None => None,
            Some(read) => Some(read?),
        };
        let response = match response {
            None => None,
            Some(read) => Some(Box::new(read?)),
        };
        Some(Self {
            url: url?,
            method,
            format,
            headers: headers?,
            body,
            response,
            timeout: timeout?,
        })
    }

    /// Whether its reply can say where the consumer goes; the native shape can.
    #[must_use]
    pub fn may_redirect(&self) -> bool {
        self.response.as_ref().is_none_or(|response| response.redirect_url.is_some())
    }
}

/// Method and format, which go together: a GET has no body.
fn shape(fields: &Fields<'_, '_>) -> Option<(Method, Format)> {
    let methods = [("POST", Method::Post), ("GET", Method::Get)];
    let given = fields.given("method");
    let method = given.map(|slot| slot.choice(&methods));
    let format_slot = fields.given("format");
    let format = format_slot.map(|slot| slot.choice(Format::NAMES));
    match (method, format) {
        (Some(None), _) | (_, Some(None)) => None,
        (Some(Some(Method::Get)), Some(Some(format))) if format != Format::Query => {
            fields.at("format").refuse("must be query: a GET has no body");
            None
        }
        (Some(Some(Method::Get)), _) => Some((Method::Get, Format::Query)),
        (None, Some(Some(Format::Query))) => Some((Method::Get, Format::Query)),
        (_, format) => Some((Method::Post, format.flatten().unwrap_or(Format::Json))),
    }
}

fn template(
    slot: &Slot<'_, '_>,
    kind: CallKind,
    format: Format,
    around: Around<'_>,
) -> Option<Template> {
    let source = slot.filled()?;
    let names = Vocabulary { kind, product: around.product };
    let template = Template::compile(source, format, &names, around.secrets?);
    template.map_err(|faults| faults.iter().for_each(|fault| slot.refuse(fault))).ok()
}

/// Headers that the wire sets itself.
const OWN_HEADERS: &[&str] = &[
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "accept-encoding",
    "idempotency-key",
    "gavel-timeout-ms",
];

fn headers(
    fields: &Fields<'_, '_>,
    format: Format,
    secrets: Option<&Secrets>,
) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    if let Some(own) = fields.given("headers") {
        for (name, slot) in own.fields()?.all() {
            if let (Ok(name), Some(value)) =
                (HeaderName::from_bytes(name.as_bytes()), header(name, &slot, secrets))
            {
                headers.insert(name, value);
            }
        }
    }
    if let Some(content_type) = format.content_type() {
        headers.entry(CONTENT_TYPE).or_insert(content_type);
    }
    Some(headers)
}

fn header(name: &str, slot: &Slot<'_, '_>, secrets: Option<&Secrets>) -> Option<HeaderValue> {
    let text = slot.text()?;
    if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
        slot.refuse("is a header that Gavel sets itself");
        return None;
    }
    let text = with_secret(slot, text, secrets)?;
    let value = HeaderName::from_bytes(name.as_bytes()).ok().and(HeaderValue::from_str(&text).ok());
    let Some(mut value) = value else {
        slot.refuse("is not a valid header");
        return None;
    };
    value.set_sensitive(true);
    Some(value)
}

/// `secret:NAME`, alone or after a word as in `Bearer secret:NAME`, stands for a secret of the buyer.
fn with_secret(slot: &Slot<'_, '_>, text: &str, secrets: Option<&Secrets>) -> Option<String> {
    let Some((before, name)) = text.split_once("secret:") else { return Some(text.to_owned()) };
    if !before.is_empty() && !before.ends_with(' ') {
        return Some(text.to_owned());
    }
    let secrets = secrets?;
    let Some(secret) = secrets.get(name.trim()) else {
        slot.refuse(format_args!("must name a secret of the buyer; {}", secrets.known()));
        return None;
    };
    Some(format!("{before}{}", secret.expose()))
}

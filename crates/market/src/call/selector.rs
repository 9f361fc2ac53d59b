//! Where in a reply a value stands. A selector is checked and compiled here and applied by whoever
//! holds the reply. Every form is bounded: no selector of any buyer's can make a reply of bounded size
//! expensive to read.
//!
//! | written | finds |
//! |---|---|
//! | `$.a.b[0]` | JSONPath (RFC 9535, without `match` and `search`); at most one `..`, at most four of `*`, `?`, `,` and `:` together, and `$` only in front |
//! | `/Envelope/Body/Reply/Status` | XML elements by local name (prefixes are ignored); `*` is any name, `[2]` the second of that name, `//` in front any depth, `/@id` at the end an attribute |
//! | `re:price=([0-9.]+)` | what the one group of a linear-time regular expression captures, at each of at most 16 matches |
//! | `header:X-Status` | the values of a header |

use std::fmt;

use document::Slot;
use regex::{Regex, RegexBuilder};
use serde_json_path::JsonPath;

/// Longest selector, in bytes.
const SELECTOR_BYTES_MAX: usize = 1_024;

/// Largest compiled pattern, in bytes.
const PATTERN_BYTES_MAX: usize = 64 * 1_024;

/// Deepest nesting of a pattern.
const PATTERN_NESTING_MAX: u32 = 32;

/// Most tokens of a JSONPath that can find more than one place.
const BRANCHES_MAX: usize = 4;

/// Most steps of an XML path.
const STEPS_MAX: usize = 32;

/// Names values in a reply.
#[derive(Clone)]
pub struct Selector {
    text: String,
    /// The compiled form.
    pub kind: SelectorKind,
}

/// What a selector looks at.
#[derive(Debug, Clone)]
pub enum SelectorKind {
    /// A JSON body.
    Json(JsonPath),
    /// An XML body.
    Xml(XmlPath),
    /// The body as text; has one group.
    Text(Regex),
    /// The head, by a header's name in lower case.
    Header(String),
}

impl Selector {
    pub(crate) fn read(slot: &Slot<'_, '_>) -> Option<Self> {
        let text = slot.filled()?;
        match Self::compile(text) {
            Ok(kind) => Some(Self { text: text.to_owned(), kind }),
            Err(why) => {
                slot.refuse(format_args!("{why}"));
                None
            }
        }
    }

    fn compile(text: &str) -> Result<SelectorKind, String> {
        if text.len() > SELECTOR_BYTES_MAX {
            return Err(format!("must be at most {SELECTOR_BYTES_MAX} bytes long"));
        }
        if let Some(name) = text.strip_prefix("header:") {
            let name = http::HeaderName::from_bytes(name.trim().as_bytes());
            let name = name.map_err(|_| "must name a header after header:".to_owned())?;
            return Ok(SelectorKind::Header(name.as_str().to_owned()));
        }
        if let Some(written) = text.strip_prefix("re:") {
            let regex = pattern(written)?;
            // The whole match counts as a group.
            return match regex.captures_len() {
                2 => Ok(SelectorKind::Text(regex)),
                groups => Err(format!(
                    "must have one group after re:, found {}",
                    groups.saturating_sub(1)
                )),
            };
        }
        match text.chars().next() {
            Some('$') => json_path(text).map(SelectorKind::Json),
            Some('/') => XmlPath::parse(text).map(SelectorKind::Xml),
            _ => {
                Err("must be a selector: $… (JSONPath), /… (XML path), re:… or header:…".to_owned())
            }
        }
    }
}

impl PartialEq for Selector {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Selector {}

impl fmt::Debug for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A linear-time pattern of bounded size.
pub(crate) fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .size_limit(PATTERN_BYTES_MAX)
        .dfa_size_limit(PATTERN_BYTES_MAX)
        .nest_limit(PATTERN_NESTING_MAX)
        .build()
        .map_err(|fault| match fault {
            regex::Error::CompiledTooBig(_) => "is too large a pattern".to_owned(),
            _ => "is not a regular expression (look-around and back-references do not exist)"
                .to_owned(),
        })
}

fn json_path(text: &str) -> Result<JsonPath, String> {
    let (mut branches, mut descents, mut roots) = (0, 0, 0);
    let (mut quote, mut before) = (None, ' ');
    for c in text.chars() {
        match (quote, c) {
            (Some(_), _) if before == '\\' => {
                // An escaped character; two backslashes are one character.
                before = ' ';
                continue;
            }
            (Some(open), _) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '*' | '?' | ',' | ':') => branches += 1,
            (None, '.') if before == '.' => descents += 1,
            (None, '$') => roots += 1,
            _ => {}
        }
        before = c;
    }
    if branches > BRANCHES_MAX || descents > 1 || roots > 1 {
        return Err(format!(
            "must have at most one \"..\", at most {BRANCHES_MAX} of * ? , : and $ only in front"
        ));
    }
    JsonPath::parse(text).map_err(|fault| format!("must be a JSONPath: {fault}"))
}

/// A path through XML elements by local names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlPath {
    /// It may begin at any element.
    pub anywhere: bool,
    /// One step down each, never empty.
    pub steps: Vec<XmlStep>,
    /// The attribute of the last element that is meant; `None` means its text.
    pub attribute: Option<String>,
}

/// One step down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlStep {
    /// A local name; `None` is any.
    pub name: Option<String>,
    /// Which of the children that fit, from 1; `None` is all.
    pub place: Option<usize>,
}

impl XmlPath {
    fn parse(text: &str) -> Result<Self, String> {
        let anywhere = text.starts_with("//");
        let rest = text.trim_start_matches('/');
        let slashes = text.len() - rest.len();
        let mut parts: Vec<&str> = rest.split('/').collect();
        let attribute = parts.last().and_then(|last| last.strip_prefix('@')).map(str::to_owned);
        if attribute.is_some() {
            parts.pop();
        }
        let named = attribute.as_deref().is_none_or(is_name);
        let steps: Option<Vec<XmlStep>> = parts.iter().map(|part| XmlStep::parse(part)).collect();
        match steps {
            Some(steps) if slashes <= 2 && named && (1..=STEPS_MAX).contains(&steps.len()) => {
                Ok(Self { anywhere, steps, attribute })
            }
            _ => Err("must be an XML path of local names such as /Envelope/Body/Reply[1]/@id, \
                      with // in front only"
                .to_owned()),
        }
    }
}

impl XmlStep {
    fn parse(text: &str) -> Option<Self> {
        let (name, place) = match text.split_once('[') {
            Some((name, place)) => {
                let place: usize = place.strip_suffix(']')?.parse().ok()?;
                (name, Some(place).filter(|place| *place > 0).map(Some)?)
            }
            None => (text, None),
        };
        let name = if name == "*" { None } else { Some(name.to_owned()) };
        name.as_deref().is_none_or(is_name).then_some(Self { name, place })
    }
}

/// A local name: a colon would be a prefix, which paths do not have.
fn is_name(text: &str) -> bool {
    let follows = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(follows)
}

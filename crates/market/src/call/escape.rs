//! How a value of a lead becomes part of a body, so that no value can end a string, an element or a
//! field. Knows nothing of what the values mean.
//!
//! - JSON: inside a string of the template a value is the string's content; elsewhere it is a whole
//!   JSON value, quotes included.
//! - XML: text and attributes; characters that XML cannot hold are dropped.
//! - Form and query: percent-encoded UTF-8. White space between fields is dropped, so that a template
//!   may stand on several lines.
//!
//! `null` is `null` in JSON where it stands by itself, else nothing; an object or an array fits JSON only,
//! and no string.

use std::fmt::Write as _;
use std::io;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Output, State, Value};

use super::Format;
use super::template::{BODY_BYTES_MAX, QUERY_BYTES_MAX};

/// Stands around a JSON value on its way to the sink, which alone knows whether a string is open.
/// Neither templates nor values hold it.
const MARK: u8 = 0;

/// The formatter of a format.
pub(super) fn formatter(
    format: Format,
) -> impl Fn(&mut Output<'_>, &State<'_, '_>, &Value) -> Result<(), Error> + Send + Sync + 'static {
    move |out, _, value| {
        if value.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        let written = match format {
            Format::Json => json(value)?,
            Format::Xml => xml(&scalar(value)?),
            Format::Form | Format::Query => percent(&scalar(value)?),
        };
        out.write_str(&written).map_err(|_| Error::from(ErrorKind::WriteFailure))
    }
}

fn json(value: &Value) -> Result<String, Error> {
    struct Bounded(Vec<u8>);
    impl io::Write for Bounded {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if self.0.len() + bytes.len() > BODY_BYTES_MAX + 2 {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            self.0.extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut out = Bounded(vec![MARK]);
    serde_json::to_writer(&mut out, value)
        .map_err(|_| Error::new(ErrorKind::BadSerialization, "no JSON value"))?;
    out.0.push(MARK);
    String::from_utf8(out.0).map_err(|_| Error::from(ErrorKind::BadSerialization))
}

/// The text of a value that has one.
pub(super) fn scalar(value: &Value) -> Result<String, Error> {
    match value.kind() {
        ValueKind::None => Ok(String::new()),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        ValueKind::Bool => Ok(value.is_true().to_string()),
        ValueKind::Number | ValueKind::String => Ok(value.to_string()),
        _ => Err(Error::new(ErrorKind::InvalidOperation, "no text")),
    }
}

/// Escapes text for an XML element or attribute.
#[must_use]
pub fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => {
                out.push(c);
            }
            _ => {}
        }
    }
    out
}

/// Percent-encodes text for a form or a query.
#[must_use]
pub fn percent(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                // Writing to a string cannot fail.
                let _ok = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

/// Takes what a template writes, up to the format's bound.
pub(super) struct Sink {
    format: Format,
    most: usize,
    out: Vec<u8>,
    /// A JSON value between two marks.
    value: Option<Vec<u8>>,
    in_string: bool,
    escaped: bool,
}

impl Sink {
    pub(super) fn new(format: Format) -> Self {
        let most = if format == Format::Query { QUERY_BYTES_MAX } else { BODY_BYTES_MAX };
        let (value, in_string, escaped) = (None, false, false);
        Self { format, most, out: Vec::with_capacity(1_024), value, in_string, escaped }
    }

    /// The text; `None` if it ends within a value.
    pub(super) fn finish(self) -> Option<String> {
        if self.value.is_some() {
            return None;
        }
        let text = String::from_utf8(self.out).ok()?;
        let trimmed = text.trim();
        Some(if trimmed.len() == text.len() { text } else { trimmed.to_owned() })
    }

    fn take(&mut self, bytes: &[u8]) -> Option<()> {
        match self.format {
            Format::Json => bytes.iter().try_for_each(|byte| self.take_json(*byte))?,
            Format::Xml => self.out.extend_from_slice(bytes),
            Format::Form | Format::Query => {
                self.out.extend(bytes.iter().filter(|byte| !byte.is_ascii_whitespace()));
            }
        }
        (self.out.len() <= self.most).then_some(())
    }

    fn take_json(&mut self, byte: u8) -> Option<()> {
        match (&mut self.value, byte) {
            (None, MARK) => self.value = Some(Vec::new()),
            (Some(value), MARK) => {
                let value = std::mem::take(value);
                self.value = None;
                self.place(&value)?;
            }
            (Some(value), _) => value.push(byte),
            (None, _) => {
                match (self.in_string, self.escaped, byte) {
                    (true, true, _) => self.escaped = false,
                    (true, false, b'\\') => self.escaped = true,
                    (_, false, b'"') => self.in_string = !self.in_string,
                    _ => {}
                }
                self.out.push(byte);
            }
        }
        Some(())
    }

    fn place(&mut self, value: &[u8]) -> Option<()> {
        if !self.in_string {
            self.out.extend_from_slice(value);
            return Some(());
        }
        match value {
            // What follows a backslash of the template would not be what it is.
            _ if self.escaped => return None,
            [b'"', content @ .., b'"'] => self.out.extend_from_slice(content),
            [b'{' | b'[', ..] => return None,
            b"null" => {}
            _ => self.out.extend_from_slice(value),
        }
        Some(())
    }
}

impl io::Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.take(bytes).ok_or(io::ErrorKind::InvalidData)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

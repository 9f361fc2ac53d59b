//! An absolute http(s) URL, split for dialling. Never resolves or dials.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

/// Longest URL accepted anywhere.
const URL_BYTES_MAX: usize = 2_048;
/// Longest host name and longest part of one, as names go.
const HOST_BYTES_MAX: usize = 253;
const LABEL_BYTES_MAX: usize = 63;

/// An absolute `http` or `https` URL without user information or fragment.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Url {
    text: String,
    secure: bool,
    host: String,
    address: Option<IpAddr>,
    port: u16,
    target: String,
}

impl Url {
    /// As written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `https`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Host name or address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The host, if it is an address and not a name.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// Port, given or implied.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Path and query: what a request line names.
    #[must_use]
    pub fn target(&self) -> &str {
        &self.target
    }

    /// The value of the `Host` header.
    #[must_use]
    pub fn authority(&self) -> String {
        let host =
            if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let implied = if self.secure { 443 } else { 80 };
        if self.port == implied { host } else { format!("{host}:{}", self.port) }
    }
}

/// A text that is not such a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAUrl;

impl fmt::Display for NotAUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "an absolute http or https URL without user information, of a host name or plain address",
        )
    }
}

impl std::error::Error for NotAUrl {}

impl FromStr for Url {
    type Err = NotAUrl;

    fn from_str(text: &str) -> Result<Self, NotAUrl> {
        if text.len() > URL_BYTES_MAX || text.contains('#') {
            return Err(NotAUrl);
        }
        let uri: http::Uri = text.parse().map_err(|_| NotAUrl)?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(NotAUrl),
        };
        let authority = uri.authority().filter(|a| !a.as_str().contains('@')).ok_or(NotAUrl)?;
        let host =
            authority.host().trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let port = authority.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let address = address(&host)?;
        if port == 0 {
            return Err(NotAUrl);
        }
        let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        Ok(Self { text: text.to_owned(), secure, host, address, port, target })
    }
}

/// The address that a host is, or `None` for a name. Whatever resolvers take for an address although it
/// is not written as one (`2130706433`, `0x7f.1`, `0177.0.0.1`, `127.1`) is neither.
fn address(host: &str) -> Result<Option<IpAddr>, NotAUrl> {
    if host.contains(':') {
        return host.parse().map(Some).map_err(|_| NotAUrl);
    }
    if let Ok(address) = host.parse::<Ipv4Addr>() {
        return Ok(Some(address.into()));
    }
    let labels = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        !label.is_empty() && label.len() <= LABEL_BYTES_MAX && label.bytes().all(known)
    };
    let is_number = |label: &str| {
        let (digits, radix) = label.strip_prefix("0x").map_or((label, 10), |hex| (hex, 16));
        digits.chars().all(|digit| digit.is_digit(radix))
    };
    let last = labels.rsplit('.').next().unwrap_or_default();
    let is_name = host.len() <= HOST_BYTES_MAX && labels.split('.').all(is_label);
    if is_name && !is_number(last) { Ok(None) } else { Err(NotAUrl) }
}

impl fmt::Debug for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

//! What leaves for a buyer: a call and a lead become one request. Sends nothing; a ping's request is
//! made of values that hold no contact data, so that no template could name any.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ACCEPT_ENCODING, HOST, HeaderValue};
use hyper::{Request, Uri};
use lead::Code;
use market::call::Template;
use market::{Call, CallKind, Format, Method, Url};
use serde::Serialize;

use crate::native::{self, PingShape, PostShape, StatusShape};
use crate::{Ping, Post, StatusQuery, encode};

/// The request of a ping.
///
/// # Errors
/// The lead cannot be put into this call.
pub(crate) fn ping(call: &Call, url: &Url, ping: &Ping<'_>) -> Result<Request<Full<Bytes>>, Code> {
    let text = match &call.body {
        Some(template) => render(template, &PingShape::of(ping))?,
        None => encode(call, CallKind::Ping, native::ping_body(ping))?,
    };
    request(call, url, text)
}

/// The request of a post.
///
/// # Errors
/// The lead cannot be put into this call.
pub(crate) fn post(call: &Call, url: &Url, post: &Post<'_>) -> Result<Request<Full<Bytes>>, Code> {
    let text = match &call.body {
        Some(template) => render(template, &PostShape::for_template(post))?,
        None => encode(call, CallKind::Post, native::json(&PostShape::of(post)))?,
    };
    request(call, url, text)
}

/// The request of a status call.
///
/// # Errors
/// It cannot be put into this call.
pub(crate) fn status(call: &Call, query: &StatusQuery<'_>) -> Result<Request<Full<Bytes>>, Code> {
    let shape = StatusShape::of(query);
    let text = match &call.body {
        Some(template) => render(template, &shape)?,
        None => encode(call, CallKind::Status, native::json(&shape))?,
    };
    request(call, &call.url, text)
}

/// A lead that lacks what the call must say, or is too large for it.
const MISFIT: Code = Code::AttributeMissing;

fn render(template: &Template, shape: &impl Serialize) -> Result<Vec<u8>, Code> {
    template.render(shape).map(String::into_bytes).map_err(|_| MISFIT)
}

/// The native shape in the call's format, from its JSON.
fn encode(call: &Call, kind: CallKind, mut json: Vec<u8>) -> Result<Vec<u8>, Code> {
    if call.format == Format::Json {
        return Ok(json);
    }
    let shape = document::parse_json(&mut json).map_err(|_| MISFIT)?;
    let text = match call.format {
        Format::Xml => encode::document(kind.name(), &shape),
        Format::Json | Format::Form | Format::Query => encode::fields(&shape),
    };
    Ok(text.into_bytes())
}

fn request(call: &Call, url: &Url, text: Vec<u8>) -> Result<Request<Full<Bytes>>, Code> {
    let (uri, body) = if call.format == Format::Query {
        (target(url, &text).ok_or(MISFIT)?, Full::default())
    } else {
        (url.uri().clone(), Full::new(Bytes::from(text)))
    };
    let mut request = Request::new(body);
    *request.uri_mut() = uri;
    *request.method_mut() = match call.method {
        Method::Get => hyper::Method::GET,
        Method::Post => hyper::Method::POST,
    };
    let headers = request.headers_mut();
    headers.clone_from(&call.headers);
    headers.insert(HOST, url.host_header().clone());
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    Ok(request)
}

/// The URL's own path and query, and `query` behind them.
fn target(url: &Url, query: &[u8]) -> Option<Uri> {
    let query = std::str::from_utf8(query).ok()?;
    if query.len() > market::call::QUERY_BYTES_MAX {
        return None;
    }
    let target = url.target();
    let join = match target.split_once('?') {
        _ if query.is_empty() => "",
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{target}{join}{query}").parse().ok()
}

//! A row's request, as text and as bytes.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::{Map, Value, json};

use super::rows::{Changes, Row, Table};

/// One request.
#[derive(Debug, Clone)]
pub(super) struct Ask {
    method: String,
    pub(super) path: String,
    pub(super) headers: BTreeMap<String, String>,
    body: Value,
    raw: Option<String>,
    content_length: Option<usize>,
    no_host: bool,
    /// In one line: how it differs from the sample.
    pub(super) told: String,
}

/// One answer.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) status: u16,
    head: String,
    pub(super) body: Value,
}

impl Ask {
    /// A row's request about the person with that number.
    pub(super) fn new(table: &Table, row: &Row, person: u32, kept: &Map<String, Value>) -> Self {
        let fill = |text: &str| {
            kept.iter().fold(text.to_owned(), |text, (name, value)| {
                let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                text.replace(&format!("{{{name}}}"), &value)
            })
        };
        let (method, path) = table.call.split_once(' ').unwrap();
        let mut headers = table.headers.clone();
        headers.insert("content-type".to_owned(), "application/json".to_owned());
        for (name, value) in &row.headers {
            match value {
                Some(value) => drop(headers.insert(name.clone(), value.clone())),
                None => drop(headers.remove(name)),
            }
        }
        let mut ask = Self {
            method: row.method.clone().unwrap_or_else(|| method.to_owned()),
            path: fill(row.path.as_deref().or(table.path.as_deref()).unwrap_or(path)),
            headers,
            body: table.sample(),
            // Only leads have bodies, and those that are told to.
            raw: row.raw.clone().or_else(|| table.sample().is_null().then(String::new)),
            content_length: row.content_length,
            no_host: row.no_host,
            told: String::new(),
        };
        ask.change(&table.base);
        if let Some(at) = &table.email {
            let email = format!("person{person}@example.org");
            ask.change(&Changes::from([(at.clone(), json!(email))]));
        }
        if let Some(at) = &table.phone {
            ask.change(&Changes::from([(at.clone(), table.phone_of(person))]));
        }
        let set = row.set.iter().map(|(at, value)| {
            let value = value.as_str().map_or_else(|| value.clone(), |text| json!(fill(text)));
            (at.clone(), value)
        });
        ask.change(&set.collect());
        ask.change(&row.remove.iter().map(|at| (at.clone(), Value::Null)).collect());
        ask.change(&row.then);
        ask.told = ask.in_words(row);
        if method == "GET" && !ask.body.is_null() {
            let query = row.as_sent.clone().unwrap_or_else(|| query(&ask.body));
            ask.path = format!("{}?{query}", ask.path);
            ask.raw = Some(String::new());
        }
        ask
    }

    /// Sets members, also where there were none; `null` takes one away.
    pub(super) fn change(&mut self, changes: &Changes) {
        for (pointer, value) in changes {
            let mut at = &mut self.body;
            let mut steps = pointer.split('/').skip(1).peekable();
            while let Some(step) = steps.next() {
                let last = steps.peek().is_none();
                if let Value::Array(items) = at {
                    at = &mut items[step.parse::<usize>().unwrap()];
                } else {
                    let members = at.as_object_mut().unwrap();
                    if last && value.is_null() {
                        members.remove(step);
                        break;
                    }
                    at = members.entry(step).or_insert_with(|| json!({}));
                }
                if last {
                    *at = value.clone();
                }
            }
        }
    }

    fn in_words(&self, row: &Row) -> String {
        let mut words = vec![format!("{} {}", self.method, self.path)];
        match &row.raw {
            Some(raw) if raw.is_empty() => {}
            Some(raw) => words.push(raw.clone()),
            None if self.body.is_null() => {}
            None if row.as_sent.is_some() => words.extend(row.as_sent.clone()),
            None => words.push("the sample".to_owned()),
        }
        let name = |at: &str| at.trim_start_matches('/').replace('/', ".");
        let set = row.set.iter().chain(&row.then);
        words.extend(set.map(|(at, value)| match value {
            Value::Null => format!("without {}", name(at)),
            value => format!("{} = {value}", name(at)),
        }));
        words.extend(row.remove.iter().map(|at| format!("without {}", name(at))));
        words.extend(row.headers.iter().map(|(header, value)| match value {
            Some(value) => format!("{header}: {value}"),
            None => format!("without the header {header}"),
        }));
        words.extend(row.no_host.then(|| "without the header Host".to_owned()));
        words.extend(row.content_length.map(|bytes| format!("content-length: {bytes}")));
        words.extend(row.before.as_ref().map(|_| "a second time".to_owned()));
        words.extend(row.expires.then(|| "a second too late".to_owned()));
        words.extend(row.twin.map(|twin| match twin {
            super::rows::Twin::InFlight => "while the same is under way".to_owned(),
            super::rows::Twin::KeyReused => "after another body".to_owned(),
        }));
        words.join(", ")
    }

    /// Sends it on a connection of its own.
    pub(super) fn send(&self, to: SocketAddr) -> Told {
        let body = self.raw.clone().unwrap_or_else(|| self.body.to_string());
        let length = self.content_length.unwrap_or(body.len());
        let mut wire = format!("{} {} HTTP/1.1\r\n", self.method, self.path);
        if !self.no_host {
            wire.push_str("host: gavel.test\r\n");
        }
        for (name, value) in &self.headers {
            wire.extend([name.as_str(), ": ", value, "\r\n"]);
        }
        wire.push_str(&format!("connection: close\r\ncontent-length: {length}\r\n\r\n"));
        if self.content_length.is_none() {
            wire.push_str(&body);
        }
        let mut stream = TcpStream::connect(to).unwrap();
        stream.write_all(wire.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        let (head, body) = reply.split_once("\r\n\r\n").expect("a whole reply");
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        let body = serde_json::from_str(body).unwrap_or(Value::Null);
        Told { status, head: head.to_owned(), body }
    }
}

/// A flat object as a query.
fn query(body: &Value) -> String {
    let pair = |(name, value): (&String, &Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let bytes = text.bytes().map(|byte| match byte {
            plain if plain.is_ascii_alphanumeric() => char::from(plain).to_string(),
            other => format!("%{other:02X}"),
        });
        format!("{name}={}", bytes.collect::<String>())
    };
    body.as_object().unwrap().iter().map(pair).collect::<Vec<_>>().join("&")
}

impl Told {
    /// A header's value, by its lower-case name.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let value = self.head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        value.map(str::trim)
    }
}

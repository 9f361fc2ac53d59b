//! What a buyer's API knows us by. A market names secrets and where they are kept; this crate never
//! reads an environment or a file, and never shows a secret: not in `Debug`, not in a defect.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use document::{Node, Slot};

/// Longest secret, in bytes.
const SECRET_BYTES_MAX: usize = 4_096;

/// A secret's text.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// The text, for the request that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// One line of printable text: what ends a line in a file is not part of it.
    fn new(text: &str) -> Option<Self> {
        let text = text.trim_end_matches(['\r', '\n']);
        let fits = !text.is_empty() && text.len() <= SECRET_BYTES_MAX;
        (fits && !text.chars().any(char::is_control)).then(|| Self(text.into()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Where a secret is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// An environment variable.
    Env(&'a str),
    /// A file, by its absolute path.
    File(&'a str),
}

/// Finds secrets where a market says that they are kept.
#[derive(Clone, Copy)]
pub struct Vault<'v> {
    /// The text kept at a place, if there is one.
    pub look_up: &'v dyn Fn(Place<'_>) -> Option<String>,
    /// A market may hold secrets itself: for the demo and for tests.
    pub literals: bool,
}

impl Vault<'_> {
    /// Finds nothing; a market may hold secrets itself.
    pub const LITERALS: Self = Self { look_up: &|_| None, literals: true };

    /// Finds something everywhere, but no secret: for a market that is read again to explain what it
    /// did, and never sold by.
    pub const STAND_INS: Self = Self { look_up: &|_| Some("-".to_owned()), literals: true };
}

impl fmt::Debug for Vault<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("literals", &self.literals).finish_non_exhaustive()
    }
}

/// A buyer's secrets by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, Secret>);

impl Secrets {
    /// The secret called `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.0.get(name)
    }

    /// `the buyer's secrets are a, b`, for defects.
    pub(crate) fn known(&self) -> String {
        let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
        if names.is_empty() {
            "the buyer has no secrets".to_owned()
        } else {
            format!("the buyer's secrets are {}", names.join(", "))
        }
    }

    /// Reads `name = { env = "X" }`, `{ file = "/x" }` or, where the vault admits them, a literal.
    pub(crate) fn read(slot: Option<Slot<'_, '_>>, vault: &Vault<'_>) -> Option<Self> {
        let Some(slot) = slot else { return Some(Self::default()) };
        let fields = slot.fields()?;
        let mut secrets = BTreeMap::new();
        for (name, slot) in fields.all() {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if name.is_empty() || !name.chars().all(plain) {
                slot.refuse("is no name for a secret: use letters, digits, - and _");
                continue;
            }
            // A market with an unusable secret is refused; what refers to it has no defect of its own.
            let secret = read_one(&slot, vault).unwrap_or_else(|| Secret("".into()));
            secrets.insert(name.to_owned(), secret);
        }
        Some(Self(secrets))
    }
}

fn read_one(slot: &Slot<'_, '_>, vault: &Vault<'_>) -> Option<Secret> {
    if let Some(Node::Text(text)) = slot.node() {
        if !vault.literals {
            slot.refuse(
                "must be { env = \"…\" } or { file = \"…\" }: only a demo holds secrets itself",
            );
            return None;
        }
        return checked(slot, Some(text), "is here");
    }
    let fields = slot.fields()?;
    let (env, file) = (fields.given("env"), fields.given("file"));
    fields.deny_unknown();
    match (env, file) {
        (Some(env), None) => {
            let name = env.filled()?;
            let found = (vault.look_up)(Place::Env(name));
            checked(&env, found.as_deref(), "is in that environment variable")
        }
        (None, Some(file)) => {
            let path = file.filled()?;
            if !path.starts_with('/') {
                file.refuse("must be an absolute path");
                return None;
            }
            checked(&file, (vault.look_up)(Place::File(path)).as_deref(), "is in that file")
        }
        _ => {
            slot.refuse("must have either env or file");
            None
        }
    }
}

fn checked(slot: &Slot<'_, '_>, text: Option<&str>, place: &str) -> Option<Secret> {
    let secret = text.and_then(Secret::new);
    if secret.is_none() {
        slot.refuse(format_args!(
            "is unusable: no text of one line and at most {SECRET_BYTES_MAX} bytes {place}"
        ));
    }
    secret
}

//! Markets from TOML files: several files make one market, and every fault names its file, line and
//! column. Reads texts, never files.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use document::{Defect, Node, Path, Position, TomlSource, parse_toml};

use crate::{Market, Vault};

type Member = (Cow<'static, str>, Node<'static>);

/// The texts that one market is written in.
#[derive(Debug, Default)]
pub struct Sources(Vec<(String, TomlSource)>);

/// Something wrong in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which file.
    pub file: String,
    /// Where in it.
    pub position: Position,
    /// What is wrong and what was expected.
    pub message: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}", self.file, self.position.line, self.position.column, self.message)
    }
}

impl Sources {
    /// Parses the syntax of every text; each comes with its file's name.
    ///
    /// # Errors
    /// The first syntax fault of each file.
    pub fn parse(files: impl IntoIterator<Item = (String, String)>) -> Result<Self, Vec<Fault>> {
        let (mut sources, mut faults) = (Vec::new(), Vec::new());
        for (file, text) in files {
            match parse_toml(&text) {
                Ok(source) => sources.push((file, source)),
                Err((position, message)) => faults.push(Fault { file, position, message }),
            }
        }
        if faults.is_empty() { Ok(Self(sources)) } else { Err(faults) }
    }

    /// Reads the market that the texts make together; secrets stand in the texts themselves.
    ///
    /// # Errors
    /// Every defect, located.
    pub fn market(&self) -> Result<Market, Vec<Fault>> {
        self.market_with(&Vault::LITERALS)
    }

    /// Reads the market that the texts make together, with the secrets that `vault` finds.
    ///
    /// # Errors
    /// Every defect, located.
    pub fn market_with(&self, vault: &Vault<'_>) -> Result<Market, Vec<Fault>> {
        let root = self.merged()?;
        Market::read_with(&root, vault).map_err(|defects| self.locate(&defects))
    }

    /// Says where defects of the market's document stand.
    #[must_use]
    pub fn locate(&self, defects: &[Defect]) -> Vec<Fault> {
        defects.iter().filter_map(|defect| self.fault(&defect.path, defect.to_string())).collect()
    }

    fn fault(&self, path: &Path, message: String) -> Option<Fault> {
        let (file, source) = self.0.iter().max_by_key(|(_, source)| known(&source.root, path))?;
        Some(Fault { file: file.clone(), position: source.position(path), message })
    }

    /// Every object that the texts define, by its place: `products.loan`, `buyers.nova` without its
    /// campaigns, `buyers.nova.campaigns.main`.
    #[must_use]
    pub fn objects(&self) -> BTreeMap<String, Node<'static>> {
        let mut objects = BTreeMap::new();
        for (_, source) in &self.0 {
            for table in ["publishers", "products", "buyers"] {
                for (id, object) in members(source.root.member(table)) {
                    let (campaigns, own): (Vec<_>, Vec<_>) = members(Some(object))
                        .iter()
                        .cloned()
                        .partition(|(name, _)| name == "campaigns");
                    let place = format!("{table}.{id}");
                    for (name, campaign) in campaigns.iter().flat_map(|(_, it)| members(Some(it))) {
                        objects.insert(format!("{place}.campaigns.{name}"), campaign.clone());
                    }
                    objects.insert(place, Node::Object(own));
                }
            }
        }
        objects
    }

    /// One document with the objects of every file; an object defined twice is a fault.
    fn merged(&self) -> Result<Node<'static>, Vec<Fault>> {
        let (mut root, mut faults) = (Vec::new(), Vec::new());
        for (file, source) in &self.0 {
            let clashes = merge(&mut root, &source.root, &Path::default());
            faults.extend(clashes.into_iter().map(|path| Fault {
                file: file.clone(),
                position: source.position(&path),
                message: format!("{} is defined in another file too", path.dotted()),
            }));
        }
        if faults.is_empty() { Ok(Node::Object(root)) } else { Err(faults) }
    }
}

fn members<'n>(node: Option<&'n Node<'static>>) -> &'n [Member] {
    match node {
        Some(Node::Object(members)) => members,
        _ => &[],
    }
}

/// Tables whose members may be spread over files: `publishers`, `products`, `buyers`.
const MERGED_DEPTH: usize = 1;

fn merge(into: &mut Vec<Member>, from: &Node<'static>, at: &Path) -> Vec<Path> {
    let Node::Object(members) = from else {
        return Vec::new();
    };
    let mut clashes = Vec::new();
    for (key, value) in members {
        let path = at.key(key);
        match (into.iter_mut().find(|(known, _)| known == key), value) {
            (None, value) => into.push((key.clone(), value.clone())),
            (Some((_, Node::Object(known))), Node::Object(_)) if path.0.len() <= MERGED_DEPTH => {
                clashes.extend(merge(known, value, &path));
            }
            (Some(_), _) => clashes.push(path),
        }
    }
    clashes
}

/// How many leading steps of `path` exist under `node`.
fn known(node: &Node<'_>, path: &Path) -> usize {
    let mut at = node;
    for (depth, segment) in path.0.iter().enumerate() {
        let next = match segment {
            document::Segment::Key(key) => at.member(key),
            document::Segment::Index(index) => match at {
                Node::List(items) => items.get(*index),
                _ => None,
            },
        };
        match next {
            Some(next) => at = next,
            None => return depth,
        }
    }
    path.0.len()
}

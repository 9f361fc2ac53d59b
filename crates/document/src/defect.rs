//! What was wrong, and where. Never carries the offending value.

use std::borrow::Cow;
use std::fmt;

/// One step from the root of a document to a value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// A member of an object.
    Key(String),
    /// A place in an array, from 0.
    Index(usize),
}

/// Where a value stands in its document.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// The path of a member of the object at this path.
    #[must_use]
    pub fn key(&self, key: &str) -> Self {
        let mut segments = self.0.clone();
        segments.push(Segment::Key(key.to_owned()));
        Self(segments)
    }

    /// The path of an element of the array at this path.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut segments = self.0.clone();
        segments.push(Segment::Index(index));
        Self(segments)
    }

    /// This path seen from a document in which its root stands at `prefix`.
    #[must_use]
    pub fn under(&self, prefix: &Self) -> Self {
        Self(prefix.0.iter().chain(&self.0).cloned().collect())
    }

    /// `a.b.0.c`, as people write it.
    #[must_use]
    pub fn dotted(&self) -> String {
        let parts: Vec<Cow<'_, str>> = self.0.iter().map(Segment::text).collect();
        parts.join(".")
    }

    /// `/a/b/0/c`, as RFC 6901 writes it.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut out = String::new();
        for segment in &self.0 {
            out.push('/');
            out.push_str(&segment.text().replace('~', "~0").replace('/', "~1"));
        }
        out
    }
}

impl Segment {
    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Key(key) => Cow::Borrowed(key),
            Self::Index(index) => Cow::Owned(index.to_string()),
        }
    }
}

/// One thing wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// Where.
    pub path: Path,
    /// A sentence part that follows the field's name: "must be a string", "is required".
    pub issue: String,
    /// The field is absent (or empty where that counts as absent).
    pub missing: bool,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.0.is_empty() {
            write!(f, "the document {}", self.issue)
        } else {
            write!(f, "{} {}", self.path.dotted(), self.issue)
        }
    }
}

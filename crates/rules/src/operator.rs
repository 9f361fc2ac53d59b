//! The operators of the filter language: names and the kinds they work on. A new operator starts here.

use lead::Kind;

/// What a predicate asks. `or_missing` is not one: it changes the answer of those beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Lt,
    Lte,
    Gt,
    Gte,
    Between,
    In,
    NotIn,
    InList,
    NotInList,
    StartsWith,
    Contains,
    Matches,
    Within,
    Exists,
}

impl Operator {
    pub(crate) const ALL: [Self; 16] = [
        Self::Eq,
        Self::Ne,
        Self::Lt,
        Self::Lte,
        Self::Gt,
        Self::Gte,
        Self::Between,
        Self::In,
        Self::NotIn,
        Self::InList,
        Self::NotInList,
        Self::StartsWith,
        Self::Contains,
        Self::Matches,
        Self::Within,
        Self::Exists,
    ];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operator| operator.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Lt => "lt",
            Self::Lte => "lte",
            Self::Gt => "gt",
            Self::Gte => "gte",
            Self::Between => "between",
            Self::In => "in",
            Self::NotIn => "not_in",
            Self::InList => "in_list",
            Self::NotInList => "not_in_list",
            Self::StartsWith => "starts_with",
            Self::Contains => "contains",
            Self::Matches => "matches",
            Self::Within => "within",
            Self::Exists => "exists",
        }
    }

    /// The kinds of attribute it may be asked of.
    pub(crate) fn kinds(self) -> &'static [Kind] {
        match self {
            Self::Eq | Self::Ne | Self::Exists => {
                &[Kind::Text, Kind::Number, Kind::Bool, Kind::Date]
            }
            Self::Lt | Self::Lte | Self::Gt | Self::Gte | Self::Between => {
                &[Kind::Number, Kind::Date]
            }
            Self::In | Self::NotIn | Self::InList | Self::NotInList => &[Kind::Text, Kind::Number],
            Self::StartsWith | Self::Contains | Self::Matches | Self::Within => &[Kind::Text],
        }
    }

    /// A value passes if the operator's test does not hold.
    pub(crate) fn negates(self) -> bool {
        matches!(self, Self::Ne | Self::NotIn | Self::NotInList)
    }

    /// Its values stand in a list that may change under the filter.
    pub(crate) fn is_listed(self) -> bool {
        matches!(self, Self::InList | Self::NotInList)
    }
}

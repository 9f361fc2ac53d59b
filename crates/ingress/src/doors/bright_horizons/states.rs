//! The abbreviations of the United States Postal Service: states, districts, territories and the armed
//! forces. Knows no place's limits.

const STATES: &[&str] = &[
    "AL", "AK", "AZ", "AR", "CA", "CO", "CT", "DE", "DC", "FL", "GA", "HI", "ID", "IL", "IN", "IA",
    "KS", "KY", "LA", "ME", "MD", "MA", "MI", "MN", "MS", "MO", "MT", "NE", "NV", "NH", "NJ", "NM",
    "NY", "NC", "ND", "OH", "OK", "OR", "PA", "RI", "SC", "SD", "TN", "TX", "UT", "VT", "VA", "WA",
    "WV", "WI", "WY", "AS", "GU", "MP", "PR", "VI", "FM", "MH", "PW", "AA", "AE", "AP",
];

/// The abbreviation that `text` is, in whatever case.
pub(super) fn state(text: &str) -> Option<&'static str> {
    STATES.iter().copied().find(|state| state.eq_ignore_ascii_case(text.trim()))
}

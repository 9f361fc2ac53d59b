//! A publisher's own leads as it may read them again. Knows no door's format.

use jiff::Timestamp;

use crate::{LeadId, Status, Submission};

/// Which of its leads a publisher asks for, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// That came at or after this.
    pub since: Option<Timestamp>,
    /// That came before this.
    pub until: Option<Timestamp>,
    /// How many that would be told to leave out.
    pub skip: usize,
    /// How many to tell.
    pub most: usize,
}

/// One lead, as its publisher sent it and as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredLead {
    /// Which.
    pub id: LeadId,
    /// When its request was complete.
    pub received_at: Timestamp,
    /// How it stands.
    pub status: Status,
    /// Whether that can still change.
    pub is_final: bool,
    /// What was sent; `None` once erased.
    pub submission: Option<Submission>,
}

/// A page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StoredLeads {
    /// Newest first.
    pub leads: Vec<StoredLead>,
    /// There are more.
    pub more: bool,
    /// Not all leads were looked at: too many are newer.
    pub cut_short: bool,
}

//! What was counted, by window: the newest few windows of each length. Knows no cap.
//!
//! A window that is kept answers for every moment in it, so zones are looked at only when one
//! begins. A zone that changes in the market takes effect there too: the running windows end as they
//! began. Moments before the oldest kept window, after a clock was set far back, count in that
//! oldest one: such a clock makes a campaign buy less, never more.

use std::collections::VecDeque;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use lead::{Currency, Money};
use market::{CapOf, Window};
use rust_decimal::Decimal;

use super::window::Span;

/// What was counted in one window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    leads: [u64; CapOf::ALL.len()],
    spend: Vec<(Currency, Decimal)>,
}

impl Counts {
    /// How many leads.
    pub(crate) fn leads(&self, of: CapOf) -> u64 {
        self.leads[of as usize]
    }

    /// How much money, sold or held.
    pub(crate) fn spend(&self, currency: Currency) -> Decimal {
        self.spend
            .iter()
            .find(|(known, _)| *known == currency)
            .map_or(Decimal::ZERO, |(_, sum)| *sum)
    }

    /// One more lead.
    pub(crate) fn add(&mut self, of: CapOf) {
        self.leads[of as usize] = self.leads(of).saturating_add(1);
    }

    /// One lead less.
    pub(crate) fn take_back(&mut self, of: CapOf) {
        self.leads[of as usize] = self.leads(of).saturating_sub(1);
    }

    /// More money.
    pub(crate) fn pay(&mut self, money: Money) {
        match self.spend.iter_mut().find(|(known, _)| *known == money.currency) {
            Some((_, sum)) => *sum = sum.saturating_add(money.amount),
            None => self.spend.push((money.currency, money.amount)),
        }
    }

    /// Less money, and never less than none.
    pub(crate) fn pay_back(&mut self, money: Money) {
        if let Some((_, sum)) = self.spend.iter_mut().find(|(known, _)| *known == money.currency) {
            *sum = sum.saturating_sub(money.amount).max(Decimal::ZERO);
        }
    }
}

/// Where a change is counted.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'z> {
    /// In the window of the moment, which may begin with it in this zone.
    Now(&'z TimeZone),
    /// As `Now`, unless the window is no longer kept: then nowhere.
    Past(&'z TimeZone),
    /// Only in a window that is kept.
    Kept,
}

/// A window and what was counted in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    /// From when to when.
    pub(crate) span: Span,
    /// What.
    pub(crate) counts: Counts,
}

/// The newest windows of one length, oldest first; they do not overlap.
#[derive(Debug, Clone, Default)]
struct Ring(VecDeque<Kept>);

/// Everything that was counted for one campaign, buyer or publisher.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tallies([Ring; Window::ALL.len()]);

/// How many windows are kept: enough for a clock that is set back by an hour (minutes) or a day.
const fn room(window: Window) -> usize {
    match window {
        Window::Minute => 61,
        Window::Hour => 25,
        Window::Day => 4,
        Window::Week | Window::Month => 3,
        Window::Total => 1,
    }
}

impl Ring {
    /// Whether `at` is before every kept window and some may have been let go.
    fn is_gone(&self, window: Window, at: Timestamp) -> bool {
        let full = self.0.len() >= room(window);
        full && self.0.front().is_some_and(|oldest| at < oldest.span.start)
    }

    fn kept(&self, at: Timestamp) -> Option<usize> {
        self.0.iter().rposition(|kept| kept.span.contains(at))
    }

    fn read(&self, window: Window, at: Timestamp) -> Option<&Kept> {
        if let Some(index) = self.kept(at) {
            return self.0.get(index);
        }
        if self.is_gone(window, at) { self.0.front() } else { None }
    }

    fn write(&mut self, window: Window, at: Timestamp, place: Place<'_>) -> Option<&mut Counts> {
        let index = match (self.kept(at), place) {
            (Some(index), _) => index,
            (None, Place::Kept) => return None,
            (None, Place::Past(_)) if self.is_gone(window, at) => return None,
            (None, Place::Now(_)) if self.is_gone(window, at) => 0,
            (None, Place::Now(zone) | Place::Past(zone)) => {
                self.begin(window, Span::of(window, zone, at), at)
            }
        };
        self.0.get_mut(index).map(|kept| &mut kept.counts)
    }

    /// Makes room for a window around `at`, cut where kept ones stand already.
    fn begin(&mut self, window: Window, mut span: Span, at: Timestamp) -> usize {
        if self.0.len() >= room(window) {
            self.0.pop_front();
        }
        let index = self.0.partition_point(|kept| kept.span.start <= at);
        if let Some(before) = index.checked_sub(1).and_then(|before| self.0.get(before)) {
            span.start = span.start.max(before.span.end);
        }
        if let Some(after) = self.0.get(index) {
            span.end = span.end.min(after.span.start);
        }
        self.0.insert(index, Kept { span, counts: Counts::default() });
        index
    }
}

impl Tallies {
    /// What counts at `at`; `None` when nothing was counted in that window.
    pub(crate) fn at(&self, window: Window, at: Timestamp) -> Option<&Kept> {
        self.0[window as usize].read(window, at)
    }

    /// Changes what is counted at `at`, in every window.
    pub(crate) fn change(&mut self, place: Place<'_>, at: Timestamp, change: impl Fn(&mut Counts)) {
        for (ring, window) in self.0.iter_mut().zip(Window::ALL) {
            if let Some(counts) = ring.write(window, at, place) {
                change(counts);
            }
        }
    }

    /// Every window in which something stands.
    #[cfg(test)]
    pub(crate) fn kept(&self) -> impl Iterator<Item = (Window, &Kept)> {
        let rings = Window::ALL.into_iter().zip(&self.0);
        rings.flat_map(|(window, ring)| ring.0.iter().map(move |kept| (window, kept)))
    }
}

//! Every metric of the engine: names and label values here and nowhere else. Handles are resolved
//! once; labels are closed enums, so the number of series is fixed, but for the breakers of the first few
//! hundred campaigns.

use std::sync::atomic::{AtomicUsize, Ordering};

use lead::{BuyerEvent, CampaignKey, Code, Door, Heard, PostClass, RejectionReason};

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use crate::fraud::SIGNALS;
use crate::{Denied, Done, ReportRefusal, promise};

/// How a lead ended, for counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Sold,
    Rejected,
    Unmatched,
    Unsold,
    Expired,
    Indeterminate,
    Refused,
    /// A test lead whose publisher said how it ends.
    Test,
    /// A repost that was answered before.
    Repeated,
}

impl Ending {
    const ALL: [Self; 9] = [
        Self::Sold,
        Self::Rejected,
        Self::Unmatched,
        Self::Unsold,
        Self::Expired,
        Self::Indeterminate,
        Self::Refused,
        Self::Test,
        Self::Repeated,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Sold => "sold",
            Self::Rejected => "rejected",
            Self::Unmatched => "unmatched",
            Self::Unsold => "unsold",
            Self::Expired => "expired",
            Self::Indeterminate => "indeterminate",
            Self::Refused => "refused",
            Self::Test => "test",
            Self::Repeated => "repeated",
        }
    }
}

impl From<lead::OfferOutcome> for Ending {
    fn from(outcome: lead::OfferOutcome) -> Self {
        use lead::OfferOutcome as Outcome;
        match outcome {
            Outcome::Sold => Self::Sold,
            Outcome::Unmatched => Self::Unmatched,
            Outcome::Unsold => Self::Unsold,
            Outcome::Expired => Self::Expired,
            Outcome::Indeterminate | Outcome::Pending => Self::Indeterminate,
        }
    }
}

/// Who settled a held post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Settler {
    /// A person.
    Review,
    /// Its buyer, asked at a start.
    Buyer,
    /// Nobody in all its time.
    Time,
}

impl Settler {
    const ALL: [(Self, &'static str); 3] =
        [(Self::Review, "review"), (Self::Buyer, "buyer"), (Self::Time, "time")];
}

/// So many campaigns have a series of their own for each of their breakers.
const BREAKERS_SHOWN: usize = 500;

/// What is counted of the lines to campaigns.
pub(crate) struct LineMetrics {
    shown: AtomicUsize,
    pub(crate) openings: Counter,
    pub(crate) stopped: Counter,
    pub(crate) crowded: Counter,
}

impl LineMetrics {
    pub(crate) fn new(simulate: bool) -> Self {
        let stopped = |by: &'static str| counter!("gavel_calls_stopped_total", "by" => by);
        Self {
            shown: AtomicUsize::new(0),
            openings: counter!("gavel_breakers_opened_total"),
            stopped: stopped(if simulate { "breaker_simulated" } else { "breaker" }),
            crowded: stopped("max_in_flight"),
        }
    }

    /// The state of one breaker, unless there are too many.
    pub(crate) fn state(&self, campaign: &CampaignKey, call: &'static str) -> Option<Gauge> {
        if self.shown.fetch_add(1, Ordering::Relaxed) >= 2 * BREAKERS_SHOWN {
            return None;
        }
        let (buyer, campaign) = (campaign.buyer.to_string(), campaign.campaign.to_string());
        let state =
            gauge!("gavel_breaker_state", "buyer" => buyer, "campaign" => campaign, "call" => call);
        state.set(0.0);
        Some(state)
    }
}

/// All handles.
pub(crate) struct Metrics {
    leads: Vec<Vec<Counter>>,
    pub(crate) abandoned: Counter,
    rejections: Vec<Counter>,
    suspicions: Vec<Counter>,
    pings: Vec<Counter>,
    posts: Vec<Counter>,
    budgets: [Counter; 2],
    status_queries: Vec<Counter>,
    retries: Vec<Counter>,
    holds_settled: [Counter; 3],
    holds: Gauge,
    pub(crate) pings_skipped: Counter,
    pub(crate) pings_probing: Counter,
    pub(crate) posts_skipped: Counter,
    pub(crate) early_closes: Counter,
    pub(crate) late_answers: Counter,
    pub(crate) passed_on: Counter,
    pub(crate) sold_at_risk: Counter,
    pub(crate) journey_seconds: Histogram,
    pub(crate) ping_seconds: Histogram,
    pub(crate) post_seconds: Histogram,
    pub(crate) own_seconds: Histogram,
    pub(crate) in_flight: Gauge,
    pub(crate) illegal_steps: Counter,
    market_version: Gauge,
    market_changes: [Counter; 6],
    /// By event, then by outcome.
    events: Vec<[Counter; 5]>,
}

/// What became of a buyer's event.
const EVENTS: [&str; 5] = ["received", "ignored", "forged", "no_lead", "failed"];

/// How a change of the market ended.
const CHANGES: [&str; 6] = ["created", "changed", "unchanged", "deleted", "refused", "failed"];

impl Metrics {
    pub(crate) fn new() -> Self {
        let per_door = |door: &Door| {
            let of = |ending: Ending| counter!("gavel_leads_total", "door" => door.name(), "outcome" => ending.name());
            Ending::ALL.into_iter().map(of).collect()
        };
        let coded = |name: &'static str| {
            let known = Code::ALL.iter().chain(&[Code::Operator(500)]);
            known.map(|code| counter!(name, "code" => code.number().to_string(), "reason" => code.name())).collect()
        };
        let classed = |name: &'static str| {
            PostClass::ALL.iter().map(|class| counter!(name, "class" => class.name())).collect()
        };
        let reasons = RejectionReason::ALL.iter();
        Self {
            leads: Door::ALL.iter().map(per_door).collect(),
            abandoned: counter!("gavel_journeys_abandoned_total"),
            rejections: reasons
                .map(|reason| counter!("gavel_rejections_total", "reason" => reason.name()))
                .collect(),
            suspicions: SIGNALS
                .iter()
                .map(|signal| counter!("gavel_fraud_signals_total", "signal" => signal.name))
                .collect(),
            pings: coded("gavel_pings_total"),
            posts: coded("gavel_posts_total"),
            budgets: ["missed", "met"]
                .map(|result| counter!("gavel_budgets_total", "result" => result)),
            status_queries: classed("gavel_status_queries_total"),
            retries: classed("gavel_post_retries_total"),
            holds_settled: Settler::ALL
                .map(|(_, by)| counter!("gavel_holds_settled_total", "by" => by)),
            holds: gauge!("gavel_holds"),
            pings_skipped: counter!("gavel_pings_skipped_total"),
            pings_probing: counter!("gavel_pings_probing_total"),
            posts_skipped: counter!("gavel_posts_skipped_total"),
            early_closes: counter!("gavel_early_closes_total"),
            late_answers: counter!("gavel_late_answers_total"),
            passed_on: counter!("gavel_posts_passed_on_total"),
            sold_at_risk: counter!("gavel_sales_at_risk_total"),
            journey_seconds: histogram!("gavel_journey_seconds"),
            ping_seconds: histogram!("gavel_ping_seconds"),
            post_seconds: histogram!("gavel_post_seconds"),
            own_seconds: histogram!("gavel_own_seconds"),
            in_flight: gauge!("gavel_leads_in_flight"),
            illegal_steps: counter!("gavel_illegal_steps_total"),
            market_version: gauge!("gavel_market_version"),
            market_changes: CHANGES
                .map(|outcome| counter!("gavel_market_changes_total", "outcome" => outcome)),
            events: BuyerEvent::ALL.iter().map(|event| reports(*event)).collect(),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "a gauge is a float; versions stay small")]
    pub(crate) fn market_version(&self, version: u64) {
        self.market_version.set(version as f64);
    }

    pub(crate) fn market_changed(&self, done: &Result<Done, Denied>) {
        let outcome = match done {
            Ok(done) => done.outcome.name(),
            Err(Denied::Ledger(_) | Denied::Bug(_)) => "failed",
            Err(_) => "refused",
        };
        let place = CHANGES.iter().position(|name| *name == outcome);
        if let Some(counter) = place.and_then(|place| self.market_changes.get(place)) {
            counter.increment(1);
        }
    }

    pub(crate) fn lead(&self, door: Door, ending: Ending) {
        let row = self.leads.get(door as usize).and_then(|row| row.get(ending as usize));
        if let Some(counter) = row {
            counter.increment(1);
        }
    }

    pub(crate) fn rejected(&self, reason: RejectionReason) {
        if let Some(counter) = self.rejections.get(reason as usize) {
            counter.increment(1);
        }
    }

    pub(crate) fn reported(&self, event: BuyerEvent, told: &Result<Heard, ReportRefusal>) {
        let outcome = match told {
            Ok(Heard::Received) => 0,
            Ok(Heard::Ignored) => 1,
            Err(ReportRefusal::Forged) => 2,
            Err(ReportRefusal::NoLead) => 3,
            Err(ReportRefusal::Ledger(_)) => 4,
        };
        let place = BuyerEvent::ALL.iter().position(|known| *known == event);
        let counters = place.and_then(|place| self.events.get(place));
        if let Some(counter) = counters.and_then(|counters| counters.get(outcome)) {
            counter.increment(1);
        }
    }

    pub(crate) fn suspected(&self, signal: usize) {
        if let Some(counter) = self.suspicions.get(signal) {
            counter.increment(1);
        }
    }

    pub(crate) fn pinged(&self, code: Code, took: std::time::Duration) {
        counted(&self.pings, code);
        self.ping_seconds.record(took);
    }

    pub(crate) fn posted(&self, code: Code, took: std::time::Duration) {
        counted(&self.posts, code);
        self.post_seconds.record(took);
    }

    pub(crate) fn status_query(&self, class: PostClass) {
        if let Some(counter) = self.status_queries.get(class as usize) {
            counter.increment(1);
        }
    }

    pub(crate) fn retried(&self, class: PostClass) {
        if let Some(counter) = self.retries.get(class as usize) {
            counter.increment(1);
        }
    }

    /// A hold ended, and so many are left.
    pub(crate) fn hold_settled(&self, by: Settler, left: usize) {
        if let Some(counter) = self.holds_settled.get(by as usize) {
            counter.increment(1);
        }
        self.held(left);
    }

    pub(crate) fn held(&self, count: usize) {
        self.holds.set(f64::from(u32::try_from(count).unwrap_or(u32::MAX)));
    }

    pub(crate) fn answered(&self, budget_met: bool) {
        let [missed, met] = &self.budgets;
        if budget_met { met.increment(1) } else { missed.increment(1) }
    }
}

/// Only one door takes events. Both words for one count as one.
fn reports(event: BuyerEvent) -> [Counter; 5] {
    let (door, event) = (Door::Leadhub.name(), event.kind().name());
    EVENTS.map(|outcome| {
        counter!("gavel_buyer_events_total", "door" => door, "event" => event, "outcome" => outcome)
    })
}

fn counted(counters: &[Counter], code: Code) {
    let position = Code::ALL.iter().position(|known| *known == code).unwrap_or(Code::ALL.len());
    if let Some(counter) = counters.get(position) {
        counter.increment(1);
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

/// Registers help texts.
pub fn describe() {
    describe_gauge!("gavel_market_version", "The version of the market in force.");
    describe_counter!(
        "gavel_market_changes_total",
        Unit::Count,
        "Changes of campaigns asked for, by what came of them."
    );
    describe_doubt();
    promise::describe();
    describe_lines();
    describe_time();
    describe_counter!(
        "gavel_leads_total",
        Unit::Count,
        "Leads by door and by how their journey ended."
    );
    describe_counter!(
        "gavel_journeys_abandoned_total",
        Unit::Count,
        "Journeys dropped before they settled; a bug if not 0."
    );
    describe_counter!(
        "gavel_fraud_signals_total",
        Unit::Count,
        "Signs of fraud that leads showed, by signal; some refuse a lead, some are only named."
    );
    describe_counter!("gavel_rejections_total", Unit::Count, "Leads not accepted, by reason.");
    describe_counter!(
        "gavel_buyer_events_total",
        Unit::Count,
        "Events that buyers told of leads, by door, event and what became of it."
    );
    describe_counter!("gavel_pings_total", Unit::Count, "Pings by code; code 0 is a bid.");
    describe_counter!("gavel_posts_total", Unit::Count, "Posts by code; code 0 is a sale.");
    describe_counter!(
        "gavel_budgets_total",
        Unit::Count,
        "Answers to publishers within their latency budget or not."
    );
    describe_histogram!(
        "gavel_journey_seconds",
        Unit::Seconds,
        "From the complete request header to the answer."
    );
    describe_histogram!(
        "gavel_ping_seconds",
        Unit::Seconds,
        "From a ping's sending to its answer or deadline."
    );
    describe_histogram!(
        "gavel_post_seconds",
        Unit::Seconds,
        "From a post's sending to its answer or time limit."
    );
    describe_histogram!(
        "gavel_own_seconds",
        Unit::Seconds,
        "A journey's time that was not spent waiting for buyers."
    );
    describe_gauge!("gavel_leads_in_flight", Unit::Count, "Journeys under way.");
    describe_counter!(
        "gavel_illegal_steps_total",
        Unit::Count,
        "State changes that the transition tables refuse; a bug if not 0."
    );
}

fn describe_lines() {
    describe_gauge!(
        "gavel_breaker_state",
        Unit::Count,
        "A campaign's breaker by endpoint: 0 closed, 1 half open, 2 open."
    );
    describe_counter!(
        "gavel_breakers_opened_total",
        Unit::Count,
        "Times that a breaker opened because its endpoint did not answer."
    );
    describe_counter!(
        "gavel_calls_stopped_total",
        Unit::Count,
        "Campaigns not called, by what stopped it; a simulated breaker stops nothing."
    );
}

fn describe_doubt() {
    describe_counter!(
        "gavel_status_queries_total",
        Unit::Count,
        "Status calls about unknown posts, by what they said."
    );
    describe_counter!(
        "gavel_post_retries_total",
        Unit::Count,
        "Posts repeated under the same key while the first one's answer is unknown, by class."
    );
    describe_counter!(
        "gavel_holds_settled_total",
        Unit::Count,
        "Held posts that were settled, by whom; by time are those that nobody resolved."
    );
    describe_gauge!("gavel_holds", Unit::Count, "Posts whose answer is unknown: the review queue.");
    describe_counter!(
        "gavel_posts_passed_on_total",
        Unit::Count,
        "Unknown posts after which the lead was offered to the next bid, at the seller's risk."
    );
    describe_counter!(
        "gavel_sales_at_risk_total",
        Unit::Count,
        "Sales while an earlier post of the same lead was unknown: each may be a second one."
    );
}

fn describe_time() {
    describe_counter!(
        "gavel_pings_skipped_total",
        Unit::Count,
        "Campaigns not asked because lately they have been too slow for the time left."
    );
    describe_counter!(
        "gavel_pings_probing_total",
        Unit::Count,
        "Pings to campaigns that have been too slow, to see whether they still are."
    );
    describe_counter!(
        "gavel_posts_skipped_total",
        Unit::Count,
        "Bids that were left alone because a post would not have ended in time."
    );
    describe_counter!(
        "gavel_early_closes_total",
        Unit::Count,
        "Tiers that were closed because no campaign still to answer could have won."
    );
    describe_counter!(
        "gavel_late_answers_total",
        Unit::Count,
        "Answers to pings that came after their deadline; they never buy."
    );
}

//! Every metric of the engine: names and label values here and nowhere else. Handles are resolved
//! once; labels are closed enums, so the number of series is fixed.

use lead::{Code, Door, RejectionReason};

use metrics::{
    Counter, Gauge, Histogram, Unit, counter, describe_counter, describe_gauge, describe_histogram,
    gauge, histogram,
};

use crate::fraud::SIGNALS;

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
    Abandoned,
}

impl Ending {
    const ALL: [Self; 8] = [
        Self::Sold,
        Self::Rejected,
        Self::Unmatched,
        Self::Unsold,
        Self::Expired,
        Self::Indeterminate,
        Self::Refused,
        Self::Abandoned,
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
            Self::Abandoned => "abandoned",
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

/// All handles.
pub(crate) struct Metrics {
    leads: Vec<Vec<Counter>>,
    abandoned: Counter,
    rejections: Vec<Counter>,
    suspicions: Vec<Counter>,
    pings: Vec<Counter>,
    posts: Vec<Counter>,
    budgets: [Counter; 2],
    pub(crate) journey_seconds: Histogram,
    pub(crate) ping_seconds: Histogram,
    pub(crate) post_seconds: Histogram,
    pub(crate) own_seconds: Histogram,
    pub(crate) in_flight: Gauge,
    pub(crate) illegal_steps: Counter,
}

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
            journey_seconds: histogram!("gavel_journey_seconds"),
            ping_seconds: histogram!("gavel_ping_seconds"),
            post_seconds: histogram!("gavel_post_seconds"),
            own_seconds: histogram!("gavel_own_seconds"),
            in_flight: gauge!("gavel_leads_in_flight"),
            illegal_steps: counter!("gavel_illegal_steps_total"),
        }
    }

    pub(crate) fn lead(&self, door: Door, ending: Ending) {
        let row = self.leads.get(door as usize).and_then(|row| row.get(ending as usize));
        if let Some(counter) = row {
            counter.increment(1);
        }
    }

    pub(crate) fn ended(&self, ending: Ending) {
        if ending == Ending::Abandoned {
            self.abandoned.increment(1);
        }
    }

    pub(crate) fn rejected(&self, reason: RejectionReason) {
        if let Some(counter) = self.rejections.get(reason as usize) {
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

    pub(crate) fn answered(&self, budget_met: bool) {
        let [missed, met] = &self.budgets;
        if budget_met { met.increment(1) } else { missed.increment(1) }
    }
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
        "Leads refused as fraud, by the signal that they showed."
    );
    describe_counter!("gavel_rejections_total", Unit::Count, "Leads not accepted, by reason.");
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

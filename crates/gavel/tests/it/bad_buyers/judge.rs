//! What a run may cost, against the same leads without the bad buyers.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use lead::{Disposition, PostClass};
use ledger::LeadRecord;
use rust_decimal::Decimal;
use sim::buyers::{Kind, Phase, Stage};

use super::town::{Run, is_bad};
use super::{
    BUDGET, FAULTS_IN_ROW, GROWTH_MAX_KIB, HAS_BREAKER, MAX_IN_FLIGHT, OVERRUN_MAX, OVERRUN_P99,
    PROBES_AFTER, REVENUE_MIN,
};

/// What a lead brought.
fn revenue(record: &LeadRecord) -> Decimal {
    record.sales().map(|sale| sale.price.amount).sum()
}

/// What each lead brings while all buyers are sound.
pub(super) struct Baseline(BTreeMap<u64, Decimal>);

impl Baseline {
    pub(super) fn of(run: &Run) -> Self {
        let baseline: BTreeMap<_, _> =
            run.records.iter().map(|(number, record)| (*number, revenue(record))).collect();
        let sold = baseline.values().filter(|price| !price.is_zero()).count();
        assert_eq!(sold, run.form.leads, "sound buyers take every lead");
        Self(baseline)
    }
}

/// As what a post that meets this fault may be known.
fn classes(kind: Kind) -> &'static [PostClass] {
    use PostClass::{Accepted, NotSent, Rejected, Unknown};
    match kind {
        Kind::Dns | Kind::Refused | Kind::FullBacklog => &[NotSent],
        kind if kind.phase() == Phase::Handshake => &[NotSent],
        // Of a connection that is reset at once nobody can say whether the post had left.
        Kind::ResetAtAccept => &[NotSent, Unknown],
        Kind::Status(400..500 | 503) => &[Rejected],
        // It may be read before the reset comes.
        Kind::AnswerThenReset => &[Accepted, Unknown],
        // What follows a whole answer, or stands before it, need not spoil it.
        Kind::TwoAnswers | Kind::Bom => &[Accepted, Unknown],
        // The price is the bid, or what is stated if that is lower and a price.
        Kind::PriceNegative | Kind::PriceText | Kind::PriceHuge => &[Accepted, Unknown],
        Kind::NoRedirect | Kind::HttpRedirect => &[Accepted],
        _ => &[Unknown],
    }
}

/// What came of a run.
#[derive(Default)]
pub(super) struct Verdict {
    name: String,
    leads: usize,
    answered: usize,
    latency: [Duration; 3],
    /// Of a thousand parts that the leads brought without the bad buyers: of all leads, and of those that
    /// no bad buyer holds or has used up the time of.
    revenue: u64,
    revenue_of_rest: u64,
    held: usize,
    /// Unsold for want of time after a bad buyer's post.
    lost: usize,
    /// The most held or lost of one bad campaign, and how many may be.
    worst: usize,
    bound: usize,
    /// Posts to bad buyers.
    posts: BTreeMap<&'static str, usize>,
    growth_kib: u64,
    pub(super) faults: Vec<String>,
}

impl Verdict {
    pub(super) fn of(run: &Run, baseline: &Baseline) -> Self {
        let name = run.fault.map_or("none".to_owned(), |fault| {
            let call = if fault.calls == Stage::Ping { "-on-ping" } else { "-on-post" };
            fault.to_string().trim_end_matches(call).to_owned() + call
        });
        let latency = [run.latency.p50(), run.latency.p99(), run.latency.max()];
        let mut verdict = Self { name, leads: run.form.leads, latency, ..Self::default() };
        verdict.answered = run.records.len();
        verdict.growth_kib = run.growth_kib;
        verdict.bound = FAULTS_IN_ROW + MAX_IN_FLIGHT + probes(run.took + run.form.post_timeout);
        verdict.money(run, baseline);
        verdict.posts(run);
        verdict.holds(run);
        if run.form.is_strict {
            verdict.limits();
        }
        verdict
    }

    fn must(&mut self, holds: bool, what: &str) {
        if !holds {
            self.faults.push(format!("{}: {what}: {}", self.name, self.row()));
        }
    }

    /// A line of the table.
    fn row(&self) -> String {
        let Self { name, leads, answered, latency, revenue, revenue_of_rest, .. } = self;
        let Self { held, lost, worst, bound, posts, growth_kib, .. } = self;
        let [p50, p99, max] = latency.map(|latency| latency.as_millis());
        let posts: Vec<_> = posts.iter().map(|(class, count)| format!("{count} {class}")).collect();
        let (posts, grown) = (posts.join(", "), growth_kib / 1024);
        format!(
            "| {name} | {leads} | {answered} | {p50} | {p99} | {max} | {revenue} | {revenue_of_rest} | {held} | {lost} | {worst} | {bound} | {posts} | {grown} |"
        )
    }

    fn money(&mut self, run: &Run, baseline: &Baseline) {
        let (mut all, mut rest) = (Sums::default(), Sums::default());
        let mut struck: BTreeMap<String, usize> = BTreeMap::new();
        for (number, record) in &run.records {
            let sums = (revenue(record), baseline.0[number]);
            all.add(sums);
            match striker(record) {
                None => rest.add(sums),
                Some((campaign, is_held)) => {
                    *struck.entry(campaign).or_default() += 1;
                    if is_held { self.held += 1 } else { self.lost += 1 }
                }
            }
        }
        self.revenue = all.per_mille();
        self.revenue_of_rest = rest.per_mille();
        self.worst = struck.values().copied().max().unwrap_or(0);
        self.must(self.answered == self.leads, "every lead is answered");
        self.must(self.revenue_of_rest >= REVENUE_MIN, "the others' money stays");
        self.must(!rest.baseline.is_zero(), "there are others");
        if run.fault.is_none_or(|fault| fault.calls == Stage::Ping) {
            self.must(self.revenue >= REVENUE_MIN, "a ping costs no money");
            self.must(self.held + self.lost == 0, "a ping costs no lead");
        }
        if HAS_BREAKER {
            self.must(self.worst <= self.bound, "few leads are held or lost");
        }
    }

    /// Posts to bad buyers are known as what they can be known as.
    fn posts(&mut self, run: &Run) {
        let Some(fault) = run.fault else { return };
        let posts = run.records.values().flat_map(|record| &record.posts);
        let classes = match fault.calls {
            Stage::Ping => &[PostClass::Accepted],
            _ => classes(fault.kind),
        };
        let mut wrong = Vec::new();
        for post in posts.filter(|post| is_bad(post.campaign.buyer.as_str())) {
            let class = post.class;
            *self.posts.entry(class.map_or("open", PostClass::name)).or_default() += 1;
            if !class.is_some_and(|class| classes.contains(&class)) {
                wrong.push(class);
            }
        }
        self.must(wrong.is_empty(), &format!("only {classes:?}, found {wrong:?}"));
        if fault.calls == Stage::Post {
            self.must(!self.posts.is_empty(), "some posts meet the fault");
        }
    }

    /// What is held is listed, and nothing else.
    fn holds(&mut self, run: &Run) {
        let held = run.records.values().filter(|record| record.posts.iter().any(is_unknown));
        let mut held: Vec<_> = held.map(|record| record.id.to_string()).collect();
        held.sort();
        let mut listed = run.listed.clone();
        listed.sort();
        self.must(held == listed, "held leads are listed");
        let open = run.records.values().filter(|record| record.disposition.is_none()).count();
        self.must(open == 0, "every lead settles");
    }

    fn limits(&mut self) {
        let [_, p99, max] = self.latency;
        self.must(p99 <= BUDGET + OVERRUN_P99, "the budget is kept");
        self.must(max <= BUDGET + OVERRUN_MAX, "the budget is kept by all");
        self.must(self.growth_kib <= GROWTH_MAX_KIB, "memory is bounded");
    }
}

fn is_unknown(post: &ledger::PostRecord) -> bool {
    post.class == Some(PostClass::Unknown)
}

/// The bad campaign that holds this lead, or used up its time, and whether it holds it.
fn striker(record: &LeadRecord) -> Option<(String, bool)> {
    let held = record.disposition == Some(Disposition::Indeterminate);
    let bad = |post: &&ledger::PostRecord| is_bad(post.campaign.buyer.as_str());
    let last = record.posts.iter().rfind(bad)?;
    let unsold = record.sales().next().is_none();
    (held || unsold).then(|| (last.campaign.buyer.to_string(), held))
}

/// How many probes an open breaker makes in that time.
fn probes(took: Duration) -> usize {
    let seconds = took.as_secs();
    let last = PROBES_AFTER[PROBES_AFTER.len() - 1];
    let waits = PROBES_AFTER.into_iter().chain(std::iter::repeat(last));
    let at = waits.scan(0, |at, wait| {
        *at += wait;
        Some(*at)
    });
    at.take_while(|at| *at <= seconds).count()
}

#[derive(Default)]
struct Sums {
    brought: Decimal,
    baseline: Decimal,
}

impl Sums {
    fn add(&mut self, (brought, baseline): (Decimal, Decimal)) {
        self.brought += brought;
        self.baseline += baseline;
    }

    /// All of nothing is a thousand.
    fn per_mille(&self) -> u64 {
        let parts = (self.brought * Decimal::ONE_THOUSAND).checked_div(self.baseline);
        parts.map_or(1000, |parts| u64::try_from(parts.trunc()).unwrap_or(0))
    }
}

/// The table of all runs, the one without bad buyers first.
pub(super) fn table(alone: &Verdict, verdicts: &[Verdict]) -> String {
    let mut text = String::from(
        "\n| fault | leads | answered | p50 ms | p99 ms | max ms | revenue ‰ | of the rest ‰ | held | lost | worst | bound | posts to bad buyers | + MiB |\n|---|---|---|---|---|---|---|---|---|---|---|---|---|---|\n",
    );
    for verdict in std::iter::once(alone).chain(verdicts) {
        writeln!(text, "{}", verdict.row()).unwrap();
    }
    text
}

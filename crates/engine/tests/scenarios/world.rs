//! An engine on virtual time with scripted buyers and a ledger in memory, and what came of one lead in
//! it as plain facts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use engine::explain::operator;
use engine::{Arrival, BreakerRules, Engine, Parts, Refusal, Reserves, Snapshot, Suppressions};
use jiff::{SignedDuration, Timestamp};
use lead::{Answer, CampaignKey, Clock, LeadId, PayoutBasis, PostClass, Status, Submission};
use ledger::{
    Claimant, Digest, Entry, KeptMarket, LeadRecord, Ledger, Limit, MemoryLedger, OpenIntent,
    PostRecord, PostRow, RESALE_SLOTS, Receipt, Recovery, Refused, SourceQuery, StoredRequest,
    Write,
};
use market::{Campaign, CapLimit, OnAmbiguous};

use crate::buyers::FakeBuyers;
use crate::explain;
use crate::file::{Facts, Scenario, short};

/// Both times move with tokio's clock, from a fixed start.
struct VirtualClock {
    began: tokio::time::Instant,
}

impl Clock for VirtualClock {
    fn timestamp(&self) -> Timestamp {
        let start: Timestamp = "2026-03-02T09:00:00Z".parse().unwrap();
        start + SignedDuration::try_from(self.began.elapsed()).unwrap()
    }

    fn instant(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// A ledger that is shared with the buyers, counts commits, fails one on demand and takes its time.
#[derive(Clone, Default)]
pub(crate) struct Books(Arc<Shelf>);

#[derive(Default)]
struct Shelf {
    ledger: MemoryLedger,
    commits: AtomicUsize,
    notes: AtomicUsize,
    fail_at: AtomicUsize,
    /// The commit at which everything stops, as in a crash: before it is stored, and after it.
    stop_before: AtomicUsize,
    stop_after: AtomicUsize,
    /// So many records are of leads that are forgotten.
    past: AtomicUsize,
}

impl Books {
    /// Refuses the `nth` commit, counted from 1.
    pub(crate) fn fail_commit(&self, nth: usize) {
        self.0.fail_at.store(nth, Ordering::Relaxed);
    }

    /// Never lets the `nth` commit return, counted from 1: stored first or not.
    pub(crate) fn stop_at_commit(&self, nth: usize, stored: bool) {
        let (before, after) = if stored { (0, nth) } else { (nth, 0) };
        self.0.stop_before.store(before, Ordering::Relaxed);
        self.0.stop_after.store(after, Ordering::Relaxed);
    }

    /// Commits tried, but for those that say no more than what a publisher was told during a post.
    pub(crate) fn commits(&self) -> usize {
        self.0.commits.load(Ordering::Relaxed) - self.0.notes.load(Ordering::Relaxed)
    }

    /// Counts anew, from the next lead on.
    pub(crate) fn forget(&self) {
        for count in [&self.0.commits, &self.0.notes] {
            count.store(0, Ordering::Relaxed);
        }
        self.0.past.store(self.0.ledger.records().len(), Ordering::Relaxed);
    }

    pub(crate) fn memory(&self) -> &MemoryLedger {
        &self.0.ledger
    }

    pub(crate) fn only_record(&self) -> Option<LeadRecord> {
        let mut records = self.0.ledger.records();
        let past = self.0.past.load(Ordering::Relaxed);
        assert!(records.len() <= past + 1, "one lead makes one record");
        records.drain(..past);
        records.into_iter().next()
    }
}

impl Ledger for Books {
    async fn commit(&self, write: Write) -> Result<Receipt, Refused> {
        // A disk takes time: whoever does not wait for it is found out.
        tokio::task::yield_now().await;
        if matches!(write.entries.as_slice(), [Entry::Answered(_)]) {
            self.0.notes.fetch_add(1, Ordering::Relaxed);
        }
        let nth = self.0.commits.fetch_add(1, Ordering::Relaxed) + 1;
        if nth == self.0.fail_at.load(Ordering::Relaxed) {
            return Err(Refused::Unavailable("disk full".to_owned()));
        }
        if nth == self.0.stop_before.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        let receipt = self.0.ledger.commit(write).await;
        if nth == self.0.stop_after.load(Ordering::Relaxed) {
            return std::future::pending().await;
        }
        receipt
    }

    async fn lead(&self, id: LeadId) -> Result<Option<LeadRecord>, Refused> {
        self.0.ledger.lead(id).await
    }

    async fn source_leads(&self, query: SourceQuery) -> Result<Vec<LeadRecord>, Refused> {
        self.0.ledger.source_leads(query).await
    }

    async fn numbered(&self, sequence: lead::Sequence) -> Result<Option<LeadId>, Refused> {
        self.0.ledger.numbered(sequence).await
    }

    async fn claimants(&self, keys: &[Digest]) -> Result<Vec<Claimant>, Refused> {
        self.0.ledger.claimants(keys).await
    }

    async fn request(&self, key: Digest) -> Result<Option<StoredRequest>, Refused> {
        self.0.ledger.request(key).await
    }

    async fn newest_market(&self) -> Result<Option<KeptMarket>, Refused> {
        self.0.ledger.newest_market().await
    }

    async fn market(&self, version: u64) -> Result<Option<String>, Refused> {
        self.0.ledger.market(version).await
    }

    async fn keep_market(&self, market: KeptMarket) -> Result<(), Refused> {
        self.0.ledger.keep_market(market).await
    }

    fn digest(&self, domain: &'static str, parts: &[&[u8]]) -> Digest {
        self.0.ledger.digest(domain, parts)
    }

    fn trouble(&self) -> Option<String> {
        self.0.ledger.trouble()
    }
}

impl Recovery for Books {
    async fn open_intents(&self) -> Result<Vec<OpenIntent>, Refused> {
        self.0.ledger.open_intents().await
    }

    async fn leads_unsettled(&self) -> Result<Vec<LeadId>, Refused> {
        self.0.ledger.leads_unsettled().await
    }

    fn visit_posts(&self, visit: &(dyn Fn(Vec<PostRow>) + Sync)) -> Result<(), Refused> {
        self.0.ledger.visit_posts(visit)
    }

    fn visit_pings(
        &self,
        since: Timestamp,
        visit: &mut dyn FnMut(&CampaignKey, Timestamp),
    ) -> Result<(), Refused> {
        self.0.ledger.visit_pings(since, visit)
    }
}

fn engine(
    market: market::Market,
    buyers: &FakeBuyers,
    books: &Books,
    (began, byte, in_flight_max): (tokio::time::Instant, AtomicU8, usize),
) -> Engine<FakeBuyers, Books> {
    Engine::new(Parts {
        snapshot: Snapshot::compile(market, 1).unwrap(),
        buyers: buyers.clone(),
        ledger: books.clone(),
        clock: Arc::new(VirtualClock { began }),
        entropy: Arc::new(move |bytes| bytes.fill(byte.fetch_add(1, Ordering::Relaxed))),
        reserves: Reserves::default(),
        in_flight_max,
        suppressions: Suppressions::default(),
        leads_per_ip_minute: u32::MAX,
        fraud: engine::FraudRules::default(),
        breakers: BreakerRules::default(),
    })
}

/// One engine, its buyers and its books.
pub(crate) struct World {
    pub(crate) engine: Engine<FakeBuyers, Books>,
    pub(crate) buyers: FakeBuyers,
    pub(crate) books: Books,
    submission: Submission,
    budget: Option<Duration>,
    expected: Facts,
    before: u32,
    slots: u16,
    /// A buyer's group, else itself.
    families: BTreeMap<String, String>,
    /// The campaigns whose unknown posts are sold on.
    risks: BTreeSet<CampaignKey>,
    began: tokio::time::Instant,
    arrivals: AtomicU8,
}

impl World {
    pub(crate) fn of(scenario: Scenario) -> Self {
        Self::with_room_for(64, scenario)
    }

    pub(crate) fn with_room_for(in_flight_max: usize, scenario: Scenario) -> Self {
        let Scenario { market, submission, budget, entropy, before, manners, expected } = scenario;
        let books = Books::default();
        let contact = &submission.contact;
        let secrets = [&contact.first_name, &contact.last_name, &contact.email, &contact.phone];
        let secrets = secrets.into_iter().flatten().cloned();
        let born = contact.birth_date.map(|date| date.to_string());
        let buyers = FakeBuyers::new(manners, books.clone(), secrets.chain(born).collect());
        let began = tokio::time::Instant::now();
        let byte = AtomicU8::new(entropy);
        let slots = market.products.values().next().map_or(1, |product| product.slots);
        let family = |buyer: &market::Buyer| {
            let id = buyer.id.to_string();
            (id.clone(), buyer.group.as_ref().map_or(id, |group| format!("group {group}")))
        };
        let families = market.buyers.values().map(family).collect();
        let risky = |it: &&Arc<Campaign>| it.on_ambiguous == OnAmbiguous::NextBuyer;
        let risks = market.campaigns.values().filter(risky).map(|it| it.key.clone()).collect();
        let engine = engine(market, &buyers, &books, (began, byte, in_flight_max));
        Self {
            engine,
            buyers,
            books,
            submission,
            budget,
            expected,
            before,
            slots,
            families,
            risks,
            began,
            arrivals: AtomicU8::new(0),
        }
    }

    /// Another engine over the same books, as after a crash.
    pub(crate) async fn restart(&mut self) {
        let market = (*self.engine.snapshot().market).clone();
        let own = (self.began, AtomicU8::new(128), 64);
        self.engine = engine(market, &self.buyers, &self.books, own);
        self.engine.recover().await.unwrap();
    }

    /// Whether a post that may have sold was sold on, which must say so: everything later for the same
    /// place, or for any of a lead that may be sold whole, is at risk.
    fn is_sold_on(&self, post: &PostRecord, later: &[PostRecord]) -> bool {
        let place = |post: &PostRecord| post.slot % RESALE_SLOTS;
        let again = |it: &PostRecord| place(post) == 0 || place(post) == place(it);
        post.is_unclear()
            && self.risks.contains(&post.campaign)
            && later.iter().any(|it| it.is_at_risk() && again(it))
    }

    fn family(&self, post: &PostRecord) -> &String {
        &self.families[post.campaign.buyer.as_str()]
    }

    /// The lead, in a request of its own.
    pub(crate) fn arrival(&self) -> Arrival {
        let clock = VirtualClock { began: self.began };
        Arrival {
            submission: self.submission.clone(),
            at: clock.timestamp(),
            instant: clock.instant(),
            budget: self.budget,
            key: None,
            ping: None,
            body: [self.arrivals.fetch_add(1, Ordering::Relaxed); 32],
        }
    }

    /// Sells the lead and takes the answer.
    pub(crate) async fn sell(&self) -> Result<Answer, Refusal> {
        let delivery = self.engine.distribute(self.arrival()).await?;
        let answer = delivery.answer.clone();
        delivery.arrived();
        Ok(answer)
    }

    /// Milliseconds of virtual time so far.
    pub(crate) fn elapsed_ms(&self) -> u128 {
        self.began.elapsed().as_millis()
    }

    /// Sells the lead as often as its scenario says and a last time, waits for everything that goes on
    /// after that answer, and tells what came of it.
    pub(crate) async fn play(&self) -> Facts {
        let mut facts = Facts::new();
        for _ in 0..self.before {
            // Until the late answers of the one before have been waited for.
            tokio::time::sleep(Duration::from_millis(2_500)).await;
            assert!(self.sell().await.is_ok());
            self.engine.drain().await;
        }
        if self.before > 0 {
            self.books.forget();
            self.buyers.forget();
        }
        let began = self.elapsed_ms();
        let answer = self.sell().await;
        let answered = self.elapsed_ms() - began;
        self.engine.drain().await;
        let ended = self.elapsed_ms() - began;
        facts.insert("answered_ms".to_owned(), answered.to_string());
        if ended != answered {
            facts.insert("ended_ms".to_owned(), ended.to_string());
        }
        match answer {
            Ok(answer) => self.tell(&answer, &mut facts).await,
            Err(refusal) => {
                facts.insert("refusal".to_owned(), refusal.to_string());
            }
        }
        self.tell_of_buyers(&mut facts);
        facts
    }

    async fn tell(&self, answer: &Answer, facts: &mut Facts) {
        told(answer, "", facts);
        let Some((id, _)) = answer.lead else {
            facts.insert("lead".to_owned(), "none".to_owned());
            return;
        };
        let publisher = &self.submission.publisher;
        let later = self.engine.find(publisher, id).await.unwrap().unwrap();
        if later != *answer {
            told(&later, "later.", facts);
        }
        let record = self.books.lead(id).await.unwrap().unwrap();
        let outcome = record.outcome.map(|outcome| format!("{outcome:?}").to_lowercase());
        facts.extend(outcome.map(|outcome| ("outcome".to_owned(), outcome)));
        let disposition = record.disposition.map_or("open", lead::Disposition::name);
        facts.insert("disposition".to_owned(), disposition.to_owned());
        let billed: Vec<String> = record.sales().map(|sale| sale.price.to_wire()).collect();
        if !billed.is_empty() {
            facts.insert("billed".to_owned(), billed.join(", "));
        }
        let risky: Vec<String> = record
            .posts
            .iter()
            .filter(|post| post.is_at_risk())
            .map(|post| short(&post.campaign))
            .collect();
        if !risky.is_empty() {
            facts.insert("at_risk".to_owned(), risky.join(", "));
        }
        for decision in &record.decisions {
            let key = format!("code {}", short(&decision.campaign));
            facts.insert(key, decision.code.number().to_string());
        }
        self.tell_why(&record, facts);
    }

    /// Of what an explanation adds, a scenario is held to what it names.
    fn tell_why(&self, record: &LeadRecord, facts: &mut Facts) {
        for row in operator(record, Some(&self.engine.snapshot())).rows {
            let name = short(&row.campaign);
            let amount = |limit| match limit {
                CapLimit::Leads(leads) => leads.to_string(),
                CapLimit::Spend(money) => money.to_string(),
            };
            let limit = row.limit.map(|limit| {
                let Limit { party, cap, used, window } = limit;
                let until = window.map_or_else(String::new, |(_, end)| format!(" until {end}"));
                format!("{} {cap}, {} used{until}", party.name(), amount(used))
            });
            let added = [
                ("code", row.code.map(|code| code.number().to_string())),
                ("score", row.score.map(|score| score.normalize().to_string())),
                ("limit", limit),
                ("price_to_win", row.price_to_win.map(lead::Money::to_wire)),
                (
                    "failed",
                    row.failed.first().map(|it| format!("{} {}", it.path, it.verdict.name())),
                ),
            ];
            for (what, value) in added {
                let key = format!("{what} {name}");
                if self.expected.contains_key(&key) {
                    facts.insert(key, value.unwrap_or_else(|| "nothing".to_owned()));
                }
            }
        }
    }

    /// Of what pings show, a scenario is held to the attributes that it names.
    fn tell_of_buyers(&self, facts: &mut Facts) {
        let mut note = |key: &str, names: Vec<String>| {
            if !names.is_empty() {
                facts.insert(key.to_owned(), names.join(", "));
            }
        };
        note("pings", self.buyers.pings());
        note("posts", self.buyers.posts());
        note("retries", self.buyers.retries());
        note("queries", self.buyers.queries());
        let shown = self.buyers.shown();
        for key in self.expected.keys().filter(|key| key.starts_with("shown.")) {
            let value = shown.get(key.trim_start_matches("shown.")).map_or("nothing", |v| v);
            facts.insert(key.clone(), value.to_owned());
        }
    }

    /// Whether the record says who was pinged, which caps of pings go by.
    pub(crate) fn names_who_was_pinged(&self) -> bool {
        let rows = self.books.only_record().map(|record| record.decisions).unwrap_or_default();
        let pinged = rows.iter().filter(|row| row.ping_ms.is_some());
        let mut pinged: Vec<String> = pinged.map(|row| short(&row.campaign)).collect();
        pinged.sort();
        pinged == self.buyers.pings()
    }

    /// What must hold after any lead, whatever its scenario.
    pub(crate) fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut must = |holds: bool, what: &str| {
            if !holds {
                faults.push(what.to_owned());
            }
        };
        let commits = self.books.commits();
        let Some(record) = self.books.only_record() else {
            must(commits == 0, "something was written of a lead that is not kept");
            must(self.buyers.posts().is_empty(), "a lead was posted that is not kept");
            return faults;
        };
        let posted: Vec<String> = record.posts.iter().map(|post| short(&post.campaign)).collect();
        must(posted == self.buyers.posts(), "the record does not name who was posted to");
        must(record.posts.iter().all(|post| post.class.is_some()), "an intent was left open");
        let held = |post: &PostRecord| {
            matches!(post.class, Some(PostClass::Accepted | PostClass::Unknown))
        };
        let risky = record.posts.iter().find(|post| post.is_at_risk());
        let may_be_risky = record.posts.iter().any(|post| self.risks.contains(&post.campaign));
        must(risky.is_none() || may_be_risky, "a risk was taken that nobody allowed");
        let (sold_on, held): (Vec<_>, Vec<_>) =
            record.posts.iter().zip(1..).filter(|(post, _)| held(post)).partition(
                |(post, later)| self.is_sold_on(post, record.posts.get(*later..).unwrap_or(&[])),
            );
        let held: Vec<&PostRecord> = held.into_iter().map(|(post, _)| post).collect();
        must(held.len() <= self.slots.into(), "more is sold or held than the lead has slots");
        let whole = held.iter().filter(|post| post.slot % RESALE_SLOTS == 0).count();
        must(whole == 0 || held.len() == 1, "the lead was sold whole and to others too");
        let told = held.len() + sold_on.len();
        let sold_on = sold_on.into_iter().map(|(post, _)| post);
        let mut families: Vec<&String> =
            held.iter().copied().chain(sold_on).map(|it| self.family(it)).collect();
        families.sort();
        families.dedup();
        must(families.len() == told, "a buyer or group has the lead twice");
        must(record.disposition.is_some(), "the lead has not settled");
        let explained = explain::faults(&record, &self.engine.snapshot());
        must(explained.is_empty(), &explained.join("; "));
        must(
            record.posts.iter().all(|post| post.payout.amount <= post.price.amount),
            "a payout is greater than its price",
        );
        must(commits == record.posts.len() + 1, "a reject and what follows it share one commit");
        faults
    }
}

fn told(answer: &Answer, prefix: &str, facts: &mut Facts) {
    let mut note = |key: &str, value: String| {
        facts.insert(format!("{prefix}{key}"), value);
    };
    note("final", answer.is_final.to_string());
    assert_eq!(answer.external_id.as_deref(), Some("aff-123"), "echoed");
    assert_eq!(answer.tags.get("click_id").map(String::as_str), Some("abc"), "echoed");
    match &answer.status {
        Status::New => note("status", "new".to_owned()),
        Status::Rejected(reason) => {
            note("status", "rejected".to_owned());
            note("reason", reason.to_string());
        }
        Status::Distributed { redirect_url, payout, basis, sales } => {
            note("status", "distributed".to_owned());
            note("payout", due(*payout, *basis));
            if !sales.is_empty() {
                let payouts = sales.iter().map(|sale| due(sale.payout, sale.basis));
                note("sales", payouts.collect::<Vec<_>>().join(", "));
            }
            if let Some(url) = redirect_url {
                note("redirect_url", url.clone());
            }
        }
    }
}

fn due(payout: lead::Money, basis: PayoutBasis) -> String {
    match basis {
        PayoutBasis::Sale => payout.to_wire(),
        PayoutBasis::Outcome => format!("{} with its outcome", payout.to_wire()),
    }
}

/// Whether the ledger was the reason.
pub(crate) fn is_of_the_ledger(answer: &Result<Answer, Refusal>) -> bool {
    matches!(answer, Err(Refusal::Ledger(_)))
}

//! Against a list of events that is counted again from the beginning every time.

use super::*;
use jiff::ToSpan;
use proptest::prelude::*;
use rust_decimal::Decimal;

/// What is known of one post, or that it was a ping.
#[derive(Debug, Clone, Copy, PartialEq)]
enum State {
    Ping,
    Held,
    Sold,
    Refused,
    NotSent,
}

#[derive(Debug, Clone, Copy)]
struct Event {
    who: usize,
    deal: Deal,
    at: Timestamp,
    state: State,
}

/// One step of a run: what, by whom, for how much, after how long.
type Step = (u8, usize, i64, i64);

/// Two moments fall in one window when the local clock says the same down to the window.
fn same(window: Window, zone: &TimeZone, a: Timestamp, b: Timestamp) -> bool {
    let key = |moment: Timestamp| {
        let local = zone.to_datetime(moment);
        let (date, offset) = (local.date(), zone.to_offset(moment).seconds());
        let week = date.iso_week_date();
        match window {
            Window::Minute => format!("{date} {}:{} {offset}", local.hour(), local.minute()),
            Window::Hour => format!("{date} {} {offset}", local.hour()),
            Window::Day => date.to_string(),
            Window::Week => format!("{} {}", week.year(), week.week()),
            Window::Month => format!("{} {}", date.year(), date.month()),
            Window::Total => String::new(),
        }
    };
    key(a) == key(b)
}

/// Whose caps, and whether an event is theirs.
type Theirs<'a> = (&'a [Cap], &'a dyn Fn(&Parties) -> bool, fn(Deal) -> Money);

struct Oracle<'a> {
    parties: &'a [Parties],
    events: Vec<Event>,
}

impl Oracle<'_> {
    fn used(
        &self,
        cap: &Cap,
        theirs: &Theirs<'_>,
        zone: &TimeZone,
        at: Timestamp,
    ) -> (u64, Decimal) {
        let of = |state| match cap.of {
            CapOf::Sold => matches!(state, State::Held | State::Sold),
            CapOf::Posted => matches!(state, State::Held | State::Sold | State::Refused),
            CapOf::Pinged => state == State::Ping,
        };
        let mut sum = (0, Decimal::ZERO);
        for event in self.events.iter().filter(|event| of(event.state)) {
            if theirs.1(&self.parties[event.who]) && same(cap.per, zone, event.at, at) {
                sum = (sum.0 + 1, sum.1 + theirs.2(event.deal).amount);
            }
        }
        sum
    }

    /// Whether every cap of every party has room for `deal`.
    fn admits(&self, who: usize, deal: Deal, of: &[CapOf], at: Timestamp) -> bool {
        let me = &self.parties[who];
        let all: [Theirs<'_>; 3] = [
            (&me.campaign, &|p| p.key == me.key, |deal| deal.price),
            (&me.buyer, &|p| p.key.buyer == me.key.buyer, |deal| deal.price),
            (&me.seller, &|p| p.publisher == me.publisher, |deal| deal.payout),
        ];
        let caps = all.iter().all(|theirs| {
            theirs.0.iter().filter(|cap| of.contains(&cap.of)).all(|cap| {
                let (count, money) = self.used(cap, theirs, &me.zone, at);
                match cap.limit {
                    CapLimit::Leads(most) => count < most,
                    CapLimit::Spend(most) => money + theirs.2(deal).amount <= most.amount,
                }
            })
        });
        let money = spend(Window::Total, "1");
        let taken = self.used(&money, &all[1], &me.zone, at).1;
        let funds = me.funds.is_none_or(|funds| taken + deal.price.amount <= funds.amount);
        caps && (funds || of == [CapOf::Pinged])
    }
}

fn cap() -> impl Strategy<Value = Cap> {
    let window = prop::sample::select(Window::ALL.to_vec());
    let of = prop::sample::select(CapOf::ALL.to_vec());
    (window, of, 1u64..8, any::<bool>()).prop_map(|(per, of, most, money)| {
        if money { spend(per, &(most * 10).to_string()) } else { leads(per, most, of) }
    })
}

fn parties() -> impl Strategy<Value = Vec<Parties>> {
    let zones = ["Europe/Madrid", "Asia/Kathmandu", "America/New_York", "Australia/Lord_Howe"];
    let caps = || prop::collection::vec(cap(), 0..3);
    let all =
        (prop::sample::select(zones.to_vec()), [caps(), caps(), caps()], [caps(), caps()], caps());
    (all, prop::option::of(20u32..200)).prop_map(|((name, own, of_buyers, seller), funds)| {
        let [a, b, c] = own;
        let [of_x, of_y] = of_buyers;
        let seller: Vec<Cap> = seller.into_iter().filter(|cap| cap.of == CapOf::Sold).collect();
        [("x", "a", a, &of_x), ("x", "b", b, &of_x), ("y", "a", c, &of_y)]
            .into_iter()
            .map(|(buyer, campaign, own, of_buyer)| Parties {
                zone: zone(name),
                campaign: own,
                buyer: of_buyer.clone(),
                seller: seller.clone(),
                funds: funds.filter(|_| buyer == "x").map(|sum| euros(&sum.to_string())),
                ..Parties::new(buyer, campaign)
            })
            .collect()
    })
}

/// Runs the steps on both, and says where they differ.
fn run(parties: &[Parties], steps: &[Step], from: Timestamp) -> Result<Vec<Event>, TestCaseError> {
    let books = Reservations::default();
    let mut oracle = Oracle { parties, events: Vec::new() };
    let mut open: Vec<(usize, Reservation)> = Vec::new();
    let mut now = from;
    for (what, who, cents, minutes) in steps.iter().copied() {
        now += minutes.minutes();
        let amount = |cents| Money { amount: Decimal::new(cents, 2), currency: eur() };
        let deal = Deal { price: amount(cents), payout: amount(cents / 2) };
        let scope = parties[who].scope();
        let event = Event { who, deal, at: now, state: State::Held };
        match what {
            0 => {
                let room = oracle.admits(who, deal, &[CapOf::Pinged], now);
                prop_assert_eq!(books.pinged(&scope, now).is_ok(), room);
                oracle.events.extend(room.then_some(Event { state: State::Ping, ..event }));
            }
            1..=4 => {
                let room = oracle.admits(who, deal, &[CapOf::Sold, CapOf::Posted], now);
                let taken = books.reserve(&scope, deal, now);
                prop_assert_eq!(taken.is_ok(), room, "{:?} {}", taken, now);
                if let Ok(taken) = taken {
                    open.push((oracle.events.len(), taken));
                    oracle.events.push(event);
                }
            }
            _ if open.is_empty() => {}
            _ => {
                let (index, taken) = open.swap_remove(usize::try_from(cents).unwrap() % open.len());
                let event = &mut oracle.events[index];
                decide(&books, &parties[event.who].scope(), what, taken, event);
            }
        }
    }
    let again = Reservations::default();
    let mut events = oracle.events.clone();
    events.reverse();
    restore(&again, parties, &events);
    prop_assert_eq!(dump(&again), dump(&books));
    Ok(events)
}

fn decide(
    books: &Reservations,
    scope: &Scope<'_>,
    what: u8,
    taken: Reservation,
    event: &mut Event,
) {
    match what {
        5 => {
            event.deal.price.amount /= Decimal::TWO;
            taken.commit(event.deal);
            event.state = State::Sold;
        }
        6 => {
            taken.release(true);
            event.state = State::Refused;
        }
        7 => {
            taken.release(false);
            event.state = State::NotSent;
        }
        8 => drop(taken),
        _ => {
            taken.freeze();
            books.settle_frozen(scope, event.deal, event.at, None);
            event.state = State::Refused;
        }
    }
}

fn restore(books: &Reservations, parties: &[Parties], events: &[Event]) {
    for (row, event) in events.iter().enumerate() {
        let scope = parties[event.who].scope();
        let class = match event.state {
            State::Ping => {
                books.restore_ping(&scope, event.at);
                continue;
            }
            State::Held if row % 2 == 0 => None,
            State::Held => Some(PostClass::Unknown),
            State::Sold => Some(PostClass::Accepted),
            State::Refused => Some(PostClass::Rejected),
            State::NotSent => Some(PostClass::NotSent),
        };
        books.restore(&scope, std::iter::once((class, event.deal, event.at)));
    }
}

fn steps(minutes: std::ops::Range<i64>) -> impl Strategy<Value = Vec<Step>> {
    prop::collection::vec((0u8..10, 0usize..3, 1i64..3_000, minutes), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Around a change of clocks, with a clock that also steps back.
    #[test]
    fn counts_equal_a_recount(parties in parties(), steps in steps(-20..90)) {
        for from in ["2026-03-28T12:00:00Z", "2026-04-04T00:00:00Z", "2026-10-24T20:00:00Z"] {
            run(&parties, &steps, at(from))?;
        }
    }

    /// Over months, so that windows are let go.
    #[test]
    fn counts_equal_a_recount_over_months(parties in parties(), steps in steps(0..20_000)) {
        run(&parties, &steps, at("2027-12-20T00:00:00Z"))?;
    }

    /// Money as bids make it, and the ledger fed in any order.
    #[test]
    fn restoring_does_not_depend_on_the_order(
        (steps, seed) in (steps(0..20_000), any::<u64>()), parties in parties(),
    ) {
        let mut events = run(&parties, &steps, at("2027-12-20T00:00:00Z"))?;
        let restored = |events: &[Event]| {
            let books = Reservations::default();
            restore(&books, &parties, events);
            dump(&books)
        };
        let before = restored(&events);
        let shift = usize::try_from(seed % 61).unwrap() % events.len().max(1);
        events.rotate_left(shift);
        if seed % 2 == 0 {
            events.reverse();
        }
        prop_assert_eq!(restored(&events), before);
    }
}

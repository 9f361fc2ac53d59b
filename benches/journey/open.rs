//! The open loop: leads come at a steady rate whether or not earlier ones are answered, and wait from the time
//! at which they should have left. What is added to slow buyers, and what a buyer that hangs does.

use std::time::Duration;

use benches::{Round, median};

use crate::figures::Histogram;
use crate::load::{self, Load, Void};
use crate::market::{self, HANGING, SLOW, STUMBLING, Scene};
use crate::options::Options;
use crate::subject::{Buyers, Kind, Subject};
use crate::{sell, the};

/// Leads a second to slow buyers, and to four of which one hangs.
const RATE: u64 = 400;
const RATE_HUNG: u64 = 200;
/// What publishers give with a buyer that hangs, and what an answer may take longer.
const BUDGET_MS: u32 = 100;
const OVER: Duration = Duration::from_millis(5);

/// How long leads took in each round: the median, the 99th percentile, the longest.
#[derive(Debug, Default)]
struct Waits(Vec<[Duration; 3]>);

impl Waits {
    fn add(&mut self, round: &Round) {
        self.0.push([round.wait(500), round.wait(990), round.wait(1_000)]);
    }

    /// The middle of the rounds' figures; of the longest, the longest.
    fn middle(&self) -> [Duration; 3] {
        let of = |index: usize| self.0.iter().map(move |round| round[index]);
        [median(of(0)), median(of(1)), of(2).max().unwrap_or_default()]
    }

    /// How much more the median and the 99th percentile were, round by round; the middle of that.
    fn over(&self, other: &Self) -> [Duration; 2] {
        [0, 1].map(|index| {
            let pairs = self.0.iter().zip(&other.0);
            median(pairs.map(|(own, other)| own[index].saturating_sub(other[index])))
        })
    }
}

/// What a subject adds to the slowest buyer's time. Prints a table; returns how many rows are void.
pub(crate) fn added(subjects: &[Subject], buyers: &Buyers, options: &Options) -> usize {
    let load =
        Load { connections: 128, rate: Some(RATE), time: options.window * 2, good: options.good };
    let chosen: Vec<_> = [Kind::Engine, Kind::Floor]
        .into_iter()
        .filter_map(|kind| the(kind, subjects).map(|index| &subjects[index]))
        .collect();
    let engine = chosen[0];
    let mut direct = Ok(Waits::default());
    let mut waits: Vec<_> = chosen.iter().map(|_| Ok(Waits::default())).collect();
    let mut commits = Histogram::read(&engine.metrics());
    // The first round opens connections and warms up.
    for round in 0..=options.rounds {
        if round == 1 {
            commits = Histogram::read(&engine.metrics());
        }
        note(&mut direct, straight(buyers, &load), round);
        for place in 0..chosen.len() {
            let index = (place + round) % chosen.len();
            note(&mut waits[index], sell(chosen[index], SLOW, &load, None).all_sold(), round);
        }
    }
    let commits = Histogram::read(&engine.metrics()).since(&commits);
    println!("Open loop, {RATE} leads/s, four buyers that take 20 ms to bid:\n");
    println!("| | p50 | p99 | longest | added p50 | added p99 |\n|---|---|---|---|---|---|");
    print_row("a buyer without anything between", &direct, &direct);
    for (subject, waits) in chosen.iter().zip(&waits) {
        print_row(&subject.name, waits, &direct);
    }
    let (p50, p99) = (commits.quantile(500), commits.quantile(990));
    println!("\nThe engine's commits meanwhile: p50 {p50:.2?}, p99 {p99:.2?}.");
    if let (Ok(direct), [Ok(engine), Ok(floor)]) = (&direct, &waits[..]) {
        let [floor_50, floor_99] = floor.over(direct);
        let (most_50, most_99) =
            (floor_50 + 2 * p50 + Duration::from_micros(200), 3 * floor_99 + p99);
        let [own_50, own_99] = engine.over(direct);
        println!(
            "Wanted are at most {most_50:.2?} and {most_99:.2?} more than the buyer takes; it is {own_50:.2?} and {own_99:.2?}.\n"
        );
    }
    waits.iter().chain([&direct]).filter(|waits| waits.is_err()).count()
}

/// Pings to one buyer with nothing between.
fn straight(buyers: &Buyers, load: &Load) -> Result<Round, Void> {
    let ping = || {
        let body = market::lead(SLOW, 0);
        format!("POST /ping HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into()
    };
    let buyer = buyers.at[SLOW.first];
    let load = Load { good: br#""status":"bid""#, ..*load };
    load::run(buyer, &load, &ping).all_sold()
}

fn note(waits: &mut Result<Waits, Void>, round: Result<Round, Void>, number: usize) {
    match (&mut *waits, round) {
        (_, _) if number == 0 => {}
        (Ok(waits), Ok(round)) => waits.add(&round),
        (_, Err(void)) => *waits = Err(void),
        (Err(_), Ok(_)) => {}
    }
}

fn print_row(name: &str, waits: &Result<Waits, Void>, direct: &Result<Waits, Void>) {
    match (waits, direct) {
        (Ok(waits), Ok(direct)) => {
            let ([p50, p99, max], [more_50, more_99]) = (waits.middle(), waits.over(direct));
            println!(
                "| {name} | {p50:.2?} | {p99:.2?} | {max:.2?} | {more_50:.2?} | {more_99:.2?} |"
            );
        }
        (Err(void), _) | (_, Err(void)) => println!("| {name} | {void} | | | | |"),
    }
}

/// One of four buyers leaves pings without an answer; publishers give 100 ms, and what is not sold then is
/// part of the result. Prints a table; returns how many rows sold nothing.
pub(crate) fn hung(engine: &Subject, options: &Options) -> usize {
    println!("Open loop, {RATE_HUNG} leads/s, one of four buyers hangs, budget {BUDGET_MS} ms:\n");
    println!("| it hangs | p50 | p99 | longest | sold | it was asked for |");
    println!("|---|---|---|---|---|---|");
    let rows = [("at one ping in twenty", STUMBLING), ("always", HANGING)];
    let sold = rows.map(|(name, scene)| hung_row(engine, options, name, scene));
    let most = Duration::from_millis(BUDGET_MS.into()) + OVER;
    println!("\nWanted is a p99 of at most {most:.0?}.\n");
    sold.iter().filter(|sold| **sold == 0).count()
}

/// Prints how long leads took; returns how many were sold.
fn hung_row(engine: &Subject, options: &Options, name: &str, scene: Scene) -> u64 {
    let load = Load {
        connections: 64,
        rate: Some(RATE_HUNG),
        time: options.window * 2,
        good: options.good,
    };
    // With all the time that they want: the engine learns how long posts take.
    drop(sell(engine, scene, &load, None));
    let before = engine.pings().unwrap_or_default();
    let (mut waits, mut leads, mut unsold) = (Waits::default(), 0, 0);
    for _ in 0..options.rounds {
        let answered = sell(engine, scene, &load, Some(BUDGET_MS));
        leads += answered.round.done;
        unsold += answered.unsold;
        waits.add(&answered.round);
    }
    let sold = leads - unsold;
    let others = leads * (scene.count as u64 - 1);
    let asked = (engine.pings().unwrap_or_default() - before).saturating_sub(others);
    let [p50, p99, max] = waits.middle();
    println!(
        "| {name} | {p50:.1?} | {p99:.1?} | {max:.1?} | {sold} of {leads} | {asked} of {leads} |"
    );
    sold
}

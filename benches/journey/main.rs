//! Leads through the whole engine, as released and on its own core, beside the bare floor and a Node server
//! that make the same calls: as many pings at once as campaigns want the lead, then one post. Interleaved
//! rounds, rotated order, medians. Prints nothing of a run in which a lead was not sold.
//!
//! `npm ci --prefix benches/node` once, then `cargo bench -p benches --bench journey [-- ROUNDS]`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, reads the real clock and stops when it cannot go on"
)]

mod figures;
mod load;
mod market;
mod subject;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use benches::{Round, median};
use load::Load;
use market::{CAMPAIGNS, HANGING, INSTANT, SLOW, Scene};
use subject::{Buyers, Subject};

/// At least nine: with fewer, medians of ratios still move by a fifth.
const ROUNDS: usize = 9;

/// Nobody is posted twice.
static NUMBER: AtomicU64 = AtomicU64::new(0);

fn main() {
    let rounds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(ROUNDS);
    let engine = subject::build_engine();
    let pinned = subject::pin_self();
    let dir = tempfile::tempdir().unwrap();
    let buyers = Buyers::start();
    let engine = |campaigns| Subject::engine((&engine, dir.path()), &buyers, campaigns, pinned);
    let mut subjects: Vec<_> = CAMPAIGNS.into_iter().map(engine).collect();
    subjects.push(Subject::floor(&buyers, pinned));
    match Subject::node(&buyers, pinned) {
        Some(node) => subjects.push(node),
        None => {
            println!("Node is left out: no node, or no packages (npm ci --prefix benches/node)")
        }
    }
    let place = if pinned { "each alone on core 1, the rest on core 0" } else { "unpinned" };
    println!("{place}; {rounds} rounds; load average {}\n", load_average());
    let engine_rate = saturation(&subjects, rounds);
    added_time(&[&subjects[0], &subjects[2]], &buyers, engine_rate / 4, rounds);
    hanging_buyer(&subjects[0], rounds);
    println!("load average at the end {}", load_average());
}

/// Leads through a subject; every one is sold.
fn sell(subject: &Subject, scene: Scene, load: &Load, budget: Option<u32>) -> Round {
    let request = || subject.request(scene, NUMBER.fetch_add(1, Ordering::Relaxed), budget);
    load::run(subject.at, load, &request, |reply| contains(reply, br#""status":"distributed""#))
}

/// What one subject did in one round.
#[derive(Clone, Copy)]
struct Window {
    /// Leads a second.
    rate: u64,
    /// Nanoseconds of processor time a lead.
    cpu: u64,
}

/// As many leads as 64 connections bring; the engine's leads a second with four buyers.
fn saturation(subjects: &[Subject], rounds: usize) -> u64 {
    let load = Load { connections: 64, rate: None, time: Duration::from_millis(1_500) };
    let mut windows = vec![vec![Vec::new(); subjects.len()]; INSTANT.len()];
    for round in 0..=rounds {
        for (scene, windows) in INSTANT.into_iter().zip(&mut windows) {
            for place in 0..subjects.len() {
                let index = (place + round) % subjects.len();
                let window = window(&subjects[index], scene, &load);
                // The first round opens connections and warms up.
                if round > 0 {
                    windows[index].push(window);
                }
            }
        }
    }
    let names: Vec<_> = subjects.iter().map(|subject| &subject.name).collect();
    println!("Closed loop, 64 connections, buyers that answer at once:\n");
    for (scene, windows) in INSTANT.iter().zip(&windows) {
        println!(
            "| pings | | leads/s | CPU a lead | CPU beside the engine's | leads/s beside the engine's |"
        );
        println!("|---|---|---|---|---|---|");
        let engine = &windows[0];
        for (name, windows) in names.iter().zip(windows) {
            let against = |ratio: fn(Window, Window) -> u64| {
                let ratio = median(engine.iter().zip(windows).map(|(e, w)| ratio(*e, *w)));
                format!("{}.{:02}", ratio / 100, ratio % 100)
            };
            println!(
                "| {} | {name} | {} | {:.1?} | engine = {} × | engine = {} × |",
                scene.count,
                median(windows.iter().map(|window| window.rate)),
                Duration::from_nanos(median(windows.iter().map(|window| window.cpu))),
                against(|engine, window| engine.cpu * 100 / window.cpu.max(1)),
                against(|engine, window| engine.rate * 100 / window.rate.max(1)),
            );
        }
        println!();
    }
    median(windows[1][0].iter().map(|window| window.rate))
}

fn window(subject: &Subject, scene: Scene, load: &Load) -> Window {
    let pings = subject.pings();
    let before = subject.cpu();
    let round = sell(subject, scene, load, None);
    let cpu = subject.cpu() - before;
    let asked = subject.pings().zip(pings).map(|(after, before)| after - before);
    let wanted = round.done * scene.count as u64;
    let few = |asked| wanted.abs_diff(asked) <= wanted / 100;
    assert!(asked.is_none_or(few), "{asked:?} pings instead of {wanted}");
    let cpu = u64::try_from(cpu.as_nanos()).unwrap() / round.done;
    Window { rate: round.rate(), cpu }
}

/// The 50th and the 99th percentile of each round.
type Waits = Vec<(Duration, Duration)>;

fn percentiles(round: &Round) -> (Duration, Duration) {
    (round.wait(500), round.wait(990))
}

/// What a subject adds to the slowest buyer's time, at a steady rate.
fn added_time(subjects: &[&Subject], buyers: &Buyers, rate: u64, rounds: usize) {
    let load = Load { connections: 256, rate: Some(rate), time: Duration::from_secs(3) };
    let buyer = buyers.at[SLOW.first];
    let mut direct = Waits::new();
    let mut waits = vec![Waits::new(); subjects.len()];
    let mut commits = figures::Histogram::read(&subjects[0].metrics());
    for round in 0..=rounds {
        if round == 1 {
            commits = figures::Histogram::read(&subjects[0].metrics());
            direct.clear();
            waits.iter_mut().for_each(Vec::clear);
        }
        let ping = || {
            let body = market::lead(SLOW, 0);
            format!("POST /ping HTTP/1.1\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into()
        };
        let alone = load::run(buyer, &load, &ping, |reply| contains(reply, br#""status":"bid""#));
        direct.push(percentiles(&alone));
        for place in 0..subjects.len() {
            let index = (place + round) % subjects.len();
            waits[index].push(percentiles(&sell(subjects[index], SLOW, &load, None)));
        }
    }
    let commits = figures::Histogram::read(&subjects[0].metrics()).since(&commits);
    println!("Open loop, {rate} leads/s, four buyers that take 20 ms to bid:\n");
    println!("| | p50 | p99 | added p50 | added p99 |\n|---|---|---|---|---|");
    row("one buyer without anything between", &direct, &direct);
    for (subject, waits) in subjects.iter().zip(&waits) {
        row(&subject.name, waits, &direct);
    }
    let (p50, p99) = (commits.quantile(500), commits.quantile(990));
    println!("\nThe engine's commits in these runs: p50 {p50:.2?}, p99 {p99:.2?}\n");
}

fn row(name: &str, waits: &Waits, direct: &Waits) {
    let over = |of: fn(&(Duration, Duration)) -> Duration| {
        let pairs = waits.iter().zip(direct);
        let added = median(pairs.map(|(wait, direct)| of(wait).saturating_sub(of(direct))));
        (median(waits.iter().map(of)), added)
    };
    let ((p50, added_50), (p99, added_99)) = (over(|wait| wait.0), over(|wait| wait.1));
    println!("| {name} | {p50:.2?} | {p99:.2?} | {added_50:.2?} | {added_99:.2?} |");
}

/// One of four buyers never bids; publishers give 100 ms.
fn hanging_buyer(engine: &Subject, rounds: usize) {
    let load = Load { connections: 64, rate: Some(200), time: Duration::from_secs(3) };
    // Until posts have been timed, the engine starts none with less than half a second left.
    sell(engine, HANGING, &load, None);
    let (mut waits, mut leads, before) = (Waits::new(), 0, engine.pings().unwrap_or_default());
    for _ in 0..rounds {
        let round = sell(engine, HANGING, &load, Some(100));
        leads += round.done;
        waits.push(percentiles(&round));
    }
    let asked = engine.pings().unwrap_or_default() - before - 3 * leads;
    let p50 = median(waits.iter().map(|wait| wait.0));
    let p99 = median(waits.iter().map(|wait| wait.1));
    println!(
        "One of four buyers hangs, budget 100 ms, 200 leads/s: p50 {p50:.1?}, p99 {p99:.1?}; it was asked for {asked} of {leads} leads\n"
    );
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

fn load_average() -> String {
    std::fs::read_to_string("/proc/loadavg").unwrap_or_default().trim().to_owned()
}

//! The closed loop: as many leads as 64 connections bring, to buyers that answer at once. What a lead costs,
//! and how many a core sells.

use std::time::Duration;

use benches::median;

use crate::load::{Load, Void};
use crate::market::Scene;
use crate::options::Options;
use crate::subject::{Kind, Subject};
use crate::{sell, the};

/// What one subject did in one round.
#[derive(Debug, Clone, Copy)]
struct Window {
    /// Leads a second.
    rate: u64,
    /// Nanoseconds of processor time a lead.
    cpu: u64,
    /// Hundredths of its core.
    busy: u64,
}

/// Every round of one subject in one scene, or why they do not count.
type Windows = Result<Vec<Window>, Void>;

/// Measures all scenes, prints their tables; returns how many rows are void.
pub(crate) fn measure(subjects: &[Subject], options: &Options) -> usize {
    let load = Load { connections: 64, rate: None, time: options.window, good: options.good };
    let none = || subjects.iter().map(|_| Ok(Vec::new())).collect::<Vec<Windows>>();
    let mut scenes: Vec<_> = options.scenes.iter().map(|scene| (*scene, none())).collect();
    // The first round opens connections and warms up.
    for round in 0..=options.rounds {
        for (scene, all) in &mut scenes {
            for place in 0..subjects.len() {
                let index = (place + round) % subjects.len();
                let window = window(&subjects[index], *scene, &load);
                match (&mut all[index], window) {
                    (_, _) if round == 0 => {}
                    (Ok(windows), Ok(window)) => windows.push(window),
                    (windows, Err(void)) => *windows = Err(void),
                    (Err(_), Ok(_)) => {}
                }
            }
        }
    }
    println!("Closed loop, 64 connections, buyers that answer at once:\n");
    println!("| pings | | leads/s | CPU a lead | core | CPU ÷ floor's | leads/s ÷ Node's |");
    println!("|---|---|---|---|---|---|---|");
    for (scene, all) in &scenes {
        for (subject, windows) in subjects.iter().zip(all) {
            row(scene.count, &subject.name, windows, |kind| {
                the(kind, subjects).and_then(|index| all[index].as_ref().ok())
            });
        }
    }
    println!();
    for (scene, all) in &scenes {
        by_round(scene.count, subjects, all);
    }
    println!();
    scenes.iter().flat_map(|(_, all)| all).filter(|windows| windows.is_err()).count()
}

fn window(subject: &Subject, scene: Scene, load: &Load) -> Result<Window, Void> {
    let pings = subject.pings();
    let before = subject.cpu();
    let round = sell(subject, scene, load, None).all_sold()?;
    let cpu = subject.cpu() - before;
    let asked = subject.pings().zip(pings).map(|(after, before)| after - before);
    let wanted = round.done * scene.count as u64;
    if let Some(asked) = asked.filter(|asked| *asked != wanted) {
        return Err(Void(format!("{asked} pings for {} leads", round.done)));
    }
    let busy = cpu.as_nanos() * 100 / round.took.as_nanos();
    Ok(Window {
        rate: round.rate(),
        cpu: u64::try_from(cpu.as_nanos()).unwrap() / round.done,
        busy: u64::try_from(busy).unwrap(),
    })
}

fn row<'a>(
    pings: usize,
    name: &str,
    windows: &Windows,
    of: impl Fn(Kind) -> Option<&'a Vec<Window>>,
) {
    let windows = match windows {
        Ok(windows) => windows,
        Err(void) => return println!("| {pings} | {name} | {void} | | | | |"),
    };
    let middle = |figure: fn(&Window) -> u64| median(windows.iter().map(figure));
    let over = |other, figure| {
        of(other).map_or("".to_owned(), |other| {
            format!("{} ×", hundredths(median(ratios(windows, other, figure))))
        })
    };
    println!(
        "| {pings} | {name} | {} | {:.1?} | {} % | {} | {} |",
        middle(|window| window.rate),
        Duration::from_nanos(middle(|window| window.cpu)),
        middle(|window| window.busy),
        over(Kind::Floor, |window| window.cpu),
        over(Kind::Node, |window| window.rate),
    );
}

/// The engine beside the others in the same round.
fn by_round(pings: usize, subjects: &[Subject], all: &[Windows]) {
    let of = |kind| the(kind, subjects).and_then(|index| all[index].as_ref().ok());
    let Some(engine) = of(Kind::Engine) else { return };
    let print = |what: &str, other: Option<&Vec<Window>>, figure| {
        let Some(other) = other else { return };
        let ratios: Vec<_> = ratios(engine, other, figure).into_iter().map(hundredths).collect();
        println!("{pings} pings, {what}, by round: {}", ratios.join(" "));
    };
    print("CPU ÷ floor's (at most 1.50 is wanted)", of(Kind::Floor), |window| window.cpu);
    print("leads/s ÷ Node's (at least 2.00 is wanted)", of(Kind::Node), |window| window.rate);
}

/// Hundredths of the other's figure, round by round.
fn ratios(own: &[Window], other: &[Window], figure: fn(&Window) -> u64) -> Vec<u64> {
    let pairs = own.iter().zip(other);
    pairs.map(|(own, other)| figure(own) * 100 / figure(other).max(1)).collect()
}

fn hundredths(ratio: u64) -> String {
    format!("{}.{:02}", ratio / 100, ratio % 100)
}

//! Which campaigns want a lead: the book of rules beside the same filters one after another, and beside
//! a-tree. In one process, interleaved rounds, medians; refuses to print where results differ.
//!
//! `cargo bench -p benches --bench matching -- [CAMPAIGNS…] [--quick]`

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a benchmark prints, reads the real clock and stops when it cannot go on"
)]

mod naive;
mod workload;

use std::hint::black_box;
use std::time::{Duration, Instant};

use a_tree::{ATree, Event};
use benches::median;
use document::{Defects, Slot, parse_json};
use fastrand::Rng;
use market::Dictionary;
use naive::Map;
use rules::{Encoded, Filter, Linear, Lists, RuleBook, Scratch};
use rust_decimal::Decimal;
use workload::{Campaign, Lead, SHAPES, Shape};

const SEED: u64 = 42;
const ROUNDS: usize = 9;
/// One matcher works so long in a round, or through all leads once.
const ROUND: Duration = Duration::from_millis(60);

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    let quick = args.iter().any(|arg| arg == "--quick");
    let sizes: Vec<usize> = args.iter().filter_map(|arg| arg.parse().ok()).collect();
    let sizes = if sizes.is_empty() { vec![100, 1_000, 10_000, 100_000] } else { sizes };
    for shape in SHAPES.iter().take(if quick { 1 } else { SHAPES.len() }) {
        println!("\n{}\n", shape.name);
        println!(
            "| campaigns | matched | JSON scan | a-tree | scan | ids | over JSON | over a-tree | over scan | first 20 | it over a-tree | parse | encode | of parse | encode + ids | event + a-tree |"
        );
        println!("|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|---|");
        // a-tree takes minutes to build 100,000 expressions: once is enough.
        let rival = |size: usize| size <= 10_000 || (shape.products > 1 && shape.customs == 0);
        let benches = sizes.iter().map(|size| {
            let bench = Bench::new(*shape, *size, rival(*size));
            bench.check();
            bench.race();
            bench
        });
        let benches: Vec<Bench> = benches.collect();
        println!(
            "\n| campaigns | in all books | compile all | largest book | compile it | change one of it | bytes a campaign | what fails of one | explained |"
        );
        println!("|---|---|---|---|---|---|---|---|---|");
        benches.iter().for_each(Bench::keep);
    }
}

/// One product's campaigns.
struct Product {
    /// The campaign at each place of the book.
    campaigns: Vec<usize>,
    filters: Vec<Filter>,
    /// One of them read again.
    fresh: Filter,
    book: RuleBook,
    scan: Linear,
    naive: Vec<Map>,
}

struct Bench {
    dictionary: Dictionary,
    products: Vec<Product>,
    tree: Option<ATree<u32>>,
    events: Vec<Event>,
    leads: Vec<Lead>,
    /// As publishers send them, and parsed.
    texts: Vec<String>,
    maps: Vec<Map>,
    encoded: Vec<Encoded>,
    size: usize,
}

impl Bench {
    fn new(shape: Shape, size: usize, rival: bool) -> Self {
        let mut rng = Rng::with_seed(SEED);
        let dictionary = workload::dictionary(shape);
        let campaigns: Vec<Campaign> =
            (0..size).map(|_| workload::campaign(&mut rng, shape)).collect();
        let leads: Vec<Lead> = (0..2_000).map(|_| workload::lead(&mut rng, shape)).collect();
        let products = products(&campaigns, shape, &dictionary);
        let tree = rival.then(|| rival_tree(&campaigns, shape));
        let events =
            tree.iter().flat_map(|tree| leads.iter().map(|lead| workload::event(tree, lead)));
        Self {
            events: events.collect(),
            maps: leads.iter().map(|lead| naive::map(&workload::json(lead))).collect(),
            texts: leads.iter().map(workload::json).collect(),
            encoded: leads.iter().map(|lead| Encoded::new(&lead.attributes, &dictionary)).collect(),
            dictionary,
            products,
            tree,
            leads,
            size,
        }
    }

    /// Stops unless all matchers agree.
    fn check(&self) {
        let mut scratch = Scratch::new();
        let some = if self.size > 10_000 { 100 } else { 500 };
        for (at, (lead, encoded)) in self.leads.iter().zip(&self.encoded).take(some).enumerate() {
            let product = &self.products[lead.product];
            let found: Vec<usize> = product.book.matching(encoded, &mut scratch).collect();
            let wanted: Vec<usize> = product.scan.matching(encoded).collect();
            assert_eq!(found, wanted, "the book and the scan differ");
            if at < 50_000 / self.size.max(1) + 10 {
                let naive: Vec<usize> = naive::matching(&product.naive, &self.maps[at]).collect();
                assert_eq!(found, naive, "the book and the naive scan differ");
            }
            let Some(tree) = &self.tree else { continue };
            let report = tree.search(&self.events[at]).unwrap();
            let mut theirs: Vec<u32> = report.matches().iter().map(|id| **id >> 4).collect();
            theirs.sort_unstable();
            let ours: Vec<u32> =
                found.iter().map(|at| u32::try_from(product.campaigns[*at]).unwrap()).collect();
            assert_eq!(ours, theirs, "the book and a-tree differ: {}", workload::json(lead));
        }
    }

    fn race(&self) {
        let mut scratch = Scratch::new();
        let mut ids: Vec<usize> = Vec::with_capacity(self.size);
        let matched: usize = (0..self.leads.len())
            .map(|at| self.book(at).matching(&self.encoded[at], &mut scratch).count())
            .sum();
        let mut took: [Vec<u64>; 9] = Default::default();
        for _ in 0..ROUNDS {
            if let Some(tree) = &self.tree {
                took[0]
                    .push(self.time(|at| tree.search(&self.events[at]).unwrap().matches().len()));
                took[6].push(self.time(|at| {
                    let event = workload::event(tree, &self.leads[at]);
                    tree.search(&event).unwrap().matches().len()
                }));
            }
            took[7].push(self.time(|at| {
                ids.clear();
                let naive = &self.products[self.leads[at].product].naive;
                ids.extend(naive::matching(naive, &self.maps[at]));
                ids.len()
            }));
            took[8].push(self.time(|at| black_box(naive::map(&self.texts[at])).len()));
            took[1].push(self.time(|at| {
                ids.clear();
                let lead = &self.leads[at];
                ids.extend(self.products[lead.product].scan.matching(&self.encoded[at]));
                ids.len()
            }));
            took[2].push(self.time(|at| {
                ids.clear();
                self.book(at).matching(&self.encoded[at], &mut scratch).for_each(|id| ids.push(id));
                ids.len()
            }));
            took[3].push(self.time(|at| {
                ids.clear();
                ids.extend(self.book(at).matching(&self.encoded[at], &mut scratch).take(20));
                ids.len()
            }));
            took[4].push(self.time(|at| {
                black_box(Encoded::new(&self.leads[at].attributes, &self.dictionary));
                1
            }));
            took[5].push(self.time(|at| {
                ids.clear();
                let encoded = Encoded::new(&self.leads[at].attributes, &self.dictionary);
                self.book(at).matching(&encoded, &mut scratch).for_each(|id| ids.push(id));
                ids.len()
            }));
        }
        self.print(matched, took.map(median));
    }

    fn book(&self, at: usize) -> &RuleBook {
        &self.products[self.leads[at].product].book
    }

    /// Picoseconds a lead.
    fn time(&self, mut work: impl FnMut(usize) -> usize) -> u64 {
        let started = Instant::now();
        let mut done = 0;
        for at in 0..self.leads.len() {
            black_box(work(at));
            done += 1;
            if at % 8 == 7 && started.elapsed() > ROUND {
                break;
            }
        }
        u64::try_from(started.elapsed().as_nanos() * 1_000 / done).unwrap()
    }

    fn print(&self, matched: usize, took: [u64; 9]) {
        let [tree, scan, ids, first, encode, both, tree_both, naive, parse] = took;
        let share = Decimal::from(matched * 100) / Decimal::from(self.leads.len() * self.size);
        let over = |slow: u64, fast: u64| {
            if slow == 0 { "—".to_owned() } else { format!("{}×", ratio(slow, fast)) }
        };
        let share_of_parse = (Decimal::from(encode) / Decimal::from(parse)).round_dp(2);
        println!(
            "| {} | {share:.2} % | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {share_of_parse} | {} | {} |",
            self.size,
            nanos(naive),
            nanos(tree),
            nanos(scan),
            nanos(ids),
            over(naive, ids),
            over(tree, ids),
            over(scan, ids),
            nanos(first),
            over(tree, first),
            nanos(parse),
            nanos(encode),
            nanos(both),
            nanos(tree_both),
        );
    }

    /// Building, changing, explaining, and what it takes of memory.
    fn keep(&self) {
        let largest = self.products.iter().max_by_key(|product| product.filters.len()).unwrap();
        let build = || self.products.iter().for_each(|product| drop(book(&product.filters)));
        let build = median((0..3).map(|_| micros(build)));
        let mut changed = largest.filters.clone();
        changed[largest.filters.len() / 2] = largest.fresh.clone();
        let anew = median((0..5).map(|_| micros(|| drop(book(&largest.filters)))));
        let update = || drop(largest.book.changed(changed.iter().cloned()));
        let update = median((0..5).map(|_| micros(update)));
        let slots: usize = self.products.iter().map(|product| product.filters.len()).sum();
        let bytes: usize = self.products.iter().map(|product| product.book.bytes()).sum();
        let lead = self.encoded.first().unwrap();
        let explain = micros(|| {
            (0..largest.filters.len())
                .for_each(|at| drop(black_box(largest.book.explain(at, lead))));
        });
        let failing = micros(|| {
            let failing: usize = largest.filters.iter().map(|filter| filter.failing(lead)).sum();
            black_box(failing);
        });
        let failing = failing * 1_000 / u64::try_from(largest.filters.len()).unwrap();
        let explain = explain * 1_000 / u64::try_from(largest.filters.len()).unwrap();
        println!(
            "| {} | {slots} | {build} µs | {} | {anew} µs | {update} µs | {} | {failing} ns | {explain} ns |",
            self.size,
            largest.filters.len(),
            bytes / self.size.max(1),
        );
    }
}

fn book(filters: &[Filter]) -> RuleBook {
    RuleBook::compile(filters.iter().cloned())
}

fn micros(work: impl FnOnce()) -> u64 {
    let started = Instant::now();
    work();
    u64::try_from(started.elapsed().as_micros()).unwrap()
}

fn nanos(picos: u64) -> String {
    if picos == 0 { "—".to_owned() } else { format!("{} ns", picos.div_ceil(1_000)) }
}

fn ratio(slow: u64, fast: u64) -> Decimal {
    (Decimal::from(slow) / Decimal::from(fast)).round_dp(if slow < fast * 10 { 1 } else { 0 })
}

fn products(campaigns: &[Campaign], shape: Shape, dictionary: &Dictionary) -> Vec<Product> {
    let read = |campaign: &Campaign| {
        let mut bytes = campaign.filter.clone().into_bytes();
        let node = parse_json(&mut bytes).unwrap();
        let defects = Defects::new();
        Filter::parse(&Slot::root(&node, &defects), dictionary, &Lists::new()).unwrap()
    };
    let all: Vec<Filter> = campaigns.iter().map(read).collect();
    let product = |number: usize| {
        let wants = |at: &usize| campaigns[*at].products.contains(&number);
        let places: Vec<usize> = (0..campaigns.len()).filter(wants).collect();
        let filters: Vec<Filter> = places.iter().map(|at| all[*at].clone()).collect();
        let fresh = read(&campaigns[places.get(places.len() / 2).copied().unwrap_or_default()]);
        let scan = Linear::compile(filters.iter().cloned());
        let naive = places.iter().map(|at| naive::map(&campaigns[*at].filter)).collect();
        Product { campaigns: places, book: book(&filters), scan, naive, filters, fresh }
    };
    (0..shape.products).map(product).collect()
}

/// An expression for each product of a campaign, the product first: a-tree enters an expression by its
/// first cheapest part, and would otherwise visit nearly all of them by country.
fn rival_tree(campaigns: &[Campaign], shape: Shape) -> ATree<u32> {
    let mut tree = workload::a_tree(shape);
    for (at, campaign) in campaigns.iter().enumerate() {
        for product in &campaign.products {
            let id = u32::try_from(at << 4 | product).unwrap();
            let expression = format!("product = \"p{product}\" and {}", campaign.expression);
            tree.insert(&id, &expression).unwrap();
        }
    }
    tree
}

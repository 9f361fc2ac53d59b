//! Every fault of a post under every policy: whom the buyers' books and the ledger say the lead was sold
//! to. A second sale is a fault unless the seller took its risk, and then the record says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use lead::{Disposition, LeadId, PostClass};
use ledger::{LeadRecord, Ledger, PostRecord};
use sim::buyers::{Buyer, Buyers, Handle, Options, Post};
use tokio::task::JoinSet;

use super::rig::{Rig, open, root_key, sell};
use super::setting;

/// What goes wrong with a post, and how the simulated buyer is told; nobody listens where `refused`
/// leads are posted to.
const FAULTS: [(&str, &str); 10] = [
    ("refused", ""),
    ("unread", "fault=unread-on-post"),
    ("hang", "fault=hang-on-post"),
    ("close", "fault=close-after-post"),
    ("cut", "fault=cut-on-post"),
    ("garbage", "fault=garbage-on-post"),
    ("no-verdict", "fault=no-verdict-on-post"),
    ("both-verdicts", "fault=both-verdicts-on-post"),
    ("status-500", "fault=status-500-on-post"),
    ("status-503", "fault=status-503-on-post"),
];
const POLICIES: [&str; 4] = ["hold", "status_query", "retry_same_key", "next_buyer"];
/// Leads at once.
const AT_ONCE: usize = 96;

fn cells() -> impl Iterator<Item = (&'static str, &'static str)> {
    FAULTS.iter().flat_map(|(fault, _)| POLICIES.map(|policy| (*fault, policy)))
}

/// A product, its first buyer and that buyer's campaign all have one name.
fn cell(fault: &str, policy: &str) -> String {
    format!("{fault}-{policy}")
}

/// In every cell the first buyer bids highest, and its posts go wrong mostly; the two others are sound.
async fn buyers() -> Handle {
    let faulty = FAULTS.iter().filter(|(_, spec)| !spec.is_empty()).flat_map(|(fault, spec)| {
        POLICIES.map(|policy| {
            format!("{}:bid=20.00,accepts=600,faults=800,{spec}", cell(fault, policy))
        })
    });
    let sound = ["second:bid=12.00,accepts=800", "third:bid=10.00,accepts=800"].map(str::to_owned);
    // It bids, and its posts meet a closed port.
    let gone = POLICIES.map(|policy| format!("{}:bid=20.00", cell("refused", policy)));
    let all = faulty.chain(sound).chain(gone);
    let buyers: Vec<Buyer> = all.map(|spec| spec.parse().unwrap()).collect();
    let options = Options { keep_posts: 10_000_000, keep_pings: 0, ..Options::default() };
    Buyers::start("127.0.0.1:0".parse().unwrap(), buyers, options).await.unwrap()
}

async fn closed_port() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().port()
}

fn market(buyers: &Handle, closed: u16) -> String {
    let mut text =
        String::from("[publishers.demo]\nname = \"Demo\"\ndoors.native.keys = [\"demo-native\"]\n");
    let cells: Vec<_> =
        cells().map(|(fault, policy)| (fault, policy, cell(fault, policy))).collect();
    for (_, _, name) in &cells {
        write!(
            text,
            "[products.{name}]\nname = \"Loan\"\nvertical = \"loans\"\ncountry = \"ES\"\ncurrency = \"EUR\"\ntimezone = \"UTC\"\nbudget_ms = 5000\ntiers = [{{ mode = \"auction\" }}]\n"
        )
        .unwrap();
    }
    for (fault, policy, name) in &cells {
        let post = match *fault {
            "refused" => format!("http://127.0.0.1:{closed}/"),
            _ => buyers.post_url(name),
        };
        let terms = format!(
            "on_ambiguous = \"{policy}\"\nhonours_idempotency_key = true\ndelivery.status.url = \"{}\"\n",
            buyers.status_url(name)
        );
        let calls = (buyers.ping_url(name), post);
        campaign(&mut text, (name, name), name, (calls, &terms));
    }
    for sound in ["second", "third"] {
        let calls = (buyers.ping_url(sound), buyers.post_url(sound));
        for (_, _, name) in &cells {
            campaign(&mut text, (sound, name), name, (calls.clone(), ""));
        }
    }
    // A table may be opened once.
    for buyer in cells.iter().map(|(_, _, name)| name.as_str()).chain(["second", "third"]) {
        write!(text, "[buyers.{buyer}]\nname = \"B\"\nallowed_hosts = [\"127.0.0.1\"]\n").unwrap();
    }
    text
}

fn campaign(
    text: &mut String,
    (buyer, name): (&str, &str),
    product: &str,
    ((ping, post), terms): ((String, String), &str),
) {
    write!(
        text,
        "[buyers.{buyer}.campaigns.{name}]\nproduct = \"{product}\"\nfilter = {{}}\nprice.bid = {{ min = \"1.00\", max = \"60.00\" }}\n{terms}delivery.ping = {{ url = \"{ping}\", timeout_ms = 3000 }}\ndelivery.post = {{ url = \"{post}\", timeout_ms = 250 }}\n"
    )
    .unwrap();
}

/// Sells so many leads in every cell and says which leads each had.
async fn run(rig: &Rig, leads: usize) -> BTreeMap<(&'static str, &'static str), Vec<LeadId>> {
    let mut sold: BTreeMap<_, Vec<LeadId>> = BTreeMap::new();
    let mut selling = JoinSet::new();
    let jobs = (0..leads).flat_map(|number| cells().map(move |place| (place, number)));
    let mut keep = |done: Result<((&'static str, &'static str), LeadId), _>| {
        let (place, lead) = done.unwrap();
        sold.entry(place).or_default().push(lead);
    };
    for ((fault, policy), number) in jobs {
        if selling.len() >= AT_ONCE {
            keep(selling.join_next().await.unwrap());
        }
        let rig = rig.clone();
        selling.spawn(
            async move { ((fault, policy), sell(&rig, &cell(fault, policy), number).await) },
        );
    }
    while let Some(done) = selling.join_next().await {
        keep(done);
    }
    // Posts and questions go on after their publisher was answered.
    rig.drain().await;
    sold
}

/// What came of one cell.
#[derive(Debug, Default)]
struct Tally {
    sold: usize,
    unsold: usize,
    held: usize,
    /// Posts repeated under their key.
    repeats: usize,
    /// Sales while an earlier post was unknown.
    at_risk: usize,
    /// Leads that two buyers took.
    twice: usize,
    faults: Vec<String>,
}

impl Tally {
    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(what());
        }
    }

    /// Compares one lead's record with what the buyers hold.
    fn judge(&mut self, policy: &str, record: &LeadRecord, posts: &[&Post]) {
        let show = || format!("{policy}: {:?} / {posts:?}", record.posts);
        match record.disposition {
            Some(Disposition::Sold) => self.sold += 1,
            Some(Disposition::Unsold) => self.unsold += 1,
            Some(Disposition::Indeterminate) => self.held += 1,
            _ => self.must(false, || format!("not settled: {}", show())),
        }
        let is = |class| move |post: &&PostRecord| post.class == Some(class);
        let unknown = record.posts.iter().filter(is(PostClass::Unknown)).count();
        let held = record.disposition == Some(Disposition::Indeterminate);
        let sales: Vec<_> = record.sales().collect();
        self.must(held == (unknown > 0 && sales.is_empty()), || format!("held? {}", show()));
        self.must(sales.len() <= 1, || format!("the ledger sold it twice: {}", show()));
        self.books(record, posts, &show);
        // Whatever follows an unknown post is at risk, and nothing else.
        let mut doubt = false;
        for post in &record.posts {
            self.must(post.is_at_risk() == doubt, || format!("the flag is wrong: {}", show()));
            doubt |= post.class == Some(PostClass::Unknown);
        }
        let risky = record.posts.iter().any(PostRecord::is_at_risk);
        self.must(!risky || policy == "next_buyer", || format!("a risk was taken: {}", show()));
        self.at_risk += sales.iter().filter(|sale| sale.is_at_risk()).count();
        let takers: BTreeSet<_> = posts.iter().filter(|p| p.bought).map(|p| &p.buyer).collect();
        let declared = sales.iter().any(|sale| sale.is_at_risk());
        self.must(takers.len() <= 1 || declared, || format!("sold twice: {}", show()));
        self.twice += usize::from(takers.len() > 1);
    }

    /// What a buyer holds that it took, the ledger has as sold or as unknown, and the other way round.
    fn books(&mut self, record: &LeadRecord, posts: &[&Post], show: &dyn Fn() -> String) {
        let mut keys: BTreeMap<&str, BTreeSet<&Option<String>>> = BTreeMap::new();
        for post in posts {
            keys.entry(&post.buyer).or_default().insert(&post.idempotency_key);
            let known =
                record.posts.iter().find(|known| known.campaign.buyer.as_str() == post.buyer);
            let class = known.and_then(|known| known.class);
            let admitted = matches!(class, Some(PostClass::Accepted | PostClass::Unknown));
            self.must(!post.bought || admitted, || format!("a sale is lost: {}", show()));
            let sent = class.is_some_and(|class| class != PostClass::NotSent);
            self.must(sent, || format!("a post is not on record: {}", show()));
        }
        self.must(keys.values().all(|keys| keys.len() == 1), || format!("two keys: {}", show()));
        self.repeats += posts.len() - keys.len();
        for sale in record.sales() {
            let buyer = sale.campaign.buyer.as_str();
            let took = posts.iter().any(|post| post.bought && post.buyer == buyer);
            self.must(took, || format!("sold to nobody: {}", show()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_fault_of_a_post_sells_a_lead_twice_unless_the_seller_takes_the_risk() {
    let leads = setting("GAVEL_MATRIX_LEADS", 5);
    let buyers = buyers().await;
    let dir = tempfile::tempdir().unwrap();
    let rig = open(dir.path(), market(&buyers, closed_port().await));
    let sold = run(&rig, leads).await;
    let posts = buyers.posts();
    let mut by_lead: BTreeMap<&str, Vec<&Post>> = BTreeMap::new();
    for post in &posts {
        by_lead.entry(&post.lead_id).or_default().push(post);
    }
    let mut table = format!(
        "\n| {:<13} | {:<14} | leads | sold | unsold | held | repeats | at risk | sold twice |\n|---|---|---|---|---|---|---|---|---|\n",
        "fault", "policy"
    );
    let (mut tallies, mut faults) = (BTreeMap::new(), Vec::new());
    for ((fault, policy), ids) in &sold {
        let mut tally = Tally::default();
        for id in ids {
            let record = rig.ledger().lead(*id).await.unwrap().unwrap();
            let of_lead = by_lead.get(id.to_string().as_str()).cloned().unwrap_or_default();
            tally.judge(policy, &record, &of_lead);
        }
        let Tally { sold, unsold, held, repeats, at_risk, twice, .. } = tally;
        let count = ids.len();
        writeln!(table, "| {fault:<13} | {policy:<14} | {count} | {sold} | {unsold} | {held} | {repeats} | {at_risk} | {twice} |").unwrap();
        faults.append(&mut tally.faults);
        tallies.insert((*fault, *policy), tally);
    }
    println!("{table}");
    assert!(
        faults.is_empty(),
        "{} faults, the first:\n{}",
        faults.len(),
        faults.iter().take(5).cloned().collect::<Vec<_>>().join("\n")
    );
    assert_eq!(sold.values().map(Vec::len).sum::<usize>(), 40 * leads);
    vacuous(&tallies);
    rig.ledger().close();
    let report = ledger::verify(dir.path(), &root_key()).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
}

/// Each policy met what it is for.
fn vacuous(tallies: &BTreeMap<(&str, &str), Tally>) {
    let sum = |policy: &str, of: fn(&Tally) -> usize| -> usize {
        tallies.iter().filter(|((_, p), _)| *p == policy).map(|(_, tally)| of(tally)).sum()
    };
    assert!(sum("hold", |tally| tally.held) > sum("status_query", |tally| tally.held));
    assert!(sum("status_query", |tally| tally.held) > 0, "what a buyer never read, it cannot tell");
    assert!(sum("retry_same_key", |tally| tally.repeats) > 0);
    assert!(sum("hold", |tally| tally.repeats) == 0 && sum("status_query", |t| t.repeats) == 0);
    assert!(sum("next_buyer", |tally| tally.at_risk) > 0);
    assert!(sum("next_buyer", |tally| tally.twice) > 0, "the risk is real");
}

//! Every fault of a post under every policy, for leads that are sold whole and for leads of two slots:
//! whom the buyers' books and the ledger say the lead was sold to. A sale more than there are slots is a
//! fault unless the seller took its risk, and then the record says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use lead::{Disposition, LeadId, PostClass};
use ledger::{LeadRecord, Ledger, PostRecord, RESALE_SLOTS};
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

/// How a lead is sold, and in how many slots.
const SHAPES: [(&str, usize); 2] = [("exclusive", 1), ("shared", 2)];

/// One field of the matrix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Cell {
    fault: &'static str,
    policy: &'static str,
    sells: &'static str,
    slots: usize,
}

impl Cell {
    fn all() -> impl Iterator<Item = Self> {
        FAULTS.iter().flat_map(|(fault, _)| {
            POLICIES.into_iter().flat_map(move |policy| {
                SHAPES.map(|(sells, slots)| Self { fault, policy, sells, slots })
            })
        })
    }

    /// Of its product, of its first buyer and of that buyer's campaign.
    fn name(&self) -> String {
        format!("{}-{}-{}", self.fault, self.policy, self.sells)
    }
}

/// In every cell the first buyer bids highest, and its posts go wrong mostly; the two others are sound.
async fn buyers() -> Handle {
    let first = Cell::all().map(|cell| {
        let (_, spec) = FAULTS.iter().find(|(fault, _)| *fault == cell.fault).unwrap();
        // Without a fault of its own it bids, and its posts meet a closed port.
        let faults = if spec.is_empty() { "" } else { ",accepts=600,faults=800," };
        format!("{}:bid=20.00{faults}{spec}", cell.name())
    });
    let sound = ["second:bid=12.00,accepts=800", "third:bid=10.00,accepts=800"].map(str::to_owned);
    let buyers: Vec<Buyer> = first.chain(sound).map(|spec| spec.parse().unwrap()).collect();
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
    for cell in Cell::all() {
        let (name, slots) = (cell.name(), cell.slots);
        write!(
            text,
            "[products.{name}]\nname = \"Loan\"\nvertical = \"loans\"\ncountry = \"ES\"\ncurrency = \"EUR\"\ntimezone = \"UTC\"\nbudget_ms = 5000\nslots = {slots}\ntiers = [{{ mode = \"auction\" }}]\n"
        )
        .unwrap();
    }
    for cell in Cell::all() {
        let name = cell.name();
        let post = match cell.fault {
            "refused" => format!("http://127.0.0.1:{closed}/"),
            _ => buyers.post_url(&name),
        };
        let terms = format!(
            "on_ambiguous = \"{}\"\nhonours_idempotency_key = true\ndelivery.status.url = \"{}\"\n",
            cell.policy,
            buyers.status_url(&name)
        );
        let calls = (buyers.ping_url(&name), post);
        campaign(&mut text, &name, cell, (calls, &terms));
    }
    for sound in ["second", "third"] {
        let calls = (buyers.ping_url(sound), buyers.post_url(sound));
        for cell in Cell::all() {
            campaign(&mut text, sound, cell, (calls.clone(), ""));
        }
    }
    // A table may be opened once.
    let sound = ["second", "third"].map(str::to_owned);
    for buyer in Cell::all().map(|cell| cell.name()).chain(sound) {
        write!(text, "[buyers.{buyer}]\nname = \"B\"\nallowed_hosts = [\"127.0.0.1\"]\n").unwrap();
    }
    text
}

fn campaign(
    text: &mut String,
    buyer: &str,
    cell: Cell,
    ((ping, post), terms): ((String, String), &str),
) {
    let (name, sells) = (cell.name(), cell.sells);
    write!(
        text,
        "[buyers.{buyer}.campaigns.{name}]\nproduct = \"{name}\"\nsells = \"{sells}\"\nfilter = {{}}\nprice.bid = {{ min = \"1.00\", max = \"60.00\" }}\n{terms}delivery.ping = {{ url = \"{ping}\", timeout_ms = 3000 }}\ndelivery.post = {{ url = \"{post}\", timeout_ms = 250 }}\n"
    )
    .unwrap();
}

/// Sells so many leads in every cell and says which leads each had.
async fn run(rig: &Rig, leads: usize) -> BTreeMap<Cell, Vec<LeadId>> {
    let mut sold: BTreeMap<_, Vec<LeadId>> = BTreeMap::new();
    let mut selling = JoinSet::new();
    let mut keep = |done: Result<(Cell, LeadId), _>| {
        let (cell, lead) = done.unwrap();
        sold.entry(cell).or_default().push(lead);
    };
    for (number, cell) in (0..leads).flat_map(|number| Cell::all().map(move |cell| (number, cell)))
    {
        if selling.len() >= AT_ONCE {
            keep(selling.join_next().await.unwrap());
        }
        let rig = rig.clone();
        selling.spawn(async move { (cell, sell(&rig, &cell.name(), number).await) });
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
    /// Leads that more buyers took than there are slots.
    too_often: usize,
    faults: Vec<String>,
}

impl Tally {
    fn must(&mut self, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(what());
        }
    }

    /// Compares one lead's record with what the buyers hold.
    fn judge(&mut self, cell: Cell, record: &LeadRecord, posts: &[&Post]) {
        let show = || format!("{cell:?}: {:?} / {posts:?}", record.posts);
        match record.disposition {
            Some(Disposition::Sold) => self.sold += 1,
            Some(Disposition::Unsold) => self.unsold += 1,
            Some(Disposition::Indeterminate) => self.held += 1,
            _ => self.must(false, || format!("not settled: {}", show())),
        }
        let unknown = record.posts.iter().any(|post| post.class == Some(PostClass::Unknown));
        let held = record.disposition == Some(Disposition::Indeterminate);
        let sales: Vec<_> = record.sales().collect();
        self.must(held == (unknown && sales.is_empty()), || format!("held? {}", show()));
        self.books(record, posts, &show);
        // A slot is sold once; whatever follows an unknown post in its slot is at risk, and nothing else.
        let (mut sold, mut doubtful) = (BTreeSet::new(), BTreeSet::new());
        for post in &record.posts {
            let slot = post.slot % RESALE_SLOTS;
            let at_risk = doubtful.contains(&slot);
            self.must(post.is_at_risk() == at_risk, || format!("the flag is wrong: {}", show()));
            let fresh = post.class != Some(PostClass::Accepted) || sold.insert(slot);
            self.must(fresh, || format!("the ledger sold a slot twice: {}", show()));
            if post.class == Some(PostClass::Unknown) {
                doubtful.insert(slot);
            }
        }
        let taken: BTreeSet<_> = sold.union(&doubtful).collect();
        self.must(taken.len() <= cell.slots, || format!("more sold than there is: {}", show()));
        let risks = record.posts.iter().filter(|post| post.is_at_risk()).count();
        let policy = cell.policy;
        self.must(risks == 0 || policy == "next_buyer", || format!("a risk was taken: {}", show()));
        let declared = sales.iter().filter(|sale| sale.is_at_risk()).count();
        self.at_risk += declared;
        let takers: BTreeSet<_> = posts.iter().filter(|p| p.bought).map(|p| &p.buyer).collect();
        // The answer of one that was sold on at risk may itself be unknown.
        let open = |post: &&PostRecord| post.class == Some(PostClass::Unknown) && post.is_at_risk();
        let declared = declared + record.posts.iter().filter(open).count();
        self.must(takers.len() <= cell.slots + declared, || format!("sold too often: {}", show()));
        self.too_often += usize::from(takers.len() > cell.slots);
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
        "\n| {:<13} | {:<14} | {:<9} | leads | sold | unsold | held | repeats | at risk | taken too often |\n|---|---|---|---|---|---|---|---|---|---|\n",
        "fault", "policy", "sells"
    );
    let (mut tallies, mut faults) = (BTreeMap::new(), Vec::new());
    for (cell, ids) in &sold {
        let mut tally = Tally::default();
        for id in ids {
            let record = rig.ledger().lead(*id).await.unwrap().unwrap();
            let of_lead = by_lead.get(id.to_string().as_str()).cloned().unwrap_or_default();
            tally.judge(*cell, &record, &of_lead);
        }
        let Tally { sold, unsold, held, repeats, at_risk, too_often, .. } = tally;
        let (Cell { fault, policy, sells, .. }, count) = (cell, ids.len());
        writeln!(table, "| {fault:<13} | {policy:<14} | {sells:<9} | {count} | {sold} | {unsold} | {held} | {repeats} | {at_risk} | {too_often} |").unwrap();
        faults.append(&mut tally.faults);
        tallies.insert(*cell, tally);
    }
    println!("{table}");
    assert!(
        faults.is_empty(),
        "{} faults, the first:\n{}",
        faults.len(),
        faults.iter().take(5).cloned().collect::<Vec<_>>().join("\n")
    );
    assert_eq!(sold.values().map(Vec::len).sum::<usize>(), 80 * leads);
    vacuous(&tallies);
    rig.ledger().close();
    let report = ledger::verify(dir.path(), &root_key()).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
}

/// Each policy met what it is for, with whole leads and with shared ones.
fn vacuous(tallies: &BTreeMap<Cell, Tally>) {
    for (sells, _) in SHAPES {
        let sum = |policy: &str, of: fn(&Tally) -> usize| -> usize {
            let met = |cell: &Cell| cell.policy == policy && cell.sells == sells;
            tallies.iter().filter(|(cell, _)| met(cell)).map(|(_, tally)| of(tally)).sum()
        };
        assert!(sum("retry_same_key", |tally| tally.repeats) > 0, "{sells}");
        assert!(sum("hold", |tally| tally.repeats) == 0, "{sells}");
        assert!(sum("status_query", |tally| tally.repeats) == 0, "{sells}");
        assert!(sum("next_buyer", |tally| tally.at_risk) > 0, "{sells}");
        assert!(sum("next_buyer", |tally| tally.too_often) > 0, "the risk is real: {sells}");
        // A shared lead of which one slot is held is sold all the same.
        if sells == "exclusive" {
            assert!(sum("hold", |tally| tally.held) > sum("status_query", |tally| tally.held));
            assert!(
                sum("status_query", |tally| tally.held) > 0,
                "what was never read is not known"
            );
        }
    }
}

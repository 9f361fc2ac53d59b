//! Buyers that do as their script says, write down what they see, and check at every post that its
//! intent was durable before they heard of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use document::parse_json;
use fanout::{Buyers, Ping, Post, PostReply, StatusQuery};
use lead::{Bid, Code, Money, NoBid, PostClass};
use ledger::Ledger;
use rust_decimal::Decimal;

use crate::file::{Facts, short};
use crate::world::Books;

/// How one campaign's buyer behaves. Without a manner it must not be asked.
#[derive(Default)]
pub(crate) struct Manners {
    pub(crate) ping: Option<PingManner>,
    pub(crate) post: Option<PostManner>,
    /// What it says to the same post again, one word after the other; the last stands for the rest.
    pub(crate) again: Vec<Word>,
    /// The same for its status call.
    pub(crate) status: Vec<Word>,
}

pub(crate) enum PingManner {
    Bid { after: Duration, amount: Decimal },
    NoBid { after: Duration, code: Code },
    Never,
    Panics,
}

pub(crate) struct PostManner {
    pub(crate) after: Duration,
    pub(crate) word: Word,
    pub(crate) price: Option<Decimal>,
    pub(crate) redirect_url: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Accepted,
    Rejected,
    Duplicate,
    NotSent,
    Unknown,
    /// Silent until the call's own time limit, which leaves it unknown.
    Never,
    Panics,
}

/// All buyers of one world; clones share what they saw.
#[derive(Clone)]
pub(crate) struct FakeBuyers {
    manners: Arc<Mutex<Arc<BTreeMap<String, Manners>>>>,
    books: Books,
    seen: Arc<Mutex<Seen>>,
    secrets: Arc<Vec<String>>,
}

#[derive(Default)]
struct Seen {
    pings: Vec<String>,
    shown: Facts,
    posts: Vec<String>,
    tokens: BTreeMap<String, String>,
    retries: Vec<String>,
    queries: Vec<String>,
    faults: Vec<String>,
}

impl FakeBuyers {
    /// `secrets` are values that no ping may show.
    pub(crate) fn new(
        manners: BTreeMap<String, Manners>,
        books: Books,
        secrets: Vec<String>,
    ) -> Self {
        let manners = Arc::new(Mutex::new(Arc::new(manners)));
        Self { manners, books, seen: Arc::default(), secrets: Arc::new(secrets) }
    }

    /// From now on they behave like that.
    pub(crate) fn behave(&self, manners: BTreeMap<String, Manners>) {
        *self.manners.lock().unwrap() = Arc::new(manners);
    }

    fn manners(&self) -> Arc<BTreeMap<String, Manners>> {
        Arc::clone(&self.manners.lock().unwrap())
    }

    /// What was seen until now is forgotten, except what must never be seen.
    pub(crate) fn forget(&self) {
        let mut seen = self.seen.lock().unwrap();
        *seen = Seen { faults: std::mem::take(&mut seen.faults), ..Seen::default() };
    }

    /// Who was pinged, by name.
    pub(crate) fn pings(&self) -> Vec<String> {
        let mut pings = self.seen.lock().unwrap().pings.clone();
        pings.sort();
        pings
    }

    /// Who was pinged, one lead after another.
    pub(crate) fn pings_in_order(&self) -> Vec<String> {
        self.seen.lock().unwrap().pings.clone()
    }

    /// Who was posted to, in order.
    pub(crate) fn posts(&self) -> Vec<String> {
        self.seen.lock().unwrap().posts.clone()
    }

    /// What `name` was given to tell events of the last lead that it was posted.
    pub(crate) fn token(&self, name: &str) -> String {
        self.seen.lock().unwrap().tokens.get(name).cloned().unwrap()
    }

    /// Who was posted to again while the first answer was unknown, in order.
    pub(crate) fn retries(&self) -> Vec<String> {
        self.seen.lock().unwrap().retries.clone()
    }

    /// Who was asked what became of a post, in order.
    pub(crate) fn queries(&self) -> Vec<String> {
        self.seen.lock().unwrap().queries.clone()
    }

    /// The attributes of the last ping.
    pub(crate) fn shown(&self) -> Facts {
        self.seen.lock().unwrap().shown.clone()
    }

    /// What no buyer should ever see.
    pub(crate) fn faults(&self) -> Vec<String> {
        self.seen.lock().unwrap().faults.clone()
    }

    fn fault(&self, fault: String) {
        self.seen.lock().unwrap().faults.push(fault);
    }

    fn see_ping(&self, name: &str, ping: &Ping<'_>) {
        // Only its `Debug` shows the object that goes out.
        let shown = format!("{:?}", ping.attributes).replace("\\\"", "\"");
        for secret in self.secrets.iter().filter(|secret| shown.contains(secret.as_str())) {
            self.fault(format!("the ping of {name} shows {secret}"));
        }
        if ping.time_left.is_zero() {
            self.fault(format!("{name} was pinged and had no time to answer"));
        }
        if ping.test && ping.campaign.delivery.sandbox.is_none() {
            self.fault(format!("a test lead was shown to {name}, which has no sandbox"));
        }
        let mut object = shown.trim_start_matches("SharedAttributes(\"").trim_end_matches("\")");
        object = object.trim();
        let mut bytes = object.as_bytes().to_vec();
        let document::Node::Object(members) = parse_json(&mut bytes).unwrap() else {
            panic!("no object: {object}");
        };
        let text = |node: &document::Node<'_>| match node {
            document::Node::Number(number) => number.to_string(),
            other => other.as_text().unwrap_or_default().to_owned(),
        };
        let mut seen = self.seen.lock().unwrap();
        seen.pings.push(name.to_owned());
        seen.shown = members.iter().map(|(key, node)| (key.to_string(), text(node))).collect();
    }

    /// What `name` says after so many earlier questions.
    fn say(&self, name: &str, earlier: usize, words: fn(&Manners) -> &[Word]) -> PostReply {
        let manners = self.manners();
        let words = manners.get(name).map(words).unwrap_or_default();
        let Some(word) = words.get(earlier).or(words.last()) else {
            self.fault(format!("{name} was asked about its post, and was to be left alone"));
            return PostReply::bare(PostClass::Unknown, Code::Unknown);
        };
        let (class, code) = word.class();
        PostReply::bare(class, code)
    }

    /// A post that is repeated is the one that is on record, open or unknown.
    async fn see_again(&self, name: &str, post: &Post<'_>) -> PostReply {
        let record = self.books.lead(post.lead).await.unwrap().unwrap();
        let is = |known: &ledger::PostRecord| {
            known.campaign == post.campaign.key
                && known.attempt == post.attempt
                && matches!(known.class, None | Some(PostClass::Unknown))
        };
        if !record.posts.iter().any(is) || !post.campaign.honours_idempotency_key {
            self.fault(format!("{name} was posted to again, which it must not be"));
        }
        let earlier = {
            let mut seen = self.seen.lock().unwrap();
            seen.retries.push(name.to_owned());
            seen.retries.iter().filter(|earlier| *earlier == name).count() - 1
        };
        self.say(name, earlier, |manners| &manners.again)
    }

    async fn see_post(&self, name: &str, post: &Post<'_>) {
        let record = self.books.lead(post.lead).await.unwrap();
        let posts = record.map(|record| record.posts).unwrap_or_default();
        let open: Vec<_> = posts.iter().filter(|known| known.class.is_none()).collect();
        let is_durable = matches!(open.as_slice(), [intent]
            if intent.campaign == post.campaign.key && intent.price == post.price);
        if !is_durable {
            self.fault(format!("{name} was posted to before that was on record"));
        }
        if post.test && post.campaign.delivery.sandbox.is_none() {
            self.fault(format!("a test lead was posted to {name}, which has no sandbox"));
        }
        if post.contact.email.is_none() {
            self.fault(format!("{name} was not told who the consumer is"));
        }
        let mut seen = self.seen.lock().unwrap();
        seen.posts.push(name.to_owned());
        seen.tokens.insert(name.to_owned(), post.event_token.to_owned());
    }
}

impl Buyers for FakeBuyers {
    async fn ping(&self, ping: &Ping<'_>) -> Result<Bid, NoBid> {
        let name = short(&ping.campaign.key);
        self.see_ping(&name, ping);
        let manners = self.manners();
        match manners.get(&name).and_then(|manners| manners.ping.as_ref()) {
            Some(PingManner::Bid { after, amount }) => {
                tokio::time::sleep(*after).await;
                let price = Money { amount: *amount, currency: ping.currency };
                Ok(Bid { price, reference: Some(format!("bid-of-{name}")) })
            }
            Some(PingManner::NoBid { after, code }) => {
                tokio::time::sleep(*after).await;
                Err(NoBid::new(*code))
            }
            Some(PingManner::Never) => std::future::pending().await,
            Some(PingManner::Panics) => panic!("{name} panics at a ping"),
            None => {
                self.fault(format!("{name} was pinged, and has no say in pings"));
                Err(NoBid::new(Code::NoBid))
            }
        }
    }

    async fn post(&self, post: &Post<'_>) -> PostReply {
        let name = short(&post.campaign.key);
        if post.again {
            return self.see_again(&name, post).await;
        }
        self.see_post(&name, post).await;
        let manners = self.manners();
        let Some(manner) = manners.get(&name).and_then(|manners| manners.post.as_ref()) else {
            self.fault(format!("{name} was posted to, and was to be left alone"));
            return PostReply::bare(PostClass::Unknown, Code::Unknown);
        };
        let asked = manners.get(&name).is_some_and(|manners| manners.ping.is_some());
        if asked != post.ping.is_some() || asked != post.bid_reference.is_some() {
            self.fault(format!("the post to {name} does not say which ping it follows"));
        }
        let limit = post.campaign.delivery.post.timeout;
        tokio::time::sleep(if manner.word == Word::Never { limit } else { manner.after }).await;
        let (class, code) = manner.word.class();
        PostReply {
            price: manner.price,
            redirect_url: manner.redirect_url.clone(),
            ..PostReply::bare(class, code)
        }
    }

    async fn status(&self, query: &StatusQuery<'_>) -> PostReply {
        let name = short(&query.campaign.key);
        let earlier = {
            let mut seen = self.seen.lock().unwrap();
            seen.queries.push(name.clone());
            seen.queries.iter().filter(|earlier| **earlier == name).count() - 1
        };
        self.say(&name, earlier, |manners| &manners.status)
    }
}

impl Word {
    fn class(self) -> (PostClass, Code) {
        match self {
            Self::Accepted => (PostClass::Accepted, Code::Sold),
            Self::Rejected => (PostClass::Rejected, Code::PostRejected),
            Self::Duplicate => (PostClass::Rejected, Code::BuyerDuplicate),
            Self::NotSent => (PostClass::NotSent, Code::Connect),
            Self::Unknown | Self::Never => (PostClass::Unknown, Code::Unknown),
            Self::Panics => panic!("a buyer panics at a post"),
        }
    }
}

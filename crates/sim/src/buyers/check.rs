//! Conformance: drives a buyer's own endpoint through the native delivery contract and says what it gets
//! wrong. Posts made-up consumers as real leads, so it is for sandboxes. Must never call anything but the
//! addresses it is given, nor stop at the first thing that is wrong.

mod calls;
mod client;
mod pings;
mod posts;
mod read;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

pub use client::BadAddress;
use client::Client;

use crate::leads::Product;

/// What is checked, and how.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Where pings go.
    pub ping: String,
    /// Where posts go; without it nothing about posts is checked.
    pub post: Option<String>,
    /// Where is asked what became of a post.
    pub status: Option<String>,
    /// Sent with every call: the buyer's own keys.
    pub headers: Vec<(String, String)>,
    /// Authorities to trust for https, as PEM, beside the public ones.
    pub authorities: Vec<u8>,
    /// What the made-up consumers ask for.
    pub product: Product,
    /// What pings tell the buyer.
    pub ping_timeout: Duration,
    /// How long a post may take.
    pub post_timeout: Duration,
    /// An accepted post must say where the consumer goes.
    pub requires_redirect: bool,
    /// Which consumers are made up; another run needs another number, else they come back.
    pub seed: u64,
}

impl Plan {
    /// Pings to this address, with the defaults of a market.
    #[must_use]
    pub fn new(ping: impl Into<String>, seed: u64) -> Self {
        Self {
            ping: ping.into(),
            post: None,
            status: None,
            headers: Vec::new(),
            authorities: Vec::new(),
            product: Product::PersonalLoanEs,
            ping_timeout: Duration::from_millis(500),
            post_timeout: Duration::from_secs(5),
            requires_redirect: false,
            seed,
        }
    }
}

/// How one check ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As it should be.
    Ok(String),
    /// Not so.
    Wrong {
        /// What should be.
        expected: String,
        /// What is.
        found: String,
    },
    /// It could not be told, and why.
    NotChecked(String),
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Of `ping`, `post` or `status`.
    pub call: &'static str,
    /// What was checked.
    pub check: &'static str,
    /// How it ended.
    pub outcome: Outcome,
}

impl Finding {
    /// Whether the buyer got it wrong.
    #[must_use]
    pub fn is_wrong(&self) -> bool {
        matches!(self.outcome, Outcome::Wrong { .. })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { call, check, outcome } = self;
        let word = match outcome {
            Outcome::Ok(_) => "ok",
            Outcome::Wrong { .. } => "wrong",
            Outcome::NotChecked(_) => "not checked",
        };
        write!(f, "{word:<12} {call:<7} {check:<26} ")?;
        match outcome {
            Outcome::Ok(seen) => f.write_str(seen),
            Outcome::Wrong { expected, found } => write!(f, "expected {expected}, found {found}"),
            Outcome::NotChecked(why) => f.write_str(why),
        }
    }
}

/// The findings of one kind of call, in the making.
#[derive(Debug)]
struct Report {
    call: &'static str,
    findings: Vec<Finding>,
}

impl Report {
    fn new(call: &'static str) -> Self {
        Self { call, findings: Vec::new() }
    }

    fn note(&mut self, check: &'static str, outcome: Outcome) {
        self.findings.push(Finding { call: self.call, check, outcome });
    }

    fn ok(&mut self, check: &'static str, seen: impl Into<String>) {
        self.note(check, Outcome::Ok(seen.into()));
    }

    fn wrong(
        &mut self,
        check: &'static str,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) {
        self.note(check, Outcome::Wrong { expected: expected.into(), found: found.into() });
    }

    fn skip(&mut self, check: &'static str, why: impl Into<String>) {
        self.note(check, Outcome::NotChecked(why.into()));
    }

    fn judge(&mut self, check: &'static str, judged: Result<String, (String, String)>) {
        match judged {
            Ok(seen) => self.ok(check, seen),
            Err((expected, found)) => self.wrong(check, expected, found),
        }
    }
}

/// Runs every check that the plan has an address for.
///
/// # Errors
/// An address, a header or an authority cannot be used; nothing was sent.
pub async fn run(plan: &Plan) -> Result<Vec<Finding>, BadAddress> {
    let mut ping = Client::new(&plan.ping, plan)?;
    let mut post = plan.post.as_deref().map(|url| Client::new(url, plan)).transpose()?;
    let mut status = plan.status.as_deref().map(|url| Client::new(url, plan)).transpose()?;
    let mut calls = calls::Calls::new(plan);
    let (mut findings, bid) = pings::check(plan, &mut calls, &mut ping).await;
    match &mut post {
        Some(post) => {
            let calls = (&mut calls, bid.as_ref());
            findings.extend(posts::check(plan, calls, post, status.as_mut()).await);
        }
        None => {
            let mut report = Report::new("post");
            report.skip("everything", "no address for posts was given");
            findings.extend(report.findings);
        }
    }
    Ok(findings)
}

//! How fast leads become durable on this machine: 256 waiters, one unsold lead a commit, with its claims
//! looked up before. Run on a filled directory with no leads, it shows how long opening and verifying take.
//!
//! `cargo run --release -p ledger --example commits -- [directory] [leads] [claims a lead]`
#![allow(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::float_arithmetic,
    reason = "a program that prints figures"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use lead::{
    Attributes, CampaignKey, Code, Consent, Contact, Door, LeadId, OfferOutcome, Submission,
};
use ledger::{
    Answered, Claim, ClaimKind, Decision, Entry, Ledger, NewLead, Options, RootKey, Settled,
    SqliteLedger, Write, verify,
};

const WAITERS: u32 = 256;

fn main() {
    let mut args = std::env::args().skip(1);
    let dir = args.next().map_or_else(|| std::env::temp_dir().join("gavel-commits"), PathBuf::from);
    let leads: u32 = args.next().map_or(60_000, |text| text.parse().unwrap());
    let claims: usize = args.next().map_or(2, |text| text.parse().unwrap());
    let root_key = RootKey::from_bytes([7; 32]);
    let started = now();
    let ledger = Arc::new(SqliteLedger::open(Options::new(&dir, root_key.clone())).unwrap());
    println!("opened in {:?}", started.elapsed());
    if leads > 0 {
        fill(&ledger, leads, claims);
        return ledger.close();
    }
    drop(ledger);
    let started = now();
    let found = verify(&dir, &root_key).unwrap();
    let (took, findings) = (started.elapsed(), found.findings.len());
    println!("verified in {took:?}: {findings} findings, {:?}", found.totals);
}

fn fill(ledger: &Arc<SqliteLedger>, leads: u32, claims: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let started = now();
    runtime.block_on(async {
        let waiters: Vec<_> = (0..WAITERS)
            .map(|waiter| tokio::spawn(wait(Arc::clone(ledger), waiter, leads / WAITERS, claims)))
            .collect();
        for waiter in waiters {
            waiter.await.unwrap();
        }
    });
    let took = started.elapsed();
    let rate = f64::from(leads) / took.as_secs_f64();
    println!("{leads} leads with {claims} claims by {WAITERS} waiters in {took:?}: {rate:.0}/s");
}

async fn wait(ledger: Arc<SqliteLedger>, waiter: u32, leads: u32, claims: usize) {
    for number in 0..leads {
        let number = waiter * leads + number;
        let mut entropy = [0; 10];
        getrandom::fill(&mut entropy).unwrap();
        let domains = [(ClaimKind::Customer, "email"), (ClaimKind::Duplicate, "phone")];
        let claim = |(kind, domain)| Claim { kind, key: ledger.digest(domain, &[&entropy]) };
        let claims: Vec<Claim> = domains.into_iter().take(claims).map(claim).collect();
        let keys: Vec<_> = claims.iter().map(|claim| claim.key).collect();
        ledger.claimants(&keys).await.unwrap();
        ledger.commit(unsold(number, entropy, claims)).await.unwrap();
    }
}

fn unsold(number: u32, entropy: [u8; 10], claims: Vec<Claim>) -> Write {
    let at = Timestamp::from_millisecond(1_780_000_000_000 + i64::from(number)).unwrap();
    let created = NewLead {
        received_at: at,
        market_version: 1,
        submission: Arc::new(submission(number)),
        claims,
        request: None,
    };
    let settled = Settled {
        outcome: Some(OfferOutcome::Unsold),
        disposition: OfferOutcome::Unsold.disposition(),
        reason: None,
        decisions: (0..10).map(decision).collect(),
        answered: Some(Answered::NewFinal),
        at,
    };
    Write {
        lead: LeadId::new(at, entropy),
        created: Some(Box::new(created)),
        entries: vec![Entry::Settled(settled)],
    }
}

fn decision(number: u8) -> Decision {
    Decision {
        campaign: CampaignKey {
            buyer: format!("buyer-{number}").parse().unwrap(),
            campaign: "prime".parse().unwrap(),
        },
        tier: 1,
        code: Code::NoBid,
        bid: None,
        ping_ms: Some(80),
        post_ms: None,
        reason: None,
    }
}

fn submission(number: u32) -> Submission {
    Submission {
        door: Door::Native,
        publisher: "acme".parse().unwrap(),
        product: "loan".parse().unwrap(),
        sub_id: None,
        external_id: Some(number.to_string()),
        min_payout: None,
        tags: BTreeMap::new(),
        source_url: Some("https://example.test/form".to_owned()),
        user_agent: Some("x".repeat(100)),
        attributes: Attributes::new(),
        contact: Contact {
            first_name: Some("Ana".to_owned()),
            email: Some(format!("ana{number}@example.test")),
            phone: Some(format!("+34{number}")),
            ..Contact::default()
        },
        consent: Consent::default(),
        test: false,
    }
}

#[expect(clippy::disallowed_methods, reason = "measures; no record depends on it")]
fn now() -> Instant {
    Instant::now()
}

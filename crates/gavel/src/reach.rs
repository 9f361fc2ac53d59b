//! `[delivery]` and `[breaker]` of the configuration: how buyers are reached, whom we trust, who we say
//! we are, and when a buyer that does not answer is left alone. Opens no connection.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use document::{Defect, Fields, Path as DefectPath, Slot};
use engine::BreakerRules;
use fanout::{Allowed, ClientCertificate, Guard, Tls, TlsFiles};
use lead::Clock;
use market::Market;

use crate::failure::Failure;

/// How buyers are reached.
#[derive(Debug, Clone, Default)]
pub(crate) struct Reach {
    pub(crate) guard: Guard,
    authorities: Option<PathBuf>,
    /// Each with the files of its chain and its key.
    certificates: BTreeMap<String, (PathBuf, PathBuf)>,
}

impl Reach {
    /// To buyers on this machine only, without TLS: for simulated ones.
    pub(crate) fn loopback() -> Self {
        let allowed = ["127.0.0.0/8", "::1"].into_iter().filter_map(|it| it.parse().ok());
        let allowed = allowed.map(|network| Allowed { network, ports: Vec::new() }).collect();
        Self { guard: Guard { allowed, plain_http: true }, ..Self::default() }
    }

    pub(crate) fn read(fields: &Fields<'_, '_>, base: &Path) -> Option<Self> {
        let Some(slot) = fields.given("delivery") else { return Some(Self::default()) };
        let own = slot.fields()?;
        let allowed = own.given("allow").map_or(Some(Vec::new()), |slot| slot.each(allowed));
        let plain_http = own.given("plain_http").map_or(Some(false), |slot| slot.bool());
        let authorities = file(own.given("ca_file"), base);
        let certificates = own.given("client_certificates");
        let certificates = certificates.map_or(Some(BTreeMap::new()), |slot| {
            let named = slot.fields()?;
            let read = |(name, slot): (&str, Slot<'_, '_>)| {
                let own = slot.fields()?;
                let files = (own.at("certificate").filled(), own.at("key").filled());
                own.deny_unknown();
                Some((name.to_owned(), (base.join(files.0?), base.join(files.1?))))
            };
            Some(named.all().filter_map(read).collect())
        });
        own.deny_unknown();
        let guard = Guard { allowed: allowed?, plain_http: plain_http? };
        Some(Self { guard, authorities, certificates: certificates? })
    }

    /// Reads the files that it names.
    pub(crate) fn tls(&self, clock: &Arc<dyn Clock>) -> Result<Tls, Failure> {
        let read =
            |file: &PathBuf| std::fs::read(file).map_err(|error| Failure::unreadable(file, error));
        let mut files = TlsFiles {
            authorities: self.authorities.as_ref().map(read).transpose()?,
            certificates: BTreeMap::new(),
        };
        for (name, (chain, key)) in &self.certificates {
            let certificate = ClientCertificate { chain: read(chain)?, key: read(key)? };
            files.certificates.insert(name.clone(), certificate);
        }
        Tls::new(&files, clock).map_err(|fault| Failure::Usage(format!("[delivery]: {fault}")))
    }

    /// What of a market could never be reached this way.
    pub(crate) fn check(&self, market: &Market) -> Vec<Defect> {
        let buyers = DefectPath::default().key("buyers");
        let defect = |path, issue| Defect { path, issue, missing: false };
        let mut defects = Vec::new();
        for (id, buyer) in &market.buyers {
            let named = buyer.client_certificate.as_deref();
            if named.is_some_and(|name| !self.certificates.contains_key(name)) {
                let path = buyers.key(id.as_str()).key("client_certificate");
                let issue = "is not among the configuration's [delivery.client_certificates]";
                defects.push(defect(path, issue.to_owned()));
            }
        }
        for (key, campaign) in &market.campaigns {
            let plain = campaign.delivery.urls().find(|url| !url.is_secure());
            if let Some(url) = plain.filter(|_| !self.guard.plain_http) {
                let buyer = buyers.key(key.buyer.as_str());
                let path = buyer.key("campaigns").key(key.campaign.as_str()).key("delivery");
                let issue = format!(
                    "must be https, found http to {}; the configuration's [delivery] may set \
                     plain_http = true for development",
                    url.host()
                );
                defects.push(defect(path, issue));
            }
        }
        defects
    }
}

fn allowed(slot: Slot<'_, '_>) -> Option<Allowed> {
    let fields = slot.fields()?;
    let network =
        fields.at("network").parse("an address or a network such as \"10.1.0.0/16\"", |node| {
            node.as_text()?.parse().ok()
        });
    let ports = fields.given("ports");
    let ports =
        ports.map_or(Some(Vec::new()), |slot| slot.each(|port| port.integer(1u16, u16::MAX)));
    fields.deny_unknown();
    Some(Allowed { network: network?, ports: ports? })
}

fn file(slot: Option<Slot<'_, '_>>, base: &Path) -> Option<PathBuf> {
    Some(base.join(slot?.filled()?))
}

/// `[breaker]`.
pub(crate) fn breakers(fields: &Fields<'_, '_>) -> Option<BreakerRules> {
    let mut rules = BreakerRules::default();
    let Some(slot) = fields.given("breaker") else { return Some(rules) };
    let own = slot.fields()?;
    let millis = |name: &'static str, known: Duration| {
        let read = own.given(name).map(|slot| slot.integer(1i64, 3_600_000));
        match read {
            None => Some(known),
            Some(read) => read.and_then(|ms| u64::try_from(ms).ok()).map(Duration::from_millis),
        }
    };
    let simulate = own.given("simulate").map_or(Some(false), |slot| slot.bool());
    let in_row = own.given("faults_in_row");
    let in_row = in_row.map_or(Some(rules.faults_in_row), |slot| slot.integer(1, 10_000));
    let least = millis("wait_min_ms", rules.wait_least);
    let most = millis("wait_max_ms", rules.wait_most);
    let throttle = millis("retry_after_max_ms", rules.throttle_most);
    own.deny_unknown();
    rules.simulate = simulate?;
    rules.faults_in_row = in_row?;
    (rules.wait_least, rules.wait_most, rules.throttle_most) = (least?, most?, throttle?);
    let most = rules.wait_most.min(rules.throttle_most);
    if rules.wait_least > most {
        own.at("wait_min_ms").refuse(format_args!(
            "must be at most wait_max_ms and retry_after_max_ms, which is {}, found {}",
            most.as_millis(),
            rules.wait_least.as_millis()
        ));
    }
    Some(rules)
}

//! The configuration file: where to listen, where to keep data, which market to load, which bounds.
//! The only reader of that file. Knows nothing of the market's content.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use document::{Defects, Fields, Slot, parse_toml};
use engine::{BreakerRules, Snapshot};
use management::Operator;
use market::{Fault, KeyDigest, Place, Places, Sources, Vault};

use crate::failure::Failure;
use crate::reach::{self, Reach};

/// A configuration, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) public: SocketAddr,
    pub(crate) ops: SocketAddr,
    /// The management API; it listens only if the configuration names it.
    pub(crate) management: Option<Management>,
    pub(crate) data_dir: PathBuf,
    pub(crate) root_key_file: PathBuf,
    pub(crate) market_files: Vec<PathBuf>,
    /// Tables of postal codes.
    pub(crate) postal_codes: Vec<PathBuf>,
    /// Domains whose e-mail addresses are thrown away after use.
    pub(crate) disposable_domains: Option<PathBuf>,
    /// Lists of consumers who must not be sold: name and file.
    pub(crate) suppressions: Vec<(String, PathBuf)>,
    pub(crate) limits: Limits,
    pub(crate) reach: Reach,
    pub(crate) breakers: BreakerRules,
    pub(crate) drain_delay: Duration,
}

/// Where the management API listens, and for which operators; buyers' keys are the market's.
#[derive(Debug, Clone)]
pub(crate) struct Management {
    pub(crate) listen: SocketAddr,
    pub(crate) operators: Vec<Operator>,
}

/// Bounds that operators may move.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    pub(crate) in_flight_leads: usize,
    pub(crate) ledger_queue: usize,
    pub(crate) leads_per_ip_minute: u32,
    pub(crate) leads_per_device_minute: u32,
    pub(crate) leads_per_phone_minute: u32,
    pub(crate) ingress: ingress::Limits,
    pub(crate) fanout: fanout::Limits,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            in_flight_leads: 10_000,
            ledger_queue: 4_096,
            leads_per_ip_minute: 120_000,
            leads_per_device_minute: 120_000,
            leads_per_phone_minute: 120_000,
            ingress: ingress::Limits::default(),
            fanout: fanout::Limits::default(),
        }
    }
}

impl Settings {
    /// Reads and checks a configuration file. Paths in it are relative to it.
    pub(crate) fn load(file: &Path) -> Result<Self, Failure> {
        let text =
            std::fs::read_to_string(file).map_err(|error| Failure::unreadable(file, error))?;
        let base = file.parent().unwrap_or(Path::new("."));
        Self::parse(&file.display().to_string(), &text, base).map_err(Failure::Invalid)
    }

    fn parse(file: &str, text: &str, base: &Path) -> Result<Self, Vec<Fault>> {
        let fault = |position, message| Fault { file: file.to_owned(), position, message };
        let source =
            parse_toml(text).map_err(|(position, message)| vec![fault(position, message)])?;
        let defects = Defects::new();
        let read = Self::read(&Slot::root(&source.root, &defects), base);
        defects.finish(read).map_err(|defects| {
            defects
                .iter()
                .map(|defect| fault(source.position(&defect.path), defect.to_string()))
                .collect()
        })
    }

    fn read(slot: &Slot<'_, '_>, base: &Path) -> Option<Self> {
        let fields = slot.fields()?;
        let public = listen(&fields, "public", "127.0.0.1:8080");
        let ops = listen(&fields, "ops", "127.0.0.1:9464");
        let management = match fields.given("management") {
            Some(slot) => Management::read(&slot).map(Some),
            None => Some(None),
        };
        let data = fields.at("data");
        let data = data.fields()?;
        let data_dir = data.at("dir").filled().map(|dir| base.join(dir));
        let key =
            data.given("root_key_file").and_then(|slot| slot.filled()).map(|file| base.join(file));
        data.deny_unknown();
        let market = fields.at("market");
        let market = market.fields()?;
        let files = market.at("files").each(|file| file.filled().map(|file| base.join(file)));
        market.deny_unknown();
        let postal_codes = postal_codes(&fields, base);
        let disposable = disposable_domains(&fields, base);
        let suppressions = suppressions(&fields, base);
        let limits =
            fields.given("limits").and_then(|slot| Limits::read(&slot)).unwrap_or_default();
        let reach = Reach::read(&fields, base);
        let breakers = reach::breakers(&fields);
        let drain =
            fields.given("drain_delay_ms").map_or(Some(0u64), |slot| slot.integer(0, 600_000));
        fields.deny_unknown();
        let data_dir = data_dir?;
        Some(Self {
            public: public?,
            ops: ops?,
            management: management?,
            root_key_file: key.unwrap_or_else(|| data_dir.join("root.key")),
            data_dir,
            market_files: files?,
            postal_codes: postal_codes?,
            disposable_domains: disposable?,
            suppressions,
            limits,
            reach: reach?,
            breakers: breakers?,
            drain_delay: Duration::from_millis(drain?),
        })
    }
}

impl Management {
    fn read(slot: &Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let listen = match fields.given("listen") {
            Some(slot) => address(&slot),
            None => "127.0.0.1:8081".parse().ok(),
        };
        let operators = fields.at("operators");
        let operators = match operators.given() {
            Some(slot) => slot.fields()?.all().map(|(name, slot)| operator(name, &slot)).collect(),
            None => Some(Vec::new()),
        };
        fields.deny_unknown();
        Some(Self { listen: listen?, operators: operators? })
    }
}

fn operator(name: &str, slot: &Slot<'_, '_>) -> Option<Operator> {
    let fields = slot.fields()?;
    let keys = fields.at("keys").each(|key| key.filled().map(KeyDigest::of));
    fields.deny_unknown();
    Some(Operator { name: name.to_owned(), keys: keys? })
}

impl Limits {
    fn read(slot: &Slot<'_, '_>) -> Option<Self> {
        let fields = slot.fields()?;
        let mut limits = Self::default();
        let count = |name: &'static str, most: i64| {
            fields
                .given(name)
                .and_then(|slot| slot.integer(1, most))
                .and_then(|n| usize::try_from(n).ok())
        };
        let millis = |name: &'static str| {
            let read = fields.given(name).and_then(|slot| slot.integer(1i64, 600_000));
            read.and_then(|n| u64::try_from(n).ok()).map(Duration::from_millis)
        };
        let set = |slot: &mut usize, value: Option<usize>| *slot = value.unwrap_or(*slot);
        set(&mut limits.in_flight_leads, count("in_flight_leads", 1_000_000));
        set(&mut limits.ledger_queue, count("ledger_queue", 1_000_000));
        set(&mut limits.ingress.connections_max, count("connections", 1_000_000));
        set(&mut limits.ingress.body_bytes_max, count("body_bytes", 16 << 20));
        set(&mut limits.ingress.header_bytes_max, count("header_bytes", 1 << 20));
        set(&mut limits.fanout.reply_bytes_max, count("buyer_reply_bytes", 16 << 20));
        set(&mut limits.fanout.idle_max, count("buyer_idle_connections", 100_000));
        set(&mut limits.fanout.connections_max, count("buyer_connections", 100_000));
        for (name, limit) in [
            ("leads_per_ip_minute", &mut limits.leads_per_ip_minute),
            ("leads_per_device_minute", &mut limits.leads_per_device_minute),
            ("leads_per_phone_minute", &mut limits.leads_per_phone_minute),
        ] {
            if let Some(slot) = fields.given(name) {
                *limit = slot.integer(1, u32::MAX).unwrap_or_default();
            }
        }
        limits.ingress.header_read = millis("header_read_ms").unwrap_or(limits.ingress.header_read);
        limits.fanout.connect = millis("buyer_connect_ms").unwrap_or(limits.fanout.connect);
        limits.ingress.body_read = millis("body_read_ms").unwrap_or(limits.ingress.body_read);
        fields.deny_unknown();
        Some(limits)
    }
}

/// `[places] postal_codes = [files]`.
fn postal_codes(fields: &Fields<'_, '_>, base: &Path) -> Option<Vec<PathBuf>> {
    let Some(slot) = fields.given("places") else { return Some(Vec::new()) };
    let places = slot.fields()?;
    let files = places.at("postal_codes").each(|file| file.filled().map(|file| base.join(file)));
    places.deny_unknown();
    files
}

/// `[fraud] disposable_domains = file`.
fn disposable_domains(fields: &Fields<'_, '_>, base: &Path) -> Option<Option<PathBuf>> {
    let Some(slot) = fields.given("fraud") else { return Some(None) };
    let fraud = slot.fields()?;
    let file = match fraud.given("disposable_domains") {
        Some(file) => file.filled().map(|file| Some(base.join(file))),
        None => Some(None),
    };
    fraud.deny_unknown();
    file
}

fn suppressions(fields: &Fields<'_, '_>, base: &Path) -> Vec<(String, PathBuf)> {
    let slot = fields.at("suppressions");
    let Some(own) = slot.is_given().then(|| slot.fields()).flatten() else {
        return Vec::new();
    };
    let list =
        |(name, slot): (&str, Slot<'_, '_>)| Some((name.to_owned(), base.join(slot.filled()?)));
    own.all().filter_map(list).collect()
}

fn listen(fields: &Fields<'_, '_>, table: &'static str, default: &str) -> Option<SocketAddr> {
    let Some(slot) = fields.given(table) else {
        return default.parse().ok();
    };
    let own = slot.fields()?;
    let address = address(&own.at("listen"));
    own.deny_unknown();
    address
}

fn address(slot: &Slot<'_, '_>) -> Option<SocketAddr> {
    slot.parsed("an address and port such as \"0.0.0.0:8080\"")
}

/// A market from files that can be sold by, and what it was compiled from.
pub(crate) struct Loaded {
    /// Without a version until it is on record.
    pub(crate) snapshot: Snapshot,
    /// What a store is seeded with.
    pub(crate) texts: Vec<String>,
    /// What of its filters can hardly be meant.
    pub(crate) warnings: Vec<Fault>,
    /// Where secrets are found.
    pub(crate) vault: Vault<'static>,
    /// An address in the texts, and what it is in this run.
    pub(crate) moved: Option<(&'static str, String)>,
}

impl Loaded {
    /// A text with the addresses of this run.
    pub(crate) fn place(&self, text: &str) -> String {
        match &self.moved {
            Some((from, to)) => text.replace(from, to),
            None => text.to_owned(),
        }
    }
}

/// Reads, checks and compiles a market from files, for a configuration if there is one; its secrets are
/// in the environment or in files.
pub(crate) fn load_market(
    files: &[PathBuf],
    postal_codes: &[PathBuf],
    reach: Option<&Reach>,
) -> Result<Loaded, Failure> {
    let places = Arc::new(Places::read(texts(postal_codes)?).map_err(Failure::Invalid)?);
    let vault = Vault { look_up: &secret, literals: false };
    compile_market(texts(files)?, vault, places, reach)
}

/// Files with their names.
pub(crate) fn texts(files: &[PathBuf]) -> Result<Vec<(String, String)>, Failure> {
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).map_err(|error| Failure::unreadable(file, error));
        Ok((file.display().to_string(), text?))
    };
    files.iter().map(read).collect()
}

/// The text of a secret, where the market says that it is kept.
#[expect(clippy::disallowed_methods, reason = "this is where settings are read once")]
fn secret(place: Place<'_>) -> Option<String> {
    match place {
        Place::Env(name) => std::env::var(name).ok(),
        Place::File(path) => std::fs::read_to_string(path).ok(),
    }
}

/// Checks and compiles a market from named texts.
pub(crate) fn compile_market(
    texts: Vec<(String, String)>,
    vault: Vault<'static>,
    places: Arc<Places>,
    reach: Option<&Reach>,
) -> Result<Loaded, Failure> {
    let kept = texts.iter().map(|(_, text)| text.clone()).collect();
    let sources = Sources::parse(texts).map_err(Failure::Invalid)?;
    let market = sources.market_with(&vault).map_err(Failure::Invalid)?.with_places(places);
    let unreachable = reach.map(|reach| reach.check(&market)).unwrap_or_default();
    if !unreachable.is_empty() {
        return Err(Failure::Invalid(sources.locate(&unreachable)));
    }
    let snapshot = Snapshot::compile(market, 0)
        .map_err(|defects| Failure::Invalid(sources.locate(&defects)))?;
    let warnings = sources.locate(&snapshot.warnings);
    Ok(Loaded { snapshot, texts: kept, warnings, vault, moved: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_configuration_is_checked_whole() {
        let text = "[public]\nlisten = \"nowhere\"\n[data]\ndirr = \"d\"\n[market]\nfiles = \"m.toml\"\n[limits]\nbody_bytes = 0\n";
        let faults = Settings::parse("gavel.toml", text, Path::new("/etc")).unwrap_err();
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "gavel.toml:2:10: public.listen must be an address and port such as \"0.0.0.0:8080\", found a string",
                "gavel.toml:3:1: data.dir is required",
                "gavel.toml:4:8: data.dirr is not a known field; known here: dir, root_key_file",
                "gavel.toml:6:9: market.files must be an array, found a string",
                "gavel.toml:8:14: limits.body_bytes must be a whole number from 1 to 16777216, found a number",
            ]
        );
    }

    #[test]
    fn the_management_api_listens_where_it_is_told_to_and_for_whom() {
        let read = |management: &str| {
            let text = format!("{management}\n[data]\ndir = \"d\"\n[market]\nfiles = []\n");
            Settings::parse("g.toml", &text, Path::new("/etc")).map(|settings| settings.management)
        };
        assert!(read("").unwrap().is_none());
        let found = read("[management]").unwrap().unwrap();
        assert_eq!((found.listen.port(), found.operators.len()), (8081, 0));
        let found = read(
            "[management]\nlisten = \"127.0.0.1:1\"\noperators.ada = { keys = [\"a\", \"b\"] }",
        );
        let found = found.unwrap().unwrap();
        let ada = &found.operators[0];
        assert_eq!((found.listen.port(), ada.name.as_str(), ada.keys.len()), (1, "ada", 2));
        let faults = read("[management]\nlisten = 1\noperators.ada = { key = \"a\" }").unwrap_err();
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "g.toml:2:10: management.listen must be an address and port such as \"0.0.0.0:8080\", found a number",
                "g.toml:3:17: management.operators.ada.keys is required",
                "g.toml:3:25: management.operators.ada.key is not a known field; known here: keys",
            ]
        );
    }

    #[test]
    fn how_buyers_are_reached_is_checked_too() {
        let rest = "[data]\ndir = \"d\"\n[market]\nfiles = [\"m.toml\"]\n";
        let parse =
            |text: &str| Settings::parse("g.toml", &format!("{text}{rest}"), Path::new("/e"));
        let faults = |text: &str| -> Vec<String> {
            parse(text).unwrap_err().iter().map(ToString::to_string).collect()
        };
        let text = "[delivery]\nallow = [{ network = \"10.0.0.0/40\" }, { network = \"::1\", ports = [0] }]\nplain_http = \"yes\"\nclient_certificates.nova = { certificate = \"n.pem\" }\n[breaker]\nwait_min_ms = 9000\nsimulated = true\n";
        assert_eq!(
            faults(text),
            [
                "g.toml:2:22: delivery.allow.0.network must be an address or a network such as \"10.1.0.0/16\", found a string",
                "g.toml:2:67: delivery.allow.1.ports.0 must be a whole number from 1 to 65535, found a number",
                "g.toml:3:14: delivery.plain_http must be a boolean, found a string",
                "g.toml:4:28: delivery.client_certificates.nova.key is required",
                "g.toml:7:13: breaker.simulated is not a known field; known here: simulate, faults_in_row, wait_min_ms, wait_max_ms, retry_after_max_ms",
                "g.toml:6:15: breaker.wait_min_ms must be at most wait_max_ms and retry_after_max_ms, which is 8000, found 9000",
            ]
        );
        let settings = parse("").unwrap();
        assert!(settings.reach.guard.allowed.is_empty() && !settings.reach.guard.plain_http);
        assert!(!settings.breakers.simulate);
        let settings = parse("[delivery]\nallow = [{ network = \"10.1.0.0/16\", ports = [443] }]\nplain_http = true\n[breaker]\nsimulate = true\nfaults_in_row = 3\n").unwrap();
        assert_eq!(settings.reach.guard.allowed[0].ports, [443]);
        assert!(settings.reach.guard.plain_http && settings.breakers.simulate);
        assert_eq!(settings.breakers.faults_in_row, 3);
    }

    /// A market that no call could be made for is refused where it says so.
    #[test]
    fn a_market_must_suit_how_buyers_are_reached() {
        let text = include_str!("../../../config/demo/market.toml");
        let certified =
            text.replace("[buyers.nova]", "[buyers.nova]\nclient_certificate = \"none\"");
        let compile = |text: &str, reach: Option<&Reach>| -> Vec<String> {
            match compile_market(
                vec![("m.toml".to_owned(), text.to_owned())],
                Vault::LITERALS,
                Places::built_in(),
                reach,
            ) {
                Ok(_) => Vec::new(),
                Err(Failure::Invalid(faults)) => faults.iter().map(ToString::to_string).collect(),
                Err(other) => panic!("{other}"),
            }
        };
        assert_eq!(compile(text, None), Vec::<String>::new());
        assert_eq!(compile(text, Some(&Reach::loopback())), Vec::<String>::new());
        let plain = compile(text, Some(&Reach::default()));
        assert!(
            !plain.is_empty()
                && plain
                    .iter()
                    .all(|fault| fault.contains("delivery must be https, found http to 127.0.0.1")),
            "{plain:?}"
        );
        let unknown = compile(&certified, Some(&Reach::loopback()));
        let [fault] = &unknown[..] else { panic!("{unknown:?}") };
        assert!(fault.ends_with("buyers.nova.client_certificate is not among the configuration's [delivery.client_certificates]"), "{fault}");
    }

    #[test]
    fn places_and_signs_of_fraud_are_checked_too() {
        let rest = "[data]\ndir = \"d\"\n[market]\nfiles = [\"m.toml\"]\n";
        let parse =
            |text: &str| Settings::parse("g.toml", &format!("{text}{rest}"), Path::new("/e"));
        let faults = parse("[places]\npostal_code = 1\n[fraud]\ndisposable_domains = 1\ndisposable = 1\n[limits]\nleads_per_phone_minute = 0\n").unwrap_err();
        let lines: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "g.toml:1:1: places.postal_codes is required",
                "g.toml:2:15: places.postal_code is not a known field; known here: postal_codes",
                "g.toml:4:22: fraud.disposable_domains must be a string, found a number",
                "g.toml:5:14: fraud.disposable is not a known field; known here: disposable_domains",
                "g.toml:7:26: limits.leads_per_phone_minute must be a whole number from 1 to 4294967295, found a number",
            ]
        );
        let settings = parse("[places]\npostal_codes = [\"t.csv\"]\n[fraud]\ndisposable_domains = \"x.txt\"\n[limits]\nleads_per_device_minute = 7\n").unwrap();
        assert_eq!(settings.postal_codes, [Path::new("/e/t.csv")]);
        assert_eq!(settings.disposable_domains.as_deref(), Some(Path::new("/e/x.txt")));
        let limits = &settings.limits;
        assert_eq!((limits.leads_per_device_minute, limits.leads_per_phone_minute), (7, 120_000));
        let missing = load_market(&[], &["/e/none.csv".into()], None).err().unwrap().to_string();
        assert!(missing.contains("/e/none.csv"), "{missing}");
    }

    #[test]
    fn paths_are_relative_to_the_file() {
        let text = "[data]\ndir = \"data\"\n[market]\nfiles = [\"m.toml\", \"/abs.toml\"]\n";
        let settings = Settings::parse("gavel.toml", text, Path::new("/etc/gavel")).unwrap();
        assert_eq!(settings.data_dir, Path::new("/etc/gavel/data"));
        assert_eq!(settings.root_key_file, Path::new("/etc/gavel/data/root.key"));
        assert_eq!(settings.market_files, [Path::new("/etc/gavel/m.toml"), Path::new("/abs.toml")]);
    }
}

//! Whole markets from text: good ones, and every way to write a bad one.

use crate::*;

const GOOD: &str = r#"
[publishers.demo]
name = "Demo"
doors.native.keys = ["demo-native"]
doors.leadhub = { publisher_id = "B96B", keys = ["demo-leadhub"] }
products.loan = { payout = { share = "0.8" }, floor = "1.00" }

[products.loan]
name = "Loan"
vertical = "loans"
country = "ES"
currency = "EUR"
timezone = "Europe/Madrid"
budget_ms = 2000
consents = ["terms"]
eligibility = { age = { min = 18, max = 75 }, countries = ["ES"] }
attributes.amount = { required = true, min = 100 }
attributes.plan = { type = "text", enum = ["gold", "basic"], ping = true }
doors.leadhub.product_id = "36"
tiers = [{ mode = "auction", floor = "2.00" }]

[buyers.nova]
name = "Nova"
allowed_hosts = ["127.0.0.1", "*.nova.example"]

[buyers.nova.campaigns.prime]
product = "loan"
filter = { age = { gte = 21 } }
price = { bid = { min = "5.00", max = "60.00" } }
delivery.ping = { url = "http://127.0.0.1:9000/ping", timeout_ms = 400 }
delivery.post = { url = "http://api.nova.example/post", headers = { X-Key = "k" } }
"#;

fn faults(text: &str) -> Vec<String> {
    let parsed = Sources::parse([("m.toml".to_owned(), text.to_owned())]);
    let faults = match parsed.map(|sources| sources.market()) {
        Ok(Ok(_)) => Vec::new(),
        Ok(Err(faults)) | Err(faults) => faults,
    };
    faults.iter().map(ToString::to_string).collect()
}

#[test]
fn a_good_market_reads_and_its_look_ups_answer() {
    let sources = Sources::parse([("m.toml".to_owned(), GOOD.to_owned())]).unwrap();
    let market = sources.market().unwrap();
    assert_eq!(
        market.publisher_by_key(lead::Door::Native, "demo-native").unwrap().id.as_str(),
        "demo"
    );
    assert!(market.publisher_by_key(lead::Door::Leadhub, "demo-native").is_none());
    assert_eq!(market.product_by_leadhub_id("36").unwrap().id.as_str(), "loan");
    let product = market.products.values().next().unwrap();
    assert!(product.dictionary.named("amount").unwrap().required);
    assert!(product.dictionary.declared_in_ping("plan"));
    assert_eq!(market.campaigns.len(), 1);
}

#[test]
fn a_key_is_one_buyers() {
    let other =
        "\n[buyers.orion]\nname = \"Orion\"\nkeys = [\"k-2\", \"KEY\"]\nallowed_hosts = []\n";
    let market = |key: &str| {
        let nova = GOOD.replace("name = \"Nova\"", "name = \"Nova\"\nkeys = [\"k-1\", \"k-1\"]");
        faults(&format!("{nova}{}", other.replace("KEY", key)))
    };
    assert_eq!(market("k-3"), Vec::<String>::new());
    assert_eq!(market("k-1"), ["m.toml:34:1: buyers.orion shares a key with another buyer"]);
}

#[test]
fn every_bad_value_is_named_with_its_line() {
    let cases = [
        (
            "currency = \"EUR\"",
            "currency = \"euro\"",
            "m.toml:12:12: products.loan.currency must be an ISO 4217 code",
        ),
        (
            "budget_ms = 2000",
            "budget_ms = \"2s\"",
            "m.toml:14:13: products.loan.budget_ms must be a whole number",
        ),
        ("max = \"60.00\"", "max = \"1.00\"", "price.bid admits nothing"),
        (
            "max = \"60.00\"",
            "max = \"60.001\"",
            "price.bid.max must be an amount from 0 to 1000000000 with at most 2 decimals",
        ),
        (
            "product = \"loan\"",
            "product = \"lone\"",
            "m.toml:27:11: buyers.nova.campaigns.prime.product names no product",
        ),
        (
            "product = \"loan\"",
            "product = \"loan\"\ntier = 2",
            "campaigns.prime.tier must be at most 1",
        ),
        (
            "product = \"loan\"",
            "product = \"loan\"\ncolour = 1",
            "campaigns.prime.colour is not a known field",
        ),
        (
            "product = \"loan\"",
            "product = \"loan\"\nsuppress = []",
            "campaigns.prime.suppress is not supported by this version",
        ),
        (
            "http://api.nova",
            "ftp://api.nova",
            "delivery.post.url must be an absolute http or https URL",
        ),
        (
            "http://api.nova",
            "https://u:p@api.nova",
            "delivery.post.url must be an absolute http or https URL",
        ),
        (
            "http://api.nova.",
            "https://api.orion.",
            "delivers to api.orion.example, which is not among",
        ),
        ("X-Key", "Host", "headers.Host is a header that Gavel sets itself"),
        ("share = \"0.8\"", "share = \"1.8\"", "payout.share must be from 0 to 1"),
        ("Europe/Madrid", "Europe/Madird", "timezone must be an IANA time zone"),
        ("products.loan = {", "products.lone = {", "has terms for lone, which is no product"),
        ("type = \"text\", enum", "enum", "attributes.plan needs a type"),
        ("[buyers.nova]", "[buyers.Nova]", "buyers.Nova is no id"),
        ("name = \"Nova\"", "name = ", "m.toml:23:"),
    ];
    assert_eq!(faults(GOOD), Vec::<String>::new());
    each_is_named(&cases);
}

#[test]
fn a_buyer_names_lists_of_its_own() {
    let listed =
        |lists: &str| GOOD.replace("name = \"Nova\"", &format!("name = \"Nova\"\n{lists}"));
    let good = listed("lists = { zips = [\"28001\", 28002], nobody = [] }");
    let sources = Sources::parse([("m.toml".to_owned(), good)]).unwrap();
    let market = sources.market().unwrap();
    let nova = market.buyers.values().next().unwrap();
    assert_eq!((nova.lists["zips"].len(), nova.lists["nobody"].len()), (2, 0));
    let long = format!("lists.zips = [{}]", vec!["1"; 65_537].join(","));
    for (lists, expected) in [
        ("lists = [\"a\"]", "m.toml:24:9: buyers.nova.lists must be an object, found an array"),
        ("lists.a = \"b\"", "buyers.nova.lists.a must be an array, found a string"),
        (
            "lists.a = [1, true]",
            "buyers.nova.lists.a.1 must be a string or a number, found a boolean",
        ),
        ("lists.A = [1]", "buyers.nova.lists.A is no name of a list: names are 1 to 64"),
        (&long, "buyers.nova.lists.zips must hold at most 65536 values, found 65537"),
    ] {
        let found = faults(&listed(lists));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{found:#?}");
    }
}

/// Each case replaces a text of the good market by a bad one and expects a fault.
fn each_is_named(cases: &[(&str, &str, &str)]) {
    for (from, to, expected) in cases {
        assert!(GOOD.contains(from), "{from}");
        let found = faults(&GOOD.replacen(from, to, 1));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{to}: {found:#?}");
    }
}

/// The good market with a product of three slots; `tier` is its only one and `selling` stands in the campaign.
fn sharing(tier: &str, selling: &str) -> String {
    let bid = "price = { bid = { min = \"5.00\", max = \"60.00\" } }";
    assert!(GOOD.contains(bid));
    GOOD.replace("budget_ms = 2000", "budget_ms = 2000\nslots = 3")
        .replace("mode = \"auction\"", &format!("mode = \"{tier}\""))
        .replace(bid, selling)
}

#[test]
fn a_campaign_says_what_it_pays_for_a_lead_and_for_a_slot() {
    let fixed = |text: &str| {
        let (amount, currency) = (text.parse().unwrap(), "EUR".parse().unwrap());
        Price::Fixed(lead::Money { amount, currency })
    };
    let price = "price = { fixed = \"12.50\" }";
    let outcome = "price.outcome = { event = \"loan_issued\", amount = \"45.00\", expected = \"3.10\", window = \"90d\" }";
    let eur = |text: &str| fixed(text).most();
    let terms = Price::Outcome(Outcome {
        event: "loan_issued".into(),
        amount: eur("45.00"),
        expected: eur("3.10"),
        window: std::time::Duration::from_hours(90 * 24),
    });
    let cases = [
        (outcome.to_owned(), Some(terms.clone()), None, "3.10 EUR"),
        (format!("{outcome}\nsells = \"shared\""), None, Some(terms), "3.10 EUR"),
        (price.to_owned(), Some(fixed("12.50")), None, "12.50 EUR"),
        (format!("{price}\nsells = \"exclusive\""), Some(fixed("12.50")), None, "12.50 EUR"),
        (format!("{price}\nsells = \"shared\""), None, Some(fixed("12.50")), "12.50 EUR"),
        (
            format!("{price}\nsells = \"shared\"\nshared_price = {{ fixed = \"4.00\" }}"),
            None,
            Some(fixed("4.00")),
            "4.00 EUR",
        ),
        (
            format!("{price}\nsells = \"both\"\nshared_price = {{ fixed = \"4.00\" }}"),
            Some(fixed("12.50")),
            Some(fixed("4.00")),
            "4.00 EUR",
        ),
    ];
    for (selling, whole, slot, least) in cases {
        let sources = Sources::parse([("m.toml".to_owned(), sharing("auction", &selling))]);
        let market = sources.unwrap().market().unwrap();
        let campaign = market.campaigns.values().next().unwrap();
        let prices = (campaign.whole_price(), campaign.slot_price());
        assert_eq!(prices, (whole.as_ref(), slot.as_ref()), "{selling}");
        assert_eq!(campaign.least_price().to_string(), least, "{selling}");
        assert_eq!(market.products.values().next().unwrap().slots, 3);
    }
}

#[test]
fn a_price_has_one_form_and_makes_sense() {
    let bad = [
        ("price = { outcome = {} }", "price.outcome.amount is required"),
        ("price = {}", "price must hold one of fixed"),
        ("price = { fixed = 1, bid = { min = 1, max = 2 } }", "price must hold one of"),
        (
            "price = { outcome = { event = \"issued\", amount = 3, expected = 4, window = \"90d\" } }",
            "price.outcome expects more than it ever pays",
        ),
        (
            "price = { outcome = { event = \"\", amount = 4, expected = 3, window = \"0d\" } }",
            "price.outcome.event must",
        ),
        (
            "price = { outcome = { event = \"issued\", amount = 4, expected = 3, window = \"0d\" } }",
            "price.outcome.window must be longer than nothing",
        ),
    ];
    for (price, expected) in bad {
        let found = faults(&sharing("auction", price));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{price}: {found:#?}");
    }
}

#[test]
fn every_mode_takes_the_campaigns_that_suit_it_and_no_others() {
    let fixed = "price = { fixed = \"12.50\" }";
    let bid = "price = { bid = { min = \"5.00\", max = \"60.00\" } }";
    let outcome =
        "price.outcome = { event = \"issued\", amount = 45, expected = 3, window = \"90d\" }";
    let shared = format!("{bid}\nsells = \"shared\"");
    let both = format!("{bid}\nsells = \"both\"\nshared_price = {{ fixed = \"4.00\" }}");
    let good = [
        ("auction", bid),
        ("auction", &both),
        ("auction", outcome),
        ("waterfall", fixed),
        ("waterfall", outcome),
        ("waterfall", "price = { fixed = 1 }\nsells = \"shared\""),
        ("weighted", "price = { fixed = 1 }\nweight = 30"),
        ("weighted", bid),
        ("broadcast", &shared),
        ("broadcast", &both),
    ];
    for (tier, selling) in good {
        assert_eq!(faults(&sharing(tier, selling)), Vec::<String>::new(), "{tier}: {selling}");
    }
    let bad = [
        ("lottery", fixed, "tiers.0.mode must be one of auction, waterfall, weighted, broadcast"),
        ("waterfall", bid, "prime.price must be fixed or outcome: tier 1 is a waterfall"),
        ("broadcast", fixed, "prime.sells must be shared or both: tier 1 is a broadcast"),
        (
            "weighted",
            "price = { fixed = 1 }\nweight = 0",
            "prime.weight must be a whole number from 1",
        ),
        ("weighted", "price = { fixed = 1 }\nweight = -1", "prime.weight must be a whole number"),
        (
            "auction",
            "price = { fixed = 1 }\nsells = \"some\"",
            "sells must be one of exclusive, shared, both",
        ),
        (
            "auction",
            "price = { fixed = 1 }\nsells = \"both\"",
            "shared_price is required where sells is both",
        ),
        (
            "auction",
            "price = { fixed = 1 }\nshared_price = { fixed = 1 }",
            "shared_price must be left out unless sells is shared or both",
        ),
        (
            "auction",
            "price = { fixed = 1 }\nsells = \"both\"\nshared_price = { bid = { min = 1, max = 2 } }",
            "shared_price.bid is not a known field",
        ),
        (
            "auction",
            "price = { fixed = 1 }\nsells = \"shared\"\nshared_price = { fixed = \"1.001\" }",
            "shared_price.fixed must be an amount",
        ),
    ];
    for (tier, selling, expected) in bad {
        let found = faults(&sharing(tier, selling));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{selling}: {found:#?}");
    }
}

#[test]
fn what_is_shared_needs_slots_and_a_slot_needs_a_post() {
    let shared = sharing("auction", "price = { fixed = 1 }\nsells = \"shared\"");
    let broadcast = sharing("broadcast", "price = { fixed = 1 }\nsells = \"shared\"");
    for (text, slots, expected) in [
        (&shared, "slots = 1", "prime.sells must be exclusive: sharing needs slots of at least 2"),
        (&shared, "slots = 0", "loan.slots must be a whole number from 1 to 16"),
        (&shared, "slots = 17", "loan.slots must be a whole number from 1 to 16"),
        (&shared, "slots = 3\nmax_posts = 2", "max_posts must be a whole number from 3 to 100"),
        (&broadcast, "slots = 1", "tiers.0.mode must be auction, waterfall or weighted"),
    ] {
        let found = faults(&text.replace("slots = 3", slots));
        assert!(found.iter().any(|fault| fault.contains(expected)), "{slots}: {found:#?}");
    }
    let many = shared.replace("slots = 3", "slots = 9");
    let market = Sources::parse([("m.toml".to_owned(), many)]).unwrap().market().unwrap();
    assert_eq!(market.products.values().next().unwrap().max_posts, 9, "unless it is written");
}

#[test]
fn a_policy_without_its_means_is_refused() {
    each_is_named(&[
        (
            "product = \"loan\"",
            "product = \"loan\"\non_ambiguous = \"status_query\"",
            "campaigns.prime.on_ambiguous needs delivery.status",
        ),
        (
            "product = \"loan\"",
            "product = \"loan\"\non_ambiguous = \"retry_same_key\"",
            "campaigns.prime.on_ambiguous needs honours_idempotency_key = true",
        ),
        (
            "product = \"loan\"",
            "product = \"loan\"\non_ambiguous = \"guess\"",
            "on_ambiguous must be one of hold, status_query, retry_same_key, next_buyer",
        ),
        (
            "X-Key = \"k\" } }",
            "X-Key = \"k\" } }\ndelivery.status.url = \"http://api.orion.example/\"",
            "delivers to api.orion.example, which is not among",
        ),
        (
            "timeout_ms = 400",
            "timeout_ms = 400, method = \"GET\", format = \"json\"",
            "delivery.ping.format must be query: a GET has no body",
        ),
        ("budget_ms = 2000", "budget_ms = 2000\nhold_for = 5", "hold_for must be a duration"),
        ("budget_ms = 2000", "budget_ms = 2000\nping_ttl = 5", "ping_ttl must be a duration"),
    ]);
}

#[test]
fn a_product_that_sends_consumers_on_takes_no_campaign_that_could_not() {
    let needs = GOOD.replace("budget_ms = 2000", "budget_ms = 2000\nrequires_redirect = true");
    let reads = |response: &str, campaign: &str| {
        let mapped = needs.replace("X-Key = \"k\" } }", &format!("X-Key = \"k\" }}{response} }}"));
        faults(&mapped.replace("product = \"loan\"", &format!("product = \"loan\"{campaign}")))
    };
    let accept = "accept = { value = \"$.ok\", in = [\"1\"] }";
    let mapped = format!(", response = {{ {accept} }}");
    let found = reads(&mapped, "");
    assert!(found.iter().any(|fault| fault.contains("needs redirect_url")), "{found:#?}");
    for (response, campaign) in [
        ("", ""),
        (&*mapped, "\nredirect_url = \"https://nova.example/next\""),
        (&*format!(", response = {{ {accept}, redirect_url = \"$.url\" }}"), ""),
    ] {
        assert_eq!(reads(response, campaign), Vec::<String>::new(), "{response}{campaign}");
    }
}

#[test]
fn policies_for_unknown_posts_read_with_their_means() {
    let means = "honours_idempotency_key = true\n";
    let status = "delivery.status = { url = \"http://api.nova.example/s\", method = \"GET\" }\n";
    for (name, policy) in OnAmbiguous::NAMES {
        let keys = format!("on_ambiguous = \"{name}\"\n{means}{status}filter = {{");
        let text = GOOD
            .replace("filter = {", &keys)
            .replace("budget_ms", "hold_for = \"2h\"\nping_ttl = \"10s\"\nbudget_ms");
        assert_eq!(faults(&text), Vec::<String>::new());
        let market = Sources::parse([("m".to_owned(), text)]).unwrap().market().unwrap();
        let campaign = market.campaigns.values().next().unwrap();
        assert_eq!((campaign.on_ambiguous, campaign.honours_idempotency_key), (*policy, true));
        let method = campaign.delivery.status.as_ref().map(|call| call.method);
        assert_eq!(method, Some(Method::Get));
        let product = market.products.values().next().unwrap();
        assert_eq!(product.hold_for.as_secs(), 7_200);
        assert_eq!(product.ping_ttl.as_secs(), 10);
    }
    let market = Sources::parse([("m".to_owned(), GOOD.to_owned())]).unwrap().market().unwrap();
    let campaign = market.campaigns.values().next().unwrap();
    assert_eq!(
        (campaign.on_ambiguous, campaign.honours_idempotency_key),
        (OnAmbiguous::Hold, false)
    );
    assert_eq!(market.products.values().next().unwrap().hold_for.as_secs(), 86_400);
}

#[test]
fn caps_and_balances_read() {
    let text = GOOD
        .replace("filter = {", "caps = [{ per = \"day\", leads = 100 }, { per = \"month\", spend = \"5000.00\" }, { per = \"hour\", leads = 500, of = \"posted\" }]\nfilter = {")
        .replace("name = \"Nova\"", "name = \"Nova\"\ncaps = [{ per = \"day\", spend = 100, currency = \"USD\" }]\nbalance = { EUR = \"500.00\", JPY = 5 }\ncredit_limit = { EUR = \"100.00\" }")
        .replace("floor = \"1.00\" }", "floor = \"1.00\", caps = [{ per = \"week\", spend = \"80.00\" }] }");
    assert_eq!(faults(&text), Vec::<String>::new());
    let market = Sources::parse([("m.toml".to_owned(), text)]).unwrap().market().unwrap();
    let shown = |caps: &[Cap]| caps.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (campaign, buyer) =
        (market.campaigns.values().next().unwrap(), market.buyers.values().next().unwrap());
    assert_eq!(
        shown(&campaign.caps),
        ["day leads 100 of sold", "month spend 5000.00 EUR of sold", "hour leads 500 of posted"]
    );
    assert_eq!(shown(&buyer.caps), ["day spend 100.00 USD of sold"]);
    let terms = market.publishers.values().next().unwrap().terms.values().next().unwrap();
    assert_eq!(shown(&terms.caps), ["week spend 80.00 EUR of sold"]);
    let funds = |code: &str| buyer.funds(code.parse().unwrap()).map(|funds| funds.to_string());
    assert_eq!(funds("EUR").as_deref(), Some("600.00 EUR"));
    assert_eq!(funds("JPY").as_deref(), Some("5 JPY"));
    assert_eq!(funds("USD"), None);
    let product = market.products.values().next().unwrap();
    assert_eq!(campaign.timezone(Some(buyer), product), &product.timezone);
    let abroad = Buyer { timezone: Some(jiff::tz::TimeZone::UTC), ..buyer.clone() };
    assert_eq!(campaign.timezone(Some(&abroad), product), &jiff::tz::TimeZone::UTC);
    let zone = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
    let mut schedule = Schedule::default();
    schedule.timezone = Some(zone.clone());
    let hours = Campaign { schedule: Some(schedule), ..Campaign::clone(campaign) };
    assert_eq!(hours.timezone(Some(&abroad), product), &zone);
}

#[test]
fn bad_caps_and_balances_are_named() {
    let many = format!("caps = [{}]", "{ per = \"day\", leads = 1 },".repeat(17));
    let campaign = [
        ("caps = [{ per = \"day\" }]", "caps.0 must hold one of leads"),
        ("caps = [{ per = \"day\", leads = 1, spend = 1 }]", "caps.0 must hold one of leads"),
        ("caps = [{ leads = 1 }]", "caps.0.per is required"),
        ("caps = [{ per = \"year\", leads = 1 }]", "caps.0.per must be one of minute, hour"),
        ("caps = [{ per = \"day\", leads = 0 }]", "caps.0.leads must be a whole number from 1"),
        ("caps = [{ per = \"day\", spend = 0 }]", "caps.0.spend must be more than 0"),
        ("caps = [{ per = \"day\", spend = \"1.001\" }]", "caps.0.spend must be an amount"),
        ("caps = [{ per = \"day\", spend = 1, of = \"posted\" }]", "caps.0 limits spend"),
        ("caps = [{ per = \"day\", leads = 1, of = \"lost\" }]", "caps.0.of must be one of sold"),
        ("caps = [{ per = \"day\", leads = 1, x = 1 }]", "caps.0.x is not a known field"),
        ("caps = [{ per = \"day\", spend = 1, currency = \"EUR\" }]", "currency is not a known"),
        (&many, "caps must hold at most 16 caps"),
    ];
    let buyer = [
        ("caps = [{ per = \"day\", spend = 1 }]", "caps.0.currency is required"),
        ("caps = [{ per = \"day\", leads = 1, currency = \"EUR\" }]", "currency belongs to spend"),
        ("balance = { eur = 1 }", "balance.eur is no currency"),
        ("balance = { EUR = \"-1\" }", "balance.EUR must be an amount from 0"),
        ("credit_limit = { EUR = \"1.001\" }", "credit_limit.EUR must be an amount from 0"),
    ];
    let publisher = [
        (", caps = [{ per = \"day\", leads = 1, of = \"pinged\" }]", "caps.0 is a publisher's"),
        (", caps = [{ per = \"day\", spend = 1, of = \"posted\" }]", "caps.0 limits spend"),
    ];
    let places = [
        (&campaign[..], "filter = {", "\nfilter = {"),
        (&buyer[..], "allowed_hosts", "\nallowed_hosts"),
        (&publisher[..], ", floor = \"1.00\" }", ", floor = \"1.00\" }"),
    ];
    for (cases, from, tail) in places {
        for (written, expected) in cases {
            let found = faults(&GOOD.replacen(from, &format!("{written}{tail}"), 1));
            let named = found.iter().any(|fault| fault.contains(expected));
            assert!(named && found.len() <= 2, "{written}: {found:#?}");
        }
    }
}

#[test]
fn files_make_one_market_and_a_fault_names_the_right_one() {
    let (head, tail) = GOOD.split_once("[buyers.nova]").unwrap();
    let tail = format!("[buyers.nova]{tail}");
    let files = |tail: &str| {
        [("a.toml".to_owned(), head.to_owned()), ("b.toml".to_owned(), tail.to_owned())]
    };
    assert!(Sources::parse(files(&tail)).unwrap().market().is_ok());
    let found =
        Sources::parse(files(&tail.replace("\"5.00\"", "5.001"))).unwrap().market().unwrap_err();
    assert_eq!((found[0].file.as_str(), found[0].position.line), ("b.toml", 8));
    let twice = format!("{tail}\n[products.loan]\nname = \"x\"\n");
    let found = Sources::parse(files(&twice)).unwrap().market().unwrap_err();
    assert!(
        found[0].to_string().starts_with("b.toml:") && found[0].message.contains("another file"),
        "{found:?}"
    );
}

#[test]
fn payouts_round_down_and_never_pass_the_price() {
    let eur = |text: &str| lead::Money {
        amount: text.parse().unwrap(),
        currency: "EUR".parse().unwrap(),
    };
    let amount = |text: &str| text.parse().unwrap();
    for (rule, price, payout) in [
        (PayoutRule::Share(amount("0.8")), "12.51", Some("10.00")),
        (PayoutRule::Fixed(amount("3")), "12.51", Some("3.00")),
        (PayoutRule::Fixed(amount("13")), "12.51", None),
        (PayoutRule::Margin(amount("2.505")), "12.51", Some("10.00")),
        (PayoutRule::Margin(amount("13")), "12.51", None),
    ] {
        assert_eq!(
            rule.payout(eur(price)).map(lead::Money::to_wire).as_deref(),
            payout,
            "{rule:?}"
        );
        let cut = rule.payout_of_cut(eur(price)).to_wire();
        let least = if matches!(rule, PayoutRule::Fixed(_)) { price } else { "0.00" };
        assert_eq!(cut, payout.unwrap_or(least), "{rule:?} after a cut");
    }
}

#[test]
fn a_campaign_is_called_by_tls_so_often_at_once_and_with_its_buyers_certificate() {
    let text = GOOD
        .replace("http://api", "https://api")
        .replace("name = \"Nova\"", "name = \"Nova\"\nclient_certificate = \"nova-2026\"")
        .replace("filter = {", "max_in_flight = 8\nfilter = {");
    let market = Sources::parse([("m".to_owned(), text)]).unwrap().market().unwrap();
    let campaign = market.campaigns.values().next().unwrap();
    assert!(campaign.delivery.post.url.is_secure());
    assert_eq!(campaign.delivery.post.url.port(), 443);
    assert_eq!(campaign.max_in_flight, 8);
    assert_eq!(campaign.client_certificate.as_deref(), Some("nova-2026"));
    each_is_named(&[
        (
            "product = \"loan\"",
            "product = \"loan\"\nmax_in_flight = 0",
            "campaigns.prime.max_in_flight must be a whole number from 1 to 10000",
        ),
        (
            "name = \"Nova\"",
            "name = \"Nova\"\nclient_certificate = 7",
            "client_certificate must be",
        ),
        (
            "X-Key = \"k\" } }",
            "X-Key = \"k\" } }\ndelivery.sandbox.post_url = \"https://api.orion.example/\"",
            "delivers to api.orion.example, which is not among",
        ),
    ]);
}

/// What a resolver would take for an address is refused unless it is written as one.
#[test]
fn hosts_are_names_or_plain_addresses() {
    for host in ["a.example", "a.example.", "xn--nda.example", "a_b-c.example", "0x.example", "1.e"]
    {
        let url: Url = format!("https://{host}/p").parse().unwrap();
        assert_eq!((url.host(), url.address()), (host, None));
    }
    for (host, address) in
        [("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("[::FFFF:7f00:1]", "::ffff:127.0.0.1")]
    {
        let url: Url = format!("http://{host}:81/").parse().unwrap();
        assert_eq!((url.address(), url.port()), (address.parse().ok(), 81));
    }
    let long = "a".repeat(64);
    let many = ["a"; 130].join(".");
    for host in [
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "127.0.1",
        "017700000001",
        "127.0.0.1.",
        "127.0.0.01",
        "127.0.0.256",
        "1.2.3.4.5",
        "a.1",
        "a.0x1",
        "0x",
        "a..b",
        ".",
        "",
        "[::1",
        "[fe80::1%25eth0]",
        "[::g]",
        "127%2e0.0.1",
        "a b",
        "ａ.example",
        &long,
        &many,
    ] {
        assert!(format!("http://{host}/").parse::<Url>().is_err(), "{host}");
    }
}

/// A market with a path at the Bright Horizons door; `own` stands in its table.
fn with_path(own: &str) -> String {
    let publisher = r#"doors.leadhub = { publisher_id = "B96B", keys = ["demo-leadhub"] }"#;
    let affiliate =
        r#"doors.bright_horizons = { affiliate_id = 7, keys = ["k"], products = ["loan"] }"#;
    let product = r#"doors.leadhub.product_id = "36""#;
    GOOD.replace(publisher, &format!("{publisher}\n{affiliate}"))
        .replace(product, &format!("{product}\ndoors.bright_horizons = {{ {own} }}"))
}

#[test]
fn a_bright_horizons_path_is_found_with_the_fields_of_every_path_and_its_own_between() {
    let text = with_path(
        r#"path = "debt/sub10k", label = "Debt", fields = [
            { name = "sub1", required = false },
            { name = "loan.amount", label = "Loan Amount", into = "amount", zero_is_missing = true },
            { name = "loan.range", label = "Loan Range", range_of = "amount" },
            { name = "note", label = "Note" },
        ]"#,
    );
    let sources = Sources::parse([("m.toml".to_owned(), text)]).unwrap();
    let market = sources.market().unwrap();
    let product = market.product_by_bright_horizons_path("debt/sub10k").unwrap();
    let door = product.bright_horizons.as_ref().unwrap();
    let names: Vec<&str> = door.fields.iter().map(|field| field.name.as_str()).collect();
    let expected = "firstname lastname phone email address address2 city state zip loan.amount \
        loan.range note optin ip source trustedformcertid sub1 sub2 sub3 sub4 sub5";
    assert_eq!(names, expected.split_whitespace().collect::<Vec<_>>());
    let field = |name: &str| door.fields.iter().find(|field| field.name == name).unwrap();
    assert!(!field("sub1").required && field("sub1").meaning == Meaning::SubId);
    assert_eq!(field("note").meaning, Meaning::Kept);
    assert!(field("loan.amount").zero_is_missing);
    assert!(matches!(field("loan.range").meaning, Meaning::RangeOf(_)));
    assert!(market.publisher_by_affiliate(7, "k").is_some());
    assert!(market.publisher_by_affiliate(8, "k").is_none());
    assert!(market.publisher_by_affiliate(7, "demo-native").is_none());
    assert!(market.product_by_bright_horizons_path("debt").is_none());
}

#[test]
fn every_fault_of_a_bright_horizons_path_is_named_with_its_place() {
    let good = r#"path = "debt/sub10k", label = "Debt""#;
    assert_eq!(faults(&with_path(good)), Vec::<String>::new());
    let field = |field: &str| with_path(&format!("{good}, fields = [{{ {field} }}]"));
    for (text, expected) in [
        (
            with_path(r#"path = "/debt/", label = "Debt""#),
            "bright_horizons.path must be a path of lower-case words",
        ),
        (with_path(r#"path = "Debt", label = "Debt""#), "bright_horizons.path must be a path"),
        (with_path(r#"path = "debt""#), "bright_horizons.label is required"),
        (
            with_path(r#"path = "debt", label = "Debt", color = 1"#),
            "bright_horizons.color is not a known field",
        ),
        (field(r#"label = "X""#), "fields.0.name is required"),
        (field(r#"name = "a b", label = "X""#), "fields.0.name must be a field name"),
        (field(r#"name = "x""#), "fields.0.label is required"),
        (
            field(r#"name = "x", label = "X", into = "colour""#),
            "fields.0.into must be first_name, last_name",
        ),
        (
            field(r#"name = "x", label = "X", range_of = "plan""#),
            "fields.0.range_of must be a number among",
        ),
        (
            field(r#"name = "x", label = "X", range_of = "amount", into = "amount""#),
            "fields.0.into must not stand beside",
        ),
        (field(r#"name = "x", label = "X", required = 1"#), "fields.0.required must be a boolean"),
        (
            field(r#"name = "x", label = "X" }, { name = "x", label = "Y""#),
            "fields.1 is named twice",
        ),
        (
            field(r#"name = "x", label = "X", values = ["a"]"#),
            "fields.0.values is not a known field",
        ),
        (
            with_path(good).replace("affiliate_id = 7", "affiliate_id = 0"),
            "affiliate_id must be a whole number",
        ),
        (
            with_path(good).replace(r#"products = ["loan"] }"#, "}"),
            "bright_horizons.products is required",
        ),
        (
            with_path(good).replace(r#"products = ["loan"]"#, r#"products = ["lone"]"#),
            "posts lone, which is no product",
        ),
        (
            with_path(good).replace(r#"products = ["loan"]"#, r#"products = ["loan"], payout = 1"#),
            "payout is not a known field",
        ),
        (
            with_path(good).replace(&format!("doors.bright_horizons = {{ {good} }}"), ""),
            "posts loan, which has no path",
        ),
    ] {
        let told = faults(&text);
        assert!(told.iter().any(|fault| fault.contains(expected)), "{expected}\n{told:#?}");
    }
}

#[test]
fn an_affiliate_id_and_a_path_are_one_publishers_and_one_products() {
    let text = with_path(r#"path = "debt", label = "Debt""#);
    let twin = "[publishers.twin]\nname = \"Twin\"\n\
        doors.bright_horizons = { affiliate_id = 7, keys = [\"other\"], products = [] }\n";
    let told = faults(&format!("{text}\n{twin}"));
    assert!(told.iter().any(|fault| fault.contains("shares its affiliate_id")), "{told:#?}");
    let product =
        text.split("[products.loan]").nth(1).unwrap().split("[buyers.nova]").next().unwrap();
    let second = product.replace(r#"product_id = "36""#, r#"product_id = "37""#);
    let told = faults(&format!("{text}\n[products.second]{second}"));
    assert!(
        told.iter().any(|fault| fault.contains("two products with the Bright Horizons path")),
        "{told:#?}"
    );
}

#[test]
fn the_path_that_the_configuration_guide_shows_can_be_read() {
    let guide = include_str!("../../../config/README.md");
    let shown = guide.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let others = "name = \"Auto\"\nvertical = \"auto\"\ncountry = \"US\"\ncurrency = \"USD\"\n\
        timezone = \"America/New_York\"\nbudget_ms = 2000\ntiers = [{ mode = \"auction\" }]\n";
    let header = "[products.auto-warranty-us]";
    assert!(shown.starts_with(header), "{shown}");
    let text = shown.replacen('\n', &format!("\n{others}"), 1);
    let market = Sources::parse([("m.toml".to_owned(), text)]).unwrap().market().unwrap();
    let product = market.product_by_bright_horizons_path("auto-warranty").unwrap();
    let fields = &product.bright_horizons.as_ref().unwrap().fields;
    assert!(fields.iter().any(|field| field.name == "auto.year" && field.required));
}

/// A market with a database source; `own` stands in the door's table.
fn with_source(own: &str) -> String {
    let publisher = r#"doors.leadhub = { publisher_id = "B96B", keys = ["demo-leadhub"] }"#;
    GOOD.replace(publisher, &format!("{publisher}\ndoors.pingtree = {{ {own} }}"))
}

const SOURCE: &str =
    r#"source = "65F0C0FFEE65F0C0FFEE65F0", slug = "us-loans", keys = ["k"], product = "loan""#;

#[test]
fn a_database_source_reads_with_its_defaults() {
    let source = |own: &str| {
        let text = with_source(&format!("{SOURCE}{own}"));
        let sources = Sources::parse([("m.toml".to_owned(), text)]).unwrap();
        let market = sources.market().unwrap();
        market.publisher_by_key(lead::Door::Pingtree, "k").unwrap().pingtree.clone().unwrap()
    };
    let plain = source("");
    assert_eq!((plain.id.as_str(), plain.slug.as_str()), ("65f0c0ffee65f0c0ffee65f0", "us-loans"));
    assert_eq!((plain.product.as_str(), plain.active, plain.distributes), ("loan", true, true));
    assert_eq!((plain.required, plain.dedupe), (vec![], None));
    let own = source(
        r#", required = ["email", "loan_ref"], dedupe = "loan_ref", active = false, distributes = false"#,
    );
    assert_eq!(own.required, ["email", "loan_ref"]);
    assert_eq!(own.dedupe, Some(SourceKey::Field("loan_ref".to_owned())));
    assert!(!own.active && !own.distributes);
    assert_eq!(source(r#", dedupe = "email""#).dedupe, Some(SourceKey::Email));
    assert_eq!(source(r#", dedupe = "mobile""#).dedupe, Some(SourceKey::Mobile));
}

#[test]
fn every_fault_of_a_database_source_is_named_with_its_place() {
    let twin = format!(
        "{}\n[publishers.twin]\nname = \"Twin\"\ndoors.pingtree = {{ {} }}\n",
        with_source(SOURCE),
        SOURCE.replace("us-loans", "other").replace("[\"k\"]", "[\"k-2\"]")
    );
    for (text, expected) in [
        (with_source(&SOURCE.replace("65F0C", "65F0Z")), "source must be an id of 24 hexadecimal"),
        (with_source(&SOURCE.replace("us-loans", "US loans")), "slug must be a slug of lower-case"),
        (
            with_source(&SOURCE.replace("\"loan\"", "\"lone\"")),
            "Pingtree source for lone, which is no",
        ),
        (with_source(&SOURCE.replace(", keys = [\"k\"]", "")), "pingtree.keys is required"),
        (
            with_source(&format!("{SOURCE}, required = [\"a b\"]")),
            "required.0 must be a field name",
        ),
        (with_source(&format!("{SOURCE}, dedupe = \"city\"")), "dedupe must be email, mobile or"),
        (with_source(&format!("{SOURCE}, active = 1")), "active must be a boolean"),
        (with_source(&format!("{SOURCE}, distributes = \"no\"")), "distributes must be a boolean"),
        (with_source(&format!("{SOURCE}, campaign = \"x\"")), "campaign is not a known field"),
        (twin, "shares its Pingtree source or slug"),
    ] {
        let told = faults(&text);
        assert!(told.iter().any(|fault| fault.contains(expected)), "{expected}\n{told:#?}");
    }
}

/// The good market with a publisher and a product at the BrainySoft door.
fn brainysoft() -> String {
    let product = "tiers = [{ mode = \"auction\", floor = \"2.00\" }]";
    let door = format!("{product}\ndoors.brainysoft.credit_products = [7, 101339]");
    let publisher = r#"
[publishers.brainy]
name = "Brainy"
doors.brainysoft = { keys = ["demo-brainy"], credit_product = 7, clients_by_manager = true, login = { customer = "c", user = "u", password = "p" } }
"#;
    GOOD.replace(product, &door) + publisher
}

#[test]
fn what_the_brainysoft_door_needs_is_read() {
    let sources = Sources::parse([("m.toml".to_owned(), brainysoft())]).unwrap();
    let market = sources.market().unwrap();
    assert_eq!(market.product_by_credit_product(101_339).unwrap().id.as_str(), "loan");
    assert!(market.product_by_credit_product(8).is_none());
    let login = |password| market.publisher_by_login(&LoginDigest::of("c", "u", password));
    assert_eq!(login("p").unwrap().id.as_str(), "brainy");
    assert!(login("").is_none() && login("pp").is_none());
    let brainysoft = &login("p").unwrap().brainysoft;
    assert_eq!((brainysoft.credit_product, brainysoft.clients_by_manager), (Some(7), true));
}

#[test]
fn a_bad_brainysoft_key_is_refused_with_its_place() {
    let cases = [
        (
            "credit_product = 7",
            "credit_product = 0",
            "credit_product must be a whole number from 1",
        ),
        (
            "clients_by_manager = true",
            "clients_by_manager = 1",
            "clients_by_manager must be a boolean, found a number",
        ),
        ("user = \"u\"", "user = \"\"", "login.user must not be empty"),
        ("user = \"u\"", "name = \"u\"", "login.user is required"),
        ("user = \"u\"", "user = \"u\", x = 1", "login.x is not a known field"),
        ("[7, 101339]", "[7, 7]", "has the BrainySoft credit product 7 twice"),
        ("[7, 101339]", "[\"7\"]", "credit_products.0 must be a whole number from 1"),
        ("credit_products =", "products =", "credit_products is required"),
        (
            "[7, 101339]",
            "[101339]",
            "publishers.brainy has the BrainySoft credit_product 7, which no product has",
        ),
    ];
    for (from, to, expected) in cases {
        assert!(brainysoft().contains(from), "{from}");
        let told = faults(&brainysoft().replace(from, to));
        assert!(told.iter().any(|fault| fault.contains(expected)), "{to}: {told:?}");
    }
    let twin = brainysoft().replace("[products.loan]", "[publishers.twin]\nname = \"T\"\ndoors.brainysoft = { keys = [], login = { customer = \"c\", user = \"u\", password = \"p\" } }\n[products.loan]");
    let told = faults(&twin);
    assert!(told.iter().any(|fault| fault.contains("shares a brainysoft login")), "{told:?}");
}

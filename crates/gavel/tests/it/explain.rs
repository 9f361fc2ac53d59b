//! What a person is told of a lead and of a market's filters, without an engine.

use std::path::Path;
use std::process::Command;

const MARKET: &str = include_str!("../../../../config/demo/market.toml");
const LEAD: &str = r#"{ "product": "personal-loan-es", "sub_id": "fb-17",
    "attributes": {"country": "ES", "monthly_income": 900, "amount": 10000, "postal_code": "43001"},
    "contact": {"first_name": "Zacarias", "birth_date": "1990-05-10"}, "test": false }"#;

fn gavel(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut gavel = Command::new(env!("CARGO_BIN_EXE_gavel"));
    let output = gavel.current_dir(dir).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn every_campaign_says_why_it_wants_a_lead_or_does_not() {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
    write("lead.json", LEAD);
    let (code, told, err) = gavel(dir.path(), &["explain", "--demo", "--lead", "lead.json"]);
    assert_eq!(code, Some(0), "{err}");
    for expected in [
        "personal-loan-es: 2 of 5 campaign(s) want this lead",
        "nova/es-basic                    wants it\n",
        "monthly_income.gte: wants monthly_income at least 1200; found 900 (failed)\n",
        "not.purpose: wants purpose not business; the lead does not say (missing)\n",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }
    assert!(!told.contains("Zacarias"), "{told}");

    // A market file's own lists, a pause, and a buyer that sees only its own.
    let market = MARKET
        .replace("[buyers.nova]", "[buyers.nova]\nlists.coast = [\"43001\"]")
        .replace("age = { gte = 21, lte = 65 }, ", "postal_code = { not_in_list = \"coast\" }, ")
        .replace(
            "[buyers.nova.campaigns.es-basic]",
            "[buyers.nova.campaigns.es-basic]\nstatus = \"paused\"",
        );
    write("m.toml", &market);
    let ours = ["explain", "--config", "m.toml", "--lead", "lead.json", "--buyer", "nova"];
    let (code, told, err) = gavel(dir.path(), &ours);
    assert_eq!(code, Some(0), "{err}");
    for expected in [
        "1 of 2 campaign(s) want this lead, 0 would be asked now",
        "nova/es-basic                    wants it, but: ",
        "postal_code.not_in_list: wants postal_code outside the list coast; found 43001 (failed)",
    ] {
        assert!(told.contains(expected), "{expected}: {told}");
    }

    for (lead, expected) in [
        ("{", "lead.json cannot be explained: "),
        (r#"{"product": "x"}"#, "product names no product of this market; known: "),
        (&LEAD.replace("amount", "amuont"), "attributes.amuont is not an attribute"),
        (&LEAD.replace("test", "tset"), "tset is not a known field"),
    ] {
        write("lead.json", lead);
        let (code, _, err) = gavel(dir.path(), &["explain", "--demo", "--lead", "lead.json"]);
        assert!(code == Some(2) && err.contains(expected), "{code:?} {err}");
    }
}

#[test]
fn checking_a_market_warns_of_what_can_hardly_be_meant() {
    let dir = tempfile::tempdir().unwrap();
    let write = |text: &str| std::fs::write(dir.path().join("m.toml"), text).unwrap();
    let check = || gavel(dir.path(), &["check", "m.toml"]);
    write(MARKET);
    let (code, said, err) = check();
    assert_eq!((code, said.contains("warning")), (Some(0), false), "{said} {err}");
    let any =
        "any = [{ age = { gt = 70 } }, { region = \"Madrid\" }], age = { gte = 21, lte = 65 }, ";
    write(&MARKET.replace("age = { gte = 21, lte = 65 }, ", any));
    let (code, said, err) = check();
    assert_eq!(code, Some(0), "{err}");
    let path = "buyers.nova.campaigns.es-prime.filter.any.0.age.gt can never be true here\n";
    assert!(said.starts_with("warning: m.toml:") && said.contains(path), "{said}");
    write(
        &MARKET
            .replace("age = { gte = 21, lte = 65 }, ", "postal_code = { in_list = \"coats\" }, "),
    );
    let (code, _, err) = check();
    let issue = "es-prime.filter.postal_code.in_list is not available: there is no list coats";
    assert!(code == Some(2) && err.contains(issue), "{err}");
}

//! What holds for the workspace: who may depend on whom, under which licences, and how files begin.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Crates by level. A crate may use crates of lower levels only.
const LEVELS: &[(&str, u32)] = &[
    ("document", 0),
    ("lead", 0),
    ("market", 1),
    ("rules", 2),
    ("fanout", 2),
    ("ingress", 2),
    ("ledger", 2),
    ("engine", 3),
    ("management", 4),
    ("sim", 10),
    ("gavel", 20),
    ("benches", 30),
];

/// The simulator knows the vocabulary and nothing of the product that it tests.
const SIM_MAY_USE: &[&str] = &["lead", "document"];

/// Licences under which a dependency may stand alone.
const PERMISSIVE: &[&str] = &[
    "MIT",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "CC0-1.0",
    "0BSD",
    "BSL-1.0",
    "Unlicense",
    "MIT-0",
    "Apache-2.0 WITH LLVM-exception",
    // For data: the public certificate authorities that are built in.
    "CDLA-Permissive-2.0",
];

/// Crates that must not come in by any path.
const BANNED: &[&str] =
    &["openssl", "openssl-sys", "native-tls", "reqwest", "serde_yaml", "chrono", "aws-lc-sys"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_owned()
}

/// What is built for: what other platforms need may never have been downloaded.
fn host() -> String {
    let output = Command::new("rustc").arg("-vV").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

fn metadata(arguments: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", &host()])
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn crates_depend_downwards_only() {
    let levels: BTreeMap<&str, u32> = LEVELS.iter().copied().collect();
    let metadata = metadata(&["--no-deps"]);
    let mut checked = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let level = levels
            .get(name)
            .unwrap_or_else(|| panic!("{name} has no level: give it one in LEVELS"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let on = dependency["name"].as_str().unwrap();
            // Test code may use the simulator and twins of lower crates.
            let dev = dependency["kind"].as_str() == Some("dev");
            let Some(theirs) = levels.get(on) else {
                continue;
            };
            checked += 1;
            assert!(theirs < level || (dev && on == "sim"), "{name} must not depend on {on}");
            assert!(name != "sim" || SIM_MAY_USE.contains(&on), "sim must not depend on {on}");
        }
    }
    assert!(checked > 15, "only {checked} edges were seen");
}

#[test]
fn every_dependency_has_a_permissive_licence_and_none_is_banned() {
    let metadata = metadata(&[]);
    let mut seen = 0;
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or_default();
        assert!(is_permissive(licence), "{name} is licensed {licence:?}");
        assert!(!BANNED.contains(&name), "{name} is banned");
        seen += 1;
    }
    assert!(seen > 50, "only {seen} packages were seen");
}

/// An expression of the two forms that manifests use: every part of an AND has a permissive choice.
fn is_permissive(expression: &str) -> bool {
    let flat = expression.replace('/', " OR ").replace(['(', ')'], " ");
    !flat.trim().is_empty()
        && flat
            .split(" AND ")
            .all(|part| part.split(" OR ").any(|choice| PERMISSIVE.contains(&choice.trim())))
}

#[test]
fn every_source_file_says_what_it_is() {
    let mut files = Vec::new();
    sources(&root().join("crates"), &mut files);
    sources(&root().join("benches"), &mut files);
    assert!(files.len() > 60, "only {} files were seen", files.len());
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} does not open with //!", file.display());
        for word in ["todo!", "unimplemented!", "FIXME", "XXX"] {
            let leftover = text.contains(word) && !file.ends_with("workspace.rs");
            assert!(!leftover, "{} holds a leftover: {word}", file.display());
        }
    }
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("target") {
            sources(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

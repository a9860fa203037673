//! What is built in may be built in: licences, bans and sources of every dependency against `deny.toml`, from what cargo knows without a network.

use std::{collections::BTreeSet, fs, path::Path, process::Command};

use serde_json::Value;

/// The lists of `deny.toml`.
struct Rules {
    licences: BTreeSet<String>,
    banned: BTreeSet<String>,
    registries: BTreeSet<String>,
}

impl Rules {
    fn read() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("deny.toml");
        let file: toml::Table = fs::read_to_string(path).unwrap().parse().unwrap();
        let words = |table: &str, key: &str| file[table][key].as_array().unwrap().clone();
        let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
        Self {
            licences: words("licenses", "allow").iter().map(text).collect(),
            banned: words("bans", "deny").iter().map(|row| text(&row["crate"])).collect(),
            registries: words("sources", "allow-registry").iter().map(text).collect(),
        }
    }

    /// Whether an SPDX expression can be met with the licences that are allowed. A slash is the `OR` of old crates.
    fn allows(&self, expression: &str) -> bool {
        let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ");
        let words: Vec<&str> = spaced.split_whitespace().collect();
        let (met, rest) = self.any(&words);
        met && rest.is_empty()
    }

    /// `a OR b`, which binds less than `AND`. What follows comes back.
    fn any<'w>(&self, words: &'w [&'w str]) -> (bool, &'w [&'w str]) {
        let (mut met, mut rest) = self.every(words);
        while let ["OR", more @ ..] = rest {
            let (other, after) = self.every(more);
            (met, rest) = (met || other, after);
        }
        (met, rest)
    }

    fn every<'w>(&self, words: &'w [&'w str]) -> (bool, &'w [&'w str]) {
        let (mut met, mut rest) = self.one(words);
        while let ["AND", more @ ..] = rest {
            let (other, after) = self.one(more);
            (met, rest) = (met && other, after);
        }
        (met, rest)
    }

    fn one<'w>(&self, words: &'w [&'w str]) -> (bool, &'w [&'w str]) {
        match words {
            ["(", inner @ ..] => match self.any(inner) {
                (met, [")", rest @ ..]) => (met, rest),
                (_, rest) => (false, rest),
            },
            [licence, "WITH", exception, rest @ ..] => {
                (self.licences.contains(&format!("{licence} WITH {exception}")), rest)
            }
            [licence, rest @ ..] => (self.licences.contains(*licence), rest),
            [] => (false, words),
        }
    }
}

/// Every package that cargo has: of all platforms where they are downloaded, else of this one.
fn packages() -> Vec<Value> {
    let ask = |more: &[&str]| {
        let words = ["metadata", "--format-version", "1", "--locked", "--offline"];
        let cargo = Command::new(env!("CARGO")).args(words).args(more).current_dir(env!("CARGO_MANIFEST_DIR")).output();
        let cargo = cargo.unwrap();
        cargo.status.success().then_some(cargo.stdout)
    };
    let host = || {
        let about = Command::new("rustc").arg("-vV").output().unwrap().stdout;
        let about = String::from_utf8(about).unwrap();
        about.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
    };
    let told = ask(&[]).or_else(|| ask(&["--filter-platform", &host()])).expect("cargo knows what it built");
    let mut all: Value = serde_json::from_slice(&told).unwrap();
    let Value::Array(packages) = all["packages"].take() else { panic!("no packages") };
    packages
}

#[test]
fn every_dependency_is_one_that_deny_toml_allows() {
    let rules = Rules::read();
    let packages = packages();
    assert!(packages.len() > 300, "only {} packages", packages.len());
    let mut bad = Vec::new();
    for package in &packages {
        let (name, version) = (package["name"].as_str().unwrap(), &package["version"]);
        let licence = package["license"].as_str().unwrap_or("none named");
        if !rules.allows(licence) {
            bad.push(format!("{name} {version}: licence {licence}"));
        }
        if rules.banned.contains(name) {
            bad.push(format!("{name} {version}: banned"));
        }
        let source = package["source"].as_str().map(|source| source.trim_start_matches("registry+"));
        // Only this package itself has no source.
        if source.map_or(name != "wayglass", |source| !rules.registries.contains(source)) {
            bad.push(format!("{name} {version}: comes from {source:?}"));
        }
    }
    assert!(bad.is_empty(), "deny.toml does not allow:\n{}", bad.join("\n"));
}

#[test]
fn licences_are_read_as_they_are_meant() {
    let rules = Rules::read();
    for (expression, allowed) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("MIT/GPL-2.0", true),
        ("MIT AND GPL-2.0", false),
        ("Apache-2.0 OR GPL-2.0-only", true),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-2.0", false),
        ("GPL-2.0 OR MIT AND ISC", true),
        ("GPL-2.0 OR MIT AND GPL-2.0", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("MIT WITH LLVM-exception", false),
        ("none named", false),
        ("(MIT", false),
        ("MIT ISC", false),
        ("", false),
    ] {
        assert_eq!(rules.allows(expression), allowed, "{expression:?}");
    }
}

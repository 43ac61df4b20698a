//! The two workspaces: what Cargo does not share between them is repeated, and must be the same.

use std::collections::{BTreeMap, BTreeSet};

const OURS: &str = include_str!("../../Cargo.toml");
const THEIRS: &str = include_str!("../../../Cargo.toml");
const OUR_LOCK: &str = include_str!("../../Cargo.lock");
const THEIR_LOCK: &str = include_str!("../../../Cargo.lock");
const OUR_SAM: &str = include_str!("../../samconfig.toml");
const THEIR_SAM: &str = include_str!("../../../samconfig.toml");

/// The tables of a file by name: their lines, without comments.
fn tables(toml: &'static str) -> BTreeMap<&'static str, Vec<&'static str>> {
    let mut tables = BTreeMap::<_, Vec<_>>::new();
    let mut name = "";
    for line in toml.lines() {
        let line = line.split(" #").next().unwrap().trim_end();
        if let Some((table, _)) = line.strip_prefix('[').and_then(|line| line.split_once(']')) {
            name = table;
        } else if !line.is_empty() && !line.starts_with('#') {
            tables.entry(name).or_default().push(line);
        }
    }
    tables
}

/// The packages of a lock file, each with its version.
fn packages(lock: &'static str) -> BTreeSet<(&'static str, &'static str)> {
    let value = |line: &'static str, name: &str| line.strip_prefix(name)?.strip_prefix(" = \"")?.strip_suffix('"');
    let lines: Vec<_> = lock.lines().collect();
    lines.windows(2).filter_map(|pair| Some((value(pair[0], "name")?, value(pair[1], "version")?))).collect()
}

#[test]
fn profiles_lints_and_the_package_are_those_of_token_auth() {
    let (ours, theirs) = (tables(OURS), tables(THEIRS));
    for name in
        ["workspace.package", "workspace.lints.rust", "workspace.lints.clippy", "profile.release", "profile.dev"]
    {
        assert_eq!(ours[name], theirs[name], "{name}");
    }
}

#[test]
fn a_dependency_that_both_have_is_the_same() {
    let (ours, theirs) = (tables(OURS), tables(THEIRS));
    let theirs: BTreeMap<_, _> =
        theirs["workspace.dependencies"].iter().filter_map(|line| line.split_once(" = ")).collect();
    let mut own = Vec::new();
    for (name, ours) in ours["workspace.dependencies"].iter().filter_map(|line| line.split_once(" = ")) {
        match theirs.get(name) {
            Some(theirs) if ours.contains("path = ") => assert_eq!(ours.replace("../", ""), *theirs, "{name}"),
            Some(theirs) => assert_eq!(ours, *theirs, "{name}"),
            None => own.push(name),
        }
    }
    assert_eq!(own, ["aws-sdk-sfn", "http-body-util", "maud"]);
}

#[test]
fn a_package_in_both_lock_files_has_the_same_version() {
    let (ours, theirs) = (packages(OUR_LOCK), packages(THEIR_LOCK));
    let names: BTreeSet<_> = theirs.iter().map(|(name, _)| *name).collect();
    let other: Vec<_> = ours.difference(&theirs).filter(|(name, _)| names.contains(name)).collect();
    assert!(other.is_empty(), "{other:?}");
}

#[test]
fn sam_is_configured_as_for_token_auth() {
    let (ours, theirs) = (tables(OUR_SAM), tables(THEIR_SAM));
    for name in [
        "default.build.parameters",
        "default.validate.parameters",
        "default.deploy.parameters",
        "local.build.parameters",
        "local.validate.parameters",
    ] {
        assert_eq!(ours[name], theirs[name], "{name}");
    }
    assert_eq!(ours["local.deploy.parameters"], ours["default.deploy.parameters"]);
}

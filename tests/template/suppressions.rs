//! What the template's linters are told to overlook.

use std::collections::BTreeSet;

/// The template.
const TEMPLATE: &str = include_str!("../../template.yaml");

/// The settings of its security linter.
const SETTINGS: &str = include_str!("../../.checkov.yaml");

/// What a line of the template leaves out, `CHECK:REASON`.
const SKIP: &str = "checkov:skip=";

/// Whether a reason says something.
fn is_reason(text: &str) -> bool {
    text.split_whitespace().count() > 2
}

#[test]
fn every_check_that_one_resource_skips_has_its_reason_beside_it() {
    let skips: Vec<_> = TEMPLATE.lines().filter(|line| line.contains(SKIP)).collect();
    assert!(!skips.is_empty());
    for line in skips {
        let skip = line.split_once(SKIP).and_then(|(_, skip)| skip.split_once(':'));
        assert!(skip.is_some_and(|(_, reason)| is_reason(reason)), "{line}");
    }
    for elsewhere in ["checkov:\n", "ignore_checks"] {
        assert!(
            !TEMPLATE.contains(elsewhere),
            "a suppression in Metadata may lack its reason: this test looks at comments"
        );
    }
}

#[test]
fn every_check_that_all_resources_skip_has_its_reason_above_it() {
    let (_, skipped) = SETTINGS.split_once("\nskip-check:\n").expect("the settings end with a list, skip-check");
    let lines: Vec<_> = skipped.lines().map(str::trim).collect();
    let mut everywhere = BTreeSet::new();
    for pair in lines.chunks(2) {
        let [comment, check] = pair else { panic!("{pair:?}: not a comment and a check") };
        assert!(comment.strip_prefix("# ").is_some_and(is_reason), "{check}: {comment}");
        everywhere.insert(check.strip_prefix("- ").unwrap_or_else(|| panic!("{check} is not a check")));
    }
    for check in everywhere {
        assert!(!TEMPLATE.contains(&format!("{SKIP}{check}")), "{check} is skipped everywhere already");
    }
}

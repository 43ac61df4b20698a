//! What the template asks its linters to overlook.

/// The template as it is written.
const TEMPLATE: &str = include_str!("../../template.yaml");

#[test]
fn every_suppression_of_a_lint_has_its_reason_beside_it() {
    let reasons: Vec<_> = TEMPLATE
        .lines()
        .filter(|line| line.contains("checkov:skip"))
        .map(|line| (line, line.split("checkov:skip=").nth(1).and_then(|skip| skip.split_once(':'))))
        .collect();
    assert!(!reasons.is_empty());
    for (line, reason) in reasons {
        assert!(reason.is_some_and(|(_, reason)| reason.split_whitespace().count() > 2), "{line}");
    }
    for elsewhere in ["checkov:\n", "ignore_checks"] {
        assert!(
            !TEMPLATE.contains(elsewhere),
            "a suppression in Metadata may lack its reason: this test looks at comments"
        );
    }
}

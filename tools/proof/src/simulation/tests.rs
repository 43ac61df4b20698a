//! The functions keep the promise, and the judge notices when they do not.

use tokens::{Claimant, Row, Timestamp, Verdict, decide};

use super::{cloud::Rule, matrix, run, run::run_under};

// A few seeds, for these tests run unoptimized; `proof simulate` takes thousands.
const SEEDS: std::ops::Range<u64> = 0..12;

/// The first violation under `rule`.
fn violation(rule: Rule) -> Option<String> {
    (0..200).find_map(|seed| run_under(seed, rule, false).violations.into_iter().next()).map(|(_, violation)| violation)
}

#[test]
fn the_functions_keep_the_promise_whatever_happens() {
    for seed in SEEDS {
        assert_eq!(run(seed).violations, []);
    }
}

#[test]
fn a_seed_repeats_itself() {
    let told = |seed| run(seed).counts;
    for seed in SEEDS {
        assert_eq!(told(seed), told(seed));
    }
}

#[test]
fn a36_every_fault_at_every_attempt_ends_in_a_yes_or_in_an_outcome_not_known() {
    for cell in matrix() {
        assert_eq!(cell.violations, [""; 0], "{cell:?}");
    }
}

#[test]
fn a_store_that_gives_a_token_twice_is_caught() {
    fn decide_twice(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
        match decide(row, claimant, now) {
            Verdict::AlreadyUsed { .. } => Verdict::Spent { replayed: true },
            verdict => verdict,
        }
    }
    let violation = violation(Rule { decide: decide_twice, ..Rule::OF_ONE_USE }).unwrap();
    assert!(violation.contains(", and then for "), "{violation}");
}

#[test]
fn a_store_that_forgets_the_claimant_is_caught() {
    fn forget(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
        match decide(row, claimant, now) {
            Verdict::Spent { replayed: true } => Verdict::Unknown,
            verdict => verdict,
        }
    }
    assert!(violation(Rule { decide: forget, ..Rule::OF_ONE_USE }).is_some());
}

#[test]
fn a_store_that_hides_replays_is_caught() {
    fn hide_replays(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
        match decide(row, claimant, now) {
            Verdict::Spent { .. } => Verdict::Spent { replayed: false },
            verdict => verdict,
        }
    }
    fn hide_replays_in_odd_seconds(row: Option<&Row>, claimant: &Claimant, now: Timestamp) -> Verdict {
        if now.0 % 2 == 1 { hide_replays(row, claimant, now) } else { decide(row, claimant, now) }
    }
    for decide in [hide_replays, hide_replays_in_odd_seconds] {
        let violation = violation(Rule { decide, ..Rule::OF_ONE_USE }).unwrap();
        assert_eq!(violation, "a replay was not called one");
    }
}

#[test]
fn a_mint_that_may_write_over_a_mark_is_caught() {
    fn insert_over_mark(row: Option<&Row>, minted_by: &Claimant) -> bool {
        row.is_none_or(|row| row.minted_by == *minted_by)
    }
    assert!(violation(Rule { may_insert: insert_over_mark, ..Rule::OF_ONE_USE }).is_some());
}

#[test]
fn a_mint_that_may_not_repeat_itself_is_caught() {
    fn insert_once(row: Option<&Row>, _: &Claimant) -> bool {
        row.is_none()
    }
    assert!(violation(Rule { may_insert: insert_once, ..Rule::OF_ONE_USE }).is_some());
}

//! The rule holds, and the checker finds what other designs break.

use super::{Design, check};

// Two claimants, for these tests run unoptimized; `proof model` takes three.

#[test]
fn the_rule_holds_in_every_order_of_events() {
    let checked = check(Design::OneConditionalWrite, 2);
    assert!(checked.counterexamples.is_empty(), "{checked}");
    assert!(checked.states > 10_000, "{checked}");
}

#[test]
fn reading_and_then_deleting_tells_two_claimants_yes() {
    let broken = check(Design::GetThenDelete, 2).broken();
    assert!(broken.contains(&"at most one claimant is told yes"), "{broken:?}");
}

#[test]
fn deleting_on_a_condition_refuses_the_claimant_that_lost_a_reply() {
    let broken = check(Design::ConditionalDelete, 2).broken();
    assert!(broken.contains(&"no claimant is told that its own claim has used the token"), "{broken:?}");
}

#[test]
fn an_update_that_forgets_the_claimant_refuses_the_one_that_lost_a_reply() {
    let broken = check(Design::UpdateWithoutClaimant, 2).broken();
    assert!(broken.contains(&"no claimant is told that its own claim has used the token"), "{broken:?}");
}

#[test]
fn a_revocation_that_reaches_a_used_token_refuses_it_to_its_own_claimant() {
    let broken = check(Design::RevokeOverUse, 2).broken();
    assert!(broken.contains(&"no claimant loses to a revocation what its own claim had taken"), "{broken:?}");
}

#[test]
fn a_mint_that_may_write_over_a_mark_lets_two_claimants_win() {
    let broken = check(Design::MintOverMark, 2).broken();
    assert!(broken.contains(&"at most one claimant is told yes"), "{broken:?}");
    assert!(broken.contains(&"every yes has its row until it is swept"), "{broken:?}");
    assert!(broken.contains(&"nobody is told yes after a revocation"), "{broken:?}");
}

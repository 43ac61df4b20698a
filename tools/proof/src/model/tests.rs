//! The rule holds, and the checker finds what other designs break.

use super::{Design, check};

// Two claimants, for these tests run unoptimized; `proof model` takes three.

#[test]
fn the_rule_holds_in_every_order_of_events() {
    let checked = check(Design::OneConditionalWrite, 2);
    assert!(checked.counterexamples.is_empty(), "{checked}");
    assert!(checked.states > 10_000, "{checked}");
}

/// Asserts that `design` breaks `property`, with two claimants.
fn assert_breaks(design: Design, property: &str) {
    let broken = check(design, 2).broken();
    assert!(broken.contains(&property), "{broken:?}");
}

#[test]
fn reading_and_then_deleting_gives_two_claimants_a_success() {
    assert_breaks(Design::GetThenDelete, "at most one claimant gets a success");
}

#[test]
fn deleting_on_a_condition_refuses_the_claimant_that_lost_a_reply() {
    assert_breaks(Design::ConditionalDelete, "no token is refused as used that no other claimant has used");
}

#[test]
fn an_update_that_forgets_the_claimant_refuses_the_one_that_lost_a_reply() {
    assert_breaks(Design::UpdateWithoutClaimant, "no token is refused as used that no other claimant has used");
}

#[test]
fn a_revocation_that_reaches_a_used_token_refuses_it_to_its_own_claimant() {
    assert_breaks(Design::RevokeOverUse, "a claimant gets its success again for 60 s");
}

#[test]
fn a_mint_that_may_write_over_a_mark_lets_two_claimants_win() {
    assert_breaks(Design::MintOverMark, "at most one claimant gets a success");
    assert_breaks(Design::MintOverMark, "every success has its row until the row is deleted");
    assert_breaks(Design::MintOverMark, "no success after a revocation");
}

#[test]
fn an_expiry_that_ends_replays_refuses_the_claimant_that_has_the_token() {
    assert_breaks(Design::ExpiryEndsReplays, "a claimant gets its success again for 60 s");
}

#[test]
fn a_key_that_outlives_the_expiry_claims_an_expired_token() {
    assert_breaks(Design::KeyOutlivesExpiry, "no claim takes effect for the first time at or after exp");
}

#[test]
fn replays_that_never_end_succeed_long_after_the_expiry() {
    assert_breaks(Design::ReplaysNeverEnd, "no success at or after exp + 60 s");
}

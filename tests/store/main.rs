//! The rule of one use: one suite of tests, which runs against every store.
//!
//! `cargo test` tests the store in memory. `cargo test -p tests --test store -- --include-ignored` tests
//! the DynamoDB store on two emulators too, and fails without them. `CONTRIBUTING.md` lists the variables
//! that name them.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod contract;
mod mutants;
mod runner;
mod stores;
mod usage;

/// Defines a test of each function of [`contract`] on each store.
macro_rules! on_every_store {
    ($($name:ident,)*) => {
        mod in_memory {
            $(#[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                crate::contract::$name(crate::stores::in_memory()).await;
            })*
        }

        mod ministack {
            $(#[tokio::test(flavor = "multi_thread")]
            #[ignore = "needs ministack at MINISTACK_URL"]
            async fn $name() {
                crate::contract::$name(crate::stores::in_dynamodb("MINISTACK_URL").await).await;
            })*
        }

        mod dynamodb_local {
            $(#[tokio::test(flavor = "multi_thread")]
            #[ignore = "needs DynamoDB Local at DYNAMODB_LOCAL_URL"]
            async fn $name() {
                crate::contract::$name(crate::stores::in_dynamodb("DYNAMODB_LOCAL_URL").await).await;
            })*
        }
    };
}

on_every_store! {
    a_token_is_spent_once_and_refused_with_the_time_afterwards,
    the_claimant_gets_its_success_again_for_sixty_seconds,
    a_token_expires_at_the_second_of_its_exp,
    a_token_without_a_row_is_unknown_and_gets_none,
    a_revoked_token_is_refused,
    a_spend_and_its_replay_tell_on_which_host_the_token_was_minted,
    a_token_is_revoked_at_the_time_of_the_first_revocation,
    a_spent_token_is_not_revoked_and_an_unknown_one_gets_no_row,
    a_row_is_found_as_it_is_and_one_that_is_missing_is_none,
    of_claimants_and_revocations_one_ends_a_token,
    a_mint_may_repeat_itself_and_no_other_may,
    a75_a_late_duplicate_of_a_mint_never_erases_a_mark,
    a37_a_refused_claim_changes_nothing_when_its_write_arrives_again,
    of_sixteen_claimants_one_wins,
    every_state_of_a_row_is_decided_by_the_rule,
}

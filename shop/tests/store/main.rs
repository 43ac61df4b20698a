//! The catalogue and the orders: one suite of tests, which runs against every store.
//!
//! `cargo test` tests the store in memory. `cargo test -p shop-tests --test store -- --include-ignored` tests DynamoDB
//! on two emulators too, at `MINISTACK_URL` and `DYNAMODB_LOCAL_URL`, and fails without them.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod contract;
mod mutants;
mod stores;

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
    products_are_listed_by_their_ids_and_found_one_by_one_and_together,
    every_state_has_the_outcome_of_the_model,
    an_order_takes_its_stock_whole_or_not_at_all,
    of_eight_attempts_to_confirm_one_order_one_takes_the_stock,
    of_twelve_orders_for_the_last_cookies_nine_are_confirmed,
    of_eight_admins_who_saw_one_stock_one_changes_it,
    an_order_and_an_admin_who_saw_the_stock_before_it_do_not_lose_a_cookie,
    the_list_of_orders_has_each_once_newest_first_on_pages_of_any_size,
    what_was_ordered_since_a_time_is_read_whole,
}

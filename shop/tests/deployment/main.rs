//! A deployment of the shop to an emulator of AWS that enforces IAM (`tools/ministack/up --iam`).
//!
//! | variable | meaning |
//! | --- | --- |
//! | `MINISTACK_URL` | the URL of the emulator |
//! | `SHOP_STACK_NAME` | the name of the stack |
//! | `SHOP_DISTRIBUTION_URL` | its output `DistributionUrl`, for the tests `hosted_…` |
//!
//! The suite in `api/` tests the API of the same deployment.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod emulator;
mod hosting;
mod lives;
mod logs;
mod races;
mod reports;
mod roles;
mod staff;

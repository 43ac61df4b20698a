//! The emulator from outside: as API Gateway over HTTP, and at its start.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, which fail by panicking")]

mod gateway;
mod helpers;
mod reports;
mod start;
mod wire;

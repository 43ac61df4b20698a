//! The runner from outside: as API Gateway over HTTP, at its start, and as a process.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, which fail by panicking")]

mod functions;
mod gateway;
mod helpers;
mod process;
mod start;

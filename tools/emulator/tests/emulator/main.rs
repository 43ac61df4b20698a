//! The emulator from outside: over HTTP, and its start.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod gateway;
mod helpers;
mod http_api;
mod iam;
mod reports;
mod start;
mod wire;

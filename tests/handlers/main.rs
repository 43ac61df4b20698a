//! The functions' handlers, called in process with the events of `events/`: the same files that
//! `sam local invoke --event` takes.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod attacks;
mod authorizer;
mod config;
mod contract;
mod guard;
mod hello;
mod helpers;
mod idempotency;
mod inspect;
mod issue;
mod page;
mod revoke;
mod rotate;
mod usage;
mod validate;

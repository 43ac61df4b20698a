//! The functions' handlers, called in process with the events of `events/`: the same files that
//! `sam local invoke --event` takes.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod attacks;
mod authorizer;
mod config;
mod hello;
mod helpers;
mod idempotency;
mod issue;
mod validate;

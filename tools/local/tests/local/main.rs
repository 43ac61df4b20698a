//! The project's own API on this machine: its functions, its table, and the program.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod documents;
mod dynamodb;
mod functions;
mod iam;
mod process;

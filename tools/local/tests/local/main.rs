//! The project's own API on this machine: its functions, and the program.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod functions;
mod iam;
mod process;

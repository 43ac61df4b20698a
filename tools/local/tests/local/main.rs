//! The project's own API on this machine: its functions, and the program.

#![expect(clippy::unwrap_used, reason = "helpers of tests are tests, which fail by panicking")]

mod functions;
mod process;

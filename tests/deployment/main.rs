//! A deployment of `template.yaml` to an emulator of AWS that enforces IAM (`tools/ministack/up --iam`).
//!
//! `CONTRIBUTING.md` lists the variables that name the emulator and the stack.
//!
//! The suite in `api/` tests the API of the same deployment.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod emulator;
mod logs;
mod operations;
mod payloads;
mod roles;
mod rotation;
mod usage;

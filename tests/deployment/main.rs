//! A deployment of `template.yaml` to an emulator of AWS that enforces IAM (`tools/ministack/up --iam`).
//!
//! | variable | meaning |
//! | --- | --- |
//! | `MINISTACK_URL` | the URL of the emulator |
//! | `AWS_SAM_STACK_NAME` | the name of the deployed stack |
//!
//! The suite in `api/` tests the API of the same deployment.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod emulator;
mod logs;
mod roles;

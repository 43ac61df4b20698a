//! A deployment of `template.yaml` to an emulator of AWS that enforces IAM (ministack, `AUTH=true`).
//!
//! | variable | meaning |
//! | --- | --- |
//! | `MINISTACK_URL` | the emulator |
//! | `AWS_SAM_STACK_NAME` | the stack that was deployed to it |
//!
//! The API of the same deployment is tested by the suite in `api/`.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod emulator;
mod logs;
mod roles;

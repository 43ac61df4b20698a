//! The API as its clients see it, over HTTP.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `API_URL` | the API to test, such as `https://….amazonaws.com/Prod`; without it `local` is started here, on a free port |
//! | `AWS_SAM_STACK_NAME` | in place of `API_URL`: the stack whose API to test, looked up by `sam` (on an emulator with `AWS_ENDPOINT_URL`) |
//! | `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`, `AWS_REGION` | credentials of a caller with the stack's `OperatorPolicy`; not for `local`, which has its own |
//! | `API_TARGET` | what serves it: `local`, `sam`, `emulator` or `aws` (the default with `API_URL`) |
//!
//! `target.rs` lists the modules that a target cannot show, each with its reason. Run against such a
//! target they fail with that reason: leave them out with `--skip`.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod api;
mod attacks;
mod gate;
mod gateway;
mod iam;
mod life;
mod races;
mod refusals;
mod remapping;
mod target;

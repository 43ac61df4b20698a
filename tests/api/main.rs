//! The API as its clients see it, over HTTP.
//!
//! | variable | meaning |
//! | --- | --- |
//! | `API_URL` | the API to test, such as `https://….amazonaws.com/Prod`; without it `local` is started here, on a free port |
//! | `AWS_SAM_STACK_NAME` | in place of `API_URL`: the stack whose API to test, looked up by `sam` (on an emulator with `AWS_ENDPOINT_URL`) |
//! | `API_TARGET` | what serves it: `local`, `sam`, `emulator` or `aws` (the default with `API_URL`) |
//!
//! Modules that a target cannot show are listed in `target.rs`, each with its reason. Run against
//! such a target they fail and say so: leave them out with `--skip`.

#![expect(clippy::unwrap_used, reason = "what a test cannot set up fails it")]

mod api;
mod attacks;
mod gateway;
mod life;
mod races;
mod refusals;
mod remapping;
mod target;

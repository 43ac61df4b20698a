//! The API as its clients see it, over HTTP.
//!
//! `CONTRIBUTING.md` lists the variables that name the API to test; without them, `local` is started.
//!
//! `target.rs` lists the modules that a target cannot show, each with its reason. Run against such a
//! target they fail with that reason: leave them out with `--skip`.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod api;
mod attacks;
mod description;
mod gateway;
mod guard;
mod iam;
mod life;
mod operators;
mod page;
mod races;
mod refusals;
mod remapping;
mod requests;
mod target;
mod usage;

//! A simulation of the deployed functions: their real handlers, their real clients and the real SDK,
//! in simulated time.
//!
//! Everything that can go wrong does. Requests and replies are lost, duplicated and delayed for days;
//! environments crash in the middle of an invocation; clocks differ by up to a minute, and are set back or
//! forward by as much, also in the middle of an invocation; rows are revoked and deleted, keys withdrawn, and
//! rotated by steps that are lost, repeated and late. Each module uses only those above it:
//!
//! | module | what is in it |
//! | --- | --- |
//! | `clock` | simulated time, and clocks that are off and are set |
//! | `cloud` | DynamoDB, Secrets Manager, and the network that leads there |
//! | `lambda` | the functions, and the environments in which they run |
//! | `judge` | compares every answer with what happened to the rows |
//! | `outcome` | what was seen, and what must not happen and did |
//! | `workload` | clients that mint and spend tokens, rotations of the keys, and an operator |
//! | `run`, `matrix` | simulations by their seeds, and every fault at every attempt |
//! | `deaths` | every death of a rotation |
//!
//! A seed decides everything but the random ids of tokens and the material of keys, on which nothing depends.
//! So it can be repeated.

mod clock;
mod cloud;
#[cfg(test)]
mod deaths;
mod judge;
mod lambda;
mod matrix;
mod outcome;
mod run;
#[cfg(test)]
mod tests;
mod workload;

pub(crate) use self::cloud::{SECRET, Secret};
pub use self::{
    cloud::Fault,
    matrix::{Cell, matrix},
    outcome::Outcome,
    run::{run, run_many},
};

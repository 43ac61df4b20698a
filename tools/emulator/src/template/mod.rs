//! The SAM template: parsed, resolved and read into a model of the API that it describes.
//!
//! Nothing that the template decides is repeated in Rust, and nothing is guessed: a part that the emulator
//! cannot serve is a [`Fault`] that names the line.

mod api;
mod auth;
mod conditions;
mod cors;
mod http_api;
mod intrinsics;
mod known;
mod node;
mod parameters;
mod route;
mod stage;
mod value;

pub(crate) use api::{Api, Kind};
pub(crate) use auth::Authorizer;
pub(crate) use http_api::{Cors, DEFAULT};
pub(crate) use parameters::Inputs;
pub(crate) use route::{Authorization, Route, Target};
pub(crate) use stage::Throttling;

/// What is wrong with a template, and where.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{line}: {message}")]
pub struct Fault {
    /// Line in the template, from 1.
    pub line: usize,
    /// What is wrong, for people.
    pub message: String,
}

impl Fault {
    /// A fault at `line`.
    pub(crate) fn new(line: usize, message: impl Into<String>) -> Self {
        Self { line, message: message.into() }
    }
}

#[cfg(test)]
mod http_api_tests;
#[cfg(test)]
mod tests;

//! A function's side of Amazon API Gateway.
//!
//! | question | answered in |
//! | --- | --- |
//! | how settings are read | [`Settings`], [`ConfigError`] (`settings.rs`) |
//! | what is logged | [`init_telemetry`] (`telemetry.rs`) |
//! | what is counted | [`metrics`] |
//! | how an event becomes a request | [`Request`] (`request.rs`) |
//! | which headers every response carries | [`Responder`], [`Response`] (`response.rs`) |
//! | where a status code and a reason come from | [`ApiError`] (`error.rs`) |
//! | what an authorizer answers | [`authorize`], [`Decision`] (`decision.rs`) |
//! | what a function behind an authorizer learns | [`MintedContext`], [`SpentContext`] (`context.rs`) |
//! | what time it is, and how times are written | [`epoch_seconds`], [`rfc3339`] (`time.rs`) |
//!
//! Handlers see the same [`Request`] whether the payload is of version 1.0 (REST APIs, and HTTP APIs that
//! are configured for it) or 2.0 (HTTP APIs). `lambda_http` covers only a part of this: it does not
//! support authorizers, and leaves an event that does not parse to Lambda's runtime, which logs it.
//!
//! This crate depends on neither the domain nor the AWS SDK, so `hello`, which uses it, links neither.

mod context;
mod decision;
mod error;
pub mod metrics;
mod request;
mod response;
mod settings;
mod telemetry;
mod time;

pub use context::{MintedContext, SpentContext};
pub use decision::{Answer, Decision, authorize};
pub use error::{ApiError, chain, log_failure};
pub use request::{Event, MAX_BODY_BYTES, Request, UnreadableEvent};
pub use response::{Responder, Response, X_ACCESS_TOKEN};
pub use settings::{ConfigError, Settings, env};
pub use telemetry::{init_telemetry, subscriber};
pub use time::{LAST_SECOND, epoch_seconds, parse_rfc3339, rfc3339};

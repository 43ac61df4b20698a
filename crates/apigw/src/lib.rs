//! The edge between the domain and Amazon API Gateway, shared by all functions.
//!
//! | question | answered in |
//! | --- | --- |
//! | where a status code and a reason come from | [`ApiError`] (`error.rs`) |
//! | which headers every response carries | [`Responder`] (`response.rs`) |
//! | how a request's headers and body are read | `request.rs` |
//! | what an authorizer answers | [`allow`], [`MintedContext`] (`authorizer.rs`) |
//! | how settings are read | [`ConfigError`] (`config.rs`) |
//! | what is logged | [`init_telemetry`] (`telemetry.rs`) |
//!
//! It knows neither the domain nor the AWS SDK: `hello` uses it and carries nothing of them.

mod authorizer;
mod config;
mod error;
mod request;
mod response;
mod telemetry;
mod time;

pub use authorizer::{MintedContext, allow};
pub use config::{ConfigError, env, parsed, required};
pub use error::{ApiError, chain};
pub use request::{MAX_BODY_BYTES, body, header_values, host, request_id};
pub use response::{Responder, X_ACCESS_TOKEN, json};
pub use telemetry::init_telemetry;
pub use time::{epoch_seconds, parse_rfc3339, rfc3339};

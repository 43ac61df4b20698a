//! What the proofs, the benchmarks and the tests share.
//!
//! | what | where |
//! | --- | --- |
//! | the table of deployed functions | [`FUNCTIONS`] (`functions.rs`) |
//! | a process that runs a function's binary as Lambda does | [`process`] |
//! | the Lambda Runtime API that it takes its events from | [`runtime_api`] |
//! | a table on an emulator of DynamoDB | [`Table`] (`table.rs`) |
//! | the functions' clients without a function | [`clients()`] (`clients.rs`) |
//! | a log that is kept in memory | [`Log`] (`log.rs`) |
//! | a fake DynamoDB and Secrets Manager that can stall and fail | [`fake_aws`] |

mod clients;
pub mod fake_aws;
mod functions;
mod log;
pub mod process;
pub mod runtime_api;
mod table;

pub use clients::{clients, token_store};
pub use fake_aws::FakeAws;
pub use functions::{FUNCTIONS, Function};
pub use log::Log;
pub use table::Table;

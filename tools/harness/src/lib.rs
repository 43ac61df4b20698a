//! What proofs, benchmarks and tests share.
//!
//! | what | in |
//! | --- | --- |
//! | the Lambda Runtime API, from which a function takes its events | [`runtime_api`] |
//! | a function's binary, run as Lambda runs it | [`function`] |
//! | a table of its own on an emulator of DynamoDB | [`Table`] |

pub mod function;
pub mod runtime_api;
mod table;

pub use table::{Table, token_store};

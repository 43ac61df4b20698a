//! What the functions find behind their HTTP clients: DynamoDB, Secrets Manager, and the network that
//! leads there.
//!
//! The services take the requests of the functions as they are written, and no other. A condition with
//! another text, another member or another action is a defect that fails the simulation, until this
//! code says what it means.

mod fault;
mod key_ring;
mod network;
mod request;
mod secret;
mod services;
mod table;

pub use self::fault::Fault;
pub(crate) use self::{
    fault::Faults,
    network::{CALLS, Call, Network},
    request::{SECRET, TABLE},
    secret::Secret,
    services::Services,
    table::{Claim, History, Rule},
};

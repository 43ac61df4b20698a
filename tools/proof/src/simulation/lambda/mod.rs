//! Lambda: the execution environments in which the real functions run, one invocation at a time.

mod environment;
mod function;

pub(crate) use self::{
    environment::{Conditions, Invoked, PortsOf, VersionsOf},
    function::{Answer, Functions, Minted, Minter},
};

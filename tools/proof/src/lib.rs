//! Proofs of the promise of one use.
//!
//! | proof | in |
//! | --- | --- |
//! | the rule holds in every order of claims, retries, losses, duplicates and delays | [`model`] |
//! | the functions keep it, whatever happens to their requests, their clocks and themselves | [`simulation`] |
//! | their binaries do, whatever happens to their connections | [`faults`] |
//! | and wherever they are killed | [`kill`] |
//! | they refuse no token while the keys are rotated | [`drill`] |
//! | a store gives each token to one of many that ask at once | [`races`] |
//! | no token that was tampered with is accepted, or costs a write | [`tamper`] |
//! | the counts of their use are exact, however the stream delivers its records | [`usage`] |
//! | other designs lose tokens, or give them twice | [`peers`] |

pub mod drill;
mod events;
mod fault_proxy;
pub mod faults;
pub mod kill;
mod limits;
pub mod model;
pub mod peers;
pub mod races;
pub mod simulation;
mod site;
pub mod tamper;
pub mod usage;

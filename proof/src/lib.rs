//! Proofs of the promise of one use.
//!
//! | proof | in |
//! | --- | --- |
//! | the rule holds in every order of claims, retries, losses, duplicates and delays | [`model`] |
//! | the functions keep it, whatever happens to their requests, their clocks and themselves | [`simulation`] |

mod events;
pub mod model;
pub mod simulation;

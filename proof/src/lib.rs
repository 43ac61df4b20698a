//! Proofs of the promise of one use.
//!
//! | proof | in |
//! | --- | --- |
//! | the rule holds in every order of claims, retries, losses, duplicates and delays | [`model`] |

pub mod model;

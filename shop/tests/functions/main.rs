//! The functions of the shop, called in process on the ports in memory.

#![expect(clippy::unwrap_used, reason = "a failed setup fails the test")]

mod checkout;
mod conservation;
mod crud;
mod figures;
mod helpers;
mod orders;
mod products;
mod proxy;
mod reports;
mod requests;
mod session;
mod steps;

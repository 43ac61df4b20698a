//! The reports: one file of HTML each, with charts as SVG inside, no script, and nothing to load.
//!
//! Texts are escaped by `maud`, which writes every value as text. The policy in the page forbids scripts all the same.

mod chart;
mod page;

pub use page::{orders, products};

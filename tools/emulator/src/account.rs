//! The account and the region that this machine stands for.

/// The account of this machine, AWS's own example.
pub(crate) const ACCOUNT_ID: &str = "123456789012";
/// The region of this machine.
pub(crate) const REGION: &str = "local";

//! The AWS account and Region that events and ARNs contain.

/// The account ID of AWS's own examples.
pub(crate) const ACCOUNT_ID: &str = "123456789012";
/// The Region, which no deployed API has.
pub(crate) const REGION: &str = "local";

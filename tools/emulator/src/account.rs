//! The AWS account and Region that events and ARNs contain.

/// The account ID of AWS's own examples.
pub(crate) const ACCOUNT_ID: &str = "123456789012";
/// The Region, which no deployed API has.
pub(crate) const REGION: &str = "local";
/// The Region in the scope of a signature. It is not `local`, because some signers accept only existing Regions.
pub(crate) const SIGNING_REGION: &str = "us-east-1";
/// The unique ID of the user to whom the access key belongs.
pub(crate) const USER_ID: &str = "AIDALOCAL";
/// The name of that user.
pub(crate) const USER_NAME: &str = "local";

//! What the functions promise about time and attempts.

use std::time::Duration;

/// How often the SDK tries.
pub(crate) const ATTEMPTS: usize = 3;

/// How long Lambda lets a function run, and so how long after its beginning an answer can come.
pub(crate) const FUNCTION_TIMEOUT: Duration = Duration::from_secs(5);

/// How long an answer may take while Secrets Manager answers.
pub(crate) const LONGEST_ANSWER: Duration = Duration::from_secs(2);

/// How old a ring may be, in seconds, in an environment whose fetches succeed.
pub(crate) const OLDEST_RING_SECONDS: u64 = 330;

/// How long Lambda lets the function run that rotates the keys.
pub(crate) const ROTATION_TIMEOUT: Duration = Duration::from_secs(30);

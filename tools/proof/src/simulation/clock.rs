//! Time in the simulation, and the invocation that asks for it.

use std::sync::Mutex;

use tokens::Timestamp;
use tokio::time::Instant;

use super::network::Call;

/// The time at which every simulation begins, in seconds since the Unix epoch.
const BEGINNING: u64 = 1_700_000_000;

tokio::task_local! {
    /// The invocation that the current task runs.
    pub(crate) static INVOCATION: std::sync::Arc<Invocation>;
}

/// A clock that is off by some seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    pub(crate) origin: Instant,
    pub(crate) skew_seconds: i64,
}

impl Clock {
    /// What it shows.
    pub(crate) fn now(self) -> Timestamp {
        Timestamp((BEGINNING + self.origin.elapsed().as_secs()).saturating_add_signed(self.skew_seconds))
    }
}

/// One invocation of a function.
#[derive(Debug)]
pub(crate) struct Invocation {
    /// The clock of its environment.
    pub(crate) clock: Clock,
    /// The HTTP requests that it has made.
    pub(crate) calls: Mutex<Vec<Call>>,
}

/// The time by the clock of the environment that runs the current invocation: the functions' clock.
pub(crate) fn now() -> Timestamp {
    INVOCATION.with(|invocation| invocation.clock.now())
}

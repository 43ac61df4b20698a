//! Simulated time, and clocks that are off.

use std::time::Duration;

use tokens::Timestamp;
use tokio::{runtime, time::Instant};

/// The time at which every simulation begins, in seconds since the Unix epoch.
const BEGINNING: u64 = 1_700_000_000;

tokio::task_local! {
    /// The clock of the environment that runs the current invocation.
    pub(crate) static CLOCK: Clock;
}

/// The time by [`CLOCK`]: what the functions take for the time.
pub(crate) fn now() -> Timestamp {
    CLOCK.with(|clock| clock.now())
}

/// A clock, which may be off by some seconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    origin: Instant,
    skew_seconds: i64,
}

impl Clock {
    /// A clock that is right and begins now.
    pub(crate) fn exact() -> Self {
        Self { origin: Instant::now(), skew_seconds: 0 }
    }

    /// The same clock, `skew_seconds` ahead.
    pub(crate) fn ahead_by(self, skew_seconds: i64) -> Self {
        Self { skew_seconds, ..self }
    }

    /// The time that it shows.
    pub(crate) fn now(self) -> Timestamp {
        Timestamp((BEGINNING + self.elapsed().as_secs()).saturating_add_signed(self.skew_seconds))
    }

    /// How long the simulation has run.
    pub(crate) fn elapsed(self) -> Duration {
        self.origin.elapsed()
    }
}

/// Runs `simulation` in simulated time, which passes only when there is nothing else to do.
pub(crate) fn in_simulated_time<T>(simulation: impl Future<Output = T>) -> T {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.expect("a runtime without input and output").block_on(simulation)
}

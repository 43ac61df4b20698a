//! Simulated time, and clocks that are off and are set.

use std::time::Duration;

use tokens::Timestamp;
use tokio::{runtime, time::Instant};

/// The time at which every simulation begins, in seconds since the Unix epoch.
pub(crate) const BEGINNING: Timestamp = Timestamp(1_700_000_000);

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
    /// When it will be set, after the origin, and how far ahead it will be then.
    setting: Option<(Duration, i64)>,
}

impl Clock {
    /// A clock that is right and begins now.
    pub(crate) fn exact() -> Self {
        Self { origin: Instant::now(), skew_seconds: 0, setting: None }
    }

    /// The same clock, `skew_seconds` ahead.
    pub(crate) fn ahead_by(self, skew_seconds: i64) -> Self {
        Self { skew_seconds, setting: None, ..self }
    }

    /// The same clock, which is set to be `skew_seconds` ahead when `after` has passed. Until then it goes
    /// on as it is.
    pub(crate) fn set_after(self, after: Duration, skew_seconds: i64) -> Self {
        let setting = Some((self.elapsed() + after, skew_seconds));
        Self { skew_seconds: self.skew_seconds(), setting, ..self }
    }

    /// How far ahead it is.
    pub(crate) fn skew_seconds(self) -> i64 {
        match self.setting {
            Some((at, skew_seconds)) if self.elapsed() >= at => skew_seconds,
            _ => self.skew_seconds,
        }
    }

    /// The time that it shows.
    pub(crate) fn now(self) -> Timestamp {
        Timestamp((BEGINNING.0 + self.elapsed().as_secs()).saturating_add_signed(self.skew_seconds()))
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

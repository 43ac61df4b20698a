//! The stage's throttling, enforced: a token bucket for each method.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::template::Throttling;

/// A bucket that holds up to `burst` requests and gains `rate` a second.
#[derive(Debug)]
pub(crate) struct Bucket {
    /// Rate and burst.
    settings: Throttling,
    /// The requests left, and the time when they were counted.
    level: Mutex<(f64, Instant)>,
}

impl Bucket {
    /// A full bucket.
    pub(crate) fn new(settings: Throttling, now: Instant) -> Self {
        Self { settings, level: Mutex::new((settings.burst, now)) }
    }

    /// Takes one request out, if there is one.
    pub(crate) fn admit(&self, now: Instant) -> bool {
        let mut level = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        let gained = now.saturating_duration_since(level.1).as_secs_f64() * self.settings.rate;
        *level = ((level.0 + gained).min(self.settings.burst), now);
        let admitted = level.0 >= 1.0;
        if admitted {
            level.0 -= 1.0;
        }
        admitted
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_burst_passes_then_the_rate_then_no_more_than_the_burst() {
        let start = Instant::now();
        let bucket = Bucket::new(Throttling { rate: 2.0, burst: 3.0 }, start);
        let admitted = |seconds: u64| (0..9).filter(|_| bucket.admit(start + Duration::from_secs(seconds))).count();
        assert_eq!((admitted(0), admitted(1), admitted(60)), (3, 2, 3));
    }
}

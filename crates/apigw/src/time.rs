//! The clock, and times as clients see them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second that RFC 3339 can express, in the year 9999.
const LAST_SECOND: u64 = 253_402_300_799;

/// The time by this environment's clock, in whole seconds since the Unix epoch.
#[must_use]
pub fn epoch_seconds() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the one clock that the functions' services are given")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// `seconds` since the Unix epoch as RFC 3339 in UTC, whole seconds, `Z`.
#[must_use]
pub fn rfc3339(seconds: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds.min(LAST_SECOND))).to_string()
}

/// The seconds since the Unix epoch of a time that [`rfc3339`] wrote.
#[must_use]
pub fn parse_rfc3339(text: &str) -> Option<u64> {
    let time = humantime::parse_rfc3339(text).ok()?;
    Some(time.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_counts_seconds_since_1970() {
        // From 2023 to 2286: neither milliseconds, nor the time since the process began.
        assert!((1_700_000_000..10_000_000_000).contains(&epoch_seconds()));
    }

    #[test]
    fn a_time_is_written_in_utc_with_whole_seconds_and_read_back() {
        assert_eq!(rfc3339(1_700_000_000), "2023-11-14T22:13:20Z");
        assert_eq!(parse_rfc3339("2023-11-14T22:13:20Z"), Some(1_700_000_000));
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59Z");
        assert_eq!(parse_rfc3339("yesterday"), None);
    }
}

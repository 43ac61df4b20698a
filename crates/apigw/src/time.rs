//! The clock, and times as clients see them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The last second that RFC 3339 can express, in the year 9999.
pub const LAST_SECOND: u64 = 253_402_300_799;

/// The time by this environment's clock, in whole seconds since the Unix epoch.
#[must_use]
pub fn epoch_seconds() -> u64 {
    since_epoch().as_secs()
}

/// The same time in milliseconds, for the log.
pub(crate) fn epoch_millis() -> u64 {
    // They fit until the year 584,556,019.
    u64::try_from(since_epoch().as_millis()).unwrap_or_default()
}

fn since_epoch() -> Duration {
    #[expect(clippy::disallowed_methods, reason = "the one clock, of the functions' services and of the log")]
    let now = SystemTime::now();
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// `seconds` since the Unix epoch as RFC 3339 in UTC, whole seconds, `Z`.
#[must_use]
pub fn rfc3339(seconds: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds.min(LAST_SECOND))).to_string()
}

/// `millis` since the Unix epoch as RFC 3339 in UTC, with milliseconds, for the log.
pub(crate) fn rfc3339_millis(millis: u64) -> String {
    humantime::format_rfc3339_millis(UNIX_EPOCH + Duration::from_millis(millis)).to_string()
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
        assert_eq!(rfc3339_millis(1_700_000_000_012), "2023-11-14T22:13:20.012Z");
    }
}

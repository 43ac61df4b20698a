//! The clock, and the format of request times.

use std::time::{SystemTime, UNIX_EPOCH};

/// The present instant.
pub(crate) fn now() -> SystemTime {
    #[expect(clippy::disallowed_methods, reason = "the one place where the emulator reads the clock")]
    SystemTime::now()
}

/// Milliseconds since the epoch.
pub(crate) fn now_millis() -> u64 {
    let since_epoch = now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
}

/// The instant in ISO 8601's basic format: `20261122T010624Z`.
pub(crate) fn basic(instant: SystemTime) -> String {
    humantime::format_rfc3339_seconds(instant).to_string().replace(['-', ':'], "")
}

/// The instant that a text in ISO 8601's basic format names, if it is one.
pub(crate) fn parse_basic(text: &str) -> Option<SystemTime> {
    let part = |range| text.get(range);
    let (year, month, day) = (part(0..4)?, part(4..6)?, part(6..8)?);
    let (hour, minute, second) = (part(9..11)?, part(11..13)?, part(13..15)?);
    let rfc_3339 = format!("{year}-{month}-{day}T{hour}:{minute}:{second}Z");
    let instant = humantime::parse_rfc3339(&rfc_3339).ok()?;
    (basic(instant) == text).then_some(instant)
}

/// The instant in the format of `requestContext.requestTime`: `22/Nov/2026:01:06:24 +0000`.
pub(crate) fn request_time(epoch_millis: u64) -> String {
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let instant = UNIX_EPOCH + std::time::Duration::from_millis(epoch_millis);
    let rfc_3339 = humantime::format_rfc3339_seconds(instant).to_string(); // 2026-11-22T01:06:24Z
    let month = rfc_3339[5..7].parse::<usize>().unwrap_or(1);
    format!("{}/{}/{}:{} +0000", &rfc_3339[8..10], MONTHS[month - 1], &rfc_3339[..4], &rfc_3339[11..19])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_in_the_basic_format_is_read_and_nothing_else_is() {
        let instant = UNIX_EPOCH + std::time::Duration::from_secs(1_795_309_584);
        assert_eq!(basic(instant), "20261122T010624Z");
        assert_eq!(parse_basic("20261122T010624Z"), Some(instant));
        for text in [
            "",
            "20261122T010624",
            "20261122T010624z",
            "20261122T010624Z ",
            "20261322T010624Z",
            "20261122 010624Z",
            "+0261122T010624Z",
            "2026-11-22T01:06:24Z",
            "Sun, 22 Nov 2026 01:06:24 GMT",
            "2026112\u{e9}T10624Z",
        ] {
            assert_eq!(parse_basic(text), None, "{text}");
        }
    }

    #[test]
    fn request_time_is_in_the_common_log_format() {
        assert_eq!(request_time(1_795_309_584_123), "22/Nov/2026:01:06:24 +0000");
    }
}

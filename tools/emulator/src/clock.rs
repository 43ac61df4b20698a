//! The clock, and the format of request times.

use std::time::{SystemTime, UNIX_EPOCH};

/// Milliseconds since the epoch.
pub(crate) fn now_millis() -> u64 {
    #[expect(clippy::disallowed_methods, reason = "the one place where the emulator reads the clock")]
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_epoch.as_millis()).unwrap_or(u64::MAX)
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
    #[test]
    fn request_time_is_in_the_common_log_format() {
        assert_eq!(super::request_time(1_795_309_584_123), "22/Nov/2026:01:06:24 +0000");
    }
}

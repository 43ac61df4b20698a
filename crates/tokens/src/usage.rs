//! What is counted of the use of tokens.
//!
//! Tokens are counted by the hour: when they were minted, spent and revoked, and, on a second axis, when they
//! expire. The tokens that expired unused in an hour are those that were due in it, without those of them that had
//! been spent or revoked.

use std::cmp::Ordering;

use crate::Timestamp;

/// The number of seconds in an hour.
const HOUR_SECONDS: u64 = 3_600;

/// The upper bounds of the buckets of [`Counts::delays`], in seconds.
///
/// Powers of two, up to [`MAX_LIFETIME_SECONDS`](crate::MAX_LIFETIME_SECONDS): no token is spent later than that.
pub const DELAY_BOUNDS_SECONDS: [u64; 18] =
    [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024, 2_048, 4_096, 8_192, 16_384, 32_768, 65_536, 86_400];

/// The names of the buckets, each with its upper bound.
const DELAY_NAMES: [&str; DELAY_BOUNDS_SECONDS.len()] = [
    "delay_1",
    "delay_2",
    "delay_4",
    "delay_8",
    "delay_16",
    "delay_32",
    "delay_64",
    "delay_128",
    "delay_256",
    "delay_512",
    "delay_1024",
    "delay_2048",
    "delay_4096",
    "delay_8192",
    "delay_16384",
    "delay_32768",
    "delay_65536",
    "delay_86400",
];

/// An hour, UTC.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Hour(u64);

impl Hour {
    /// The hour that contains `time`.
    #[must_use]
    pub const fn of(time: Timestamp) -> Self {
        Self(time.0 / HOUR_SECONDS)
    }

    /// The hour after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Its first second.
    #[must_use]
    pub const fn start(self) -> Timestamp {
        Timestamp(self.0.saturating_mul(HOUR_SECONDS))
    }

    /// The first second after it.
    #[must_use]
    pub const fn end(self) -> Timestamp {
        self.next().start()
    }
}

/// The sequence number of a record of a stream: a decimal number, kept as text because it may have 40 digits.
///
/// Within a shard, numbers grow in the order of the writes.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct SequenceNumber(String);

impl SequenceNumber {
    /// The number that is written as `text`; `None` if `text` is empty.
    #[must_use]
    pub fn new(text: String) -> Option<Self> {
        (!text.is_empty()).then_some(Self(text))
    }

    /// The number as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Ord for SequenceNumber {
    /// By length, then by characters: the order of the numbers, which have no leading zeros.
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.len().cmp(&other.0.len()).then_with(|| self.0.cmp(&other.0))
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// One thing to count, in the hour to which it belongs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Count {
    /// A token was minted.
    Minted,
    /// A token was spent.
    Spent {
        /// The time from its mint, in seconds.
        delay_seconds: u64,
    },
    /// A token was revoked before it was spent.
    Revoked,
    /// A token that was minted expires in this hour.
    Due,
    /// A token that expires in this hour was spent.
    DueSpent,
    /// A token that expires in this hour was revoked.
    DueRevoked,
    /// A change of the table is not one of a token.
    Unreadable,
}

/// What was counted in one hour.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Tokens minted in the hour.
    pub minted: u64,
    /// Tokens spent in the hour.
    pub spent: u64,
    /// Tokens revoked in the hour.
    pub revoked: u64,
    /// Tokens that expire in the hour, whenever they were minted.
    pub due: u64,
    /// Those of [`due`](Self::due) that were spent.
    pub due_spent: u64,
    /// Those of [`due`](Self::due) that were revoked.
    pub due_revoked: u64,
    /// Changes of the table that are not those of a token.
    pub unreadable: u64,
    /// [`spent`](Self::spent) by the time from mint to spend. The upper bound of each bucket is in
    /// [`DELAY_BOUNDS_SECONDS`].
    pub delays: [u64; DELAY_BOUNDS_SECONDS.len()],
}

impl Counts {
    /// Counts one thing.
    pub fn count(&mut self, count: Count) {
        let counted = match count {
            Count::Minted => &mut self.minted,
            Count::Spent { delay_seconds } => {
                let bucket = DELAY_BOUNDS_SECONDS.partition_point(|bound| *bound < delay_seconds);
                self.delays[bucket.min(DELAY_BOUNDS_SECONDS.len() - 1)] += 1;
                &mut self.spent
            }
            Count::Revoked => &mut self.revoked,
            Count::Due => &mut self.due,
            Count::DueSpent => &mut self.due_spent,
            Count::DueRevoked => &mut self.due_revoked,
            Count::Unreadable => &mut self.unreadable,
        };
        *counted += 1;
    }

    /// Adds what `other` has counted.
    pub fn add(&mut self, other: &Self) {
        for ((_, sum), (_, count)) in self.named_mut().zip(other.named()) {
            *sum = sum.saturating_add(count);
        }
    }

    /// The tokens of [`due`](Self::due) that were neither spent nor revoked. They have expired unused once the hour
    /// is over.
    #[must_use]
    pub const fn due_unused(&self) -> u64 {
        self.due.saturating_sub(self.due_spent).saturating_sub(self.due_revoked)
    }

    /// An upper bound of the time from mint to spend of `percent` % of the spent tokens, in seconds: that of the
    /// bucket that the percentile is in. `None` if no token was spent.
    #[must_use]
    pub fn delay_percentile(&self, percent: u64) -> Option<u64> {
        let spent: u64 = self.delays.iter().sum();
        let rank = spent.saturating_mul(percent).div_ceil(100).max(1);
        let mut below = 0;
        let bucket = self.delays.iter().position(|count| {
            below += count;
            below >= rank
        });
        bucket.map(|bucket| DELAY_BOUNDS_SECONDS[bucket])
    }

    /// Every count with its name, for a store.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, u64)> {
        let mut counts = self.clone();
        counts.named_mut().map(|(name, count)| (name, *count)).collect()
    }

    /// As [`Counts::named`], for a store that reads counts.
    pub fn named_mut(&mut self) -> impl Iterator<Item = (&'static str, &mut u64)> {
        let counts = [
            ("minted", &mut self.minted),
            ("spent", &mut self.spent),
            ("revoked", &mut self.revoked),
            ("due", &mut self.due),
            ("due_spent", &mut self.due_spent),
            ("due_revoked", &mut self.due_revoked),
            ("unreadable", &mut self.unreadable),
        ];
        counts.into_iter().chain(DELAY_NAMES.into_iter().zip(&mut self.delays))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MAX_LIFETIME_SECONDS;

    fn number(text: &str) -> SequenceNumber {
        SequenceNumber::new(text.to_owned()).unwrap()
    }

    fn spent_after(delays: &[u64]) -> Counts {
        let mut counts = Counts::default();
        for delay_seconds in delays {
            counts.count(Count::Spent { delay_seconds: *delay_seconds });
        }
        counts
    }

    #[test]
    fn sequence_numbers_are_in_the_order_of_numbers() {
        assert!(number("9") < number("10"));
        assert!(number("99999999999999999999") < number("100000000000000000000"));
        assert!(number("111") < number("112"));
        assert_eq!(number("7").cmp(&number("7")), Ordering::Equal);
        assert_eq!(SequenceNumber::new(String::new()), None);
    }

    #[test]
    fn an_hour_begins_at_its_first_second_and_ends_before_that_of_the_next() {
        let hour = Hour::of(Timestamp(7_199));
        assert_eq!((hour.start(), hour.end()), (Timestamp(3_600), Timestamp(7_200)));
        assert_eq!(Hour::of(hour.end()), hour.next());
    }

    #[test]
    fn a_percentile_is_the_upper_bound_of_its_bucket() {
        let counts = spent_after(&[0, 1, 2, 3, 4, 5, 8, 9, 600, 86_400]);
        assert_eq!(counts.spent, 10);
        assert_eq!(
            [0, 10, 20, 21, 50, 90, 99, 100].map(|percent| counts.delay_percentile(percent)),
            [1, 1, 1, 2, 4, 1_024, 86_400, 86_400].map(Some)
        );
        assert_eq!(Counts::default().delay_percentile(50), None);
        assert_eq!(spent_after(&[u64::MAX]).delay_percentile(50), Some(86_400));
    }

    #[test]
    fn the_last_bucket_ends_with_the_longest_lifetime_of_a_token() {
        assert_eq!(DELAY_BOUNDS_SECONDS.last(), Some(&MAX_LIFETIME_SECONDS));
        assert!(DELAY_BOUNDS_SECONDS.is_sorted());
    }

    #[test]
    fn a_bucket_is_named_after_its_upper_bound() {
        for (name, bound) in DELAY_NAMES.into_iter().zip(DELAY_BOUNDS_SECONDS) {
            assert_eq!(name, format!("delay_{bound}"));
        }
    }

    #[test]
    fn counts_are_added_one_by_one() {
        let mut every = spent_after(&[3]);
        for count in [Count::Minted, Count::Revoked, Count::Due, Count::DueSpent, Count::DueRevoked, Count::Unreadable]
        {
            every.count(count);
        }
        let mut twice = every.clone();
        twice.add(&every);
        assert!(every.named().into_iter().filter(|(name, _)| !name.starts_with("delay")).all(|(_, count)| count == 1));
        assert_eq!(twice.named(), every.named().into_iter().map(|(name, count)| (name, count * 2)).collect::<Vec<_>>());
    }

    #[test]
    fn what_was_due_and_neither_spent_nor_revoked_is_unused() {
        let counts = Counts { due: 10, due_spent: 3, due_revoked: 2, ..Counts::default() };
        assert_eq!(counts.due_unused(), 5);
        // The counts of two shards are not read at the same time.
        assert_eq!(Counts { due_spent: 1, ..Counts::default() }.due_unused(), 0);
    }
}

//! What a race has shown: the table, the histogram and the verdict.

use std::time::Duration;

use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::{
    outcome::{Answer, Code, Failure, plain},
    output::{GOOD, OPEN, WRONG},
    race::judge::{Breach, Verdict, judge},
    spend::Claim,
};

/// The most tokens that are listed.
const LISTED: usize = 10;
/// The columns of the longest bar.
const WIDEST: u64 = 30;

/// What has been seen so far.
#[derive(Debug)]
pub(crate) struct Report {
    planned: u32,
    held: u32,
    accepted_by_more: u32,
    accepted_by_none: u32,
    times_differ: u32,
    not_shown: u32,
    /// Claims by their answer.
    refused: u64,
    replayed: u64,
    not_made: u64,
    not_known: u64,
    cut: u64,
    claims: u64,
    /// Of the claims that were not cut, in microseconds.
    times: Histogram<u64>,
    /// The tokens that are not as promised.
    listed: Vec<String>,
    /// Why the race ended early.
    ended_by: Option<Failure>,
}

/// The claim of one client.
#[derive(Debug)]
pub(crate) struct Entry {
    /// The last answer.
    pub(crate) claim: Claim,
    /// How long it took; none if the connection was cut at first.
    pub(crate) took: Option<Duration>,
}

impl Report {
    /// A report on a race for `planned` tokens.
    pub(crate) fn new(planned: u32) -> Self {
        // From 1 µs to 1 h, to two significant digits.
        #[expect(clippy::expect_used, reason = "the limits are constants")]
        let times = Histogram::new_with_bounds(1, 3_600_000_000, 2).expect("the limits are in order");
        Self {
            planned,
            held: 0,
            accepted_by_more: 0,
            accepted_by_none: 0,
            times_differ: 0,
            not_shown: 0,
            refused: 0,
            replayed: 0,
            not_made: 0,
            not_known: 0,
            cut: 0,
            claims: 0,
            times,
            listed: Vec::new(),
            ended_by: None,
        }
    }

    /// How many claims were made.
    pub(crate) fn claims(&self) -> u64 {
        self.claims
    }

    /// Adds the claims on the token `jti`.
    pub(crate) fn add(&mut self, jti: &str, entries: Vec<Entry>) {
        let mut claims = Vec::new();
        for Entry { claim, took } in entries {
            self.claims += 1;
            match &claim {
                Claim::Accepted { replayed } => self.replayed += u64::from(*replayed),
                Claim::Refused { .. } => self.refused += 1,
                Claim::NotMade(_) => self.not_made += 1,
                Claim::NotKnown(_) | Claim::Unexpected(_) => self.not_known += 1,
            }
            match took {
                Some(took) => self.times.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX)),
                None => self.cut += 1,
            }
            claims.push(claim);
        }
        let what = match judge(&claims) {
            Verdict::Held => {
                self.held += 1;
                return;
            }
            Verdict::Broken(breach) => {
                *match breach {
                    Breach::AcceptedByMore(_) => &mut self.accepted_by_more,
                    Breach::AcceptedByNone => &mut self.accepted_by_none,
                    Breach::TimesOfUse(_) => &mut self.times_differ,
                } += 1;
                breach.to_string()
            }
            Verdict::NotShown(remark) => {
                self.not_shown += 1;
                remark
            }
        };
        if self.listed.len() < LISTED {
            self.listed.push(format!("{jti}  {}", plain(&what)));
        }
    }

    /// The race ends early.
    pub(crate) fn end(&mut self, failure: Failure) {
        self.ended_by = Some(failure);
    }

    /// The verdict on the deployment.
    pub(crate) fn code(&self) -> Code {
        if self.broken() > 0 {
            Code::No
        } else if let Some(failure) = &self.ended_by {
            failure.code
        } else if self.held < self.planned {
            Code::Unknown
        } else {
            Code::Yes
        }
    }

    fn broken(&self) -> u32 {
        self.accepted_by_more + self.accepted_by_none + self.times_differ
    }

    /// The report as an answer.
    pub(crate) fn answer(&self) -> Answer {
        Answer { code: self.code(), text: self.text(), json: self.json() }
    }

    fn text(&self) -> String {
        let mut rows = vec![
            ("accepted by exactly one", format!("{:>5} of {}", self.held, self.held + self.broken() + self.not_shown)),
            ("accepted by more, by none", format!("{:>5}, {}", self.accepted_by_more, self.accepted_by_none)),
            ("not known", format!("{:>5}", self.not_known)),
            ("refused", format!("{:>5}", self.refused)),
        ];
        if self.held > 0 && self.broken() + self.not_shown == 0 {
            rows[3].1 += "  already_used, one time of use per token";
        }
        if self.times_differ > 0 {
            rows.push(("different times of use", format!("{:>5}", self.times_differ)));
        }
        if self.cut > 0 {
            rows.push((
                "cut and asked again",
                format!("{:>5}  of them accepted as a replay: {}", self.cut, self.replayed),
            ));
        }
        if self.not_made > 0 {
            rows.push(("not made", format!("{:>5}", self.not_made)));
        }
        let mut text = String::new();
        for (name, value) in rows {
            text += &format!("{name:<26}{value}\n");
        }
        text += &self.histogram();
        for line in &self.listed {
            text += &format!("{line}\n");
        }
        text + &self.verdict() + "\n"
    }

    /// The times of the claims in steps of a power of two.
    fn histogram(&self) -> String {
        if self.times.is_empty() {
            return String::new();
        }
        let ms = |micros: u64| format!("{:.1}", micros as f64 / 1000.0);
        let at = |quantile| ms(self.times.value_at_quantile(quantile));
        let (p50, p90, p99, max) = (at(0.5), at(0.9), at(0.99), ms(self.times.max()));
        let mut text = format!("{:<26}p50 {p50}   p90 {p90}   p99 {p99}   max {max}\n", "claim, ms");
        let mut steps = Vec::new();
        let mut below = 0;
        let mut limit: u64 = 500;
        while below < self.times.len() && limit < u64::MAX / 2 {
            let count = self.times.count_between(0, limit) - below;
            below += count;
            if count > 0 || !steps.is_empty() {
                steps.push((limit, count));
            }
            limit *= 2;
        }
        let most = steps.iter().map(|(_, count)| *count).max().unwrap_or(1);
        for (limit, count) in steps {
            let bar = "█".repeat(usize::try_from(count.saturating_mul(WIDEST).div_ceil(most)).unwrap_or(0));
            text += &format!("{:>24}  {bar} {count}\n", format!("to {}", ms(limit)));
        }
        text
    }

    fn verdict(&self) -> String {
        let seen = self.held + self.broken() + self.not_shown;
        let early = self.ended_by.as_ref().map(|it| format!(". {}", it.message)).unwrap_or_default();
        match self.code() {
            Code::Yes => format!("{GOOD}one use held{GOOD:#}"),
            Code::No => format!("{WRONG}one use is broken: for {} of {seen} tokens{WRONG:#}{early}", self.broken()),
            _ => format!(
                "{OPEN}one use was not shown{OPEN:#}: it held for {} of {} tokens{early}",
                self.held, self.planned
            ),
        }
    }

    fn json(&self) -> Value {
        let verdict = match self.code() {
            Code::Yes => "held",
            Code::No => "broken",
            _ => "not_shown",
        };
        let at = |quantile| self.times.value_at_quantile(quantile);
        let mut json = json!({
            "verdict": verdict,
            "tokens": self.planned,
            "held": self.held,
            "acceptedByMore": self.accepted_by_more,
            "acceptedByNone": self.accepted_by_none,
            "timesOfUseDiffer": self.times_differ,
            "notShown": self.not_shown,
            "claims": {
                "made": self.claims,
                "refused": self.refused,
                "notKnown": self.not_known,
                "notMade": self.not_made,
                "cut": self.cut,
                "replayed": self.replayed,
            },
            "claimMicroseconds": {"p50": at(0.5), "p90": at(0.9), "p99": at(0.99), "max": self.times.max()},
            "listed": self.listed,
        });
        if let Some(failure) = &self.ended_by {
            json["endedBy"] = failure.json()["error"].clone();
        }
        json
    }
}

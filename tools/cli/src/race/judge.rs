//! The judge: whether what many clients were told about one token is as promised. Pure.

use std::collections::BTreeSet;

use crate::spend::Claim;

/// What the claims on one token show.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Verdict {
    /// One client was accepted, and each other one was refused because of it.
    Held,
    /// The promise is broken.
    Broken(Breach),
    /// The promise was not shown to hold; with the reason.
    NotShown(String),
}

/// How the promise is broken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Breach {
    /// More than one client was accepted.
    AcceptedByMore(usize),
    /// Clients were refused because the token was used, and no client was accepted.
    AcceptedByNone,
    /// Refusals name more than one time of use.
    TimesOfUse(Vec<String>),
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AcceptedByMore(clients) => write!(f, "accepted by {clients} clients"),
            Self::AcceptedByNone => write!(f, "already_used for every client, and accepted by none"),
            Self::TimesOfUse(times) => write!(f, "used at {}", times.join(" and at ")),
        }
    }
}

/// Judges all claims on one token, of as many clients.
pub(crate) fn judge(claims: &[Claim]) -> Verdict {
    let mut accepted = 0;
    let mut times = BTreeSet::new();
    let mut used = 0;
    let mut remark = None;
    // Whether the token may be spent by a claim that was not answered.
    let mut is_open = false;
    for claim in claims {
        match claim {
            Claim::Accepted { .. } => accepted += 1,
            Claim::Refused { reason, used_at: Some(at), .. } if reason == "already_used" => {
                used += 1;
                times.insert(at.clone());
            }
            Claim::Refused { reason, .. } => remark = remark.or(Some(format!("refused: {reason}"))),
            Claim::NotMade(_) => {}
            Claim::NotKnown(failure) | Claim::Unexpected(failure) => {
                is_open = true;
                remark = remark.or_else(|| Some(failure.message.clone()));
            }
        }
    }
    if accepted > 1 {
        Verdict::Broken(Breach::AcceptedByMore(accepted))
    } else if times.len() > 1 {
        Verdict::Broken(Breach::TimesOfUse(times.into_iter().collect()))
    } else if accepted == 0 && used > 0 && !is_open {
        Verdict::Broken(Breach::AcceptedByNone)
    } else if let Some(remark) = remark {
        Verdict::NotShown(remark)
    } else if accepted + used < 2 {
        Verdict::NotShown("fewer than two clients got an answer".to_owned())
    } else {
        Verdict::Held
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Code, Failure};

    const YES: Claim = Claim::Accepted { replayed: false };

    fn refused(reason: &str, used_at: Option<&str>) -> Claim {
        Claim::Refused { reason: reason.to_owned(), used_at: used_at.map(str::to_owned), request_id: None }
    }

    fn used(at: &str) -> Claim {
        refused("already_used", Some(at))
    }

    fn failure(message: &str) -> Failure {
        Failure::new(Code::Unknown, "unavailable", message)
    }

    fn throttled() -> Claim {
        Claim::NotMade(failure("429"))
    }

    fn unknown() -> Claim {
        Claim::NotKnown(failure("503"))
    }

    #[test]
    fn one_acceptance_and_one_time_of_use_hold() {
        assert_eq!(judge(&[used("10:00"), YES, used("10:00")]), Verdict::Held);
        assert_eq!(judge(&[used("10:00"), Claim::Accepted { replayed: true }]), Verdict::Held);
    }

    #[test]
    fn two_acceptances_break_the_promise_whatever_else_was_told() {
        for other in [used("10:00"), throttled(), unknown(), refused("expired", None)] {
            assert_eq!(judge(&[YES, other, YES]), Verdict::Broken(Breach::AcceptedByMore(2)));
        }
    }

    #[test]
    fn used_and_accepted_by_none_breaks_the_promise_unless_an_answer_is_missing() {
        assert_eq!(judge(&[used("10:00"), used("10:00")]), Verdict::Broken(Breach::AcceptedByNone));
        // A throttled claim was not made, so it cannot be the one that spent the token.
        assert_eq!(judge(&[used("10:00"), throttled()]), Verdict::Broken(Breach::AcceptedByNone));
        assert_eq!(judge(&[used("10:00"), unknown()]), Verdict::NotShown("503".to_owned()));
    }

    #[test]
    fn two_times_of_use_break_the_promise() {
        let breach = Breach::TimesOfUse(vec!["10:00".to_owned(), "10:01".to_owned()]);
        assert_eq!(judge(&[YES, used("10:00"), used("10:01")]), Verdict::Broken(breach));
    }

    #[test]
    fn a_missing_answer_shows_nothing() {
        assert_eq!(judge(&[YES, used("10:00"), unknown()]), Verdict::NotShown("503".to_owned()));
        let other = Claim::Unexpected(failure("HTML"));
        assert_eq!(judge(&[YES, used("10:00"), other]), Verdict::NotShown("HTML".to_owned()));
    }

    #[test]
    fn a_throttled_claim_counts_as_none() {
        assert_eq!(judge(&[YES, throttled(), used("10:00")]), Verdict::Held);
        let none = Verdict::NotShown("fewer than two clients got an answer".to_owned());
        assert_eq!(judge(&[YES, throttled()]), none);
        assert_eq!(judge(&[throttled(), throttled()]), none);
        assert_eq!(judge(&[]), none);
    }

    #[test]
    fn a_refusal_for_another_reason_is_listed() {
        for reason in ["expired", "invalid_token", "revoked", "already_used"] {
            assert_eq!(judge(&[YES, refused(reason, None)]), Verdict::NotShown(format!("refused: {reason}")));
        }
    }
}

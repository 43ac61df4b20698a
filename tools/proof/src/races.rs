//! Many clients claim each token at once, on a store outside the process.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokens::{Claimant, Claims, Insert as _, Jti, Row, Spend, Timestamp, Verdict};
use tokio::task::JoinSet;
use uuid::Uuid;

use harness::{Table, token_store};

/// One claim, from its call to its answer.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Who claimed.
    pub(crate) claimant: Claimant,
    /// When the store was called.
    pub(crate) began: Instant,
    /// When it answered.
    pub(crate) ended: Instant,
    /// What it answered; none when the outcome is not known.
    pub(crate) verdict: Option<Verdict>,
}

/// What came of the races.
#[derive(Debug, Default)]
pub struct Races {
    /// How many tokens were raced for.
    pub tokens: usize,
    /// How many claims were made.
    pub claims: usize,
    /// Of how many claims the outcome is not known.
    pub unknown: usize,
    /// How long it took.
    pub took: Duration,
    /// Each history that cannot be of one atomic step.
    pub violations: Vec<String>,
}

impl fmt::Display for Races {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { tokens, claims, unknown, took, violations } = self;
        let violations = violations.len();
        let seconds = took.as_secs_f64();
        write!(
            f,
            "{tokens} tokens, {claims} claims, {unknown} outcomes unknown, {violations} violations, {seconds:.0} s"
        )
    }
}

/// Has `clients` claim each of `tokens`, all at once, on the emulator at `dynamodb`.
///
/// # Errors
///
/// When the table cannot be made, or a token not be minted.
pub async fn run(dynamodb: &str, tokens: usize, clients: usize) -> Result<Races> {
    let table = Table::create(dynamodb).await.context("the table cannot be made")?;
    // Each with connections of its own, as environments have.
    let stores: Vec<_> = (0..clients).map(|_| token_store(dynamodb, &table.name)).collect();
    let mut races = Races { tokens, ..Races::default() };
    let began = Instant::now();
    for number in 0..tokens {
        let jti = Jti::new(Uuid::new_v4());
        stores[number % clients].insert(&jti, row(now())).await.context("a token could not be stored")?;
        let history = race(&stores, jti).await;
        races.claims += history.len();
        races.unknown += history.iter().filter(|event| event.verdict.is_none()).count();
        let user = table.row(&jti).await?.and_then(|row| row.used_by);
        if let Err(violation) = linearizable(&history, user.as_ref()) {
            races.violations.push(format!("token {number}: {violation}"));
        }
    }
    races.took = began.elapsed();
    if races.unknown * 100 > races.claims {
        races.violations.push("so many outcomes are unknown that the rest proves little".to_owned());
    }
    Ok(races)
}

/// Has every store claim the token at once, each for a claimant of its own.
pub(crate) async fn race<S: Spend + ?Sized + 'static>(stores: &[Arc<S>], jti: Jti) -> Vec<Event> {
    let now = now();
    let mut claims = JoinSet::new();
    for store in stores {
        let (store, claimant) = (store.clone(), claimant());
        claims.spawn(async move {
            let began = Instant::now();
            let verdict = store.spend(&jti, &claimant, now).await.ok().map(|spending| spending.verdict);
            Event { claimant, began, ended: Instant::now(), verdict }
        });
    }
    claims.join_all().await
}

/// Whether a token's history is one of an atomic test and set, after which its row names `user`: one
/// claimant is told yes, and nobody is told that the token is used before the winner has even called.
///
/// For a token that is used once this is all that linearizability asks, in one pass. When the outcome
/// of the winner's claim is not known, the row names it.
fn linearizable(history: &[Event], user: Option<&Claimant>) -> Result<(), String> {
    let is_yes = |event: &&Event| matches!(event.verdict, Some(Verdict::Spent { .. }));
    let winners = history.iter().filter(is_yes).count();
    if winners > 1 {
        return Err(format!("{winners} claimants were told yes"));
    }
    if user.is_none() && history.iter().all(|event| event.verdict.is_none()) {
        return Ok(()); // nobody was told anything, and nothing has happened
    }
    let winner = history.iter().find(|event| Some(&event.claimant) == user);
    let Some(winner) = winner.filter(|event| is_yes(event) || (winners == 0 && event.verdict.is_none())) else {
        return Err(format!("the row names {user:?}, who was not told yes"));
    };
    for event in history {
        match event.verdict {
            Some(Verdict::AlreadyUsed { .. }) if event.ended < winner.began => {
                return Err("a claimant was told that the token is used before the winner had called".to_owned());
            }
            Some(Verdict::Spent { .. } | Verdict::AlreadyUsed { .. }) | None => {}
            Some(verdict) => return Err(format!("a claimant was told {verdict:?}")),
        }
    }
    Ok(())
}

/// A claimant that no other claim has.
fn claimant() -> Claimant {
    Claimant::from_stored(format!("r:{}", Uuid::new_v4()))
}

/// The time as the functions tell it.
pub(crate) fn now() -> Timestamp {
    Timestamp(apigw::epoch_seconds())
}

/// The row of a token that has just been minted.
pub(crate) fn row(now: Timestamp) -> Row {
    let (iss, aud, jti) = (String::new(), String::new(), Jti::new(Uuid::nil()));
    Row::minted(&Claims { iss, aud, jti, iat: now, nbf: now, exp: now.plus(300) }, claimant(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: Option<Verdict> = Some(Verdict::Spent { replayed: false });
    const USED: Option<Verdict> = Some(Verdict::AlreadyUsed { used_at: Timestamp(1) });

    /// What is wrong with a history of claims, each with the milliseconds of its call and of its
    /// answer, after which the row names the claimant of the number `user`.
    fn violation(claims: &[(u64, u64, Option<Verdict>)], user: usize) -> Option<String> {
        let origin = Instant::now();
        let at = |ms| origin + Duration::from_millis(ms);
        let event = |(number, &(began, ended, verdict)): (usize, &_)| Event {
            claimant: Claimant::from_stored(number.to_string()),
            began: at(began),
            ended: at(ended),
            verdict,
        };
        let history: Vec<_> = claims.iter().enumerate().map(event).collect();
        linearizable(&history, Some(&Claimant::from_stored(user.to_string()))).err()
    }

    #[test]
    fn one_winner_whose_call_began_before_the_others_lost_is_linearizable() {
        assert_eq!(violation(&[(0, 9, YES), (1, 2, USED), (3, 4, USED)], 0), None);
    }

    #[test]
    fn two_winners_are_a_violation() {
        assert!(violation(&[(0, 1, YES), (2, 3, YES)], 0).is_some());
    }

    #[test]
    fn a_winner_is_the_one_that_the_row_names() {
        assert!(violation(&[(0, 1, YES), (0, 1, USED)], 1).is_some());
        assert!(violation(&[(0, 1, YES), (0, 1, None)], 1).is_some());
        assert!(violation(&[(0, 1, YES)], 7).is_some());
    }

    #[test]
    fn no_winner_is_a_violation_unless_the_row_names_one_whose_outcome_is_not_known() {
        assert!(violation(&[(0, 1, USED), (2, 3, USED)], 0).is_some());
        assert!(violation(&[(0, 1, USED), (0, 3, None)], 0).is_some());
        assert_eq!(violation(&[(0, 1, USED), (0, 3, None)], 1), None);
        assert_eq!(linearizable(&[], None), Ok(()));
    }

    #[test]
    fn a_loser_that_was_told_so_before_the_winner_called_is_a_violation() {
        assert!(violation(&[(0, 1, USED), (2, 3, YES)], 1).is_some());
        assert!(violation(&[(0, 1, USED), (2, 3, None)], 1).is_some());
    }

    #[test]
    fn any_other_answer_is_a_violation() {
        assert!(violation(&[(0, 1, YES), (0, 1, Some(Verdict::Expired))], 0).is_some());
    }
}

//! Many clients claim each token at once, on a real store.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tokens::{Claim, ROW_RETENTION_SECONDS, Row, Timestamp, TokenStore, Verdict};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::table::{Table, token_store};
use tokens::Jti;

/// One claim, from its call to its answer.
#[derive(Clone, Copy, Debug)]
pub struct Event {
    /// When the store was called.
    pub began: Instant,
    /// When it answered.
    pub ended: Instant,
    /// What it answered; none when the outcome is not known.
    pub verdict: Option<Verdict>,
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
        if let Err(violation) = linearizable(&history) {
            races.violations.push(format!("token {number}: {violation}"));
        }
    }
    races.took = began.elapsed();
    Ok(races)
}

/// All claim the token at once.
pub(crate) async fn race(stores: &[Arc<dyn TokenStore>], jti: Jti) -> Vec<Event> {
    let now = now();
    let mut claims = JoinSet::new();
    for store in stores {
        let (store, claim) = (store.clone(), Claim { claimant: format!("r:{}", Uuid::new_v4()) });
        claims.spawn(async move {
            let began = Instant::now();
            let verdict = store.spend(&jti, &claim, now).await.ok();
            Event { began, ended: Instant::now(), verdict }
        });
    }
    claims.join_all().await
}

/// Whether a token's history is one of an atomic test and set: one claimant is told yes, and nobody
/// is told that the token is used before the winner has even called.
///
/// For a token that is used once this is all that linearizability asks, in one pass. A claim whose
/// outcome is not known may be the winner.
///
/// # Errors
///
/// What is wrong with it.
pub fn linearizable(history: &[Event]) -> Result<(), String> {
    let is_yes = |event: &&Event| matches!(event.verdict, Some(Verdict::Spent { .. }));
    let winners = history.iter().filter(is_yes).count();
    if winners > 1 {
        return Err(format!("{winners} claimants were told yes"));
    }
    let may_have_won = |event: &&Event| is_yes(event) || (winners == 0 && event.verdict.is_none());
    let Some(first_call) = history.iter().filter(may_have_won).map(|event| event.began).min() else {
        return Err("no claimant was told yes".to_owned());
    };
    for event in history {
        match event.verdict {
            Some(Verdict::AlreadyUsed { .. }) if event.ended < first_call => {
                return Err("a claimant was told that the token is used before anybody had claimed it".to_owned());
            }
            Some(Verdict::Spent { .. } | Verdict::AlreadyUsed { .. }) | None => {}
            Some(verdict) => return Err(format!("a claimant was told {verdict:?}")),
        }
    }
    Ok(())
}

/// The time as the functions tell it.
pub(crate) fn now() -> Timestamp {
    Timestamp(gateway::epoch_seconds())
}

/// The row of a token that has just been minted.
pub(crate) fn row(now: Timestamp) -> Row {
    let expires_at = now.plus(300);
    Row {
        minted_by: format!("r:{}", Uuid::new_v4()),
        created_at: now,
        host: None,
        expires_at,
        purge_at: expires_at.plus(ROW_RETENTION_SECONDS),
        used_at: None,
        used_by: None,
        revoked_at: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const YES: Option<Verdict> = Some(Verdict::Spent { replayed: false });
    const USED: Option<Verdict> = Some(Verdict::AlreadyUsed { used_at: Timestamp(1) });

    /// A history of claims, each with the milliseconds of its call and of its answer.
    fn history(claims: &[(u64, u64, Option<Verdict>)]) -> Vec<Event> {
        let origin = Instant::now();
        let at = |ms| origin + Duration::from_millis(ms);
        claims.iter().map(|&(began, ended, verdict)| Event { began: at(began), ended: at(ended), verdict }).collect()
    }

    #[test]
    fn one_winner_whose_call_began_before_the_others_lost_is_linearizable() {
        assert_eq!(linearizable(&history(&[(0, 9, YES), (1, 2, USED), (3, 4, USED)])), Ok(()));
    }

    #[test]
    fn two_winners_are_not() {
        assert!(linearizable(&history(&[(0, 1, YES), (2, 3, YES)])).is_err());
    }

    #[test]
    fn no_winner_is_none_unless_an_outcome_is_not_known() {
        assert!(linearizable(&history(&[(0, 1, USED), (2, 3, USED)])).is_err());
        assert_eq!(linearizable(&history(&[(0, 1, USED), (0, 3, None)])), Ok(()));
    }

    #[test]
    fn a_loser_that_was_told_so_before_the_winner_called_is_none() {
        assert!(linearizable(&history(&[(0, 1, USED), (2, 3, YES)])).is_err());
        assert!(linearizable(&history(&[(0, 1, USED), (2, 3, None)])).is_err());
    }

    #[test]
    fn any_other_answer_is_none() {
        assert!(linearizable(&history(&[(0, 1, YES), (0, 1, Some(Verdict::Expired))])).is_err());
    }
}

//! Many clients claim each token at once, and the operator revokes every second one, on a store outside the
//! process.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use futures_util::future;
use tokens::{Claimant, Claims, Insert as _, Jti, Revoke, Row, Spend, Timestamp, Verdict};
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

/// One revocation.
#[derive(Clone, Copy, Debug)]
struct Revocation {
    /// When the store was called.
    began: Instant,
    /// Whether it answered.
    is_answered: bool,
}

/// What came of the races.
#[derive(Debug, Default)]
pub struct Races {
    /// How many tokens were raced for.
    pub tokens: usize,
    /// How many of them the operator won.
    pub revoked: usize,
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
        let Self { tokens, revoked, claims, unknown, took, violations } = self;
        let violations = violations.len();
        let seconds = took.as_secs_f64();
        write!(
            f,
            "{tokens} tokens, {revoked} of them revoked first, {claims} claims, {unknown} outcomes unknown, \
             {violations} violations, {seconds:.0} s"
        )
    }
}

/// Has `clients` claim each of `tokens`, all at once, on the emulator at `dynamodb`. The operator revokes every
/// second token at the same time, just before the claims or just after.
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
        let (claims, revocation) = (race(&stores, jti), revoke(&*stores[number % clients], &jti));
        let (history, revocation) = match number % 4 {
            0 => {
                let (revocation, history) = future::join(revocation, claims).await;
                (history, Some(revocation))
            }
            2 => {
                let (history, revocation) = future::join(claims, revocation).await;
                (history, Some(revocation))
            }
            _ => (claims.await, None),
        };
        races.claims += history.len();
        races.unknown += history.iter().filter(|event| event.verdict.is_none()).count();
        let row = table.row(&jti).await?.context("a row is gone")?;
        races.revoked += usize::from(row.revoked_at.is_some());
        if let Err(violation) = linearizable(&history, revocation, row.used_by.as_ref(), row.revoked_at) {
            races.violations.push(format!("token {number}: {violation}"));
        }
    }
    races.took = began.elapsed();
    if races.unknown * 100 > races.claims {
        races.violations.push("so many outcomes are unknown that the rest proves little".to_owned());
    }
    if tokens >= 100 && !(1..tokens / 2).contains(&races.revoked) {
        races.violations.push("the operator won always or never".to_owned());
    }
    Ok(races)
}

/// Revokes the token.
async fn revoke(store: &impl Revoke, jti: &Jti) -> Revocation {
    let began = Instant::now();
    Revocation { began, is_answered: store.revoke(jti, now()).await.is_ok() }
}

/// Has every store claim the token at once, each for a claimant of its own: an invocation of `validate`, an
/// execution of `guard`, or a client with a key.
pub(crate) async fn race<S: Spend + ?Sized + 'static>(stores: &[Arc<S>], jti: Jti) -> Vec<Event> {
    let now = now();
    let mut claims = JoinSet::new();
    for (number, store) in stores.iter().enumerate() {
        let id = Uuid::new_v4();
        let claimant = match number % 3 {
            0 => Claimant::of_invocation(&id.to_string()),
            1 => Claimant::of_execution(&id.to_string(), Uuid::new_v4().as_u128()),
            _ => Some(Claimant::from_stored(format!("i:{id}"))),
        };
        let (store, claimant) = (store.clone(), claimant.expect("it has an id"));
        claims.spawn(async move {
            let began = Instant::now();
            let verdict = store.spend(&jti, &claimant, now).await.ok().map(|spending| spending.verdict);
            Event { claimant, began, ended: Instant::now(), verdict }
        });
    }
    claims.join_all().await
}

/// Whether a token's history is one of an atomic test and set, after which its row names `user` or says when it
/// was revoked: one claimant or the operator wins, and no caller gets that outcome before the winner has called.
///
/// For a token that is used once this is all that linearizability asks, in one pass. When the outcome
/// of the winner's claim is not known, the row names it.
fn linearizable(
    history: &[Event],
    revocation: Option<Revocation>,
    user: Option<&Claimant>,
    revoked_at: Option<Timestamp>,
) -> Result<(), String> {
    if revoked_at.is_some() {
        let Some(Revocation { began, .. }) = revocation else { return Err("no operator has revoked it".to_owned()) };
        let is_true = |event: &Event| match event.verdict {
            Some(Verdict::Revoked) => event.ended >= began,
            Some(_) => false,
            None => true,
        };
        let is_won = user.is_none() && history.iter().all(is_true);
        return if is_won { Ok(()) } else { Err(format!("the token is revoked, {user:?} is its user: {history:?}")) };
    }
    if user.is_none() && revocation.is_some_and(|revocation| revocation.is_answered) {
        return Err("a revocation was answered, and the token is neither revoked nor used".to_owned());
    }
    let is_yes = |event: &&Event| matches!(event.verdict, Some(Verdict::Spent { .. }));
    let winners = history.iter().filter(is_yes).count();
    if winners > 1 {
        return Err(format!("{winners} claimants were accepted"));
    }
    if user.is_none() && history.iter().all(|event| event.verdict.is_none()) {
        return Ok(()); // no claimant got an answer, and nothing has happened
    }
    let winner = history.iter().find(|event| Some(&event.claimant) == user);
    let Some(winner) = winner.filter(|event| is_yes(event) || (winners == 0 && event.verdict.is_none())) else {
        return Err(format!("the row names {user:?}, who was not accepted"));
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
        violation_with(None, claims, Some(user))
    }

    /// As [`violation`], where the operator may have asked for a revocation in this millisecond. The row says
    /// that the token is revoked if it does not name a user.
    fn violation_with(
        revocation: Option<u64>,
        claims: &[(u64, u64, Option<Verdict>)],
        user: Option<usize>,
    ) -> Option<String> {
        let origin = Instant::now();
        let at = |ms| origin + Duration::from_millis(ms);
        let event = |(number, &(began, ended, verdict)): (usize, &_)| Event {
            claimant: Claimant::from_stored(number.to_string()),
            began: at(began),
            ended: at(ended),
            verdict,
        };
        let history: Vec<_> = claims.iter().enumerate().map(event).collect();
        let revocation = revocation.map(|began| Revocation { began: at(began), is_answered: true });
        let user = user.map(|user| Claimant::from_stored(user.to_string()));
        let revoked_at = user.is_none().then_some(Timestamp(1));
        linearizable(&history, revocation, user.as_ref(), revoked_at).err()
    }

    #[test]
    fn a_revocation_wins_or_loses_and_the_claimants_are_told_so() {
        const REVOKED: Option<Verdict> = Some(Verdict::Revoked);

        assert_eq!(violation_with(Some(5), &[(0, 6, REVOKED), (7, 8, REVOKED), (1, 2, None)], None), None);
        assert_eq!(violation_with(Some(5), &[(0, 6, YES), (7, 8, USED)], Some(0)), None);
        assert!(violation_with(Some(5), &[(0, 6, YES)], None).is_some());
        assert!(violation_with(Some(5), &[(0, 6, USED)], None).is_some());
        assert!(violation_with(Some(5), &[(0, 4, REVOKED)], None).is_some(), "told before the operator had asked");
        assert!(violation_with(Some(5), &[(0, 6, YES), (7, 8, REVOKED)], Some(0)).is_some());
        assert!(violation_with(None, &[(0, 6, REVOKED)], None).is_some(), "no operator has revoked it");
        let answered = Some(Revocation { began: Instant::now(), is_answered: true });
        assert!(linearizable(&[], answered, None, None).is_err(), "neither revoked nor used");
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
        assert_eq!(linearizable(&[], None, None, None), Ok(()));
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

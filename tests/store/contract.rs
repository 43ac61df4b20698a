//! The rule of one use, as a suite of tests over any store.

use std::sync::Arc;

use tokens::{
    Claimant, Jti, ROW_RETENTION_SECONDS, Row, Spending, StoreError, Timestamp, Verdict, decide, may_insert, may_revoke,
};
use uuid::Uuid;

use crate::stores::TestStore;

const NOW: Timestamp = Timestamp(1_700_000_000);
const ME: &str = "r:me";
const OTHER: &str = "r:other";
const FIRST: Verdict = Verdict::Spent { replayed: false };
const REPLAYED: Verdict = Verdict::Spent { replayed: true };

fn new_jti() -> Jti {
    Jti::new(Uuid::new_v4())
}

fn by(claimant: &str) -> Claimant {
    Claimant::from_stored(claimant.into())
}

/// The row of a token that `ME` has just minted.
fn fresh() -> Row {
    let expires_at = NOW.plus(300);
    Row {
        minted_by: by(ME),
        created_at: NOW,
        host: Some("api.example.com".into()),
        expires_at,
        purge_at: expires_at.plus(ROW_RETENTION_SECONDS),
        used_at: None,
        used_by: None,
        revoked_at: None,
    }
}

fn used_by(claimant: &str, used_at: Timestamp) -> Row {
    Row { used_by: Some(by(claimant)), used_at: Some(used_at), ..fresh() }
}

/// Writes a row in the given state; returns its id.
async fn given(store: &dyn TestStore, row: Row) -> Jti {
    let jti = new_jti();
    store.put_row(&jti, row).await;
    jti
}

/// The verdict on a claim.
async fn spend(store: &dyn TestStore, jti: &Jti, claimant: &str, now: Timestamp) -> Verdict {
    store.spend(jti, &by(claimant), now).await.unwrap().verdict
}

pub(crate) async fn a_token_is_spent_once_and_refused_with_the_time_afterwards(store: Arc<dyn TestStore>) {
    let jti = new_jti();
    store.insert(&jti, fresh()).await.unwrap();
    assert_eq!(store.row(&jti).await, Some(fresh()));

    assert_eq!(spend(&*store, &jti, ME, NOW.plus(1)).await, FIRST);
    let refusal = Verdict::AlreadyUsed { used_at: NOW.plus(1) };
    assert_eq!(spend(&*store, &jti, OTHER, NOW.plus(2)).await, refusal);
    assert_eq!(store.row(&jti).await, Some(used_by(ME, NOW.plus(1))));
}

pub(crate) async fn the_claimant_gets_its_success_again_for_sixty_seconds(store: Arc<dyn TestStore>) {
    let jti = given(&*store, fresh()).await;
    assert_eq!(spend(&*store, &jti, ME, NOW).await, FIRST);
    assert_eq!(spend(&*store, &jti, ME, NOW.plus(30)).await, REPLAYED);
    assert_eq!(spend(&*store, &jti, ME, NOW.plus(60)).await, REPLAYED);
    let refusal = Verdict::AlreadyUsed { used_at: NOW };
    assert_eq!(spend(&*store, &jti, ME, NOW.plus(61)).await, refusal);
    assert_eq!(store.row(&jti).await, Some(used_by(ME, NOW)));
}

pub(crate) async fn a_token_expires_at_the_second_of_its_exp(store: Arc<dyn TestStore>) {
    let jti = given(&*store, fresh()).await;
    assert_eq!(spend(&*store, &jti, ME, NOW.plus(300)).await, Verdict::Expired);
    assert_eq!(store.row(&jti).await, Some(fresh()));
    assert_eq!(spend(&*store, &jti, ME, NOW.plus(299)).await, FIRST);
}

pub(crate) async fn a_token_without_a_row_is_unknown_and_gets_none(store: Arc<dyn TestStore>) {
    let jti = new_jti();
    assert_eq!(spend(&*store, &jti, ME, NOW).await, Verdict::Unknown);
    assert_eq!(store.row(&jti).await, None);
}

pub(crate) async fn a_revoked_token_is_refused(store: Arc<dyn TestStore>) {
    let revoked = Row { revoked_at: Some(NOW), ..fresh() };
    let jti = given(&*store, revoked.clone()).await;
    assert_eq!(spend(&*store, &jti, ME, NOW).await, Verdict::Revoked);
    assert_eq!(store.row(&jti).await, Some(revoked));
}

pub(crate) async fn a_spend_and_its_replay_tell_on_which_host_the_token_was_minted(store: Arc<dyn TestStore>) {
    for host in [Some("api.example.com".to_owned()), None] {
        let jti = given(&*store, Row { host: host.clone(), ..fresh() }).await;
        for verdict in [FIRST, REPLAYED] {
            assert_eq!(store.spend(&jti, &by(ME), NOW).await.unwrap(), Spending { verdict, host: host.clone() });
        }
        let refusal = Verdict::AlreadyUsed { used_at: NOW };
        assert_eq!(store.spend(&jti, &by(OTHER), NOW).await.unwrap(), Spending { verdict: refusal, host: None });
    }
}

pub(crate) async fn a_token_is_revoked_at_the_time_of_the_first_revocation(store: Arc<dyn TestStore>) {
    let jti = given(&*store, fresh()).await;
    for later in [1, 2] {
        store.revoke(&jti, NOW.plus(later)).await.unwrap();
    }
    assert_eq!(store.row(&jti).await, Some(Row { revoked_at: Some(NOW.plus(1)), ..fresh() }));
    assert_eq!(spend(&*store, &jti, ME, NOW.plus(3)).await, Verdict::Revoked);
}

pub(crate) async fn a_spent_token_is_not_revoked_and_an_unknown_one_gets_no_row(store: Arc<dyn TestStore>) {
    let jti = given(&*store, used_by(ME, NOW)).await;
    store.revoke(&jti, NOW).await.unwrap();
    assert_eq!(store.row(&jti).await, Some(used_by(ME, NOW)));
    assert_eq!(spend(&*store, &jti, ME, NOW).await, REPLAYED);

    let unknown = new_jti();
    store.revoke(&unknown, NOW).await.unwrap();
    assert_eq!(store.row(&unknown).await, None);
}

pub(crate) async fn a_row_is_found_as_it_is_and_one_that_is_missing_is_none(store: Arc<dyn TestStore>) {
    for row in [fresh(), used_by(ME, NOW), Row { revoked_at: Some(NOW), host: None, ..fresh() }] {
        let jti = given(&*store, row.clone()).await;
        assert_eq!(store.find(&jti).await.unwrap(), Some(row));
    }
    assert_eq!(store.find(&new_jti()).await.unwrap(), None);
}

pub(crate) async fn of_claimants_and_revocations_one_ends_a_token(store: Arc<dyn TestStore>) {
    for _ in 0..8 {
        let jti = given(&*store, fresh()).await;
        let revocations = (0..4).map(|_| {
            let store = store.clone();
            tokio::spawn(async move { store.revoke(&jti, NOW).await.unwrap() })
        });
        let revocations: Vec<_> = revocations.collect();
        let claimants = (0..4).map(|claimant| {
            let store = store.clone();
            tokio::spawn(async move { spend(&*store, &jti, &format!("r:{claimant}"), NOW).await })
        });
        let mut verdicts = Vec::new();
        for verdict in claimants.collect::<Vec<_>>() {
            verdicts.push(verdict.await.unwrap());
        }
        for revocation in revocations {
            revocation.await.unwrap();
        }
        let row = store.row(&jti).await.unwrap();
        assert_ne!(row.used_at.is_some(), row.revoked_at.is_some(), "{row:?}");
        let won = verdicts.iter().filter(|verdict| **verdict == FIRST).count();
        assert_eq!(won, usize::from(row.used_at.is_some()));
        let refusal = if won == 1 { Verdict::AlreadyUsed { used_at: NOW } } else { Verdict::Revoked };
        assert!(verdicts.iter().all(|verdict| *verdict == FIRST || *verdict == refusal), "{verdicts:?}");
    }
}

pub(crate) async fn a_mint_may_repeat_itself_and_no_other_may(store: Arc<dyn TestStore>) {
    let jti = new_jti();
    store.insert(&jti, fresh()).await.unwrap();
    store.insert(&jti, fresh()).await.unwrap();
    let others = Row { minted_by: by(OTHER), ..fresh() };
    assert!(matches!(store.insert(&jti, others).await, Err(StoreError::Taken)));
    assert_eq!(store.row(&jti).await, Some(fresh()));
}

pub(crate) async fn a75_a_late_duplicate_of_a_mint_never_erases_a_mark(store: Arc<dyn TestStore>) {
    for marked in [used_by(OTHER, NOW), Row { revoked_at: Some(NOW), ..fresh() }] {
        let jti = given(&*store, marked.clone()).await;
        assert!(matches!(store.insert(&jti, fresh()).await, Err(StoreError::Taken)));
        assert_eq!(store.row(&jti).await, Some(marked));
    }
}

pub(crate) async fn a37_a_refused_claim_changes_nothing_when_its_write_arrives_again(store: Arc<dyn TestStore>) {
    for (state, refusal) in [
        (used_by(OTHER, NOW.minus(3)), Verdict::AlreadyUsed { used_at: NOW.minus(3) }),
        (used_by(ME, NOW.minus(61)), Verdict::AlreadyUsed { used_at: NOW.minus(61) }),
        (Row { revoked_at: Some(NOW), ..fresh() }, Verdict::Revoked),
        (Row { expires_at: NOW, ..fresh() }, Verdict::Expired),
    ] {
        let jti = given(&*store, state.clone()).await;
        for _ in 0..3 {
            // From another environment, because this one remembers the refusal and would not ask again.
            assert_eq!(store.spend_elsewhere(&jti, &by(ME), NOW).await.unwrap().verdict, refusal);
            assert_eq!(store.row(&jti).await, Some(state.clone()));
        }
    }
}

pub(crate) async fn of_sixteen_claimants_one_wins(store: Arc<dyn TestStore>) {
    for _ in 0..4 {
        let jti = given(&*store, fresh()).await;
        let claimants = (0..16).map(|claimant| {
            let store = store.clone();
            tokio::spawn(async move { spend(&*store, &jti, &format!("r:{claimant}"), NOW).await })
        });
        let mut won = 0;
        for verdict in claimants.collect::<Vec<_>>() {
            match verdict.await.unwrap() {
                FIRST => won += 1,
                refusal => assert_eq!(refusal, Verdict::AlreadyUsed { used_at: NOW }),
            }
        }
        assert_eq!(won, 1);
    }
}

pub(crate) async fn every_state_of_a_row_is_decided_by_the_rule(store: Arc<dyn TestStore>) {
    assert_eq!(first_disagreement(&*store).await, None);
}

/// The first state in which `store` differs from [`decide`], [`may_insert`] or [`may_revoke`], in its answer
/// or in the row afterwards.
pub(crate) async fn first_disagreement(store: &dyn TestStore) -> Option<String> {
    for state in states() {
        let jti = new_jti();
        if let Some(row) = state.clone() {
            store.put_row(&jti, row).await;
        }
        let expected = (Some(decide(state.as_ref(), &by(ME), NOW)), after_spend(state.clone()));
        let verdict = store.spend(&jti, &by(ME), NOW).await.ok().map(|spending| spending.verdict);
        let found = (verdict, store.row(&jti).await);
        if found != expected {
            return Some(format!("a spend of {state:?} gives {found:?}, not {expected:?}"));
        }

        let jti = new_jti();
        if let Some(row) = state.clone() {
            store.put_row(&jti, row).await;
        }
        let is_allowed = may_insert(state.as_ref(), &by(ME));
        let expected = (is_allowed, if is_allowed { Some(fresh()) } else { state.clone() });
        let found = match store.insert(&jti, fresh()).await {
            Ok(()) => (true, store.row(&jti).await),
            Err(StoreError::Taken) => (false, store.row(&jti).await),
            Err(err) => return Some(format!("an insert over {state:?} fails with {err:?}")),
        };
        if found != expected {
            return Some(format!("an insert over {state:?} gives {found:?}, not {expected:?}"));
        }

        let jti = new_jti();
        if let Some(row) = state.clone() {
            store.put_row(&jti, row).await;
        }
        let expected = after_revocation(state.clone());
        store.revoke(&jti, NOW).await.unwrap();
        let found = store.find(&jti).await.ok();
        if found != Some(expected.clone()) {
            return Some(format!("a revocation of {state:?} leaves {found:?}, not {expected:?}"));
        }
    }
    None
}

/// The row after a claim of `ME`, by the rule.
fn after_spend(state: Option<Row>) -> Option<Row> {
    let verdict = decide(state.as_ref(), &by(ME), NOW);
    let row = state?;
    Some(match verdict {
        Verdict::Spent { .. } => Row { used_by: Some(by(ME)), used_at: row.used_at.or(Some(NOW)), ..row },
        Verdict::AlreadyUsed { .. } | Verdict::Revoked | Verdict::Expired | Verdict::Unknown => row,
    })
}

/// The row after a revocation, by the rule.
fn after_revocation(state: Option<Row>) -> Option<Row> {
    let is_allowed = may_revoke(state.as_ref());
    let row = state?;
    Some(Row { revoked_at: if is_allowed { row.revoked_at.or(Some(NOW)) } else { row.revoked_at }, ..row })
}

/// Every state that a row can be in at `NOW`, at and on either side of each limit.
fn states() -> Vec<Option<Row>> {
    // The spender's clock may be ahead.
    let used_ats = [NOW.minus(61), NOW.minus(60), NOW.minus(59), NOW, NOW.plus(3)];
    let mut marks = vec![fresh()];
    marks.extend(used_ats.map(|used_at| used_by(ME, used_at)));
    marks.extend(used_ats.map(|used_at| used_by(OTHER, used_at)));

    let mut states = vec![None];
    for marked in marks {
        for revoked_at in [None, Some(NOW.minus(5))] {
            for expires_at in [NOW.minus(1), NOW, NOW.plus(1)] {
                for minted_by in [ME, OTHER] {
                    let minted_by = by(minted_by);
                    states.push(Some(Row { minted_by, expires_at, revoked_at, host: None, ..marked.clone() }));
                }
            }
        }
    }
    states
}

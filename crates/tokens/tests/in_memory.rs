//! The in-memory store, compared with the simplest model of it.

use std::collections::HashMap;

use futures_util::FutureExt;
use proptest::prelude::*;
use tokens::{
    Claimant, Claims, InMemoryTokenStore, Insert as _, Jti, ROW_RETENTION_SECONDS, Revoke as _, Row, Spend as _,
    Timestamp, Verdict, decide, may_insert, may_revoke,
};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_700_000_000);

/// The row of a token that lives 90 s.
fn row(minted_by: &Claimant, iat: Timestamp) -> Row {
    let jti = Jti::new(Uuid::nil());
    let claims = Claims { iss: String::new(), aud: String::new(), jti, iat, nbf: iat, exp: iat.plus(90) };
    Row::minted(&claims, minted_by.clone(), None)
}

fn by(id: impl std::fmt::Display) -> Claimant {
    Claimant::from_stored(format!("r:{id}"))
}

#[derive(Clone, Debug)]
enum Call {
    Insert { jti: u128, minted_by: u8 },
    Spend { jti: u128, claimant: u8 },
    Revoke { jti: u128 },
    Wait { seconds: u64 },
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        (0..3u128, 0..2u8).prop_map(|(jti, minted_by)| Call::Insert { jti, minted_by }),
        (0..3u128, 0..3u8).prop_map(|(jti, claimant)| Call::Spend { jti, claimant }),
        (0..3u128).prop_map(|jti| Call::Revoke { jti }),
        (1..40u64).prop_map(|seconds| Call::Wait { seconds }),
    ];
    prop::collection::vec(call, 0..40)
}

proptest! {
    #[test]
    fn every_history_agrees_with_the_rule_and_has_one_winner_per_token(calls in calls()) {
        let store = InMemoryTokenStore::new();
        let mut model: HashMap<u128, Row> = HashMap::new();
        let mut winners: HashMap<u128, u8> = HashMap::new();
        let mut now = NOW;
        for call in calls {
            match call {
                Call::Wait { seconds } => now = now.plus(seconds),
                Call::Insert { jti, minted_by } => {
                    let minted_by = by(minted_by);
                    let may = may_insert(model.get(&jti), &minted_by);
                    let new = row(&minted_by, now);
                    let stored = store.insert(&Jti::new(Uuid::from_u128(jti)), new.clone()).now_or_never().unwrap();
                    prop_assert_eq!(stored.is_ok(), may);
                    if may {
                        model.insert(jti, new);
                    }
                }
                Call::Spend { jti, claimant } => {
                    let by = by(claimant);
                    let expected = decide(model.get(&jti), &by, now);
                    let spending = store.spend(&Jti::new(Uuid::from_u128(jti)), &by, now).now_or_never().unwrap();
                    prop_assert_eq!(spending.unwrap().verdict, expected);
                    if let Verdict::Spent { .. } = expected {
                        prop_assert_eq!(*winners.entry(jti).or_insert(claimant), claimant);
                        let row = model.get_mut(&jti).unwrap();
                        row.used_at.get_or_insert(now);
                        row.used_by = Some(by);
                    }
                }
                Call::Revoke { jti } => {
                    store.revoke(&Jti::new(Uuid::from_u128(jti)), now).now_or_never().unwrap().unwrap();
                    if may_revoke(model.get(&jti)) {
                        model.get_mut(&jti).unwrap().revoked_at.get_or_insert(now);
                    }
                    prop_assert_eq!(store.row(&Jti::new(Uuid::from_u128(jti))), model.get(&jti).cloned());
                }
            }
        }
    }
}

#[tokio::test]
async fn rows_that_may_be_purged_do_not_pile_up_and_live_ones_stay() {
    let store = InMemoryTokenStore::new();
    let (live, expired) = (Jti::new(Uuid::from_u128(u128::MAX)), Jti::new(Uuid::from_u128(u128::MAX - 1)));
    let much_later = NOW.plus(90 + ROW_RETENTION_SECONDS);
    for number in 0..5000 {
        store.insert(&Jti::new(Uuid::from_u128(number)), row(&by("mint"), NOW)).await.unwrap();
    }
    store.insert(&live, row(&by("mint"), much_later)).await.unwrap();
    store.insert(&expired, row(&by("mint"), much_later.minus(100))).await.unwrap();
    for number in 5000..20_000 {
        store.insert(&Jti::new(Uuid::from_u128(number)), row(&by("mint"), much_later)).await.unwrap();
    }
    let me = by("me");
    assert_eq!(store.spend(&Jti::new(Uuid::from_u128(0)), &me, NOW).await.unwrap().verdict, Verdict::Unknown);
    assert!(store.row(&expired).is_some(), "the evidence is kept for a day");
    assert_eq!(store.spend(&live, &me, much_later).await.unwrap().verdict, Verdict::Spent { replayed: false });
}

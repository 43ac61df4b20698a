//! The in-memory store against the plainest model of it.

use std::collections::HashMap;

use futures_util::FutureExt;
use proptest::prelude::*;
use tokens::{
    Claim, InMemoryTokenStore, Jti, ROW_RETENTION_SECONDS, Row, Timestamp, TokenStore, Verdict, decide, may_insert,
};
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_700_000_000);

fn row(minted_by: &str, created_at: Timestamp) -> Row {
    let expires_at = created_at.plus(90);
    Row {
        minted_by: minted_by.into(),
        created_at,
        host: None,
        expires_at,
        purge_at: expires_at.plus(ROW_RETENTION_SECONDS),
        used_at: None,
        used_by: None,
        revoked_at: None,
    }
}

#[derive(Clone, Debug)]
enum Call {
    Insert { jti: u128, minted_by: u8 },
    Spend { jti: u128, claimant: u8 },
    Wait { seconds: u64 },
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        (0..3u128, 0..2u8).prop_map(|(jti, minted_by)| Call::Insert { jti, minted_by }),
        (0..3u128, 0..3u8).prop_map(|(jti, claimant)| Call::Spend { jti, claimant }),
        (1..40u64).prop_map(|seconds| Call::Wait { seconds }),
    ];
    prop::collection::vec(call, 0..40)
}

proptest! {
    #[test]
    fn every_history_agrees_with_the_rule_and_has_one_winner_a_token(calls in calls()) {
        let store = InMemoryTokenStore::new();
        let mut model: HashMap<u128, Row> = HashMap::new();
        let mut winners: HashMap<u128, u8> = HashMap::new();
        let mut now = NOW;
        for call in calls {
            match call {
                Call::Wait { seconds } => now = now.plus(seconds),
                Call::Insert { jti, minted_by } => {
                    let minted_by = format!("r:{minted_by}");
                    let may = may_insert(model.get(&jti), &minted_by);
                    let new = row(&minted_by, now);
                    let stored = store.insert(&Jti::new(Uuid::from_u128(jti)), new.clone()).now_or_never().unwrap();
                    prop_assert_eq!(stored.is_ok(), may);
                    if may {
                        model.insert(jti, new);
                    }
                }
                Call::Spend { jti, claimant } => {
                    let claim = Claim { claimant: format!("r:{claimant}") };
                    let expected = decide(model.get(&jti), &claim, now);
                    let verdict = store.spend(&Jti::new(Uuid::from_u128(jti)), &claim, now).now_or_never().unwrap();
                    prop_assert_eq!(verdict.unwrap(), expected);
                    if let Verdict::Spent { .. } = expected {
                        prop_assert_eq!(*winners.entry(jti).or_insert(claimant), claimant);
                        let row = model.get_mut(&jti).unwrap();
                        row.used_at.get_or_insert(now);
                        row.used_by = Some(claim.claimant);
                    }
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
        store.insert(&Jti::new(Uuid::from_u128(number)), row("r:mint", NOW)).await.unwrap();
    }
    store.insert(&live, row("r:mint", much_later)).await.unwrap();
    store.insert(&expired, row("r:mint", much_later.minus(100))).await.unwrap();
    for number in 5000..20_000 {
        store.insert(&Jti::new(Uuid::from_u128(number)), row("r:mint", much_later)).await.unwrap();
    }
    let claim = Claim { claimant: "r:me".into() };
    assert_eq!(store.spend(&Jti::new(Uuid::from_u128(0)), &claim, NOW).await.unwrap(), Verdict::Unknown);
    assert!(store.row(&expired).is_some(), "the evidence is kept for a day");
    assert_eq!(store.spend(&live, &claim, much_later).await.unwrap(), Verdict::Spent { replayed: false });
}

//! The counts of a deployment: from the table's stream, by the event source mapping, to `GET /usage`.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator::{Emulator, Principal, send};

/// How many tokens are minted, and how many of them spent and revoked.
const TOKENS: [u64; 3] = [1000, 300, 200];

/// How many requests are sent at once. The stage allows 100 a second.
const AT_ONCE: usize = 8;

/// How often the counts are read until they are as expected, at most, and the pause between.
const READS: usize = 60;
const PAUSE: Duration = Duration::from_secs(1);

/// What was minted, spent and revoked in the last 24 hours, and what was unreadable.
async fn totals(emulator: &Emulator, operator: &Principal) -> [u64; 4] {
    let report = emulator.signed(operator, Method::GET, "/usage", String::new()).await;
    ["minted", "spent", "revoked", "unreadable"].map(|name| report["totals"][name].as_u64().unwrap())
}

/// The totals when two seconds have not changed them: what other tests have done is counted.
async fn settled(emulator: &Emulator, operator: &Principal) -> [u64; 4] {
    let mut last = totals(emulator, operator).await;
    for _ in 0..READS {
        tokio::time::sleep(3 * PAUSE).await;
        let now = totals(emulator, operator).await;
        if now == last {
            return now;
        }
        last = now;
    }
    panic!("the counts do not come to rest");
}

#[tokio::test]
#[ignore = "needs ministack with a deployed stack"]
async fn ministack_every_mint_spend_and_revocation_is_counted() {
    let emulator = Emulator::new().await;
    let operator = emulator.operator().await;
    let before = settled(&emulator, &operator).await;
    let [minted, spent, revoked] = TOKENS.map(|count| usize::try_from(count).unwrap());

    let mut tokens = Vec::new();
    while tokens.len() < minted {
        tokens.extend(join_all((0..AT_ONCE).map(|_| emulator.mint())).await);
    }
    for batch in tokens[..spent].chunks(AT_ONCE) {
        let spends = batch.iter().map(async |token| {
            send(emulator.request(Method::POST, "/validate").await.header("x-access-token", token)).await.0
        });
        assert!(join_all(spends).await.into_iter().all(|status| status == 200));
    }
    for batch in tokens[spent..spent + revoked].chunks(AT_ONCE) {
        let revoke = async |token| {
            let body = json!({ "token": token }).to_string();
            emulator.signed(&operator, Method::POST, "/tokens/revoke", body).await
        };
        let replies: Vec<Value> = join_all(batch.iter().map(revoke)).await;
        assert!(replies.iter().all(|reply| reply["status"] == "success"));
    }

    let expected = [before[0] + TOKENS[0], before[1] + TOKENS[1], before[2] + TOKENS[2], before[3]];
    let mut found = before;
    for _ in 0..READS {
        found = totals(&emulator, &operator).await;
        if found[..3].iter().sum::<u64>() >= expected[..3].iter().sum() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
    }
    // And no more, however long one waits.
    assert_eq!(found, expected);
    assert_eq!(settled(&emulator, &operator).await, expected);
}

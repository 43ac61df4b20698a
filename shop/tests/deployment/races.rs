//! Many customers at once.

use futures_util::future::join_all;

use crate::emulator::{Emulator, body};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_of_64_buyers_of_3_among_50_cookies_16_are_served_and_2_are_left() {
    let emulator = Emulator::new();
    let cookie = emulator.product(50).await;
    let buyers = join_all((0..64).map(|_| async {
        let (token, id) = emulator.token(1800).await;
        let (status, answer) = emulator.order(&token, &body(&cookie, 3)).await;
        assert_eq!(status, 202, "{answer}");
        (id, emulator.outcome(&id).await)
    }));
    let outcomes = buyers.await;
    let confirmed = outcomes.iter().filter(|(_, (status, _))| status == "SUCCEEDED").count();
    assert_eq!((confirmed, emulator.stock(&cookie).await), (16, 2));
    for (id, (status, reason)) in outcomes {
        let expected = if status == "SUCCEEDED" { "confirmed" } else { "rejected" };
        assert_eq!(emulator.order_item(&id).await["status"]["S"], expected, "{status} {reason}");
        assert_eq!(reason, if status == "SUCCEEDED" { "" } else { "out_of_stock" });
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_fifty_posts_of_one_token_make_one_order_and_take_its_stock_once() {
    let emulator = Emulator::new();
    let cookie = emulator.product(50).await;
    let (token, id) = emulator.token(1800).await;
    let body = body(&cookie, 1);
    let answers = join_all((0..50).map(|_| emulator.order(&token, &body))).await;
    for (status, answer) in &answers {
        assert_eq!((*status, &answer["order_id"]), (202, &serde_json::json!(id)), "{answer}");
        assert_eq!(answer, &answers[0].1);
    }
    assert_eq!(emulator.outcome(&id).await.0, "SUCCEEDED");
    assert_eq!(emulator.stock(&cookie).await, 49);
}

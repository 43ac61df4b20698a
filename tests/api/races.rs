//! Many clients, one token.

use crate::{
    api::{Api, body},
    target::Target,
};

#[tokio::test(flavor = "multi_thread")]
async fn a34_of_many_clients_racing_for_a_token_one_wins() {
    let api = Api::start("races").await;
    let (clients, tokens) = if api.target == Target::Local { (64, 1000) } else { (16, 5) };
    for _ in 0..tokens {
        let token = body(&api.mint().await);
        let requests = (0..clients).map(|_| {
            let (api, token) = (api.clone(), token.clone());
            tokio::spawn(async move { api.validate(token).await.refusal() })
        });
        let mut won = 0;
        for answer in requests.collect::<Vec<_>>() {
            match answer.await.unwrap() {
                (200, _) => won += 1,
                refusal => assert_eq!(refusal, (401, "already_used".into())),
            }
        }
        assert_eq!(won, 1);
    }
}

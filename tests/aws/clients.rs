//! The clients against a fake AWS: how often and how long they try, and how they read its replies.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use apigw::Settings;
use aws::{Access, Clients, IF_UNSPENT, REVOKE};
use aws_sdk_dynamodb::Client;
use harness::{
    FakeAws,
    fake_aws::{Reply, works},
    process::variables,
};
use http::StatusCode;
use serde_json::Value;
use tokens::{
    Claimant, Claims, Find as _, Insert as _, Jti, KeyStore as _, Revoke as _, Row, Spend as _, StoreError, Timestamp,
};
use tokio::net::TcpListener;
use uuid::Uuid;

const NOW: Timestamp = Timestamp(1_700_000_000);

/// The clients of a function that calls both services at `url`.
fn clients(url: &str) -> Clients {
    harness::clients(url, "tokens")
}

fn down() -> Reply {
    Reply::error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")
}

/// A fault, with the request to pause for 4 s.
fn overloaded() -> Reply {
    Reply::error(StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable").with_retry_after_ms(4000)
}

fn jti() -> Jti {
    Jti::new(Uuid::new_v4())
}

fn me() -> Claimant {
    Claimant::from_stored("r:me".to_owned())
}

fn row() -> Row {
    let (iss, aud, exp) = (String::new(), String::new(), NOW.plus(300));
    Row::minted(&Claims { iss, aud, jti: jti(), iat: NOW, nbf: NOW, exp }, me(), None)
}

#[tokio::test]
async fn a_call_that_fails_is_tried_three_times_with_short_pauses() {
    let aws = FakeAws::start(|_| down()).await.unwrap();
    let clients = clients(&aws.url);
    let start = Instant::now();
    assert!(matches!(clients.store.insert(&jti(), row()).await, Err(StoreError::Unavailable(_))));
    assert!(clients.keys.ring(NOW).await.is_err());
    assert_eq!((aws.calls("PutItem"), aws.calls("GetSecretValue")), (3, 3));
    assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_call_that_is_never_answered_ends_after_three_attempts_and_1500_ms() {
    let aws = FakeAws::start(|_| Reply::none()).await.unwrap();
    let clients = clients(&aws.url);
    let start = Instant::now();
    let spent = clients.store.spend(&jti(), &me(), NOW).await;
    assert!(matches!(spent, Err(StoreError::Unavailable(_))), "{spent:?}");
    let elapsed = start.elapsed();
    assert!((Duration::from_millis(1400)..Duration::from_secs(6)).contains(&elapsed), "{elapsed:?}");
    assert_eq!(aws.calls("UpdateItem"), 3);
}

#[tokio::test]
async fn a_service_that_asks_for_a_long_pause_is_asked_again_after_a_short_one() {
    // If it waited the 4 s that the service asks for, the call would time out.
    let calls = Arc::new(AtomicUsize::new(0));
    let aws = FakeAws::start(move |call| match calls.fetch_add(1, Ordering::SeqCst) {
        0..2 => overloaded(),
        _ => works(call),
    });
    let aws = aws.await.unwrap();
    clients(&aws.url).store.insert(&jti(), row()).await.unwrap();
    assert_eq!(aws.calls("PutItem"), 3);
}

#[tokio::test]
async fn a_call_ends_after_1500_ms_although_each_attempt_is_answered_within_its_500() {
    // The third reply, a success, would come after 3 × 480 ms and two pauses of 100 ms.
    let calls = Arc::new(AtomicUsize::new(0));
    let aws = FakeAws::start(move |call| match calls.fetch_add(1, Ordering::SeqCst) {
        0..2 => overloaded().after(Duration::from_millis(480)),
        _ => works(call).after(Duration::from_millis(480)),
    });
    let aws = aws.await.unwrap();
    let stored = clients(&aws.url).store.insert(&jti(), row()).await;
    assert!(matches!(stored, Err(StoreError::Unavailable(_))), "{stored:?}");
}

#[tokio::test(start_paused = true)] // so the load of the machine does not matter
async fn a_tls_handshake_that_is_never_answered_counts_as_connecting() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let clients = clients(&url);
    let start = tokio::time::Instant::now();
    assert!(clients.store.insert(&jti(), row()).await.is_err());
    let elapsed = start.elapsed();
    assert!((Duration::from_millis(1150)..Duration::from_millis(1400)).contains(&elapsed), "{elapsed:?}");
}

#[tokio::test]
async fn the_first_request_finds_the_ring_and_the_connection_that_the_warm_up_made() {
    for (access, allowed) in [
        (Access::Mint, "PutItem"),
        (Access::Spend, "UpdateItem"),
        (Access::Revoke, "UpdateItem"),
        (Access::Find, "GetItem"),
    ] {
        let aws = FakeAws::start(works).await.unwrap();
        let clients = clients(&aws.url);
        clients.warm_up(access, NOW).await;
        assert_eq!((aws.calls("GetSecretValue"), aws.calls(allowed)), (1, 1));
        assert_eq!(aws.connections(), 2, "one for each service");

        clients.keys.ring(NOW).await.unwrap();
        match access {
            Access::Mint => drop(clients.store.insert(&jti(), row()).await),
            Access::Spend => drop(clients.store.spend(&jti(), &me(), NOW).await),
            Access::Revoke => drop(clients.store.revoke(&jti(), NOW).await),
            Access::Find => drop(clients.store.find(&jti()).await),
        }
        assert_eq!((aws.calls("GetSecretValue"), aws.calls(allowed)), (1, 2));
        assert_eq!(aws.connections(), 2);
    }
}

#[tokio::test]
async fn a_warm_up_tries_dynamodb_once_for_a_second_and_is_never_fatal() {
    let failing = FakeAws::start(|_| down()).await.unwrap();
    clients(&failing.url).warm_up(Access::Spend, NOW).await;
    assert_eq!(failing.calls("UpdateItem"), 1);

    let silent = FakeAws::start(|call| if call.action == "PutItem" { Reply::none() } else { down() }).await.unwrap();
    let start = Instant::now();
    clients(&silent.url).warm_up(Access::Mint, NOW).await;
    let elapsed = start.elapsed();
    assert!((Duration::from_millis(900)..Duration::from_secs(3)).contains(&elapsed), "{elapsed:?}");
    assert_eq!(silent.calls("PutItem"), 1);
}

#[tokio::test]
async fn a_mint_is_done_or_its_id_is_taken() {
    let aws = FakeAws::start(|_| Reply::done()).await.unwrap();
    assert!(clients(&aws.url).store.insert(&jti(), row()).await.is_ok());
    let aws = FakeAws::start(|_| Reply::condition_failed()).await.unwrap();
    assert!(matches!(clients(&aws.url).store.insert(&jti(), row()).await, Err(StoreError::Taken)));
}

#[tokio::test]
async fn a_refusal_that_the_old_row_does_not_explain_is_an_unknown_outcome() {
    for expires_at in [r#""N":"1700000300""#, r#""S":"soon""#] {
        let item = format!(
            r#"{{"minted_by":{{"S":"r:mint"}},"created_at":{{"N":"1"}},"purge_at":{{"N":"1"}},"expires_at":{{{expires_at}}}}}"#
        );
        let body = format!(r#"{{"__type":"ConditionalCheckFailedException","Item":{item}}}"#);
        let aws = FakeAws::start(move |_| Reply::new(StatusCode::BAD_REQUEST, body.clone())).await.unwrap();
        let spent = clients(&aws.url).store.spend(&jti(), &me(), NOW).await;
        assert!(matches!(spent, Err(StoreError::Unavailable(_))), "{spent:?}");
    }
}

#[tokio::test]
async fn after_any_other_reply_of_dynamodb_the_outcome_is_unknown() {
    for (status, kind) in [
        (400, "ResourceNotFoundException"), // the table is missing
        (400, "ProvisionedThroughputExceededException"),
        (400, "ThrottlingException"),
        (400, "AccessDeniedException"),
        (400, "ValidationException"),
        (500, "InternalServerError"),
        (503, "ServiceUnavailable"),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        let aws = FakeAws::start(move |_| Reply::error(status, kind)).await.unwrap();
        let store = clients(&aws.url).store;
        assert!(matches!(store.insert(&jti(), row()).await, Err(StoreError::Unavailable(_))), "{kind}");
        assert!(matches!(store.spend(&jti(), &me(), NOW).await, Err(StoreError::Unavailable(_))), "{kind}");
        assert!(matches!(store.revoke(&jti(), NOW).await, Err(StoreError::Unavailable(_))), "{kind}");
        assert!(matches!(store.find(&jti()).await, Err(StoreError::Unavailable(_))), "{kind}");
    }
}

#[tokio::test]
async fn a_revocation_is_one_conditional_write_and_done_whether_or_not_the_row_was_marked() {
    for reply in [Reply::done(), Reply::condition_failed()] {
        let aws = FakeAws::start(move |call| {
            let body: Value = serde_json::from_str(&call.body).unwrap();
            assert_eq!((&body["UpdateExpression"], &body["ConditionExpression"]), (&REVOKE.into(), &IF_UNSPENT.into()));
            reply.clone()
        });
        let aws = aws.await.unwrap();
        clients(&aws.url).store.revoke(&jti(), NOW).await.unwrap();
        assert_eq!(aws.calls("UpdateItem"), 1);
    }
}

#[tokio::test]
async fn a_row_is_found_by_one_consistent_read_and_an_unreadable_one_is_an_error() {
    let found = async |reply: Reply| {
        let aws = FakeAws::start(move |call| {
            let body: Value = serde_json::from_str(&call.body).unwrap();
            assert_eq!(body["ConsistentRead"], true);
            reply.clone()
        });
        clients(&aws.await.unwrap().url).store.find(&jti()).await
    };
    let item = |expires_at: &str| {
        let row = format!(
            r#"{{"minted_by":{{"S":"r:mint"}},"created_at":{{"N":"1"}},"purge_at":{{"N":"1"}},"expires_at":{{{expires_at}}}}}"#
        );
        Reply::new(StatusCode::OK, format!(r#"{{"Item":{row}}}"#))
    };
    assert_eq!(found(Reply::done()).await.unwrap(), None);
    assert_eq!(found(item(r#""N":"7""#)).await.unwrap().unwrap().expires_at, Timestamp(7));
    assert!(found(item(r#""S":"soon""#)).await.is_err());
}

#[tokio::test]
async fn if_nothing_listens_the_outcome_is_unknown_and_there_is_no_ring() {
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", unused.local_addr().unwrap());
    drop(unused);
    let clients = clients(&url);
    clients.warm_up(Access::Spend, NOW).await;
    let spent = clients.store.spend(&jti(), &me(), NOW).await;
    assert!(matches!(spent, Err(StoreError::Unavailable(_))), "{spent:?}");
    assert!(clients.keys.ring(NOW).await.is_err());
}

#[tokio::test]
async fn the_client_of_a_tool_has_the_endpoint_and_the_limits_of_a_function() {
    let aws = FakeAws::start(|_| down()).await.unwrap();
    let variables = variables(&aws.url, &aws.url, "tokens");
    let lookup = |name: &str| variables.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.clone());
    let config = aws::dynamodb_config(Settings::new(&lookup)).unwrap();
    let described = Client::from_conf(config.build()).describe_table().table_name("tokens").send().await;
    assert!(described.is_err());
    assert_eq!(aws.calls("DescribeTable"), 3);
}

#[test]
fn debug_of_the_clients_shows_the_table_and_no_credentials() {
    let clients = clients("http://127.0.0.1:8000");
    assert_eq!(
        format!("{clients:?}"),
        r#"Clients { keys: SecretsManagerKeyStore { .. }, store: DynamoTokenStore { table_name: "tokens", .. } }"#
    );
}

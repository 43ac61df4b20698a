//! What `--dynamodb` requires of an emulator.

use std::sync::atomic::{AtomicUsize, Ordering};

use harness::{FakeAws, fake_aws::Reply};
use http::StatusCode;
use serde_json::json;

/// An emulator of DynamoDB that follows the conditions. It returns the old item of a successful update if
/// `on_success`, and that of a failed condition if `on_failure`.
async fn emulator(on_success: bool, on_failure: bool) -> FakeAws {
    let updates = AtomicUsize::new(0);
    let aws = FakeAws::start(move |call| {
        let item = json!({
            "minted_by": {"S": "r:1"}, "created_at": {"N": "1"}, "expires_at": {"N": "2"}, "purge_at": {"N": "3"},
            "used_by": {"S": "r:1"}, "used_at": {"N": "1"},
        });
        let with = |name: &str, is_returned: bool, mut body: serde_json::Value| {
            if is_returned {
                body[name] = item;
            }
            body.to_string()
        };
        match (call.action.as_str(), updates.load(Ordering::SeqCst)) {
            ("DescribeTable" | "PutItem" | "DeleteItem", _) => Reply::done(),
            ("UpdateItem", before) => {
                updates.store(before + 1, Ordering::SeqCst);
                match before {
                    0 => Reply::done(),
                    1 => Reply::new(StatusCode::OK, with("Attributes", on_success, json!({}))),
                    _ => {
                        let error = json!({"__type": "ConditionalCheckFailedException"});
                        Reply::new(StatusCode::BAD_REQUEST, with("Item", on_failure, error))
                    }
                }
            }
            _ => Reply::error(StatusCode::BAD_REQUEST, "UnknownOperationException"),
        }
    });
    aws.await.unwrap()
}

#[tokio::test]
async fn a_new_table_is_used_when_it_is_active() {
    let described = AtomicUsize::new(0);
    let aws = FakeAws::start(move |call| {
        let table = |status: &str| Reply::new(StatusCode::OK, json!({"Table": {"TableStatus": status}}).to_string());
        let missing = || Reply::error(StatusCode::BAD_REQUEST, "ResourceNotFoundException");
        match (call.action.as_str(), described.load(Ordering::SeqCst)) {
            ("DescribeTable", before) => {
                described.store(before + 1, Ordering::SeqCst);
                [missing(), table("CREATING"), table("ACTIVE")][before].clone()
            }
            ("PutItem", ..3) => missing(),
            _ => Reply::done(),
        }
    });
    let aws = aws.await.unwrap();
    let error = local::dynamodb(&aws.url, "Tokens").await.unwrap_err().to_string();
    assert!(error.contains("conditions"), "{error}"); // it came as far as the trial
    assert_eq!((aws.calls("CreateTable"), aws.calls("DescribeTable")), (1, 3));
}

#[tokio::test]
async fn an_emulator_that_returns_old_items_is_used_and_keeps_nothing_of_the_trial() {
    let aws = emulator(true, true).await;
    local::dynamodb(&aws.url, "Tokens").await.unwrap();
    assert_eq!((aws.calls("PutItem"), aws.calls("DeleteItem")), (1, 1));
}

#[tokio::test]
async fn an_emulator_that_does_not_return_an_old_item_is_named_with_what_it_lacks() {
    for (on_success, on_failure, lack) in [
        (true, false, "ReturnValuesOnConditionCheckFailure"),
        (false, true, "ReturnValues=ALL_OLD"),
        (false, false, "ReturnValuesOnConditionCheckFailure"),
    ] {
        let aws = emulator(on_success, on_failure).await;
        let error = local::dynamodb(&aws.url, "Tokens").await.unwrap_err().to_string();
        assert!(error.contains(&aws.url) && error.contains(lack), "{error}");
        assert_eq!(aws.calls("DeleteItem"), 1);
    }
}

#[tokio::test]
async fn an_emulator_that_does_not_follow_conditions_is_named() {
    // It accepts every write.
    let aws = FakeAws::start(|_| Reply::done()).await.unwrap();
    let error = local::dynamodb(&aws.url, "Tokens").await.unwrap_err().to_string();
    assert!(error.contains(&aws.url) && error.contains("condition"), "{error}");
}

//! Least privilege: each function may call only its own actions.

use harness::FUNCTIONS;
use reqwest::Method;
use serde_json::{Value, json};

use crate::emulator::{Emulator, Principal, send};

/// Every action on the table that a leak could use, with a minimal request.
fn on_table(table: &Value) -> Vec<(&'static str, Value)> {
    let key = json!({"jti": {"S": "none"}});
    let never = "attribute_exists(jti)";
    vec![
        ("PutItem", json!({"TableName": table, "Item": key, "ConditionExpression": never})),
        ("UpdateItem", json!({"TableName": table, "Key": key, "ConditionExpression": never})),
        ("GetItem", json!({"TableName": table, "Key": key})),
        ("DeleteItem", json!({"TableName": table, "Key": key})),
        ("Scan", json!({"TableName": table})),
        (
            "Query",
            json!({
                "TableName": table, "KeyConditionExpression": "jti = :jti",
                "ExpressionAttributeValues": {":jti": {"S": "none"}},
            }),
        ),
        ("BatchGetItem", json!({"RequestItems": {(table.as_str().unwrap()): {"Keys": [key]}}})),
        ("BatchWriteItem", json!({"RequestItems": {(table.as_str().unwrap()): [{"DeleteRequest": {"Key": key}}]}})),
        ("TransactWriteItems", json!({"TransactItems": [{"Delete": {"TableName": table, "Key": key}}]})),
        ("DescribeTable", json!({"TableName": table})),
    ]
}

/// Every action on the secret that a leak could use, with a minimal request.
fn on_secret(secret: &Value) -> Vec<(&'static str, Value)> {
    vec![
        ("GetSecretValue", json!({"SecretId": secret})),
        ("DescribeSecret", json!({"SecretId": secret})),
        // Neither changes the ring in force: a version with a label of its own, and a label without a version.
        ("PutSecretValue", json!({"SecretId": secret, "SecretString": "{}", "VersionStages": ["TEST"]})),
        ("UpdateSecretVersionStage", json!({"SecretId": secret, "VersionStage": "TEST"})),
        ("UpdateSecret", json!({"SecretId": secret, "SecretString": "{}"})),
        ("DeleteSecret", json!({"SecretId": secret})),
    ]
}

/// The actions that `principal` may call, such as `dynamodb:PutItem`.
async fn allowed(emulator: &Emulator, principal: &Principal) -> Vec<String> {
    let table = on_table(&emulator.table().await).into_iter().map(|call| ("dynamodb", "DynamoDB_20120810", call));
    let secret = on_secret(&emulator.secret().await).into_iter().map(|call| ("secretsmanager", "secretsmanager", call));
    let mut allowed = Vec::new();
    for (service, prefix, (action, body)) in table.chain(secret) {
        let answer = emulator.json(principal, service, &format!("{prefix}.{action}"), &body).await;
        let error = answer["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default();
        match error {
            "AccessDeniedException" => {}
            "" | "ConditionalCheckFailedException" | "InvalidParameterException" => {
                allowed.push(format!("{service}:{action}"));
            }
            other => panic!("{action} failed with {other}, which does not show whether it is allowed"),
        }
    }
    allowed
}

#[tokio::test]
#[ignore = "needs ministack with a deployed stack"]
async fn ministack_each_function_may_call_only_its_own_actions() {
    let emulator = Emulator::new().await;
    for function in FUNCTIONS {
        let principal = emulator.assume(&function.logical_id("Role")).await;
        assert_eq!(allowed(&emulator, &principal).await, function.actions(), "{}", function.name);
    }
}

#[tokio::test]
#[ignore = "needs ministack with a deployed stack"]
async fn ministack_without_the_permission_to_store_no_token_is_returned() {
    let emulator = Emulator::new().await;
    let role = emulator.physical_id("AuthorizerRole").await;
    let policy = [("RoleName", role.as_str()), ("PolicyName", "mint")];
    let get = [&[("Action", "GetRolePolicy")][..], &policy].concat();
    let encoded = emulator.query("iam", &get, "PolicyDocument").await;
    let document = percent_decoded(&encoded);
    let put = async |document: &str| {
        let put = [&[("Action", "PutRolePolicy"), ("PolicyDocument", document)][..], &policy].concat();
        emulator.query("iam", &put, "RequestId").await
    };

    let without = document.replace("dynamodb:PutItem", "dynamodb:DescribeLimits");
    assert!(without != document, "the role has no such permission");
    put(&without).await;
    let (status, refused) = send(emulator.request(Method::GET, "/hello").await).await;
    put(&document).await;

    assert_eq!(status, 503);
    assert!(refused.contains("retry-after") && refused.contains(r#""reason":"unavailable""#), "not a 503 response");
    assert!(!refused.contains("eyJ") && !refused.contains("x-access-token\":"), "a token was returned");
    assert_eq!(send(emulator.request(Method::GET, "/hello").await).await.0, 200);
}

/// Decodes a policy document, which IAM returns percent-encoded inside XML.
fn percent_decoded(text: &str) -> String {
    let text = text.replace("&quot;", "\"").replace("&amp;", "&");
    let mut pieces = text.split('%');
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |decoded, piece| {
        let byte = u8::from_str_radix(&piece[..2], 16).unwrap();
        decoded + &char::from(byte).to_string() + &piece[2..]
    })
}

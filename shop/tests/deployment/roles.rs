//! Least privilege: each function may call its own actions and no other.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::emulator::{Emulator, Principal};

/// What the roles may do, besides logging.
const ROLES: [(&str, &[&str]); 13] = [
    ("ProductsRole", &["ProductsTable GetItem", "ProductsTable Scan"]),
    ("CheckoutTokenRole", &["TokensTable PutItem", "KeyRing GetSecretValue"]),
    (
        "CheckoutRole",
        &[
            "ProductsTable BatchGetItem",
            "KeyRing GetSecretValue",
            "OrderMachine StartExecution",
            "OrderMachine DescribeExecution",
        ],
    ),
    (
        "CrudRole",
        &[
            "ProductsTable DeleteItem",
            "ProductsTable GetItem",
            "ProductsTable PutItem",
            "ProductsTable Scan",
            // Of writes that it may do.
            "ProductsTable TransactWriteItems",
        ],
    ),
    ("OrdersRole", &["OrdersTable GetItem", "OrdersTable/index Query"]),
    ("ProxyRole", &["ApiKeySecret GetSecretValue"]),
    ("SessionRole", &[]),
    ("NewOrderRole", &["OrdersTable PutItem", "TokensTable UpdateItem"]),
    ("UpdateInventoryRole", &["ProductsTable UpdateItem", "OrdersTable UpdateItem"]),
    ("ReportsRole", &["ReportMachine StartExecution", "ReportMachine DescribeExecution", "ReportsBucket GetObject"]),
    ("ReportLinkRole", &["ReportsBucket GetObject"]),
    ("ReportGuardRole", &["TokensTable UpdateItem", "KeyRing GetSecretValue"]),
    ("ReportRole", &["ProductsTable Scan", "TokensTable PutItem", "KeyRing GetSecretValue", "ReportsBucket PutObject"]),
];

/// Every action on a table that a leak could use, with a request that changes nothing.
fn on_table(table: &str, key: &str) -> Vec<(&'static str, Value)> {
    let item = json!({(key): {"S": "none"}});
    let never = format!("attribute_exists({key})");
    vec![
        ("BatchGetItem", json!({"RequestItems": {(table): {"Keys": [item]}}})),
        ("BatchWriteItem", json!({"RequestItems": {(table): [{"DeleteRequest": {"Key": item}}]}})),
        ("DeleteItem", json!({"TableName": table, "Key": item})),
        ("DescribeTable", json!({"TableName": table})),
        ("GetItem", json!({"TableName": table, "Key": item})),
        ("PutItem", json!({"TableName": table, "Item": item, "ConditionExpression": never})),
        (
            "Query",
            json!({
                "TableName": table, "KeyConditionExpression": format!("{key} = :key"),
                "ExpressionAttributeValues": {":key": {"S": "none"}},
            }),
        ),
        ("Scan", json!({"TableName": table})),
        ("TransactWriteItems", json!({"TransactItems": [{"Delete": {"TableName": table, "Key": item}}]})),
        ("UpdateItem", json!({"TableName": table, "Key": item, "ConditionExpression": never})),
    ]
}

/// Calls every action as `principal`; returns those that are allowed, such as `OrdersTable PutItem`.
async fn allowed(emulator: &Emulator, principal: &Principal) -> Vec<String> {
    let mut calls = Vec::new();
    for (id, key) in [("ProductsTable", "id"), ("OrdersTable", "id"), ("TokensTable", "jti")] {
        for (action, body) in on_table(&emulator.physical_id(id).await, key) {
            calls.push((id, "dynamodb", format!("DynamoDB_20120810.{action}"), body));
        }
    }
    let by_time = json!({
        "TableName": emulator.physical_id("OrdersTable").await, "IndexName": "by-time",
        "KeyConditionExpression": "kind = :kind", "ExpressionAttributeValues": {":kind": {"S": "none"}},
    });
    calls.push(("OrdersTable/index", "dynamodb", "DynamoDB_20120810.Query".to_owned(), by_time));
    for id in ["KeyRing", "ApiKeySecret"] {
        let secret = emulator.physical_id(id).await;
        for (action, body) in [
            ("GetSecretValue", json!({"SecretId": secret})),
            ("DescribeSecret", json!({"SecretId": secret})),
            ("PutSecretValue", json!({"SecretId": secret, "SecretString": "{}", "VersionStages": ["TEST"]})),
        ] {
            calls.push((id, "secretsmanager", format!("secretsmanager.{action}"), body));
        }
    }
    for id in ["OrderMachine", "ReportMachine"] {
        let machine = emulator.physical_id(id).await;
        let execution = format!("{}:{}", machine.replace(":stateMachine:", ":execution:"), Uuid::new_v4());
        for (action, body) in [
            // An input that the first step of an order refuses.
            ("StartExecution", json!({"stateMachineArn": machine, "name": Uuid::new_v4().to_string(), "input": "{}"})),
            ("DescribeExecution", json!({"executionArn": execution})),
            ("GetExecutionHistory", json!({"executionArn": execution})),
            ("StopExecution", json!({"executionArn": execution})),
            ("ListExecutions", json!({"stateMachineArn": machine})),
            ("DescribeStateMachine", json!({"stateMachineArn": machine})),
        ] {
            calls.push((id, "states", format!("AWSStepFunctions.{action}"), body));
        }
    }
    let mut allowed = Vec::new();
    for (id, service, target, body) in calls {
        let answer = emulator.json(principal, service, &target, &body).await;
        let error = answer["__type"].as_str().unwrap_or_default().rsplit('#').next().unwrap_or_default();
        match error {
            "AccessDeniedException" => {}
            "" | "ConditionalCheckFailedException" | "ExecutionDoesNotExist" => {
                allowed.push(format!("{id} {}", target.split_once('.').unwrap().1));
            }
            other => panic!("{target} failed with {other}, which does not show whether it is allowed"),
        }
    }
    for (id, prefix) in [("ReportsBucket", "reports/"), ("ReportsBucket outside", "")] {
        let bucket = emulator.physical_id("ReportsBucket").await;
        let object = format!("/{bucket}/{prefix}{}.html", Uuid::new_v4());
        for (action, method, path) in [
            ("GetObject", "GET", object.clone()),
            ("PutObject", "PUT", object.clone()),
            ("DeleteObject", "DELETE", object),
            ("ListBucket", "GET", format!("/{bucket}?list-type=2")),
        ] {
            match emulator.s3(principal, method, &path, "").await.status().as_u16() {
                403 => {}
                200 | 204 | 404 => allowed.push(format!("{id} {action}")),
                other => panic!("{action} failed with {other}, which does not show whether it is allowed"),
            }
        }
    }
    allowed
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_a_report_reads_what_was_ordered_and_not_by_whom() {
    let emulator = Emulator::new();
    let principal = emulator.assume("ReportRole").await;
    let table = emulator.physical_id("OrdersTable").await;
    let query = |attributes: Option<&str>| {
        let mut query = json!({
            "TableName": table, "IndexName": "by-time", "KeyConditionExpression": "kind = :kind",
            "ExpressionAttributeValues": {":kind": {"S": "order"}}, "Limit": 1,
        });
        if let Some(attributes) = attributes {
            query["ProjectionExpression"] = json!(attributes);
            query["Select"] = json!("SPECIFIC_ATTRIBUTES");
        }
        query
    };
    for (attributes, is_allowed) in [
        (Some("id, placed_at"), true),
        (Some("id, customer_name"), false),
        (Some("email"), false),
        (Some("phone"), false),
        (None, false),
    ] {
        let answer = emulator.json(&principal, "dynamodb", "DynamoDB_20120810.Query", &query(attributes)).await;
        assert_eq!(answer["Items"].is_array(), is_allowed, "{attributes:?}: {answer}");
    }
    let mut of_table = query(Some("id, placed_at"));
    of_table.as_object_mut().unwrap().remove("IndexName");
    let answer = emulator.json(&principal, "dynamodb", "DynamoDB_20120810.Query", &of_table).await;
    assert!(answer["__type"].as_str().unwrap().ends_with("AccessDeniedException"), "{answer}");
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_each_function_may_call_its_own_actions_and_no_other() {
    let emulator = Emulator::new();
    for (role, actions) in ROLES {
        let principal = emulator.assume(role).await;
        assert_eq!(allowed(&emulator, &principal).await, actions, "{role}");
    }
}

#[tokio::test]
#[ignore = "needs ministack with a deployed shop"]
async fn ministack_a_function_follows_executions_of_its_own_machine_alone() {
    let emulator = Emulator::new();
    for (role, other_machine) in [("CheckoutRole", "ReportMachine"), ("ReportsRole", "OrderMachine")] {
        let principal = emulator.assume(role).await;
        let machine = emulator.physical_id(other_machine).await;
        for machine in [&machine, "arn:aws:states:us-east-1:000000000000:stateMachine:other"] {
            let execution = format!("{}:{}", machine.replace(":stateMachine:", ":execution:"), Uuid::new_v4());
            let describe = json!({"executionArn": execution});
            let answer = emulator.json(&principal, "states", "AWSStepFunctions.DescribeExecution", &describe).await;
            assert!(answer["__type"].as_str().unwrap().ends_with("AccessDeniedException"), "{role}: {answer}");
        }
    }
}

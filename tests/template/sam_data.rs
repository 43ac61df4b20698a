//! The table of tokens, its stream, the table of counts, and the key ring.

use serde_json::{Value, json};

use crate::stack::{Stack, names, text};

/// The type of what reads a stream for a function.
const MAPPING: &str = "AWS::Lambda::EventSourceMapping";

#[test]
#[ignore = "needs SAM's transform of the template"]
fn the_key_ring_is_generated_as_it_ever_was() {
    // Another id or an edited block is another secret to CloudFormation: it would draw a new ring,
    // and every live token would lose its key. So this constant never changes after a release.
    let generated = json!({
        "ExcludePunctuation": true,
        "GenerateStringKey": "k1",
        "PasswordLength": 64,
        "SecretStringTemplate": r#"{"active":"k1"}"#,
    });
    let stack = Stack::by_default();
    assert_eq!(stack.resources["KeyRing"]["Properties"]["GenerateSecretString"], generated);
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn a_row_is_found_by_its_jti_and_removed_after_purge_at() {
    let stack = Stack::by_default();
    let table = table(&stack);
    assert_eq!(table["KeySchema"], json!([{"AttributeName": "jti", "KeyType": "HASH"}]));
    assert_eq!(table["AttributeDefinitions"], json!([{"AttributeName": "jti", "AttributeType": "S"}]));
    assert_eq!(table["TimeToLiveSpecification"], json!({"AttributeName": "purge_at", "Enabled": true}));
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn the_table_and_the_key_ring_are_encrypted_with_keys_of_aws() {
    // Both services encrypt all that they store. Without a word about it DynamoDB takes a key that
    // it owns, and Secrets Manager the account's `aws/secretsmanager`: neither costs anything.
    let stack = Stack::by_default();
    for (id, table) in stack.all("AWS::DynamoDB::Table") {
        assert!(table["SSESpecification"].is_null(), "{id}");
    }
    assert_eq!(names(stack.the("AWS::SecretsManager::Secret")), ["Description", "GenerateSecretString"]);
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn the_table_is_open_to_the_functions_alone_and_backed_up_on_demand() {
    let known = [
        "AttributeDefinitions",
        "BillingMode",
        "KeySchema",
        "PointInTimeRecoverySpecification",
        "StreamSpecification",
        "TimeToLiveSpecification",
    ];
    let recovery = |stack: &Stack| {
        let table = table(stack);
        assert_eq!(names(table), known, "a policy or a replica has come");
        text(&table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
    };
    assert_eq!(recovery(&Stack::by_default()), "false");
    assert_eq!(recovery(&Stack::with(&[("PointInTimeRecovery", "true")])), "true");
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn the_stream_of_the_table_goes_to_usage_by_shard_and_is_never_given_up() {
    let stack = Stack::by_default();
    // Only both images say what happened.
    assert_eq!(table(&stack)["StreamSpecification"], json!({"StreamViewType": "NEW_AND_OLD_IMAGES"}));
    // A batch that is split, or given up after some attempts, is a batch whose counts are not exact: the mapping has
    // no property for that, and its defaults are no.
    let mapping = json!({
        "BatchSize": 1000,
        "EventSourceArn": "${TokensTable.StreamArn}",
        "FilterCriteria": {"Filters": [{"Pattern": r#"{"eventName":["INSERT","MODIFY"]}"#}]},
        "FunctionName": "${UsageFunction}",
        "MaximumBatchingWindowInSeconds": 60,
        "StartingPosition": "TRIM_HORIZON",
        // Without a window an event does not name its shard.
        "TumblingWindowInSeconds": 900,
    });
    assert_eq!(*stack.the(MAPPING), mapping);
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn counts_are_found_by_their_day_and_removed_after_purge_at() {
    let stack = Stack::by_default();
    let keys = [("day", "HASH"), ("hour_shard", "RANGE")];
    let attributes = keys.map(|(name, _)| json!({"AttributeName": name, "AttributeType": "S"}));
    let expected = json!({
        "AttributeDefinitions": attributes,
        "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": keys.map(|(name, kind)| json!({"AttributeName": name, "KeyType": kind})),
        "TimeToLiveSpecification": {"AttributeName": "purge_at", "Enabled": true},
    });
    assert_eq!(stack.resources["UsageTable"]["Properties"], expected);
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn what_holds_data_goes_with_the_stack() {
    // CloudFormation would delete them anyway. Written down, it is a decision.
    let stack = Stack::with_all_resources();
    for kind in ["AWS::DynamoDB::Table", "AWS::SecretsManager::Secret", "AWS::Logs::LogGroup"] {
        for (id, _) in stack.all(kind) {
            let resource = &stack.resources[id];
            assert_eq!(
                (&resource["DeletionPolicy"], &resource["UpdateReplacePolicy"]),
                (&"Delete".into(), &"Delete".into()),
                "{id}"
            );
        }
    }
}

#[test]
#[ignore = "needs SAM's transform of the template"]
fn no_resource_has_a_name_of_its_own() {
    // A name keeps a second stack out of the account, and stops a replacement half way.
    let stack = Stack::with_all_resources();
    for (id, resource) in &stack.resources {
        for name in ["FunctionName", "LogGroupName", "Name", "RoleName", "TableName"] {
            // The function that a permission or a mapping is for is not its own name, and a saved query must have one.
            let is_excused = ["AWS::Lambda::Permission", "AWS::Logs::QueryDefinition", MAPPING]
                .contains(&resource["Type"].as_str().unwrap());
            assert!(resource["Properties"][name].is_null() || is_excused, "{id}: {name}");
        }
    }
}

/// The properties of the table of tokens.
fn table(stack: &Stack) -> &Value {
    &stack.resources["TokensTable"]["Properties"]
}

//! The table of tokens and the key ring.

use serde_json::json;

use crate::stack::{Stack, names, text};

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
    let table = stack.the("AWS::DynamoDB::Table");
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
    assert!(stack.the("AWS::DynamoDB::Table")["SSESpecification"].is_null());
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
        "TimeToLiveSpecification",
    ];
    let recovery = |stack: &Stack| {
        let table = stack.the("AWS::DynamoDB::Table");
        assert_eq!(names(table), known, "a policy, a replica or a stream has come");
        text(&table["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"])
    };
    assert_eq!(recovery(&Stack::by_default()), "false");
    assert_eq!(recovery(&Stack::with(&[("PointInTimeRecovery", "true")])), "true");
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
            // The function that a permission is for is not the permission's name.
            // A saved query must have one, which begins with that of the stack.
            let is_excused =
                ["AWS::Lambda::Permission", "AWS::Logs::QueryDefinition"].contains(&resource["Type"].as_str().unwrap());
            let is_named = !resource["Properties"][name].is_null() && !is_excused;
            assert!(!is_named, "{id}: {name}");
        }
    }
}
